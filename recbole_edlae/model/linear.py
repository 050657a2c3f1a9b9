r"""
Linear autoencoders
################################################
What EDLAE and its relatives share: the users' histories, one fit, scores that are sums of item weights.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType, ModelType

from recbole_edlae.model.closed_form import ClosedForm, in_words_of_settings
from recbole_edlae.model.history import HistoryMixin, interactions_and_histories
from recbole_edlae.model.weights import Unfitted, Weights


class _Trainer:
    """Give a class its trainer when RecBole asks for it: the trainer also evaluates, and loads what that takes."""

    def __get__(self, model: Any, owner: type) -> type:
        from recbole_edlae.model.trainer import ClosedFormTrainer

        return ClosedFormTrainer


class LinearAutoEncoder(HistoryMixin, GeneralRecommender, ClosedForm):
    r"""A user's scores are :math:`x^T B`, x the user's binary history, B the item x item :class:`Weights`.

    The trainer calls :meth:`fit` once, which solves for the weights; a checkpoint is loaded without fitting. An
    unfitted model scores 0.

    With users and items exchanged (``based_on`` user), B is user x user: a user's scores are the rows of the other
    users, weighted. Below, "items" then are users, and the other way round.

    A subclass gives :meth:`solve`, and names settings of its own in ``setting_names`` or reads them in its constructor.
    """

    input_type = InputType.POINTWISE
    type = ModelType.TRADITIONAL
    trainer = _Trainer()
    unseen_users: Mapping[str, Any] | None = {}

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        self.read_settings(config)
        self.dummy_param = torch.nn.Parameter(torch.zeros(1))  # RecBole's optimizers want one

        # With users and items exchanged, an item's history is its users.
        interactions, histories = interactions_and_histories(dataset)
        if self.user_based:
            interactions = interactions.T.tocsr()
            histories = interactions
        self.keep_history(histories)
        if self.user_based and self.item_weight_power != 0:
            self._item_scale()  # refuses a power that is too large before the fit

        # Ones need not take four bytes each; the indices are shared with the histories.
        ones = np.ones(interactions.nnz, dtype=np.int8)
        arrays = ones, interactions.indices, interactions.indptr
        self.interactions = sp.csr_matrix(arrays, shape=interactions.shape)
        self.weights: Weights
        self.unfit()
        self.check_settings()

    def unfit(self) -> None:
        r"""Drop the weights, as in a model that was never fitted."""
        self.weights = Unfitted(encoder=self.dummy_param.new_zeros(self.size, 0))

    @property
    def fit_device(self) -> torch.device:
        return self.dummy_param.device

    @property
    def fitted(self) -> bool:
        r"""Whether there are weights."""
        return not isinstance(self.weights, Unfitted)

    def item_embedding(self, side: str = "encoder") -> torch.Tensor:
        r"""Return the item embeddings of a low-rank model.

        Args:
            side (str): ``encoder`` for what an item means in a user's history (U), ``decoder`` for what makes it
                score (V).

        Returns:
            torch.Tensor: shape: [n_items, rank]
        """
        if side not in ("encoder", "decoder"):
            raise ValueError(f"side must be 'encoder' or 'decoder', got {side!r}")
        return self.weights.item_embedding(side)

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return how similar all items are to one: its weights for them or, at low rank, cosines of embeddings.

        Raises:
            ValueError: The weights are those of users.
        """
        if self.user_based:
            raise ValueError(
                "with based_on user there are weights of users for each other, and none of items"
            )
        return self.weights.similarity(item)

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        r"""Return zero; fit on the first call if the trainer does not call :meth:`fit`."""
        if not self.fitted:
            self.fit()
        return self.dummy_param.sum() * 0

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        r"""Score all items for histories given one after the other, as from :meth:`history`.

        Returns:
            torch.Tensor: shape: [len(count), n_items]

        Raises:
            ValueError: The weights are those of users: it scores the users of its training only.
        """
        if self.user_based:
            raise ValueError(
                "with based_on user the model knows the users of its training only; set it to 'item'"
            )
        return self.weights.score(items, count)

    def scores_by_weights(self) -> bool:
        r"""Return whether scores are those of the weights: no subclass or instance has another way to score."""
        if self.user_based:
            return False

        # A subclass may override a method, and a caller may replace it on the instance.
        for name in ("full_sort_predict", "score", "history"):
            is_stock = getattr(type(self), name) is getattr(LinearAutoEncoder, name)
            if not is_stock or name in vars(self):
                return False
        return True

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        if self.user_based:
            return self._score_users(interaction[self.USER_ID]).reshape(-1)
        return self.score(*self.history(interaction[self.USER_ID])).view(-1)

    def _score_users(self, users: torch.Tensor) -> torch.Tensor:
        """Score all items for some users by the rows of the other users, shape: [users, n_items]"""
        weights = self.weights.score(users, torch.ones_like(users))

        # The history of an item are its users, whose weights are added up.
        rows = weights.T.contiguous()
        scores = F.embedding_bag(self.indices.long(), rows, self.indptr[:-1], mode="sum").T
        if self.item_weight_power == 0:
            return scores

        # An item's score is divided by a power of its popularity, as with weights of items.
        return scores / self._item_scale().to(scores)

    def _item_scale(self) -> torch.Tensor:
        """Return the power of every item's popularity, where an item's history is its users."""
        from recbole_edlae.solvers import item_scale

        with in_words_of_settings(power="item_weight_power"):
            return item_scale(self.indptr.diff(), power=self.item_weight_power)

    def _apply(self, *arguments: Any, **options: Any) -> "LinearAutoEncoder":
        """Move to a device as modules do; packed weights become dense on a GPU."""
        super()._apply(*arguments, **options)
        self.weights = self.weights.on(self.dummy_param.device)
        return self

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name, tensor in self.weights.tensors().items():
            destination[prefix + name] = tensor

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *arguments: Any) -> None:
        """Take the checkpoint's tensors as they are, whatever their form and rank, instead of copying into place."""
        from recbole_edlae.model.stored_weights import check_tensors
        from recbole_edlae.model.weight_forms import names, of_tensors

        # torch calls this with six more arguments; the third is the list of what is missing.
        missing = arguments[2]
        saved = {}
        for name in names():
            if prefix + name in state_dict:
                saved[name] = state_dict.pop(prefix + name)

        counted = "items"
        if self.user_based:
            counted = "users"
        check_tensors(saved, self.size, counted)
        weights = of_tensors(saved)
        if weights is None:
            missing.append(f"{prefix}encoder")
        else:
            self.weights = weights.on(self.dummy_param.device)
        super()._load_from_state_dict(state_dict, prefix, *arguments)
