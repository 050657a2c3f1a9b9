r"""
Linear autoencoders
################################################
What EDLAE and its relatives share: the users' histories, one fit, scores that are sums of item weights.
"""

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType, ModelType

from recbole_edlae.model.errors import in_words_of_settings
from recbole_edlae.model.history import HistoryMixin, interactions_and_histories
from recbole_edlae.model.resources import check_memory
from recbole_edlae.model.weights import SparseWeights
from recbole_edlae.solvers import LowRank, SingularError, activity_weight, gram, normalize_items


class LinearAutoEncoder(HistoryMixin, GeneralRecommender):
    r"""A user's scores are :math:`x^T E D^T`, x the user's binary history, E the encoder and D the decoder.

    A full-rank model has its item x item weights for encoder and no decoder, or keeps them in ``sparse``. All are
    buffers, filled by :meth:`fit`, which the trainer calls once; loading a checkpoint fills them without fitting. An
    unfitted model scores 0.

    A subclass gives :meth:`solve`.
    """

    input_type = InputType.POINTWISE
    type = ModelType.TRADITIONAL
    gram = staticmethod(gram)  # a sweep puts one in its place that remembers
    matrices = 1  # items x items, how many a fit holds at once

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.reg_weight = config["reg_weight"]
        self.dropout_prob = config["dropout_prob"]
        self.user_weight_power = config["user_weight_power"]
        self.item_weight_power = config["item_weight_power"]
        self.dummy_param = torch.nn.Parameter(torch.zeros(1))  # RecBole's optimizers want one
        self.interactions, histories = interactions_and_histories(dataset)
        self.keep_history(histories)
        self.register_buffer("encoder", torch.zeros(self.n_items, 0))
        self.register_buffer("decoder", None)
        self.sparse = SparseWeights()

    def fit(self, progress=None):
        r"""Solve for the weights.

        Args:
            progress (callable, optional): Called as ``progress(done, total)``. Defaults to ``None``.

        Raises:
            MemoryError: There is not enough memory, which is found out before any is taken.
            ValueError: The users do not determine the weights, or a setting is out of range; it names the settings.
        """
        with in_words_of_settings(power="user_weight_power"):
            weight = activity_weight(np.diff(self.interactions.indptr), self.user_weight_power)
        popularity = np.bincount(self.interactions.indices, minlength=self.n_items)
        try:
            with in_words_of_settings(user_weight="user_weight_power"):
                weights = self.weights(weight, progress)
        except ValueError as error:
            if not isinstance(error.__cause__, SingularError):
                raise
            users, items = np.count_nonzero(np.diff(self.interactions.indptr)), np.count_nonzero(popularity)
            raise ValueError(
                f"reg_weight {self.reg_weight!r} and dropout_prob {self.dropout_prob!r} leave the weights of {items} "
                f"items undetermined by {users} users: raise reg_weight or dropout_prob"
            ) from error
        if self.item_weight_power != 0:
            popularity = torch.from_numpy(popularity).to(self.encoder.device)
            with in_words_of_settings(power="item_weight_power"):
                weights = normalize_items(weights, popularity, power=self.item_weight_power, overwrite=True)
        if sp.issparse(weights):
            self.sparse.keep(weights)
        else:
            self.encoder, self.decoder = (weights.u, weights.v) if isinstance(weights, LowRank) else (weights, None)

    def weights(self, user_weight, progress):
        r"""Weights for users who weigh what ``user_weight`` says, by the Gram matrix and :meth:`solve`."""
        takes = check_memory(self.n_items, self.matrices, 24 * self.interactions.nnz, self.encoder.device)
        self.logger.info(f"{type(self).__name__}: {takes}")
        return self.solve(self.gram(self.interactions, user_weight, device=self.encoder.device), progress)

    @property
    def fitted(self):
        return self.encoder.shape[1] > 0 or self.sparse.filled

    def solve(self, G, progress):
        r"""Weights for a Gram matrix, which may be overwritten.

        Args:
            G (torch.Tensor): Gram matrix, shape: [n_items, n_items]
            progress (callable): As in :meth:`fit`.

        Returns:
            torch.Tensor or LowRank: item x item weights, shape: [n_items, n_items], or their factors
        """
        raise NotImplementedError

    def item_embedding(self, side="encoder"):
        r"""Item embeddings of a low-rank model.

        Args:
            side (str): ``encoder`` for what an item means in a user's history (U), ``decoder`` for what makes it
                score (V).

        Returns:
            torch.Tensor: shape: [n_items, rank]
        """
        if side not in ("encoder", "decoder"):
            raise ValueError(f"side must be 'encoder' or 'decoder', got {side!r}")
        if self.decoder is None:
            raise ValueError("a full-rank model has item x item weights (encoder) and no embeddings; give it a rank")
        return getattr(self, side)

    def calculate_loss(self, interaction):
        r"""Nothing to descend. For a trainer that knows no :meth:`fit`, the first batch fits."""
        if not self.fitted:
            self.fit()
        return self.dummy_param.sum() * 0

    def score(self, items, count):
        r"""Scores of all items for histories given one after the other, as from :meth:`history`.

        Returns:
            torch.Tensor: shape: [len(count), n_items]
        """
        if not self.fitted:
            return torch.zeros(len(count), self.n_items, device=self.encoder.device)
        if self.sparse.filled:
            return self.sparse(items, count)
        code = F.embedding_bag(items, self.encoder, count.cumsum(0) - count, mode="sum")
        return code if self.decoder is None else code @ self.decoder.T

    def predict(self, interaction):
        user, item = interaction[self.USER_ID], interaction[self.ITEM_ID]
        return torch.cat([self._score_pairs(*pair) for pair in zip(user.split(4096), item.split(4096))])

    def _score_pairs(self, user, item):
        items, count = self.history(user)
        scores = torch.zeros(len(user), device=self.encoder.device)
        if not self.fitted:
            return scores
        if self.sparse.filled:
            for one in user.unique():
                own = user == one
                scores[own] = self.score(*self.history(one[None]))[0, item[own]]
            return scores
        if self.decoder is None:
            row = torch.arange(len(user), device=user.device).repeat_interleave(count)
            return scores.index_add_(0, row, self.encoder[items, item[row]])
        code = F.embedding_bag(items, self.encoder, count.cumsum(0) - count, mode="sum")
        return (code * self.decoder[item]).sum(-1)

    def full_sort_predict(self, interaction):
        return self.score(*self.history(interaction[self.USER_ID])).view(-1)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        """Takes the checkpoint's tensors as they are, whatever their rank, instead of copying into place."""
        for name in ("encoder", "decoder"):
            value = state_dict.get(prefix + name)
            if value is None and name == "encoder":
                continue  # reported as missing below
            if value is not None and len(value) != self.n_items:
                raise ValueError(
                    f"the checkpoint has weights for {len(value)} items, the data have {self.n_items}: "
                    "it was trained on other data or other filters"
                )
            setattr(self, name, None if value is None else value.to(self.dummy_param.device))
        super()._load_from_state_dict(state_dict, prefix, *args)
