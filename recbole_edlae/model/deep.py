r"""
Deep autoencoders
################################################
What DeepAE and DeepVAE share: the users' histories as sparse rows, their corruption, and the scores of a network.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from recbole.config import Config
from recbole.data.dataloader import UserDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType

from recbole_edlae.data.training_data import training_users
from recbole_edlae.model.closed_form import in_words_of_settings
from recbole_edlae.model.errors import check_loss, check_scores
from recbole_edlae.model.history import HistoryMixin, interactions_and_histories
from recbole_edlae.nn.corruption import dropout, entry_weights, gaussian
from recbole_edlae.nn.losses import loss
from recbole_edlae.nn.rows import Rows, binary_rows
from recbole_edlae.solvers import activity_weight


class DeepAutoEncoder(HistoryMixin, GeneralRecommender):
    r"""A user's scores are a network's output for the user's binary history.

    A subclass sets ``network``, which maps :class:`Rows` to scores and has ``encode`` and ``decoder``, and gives
    :meth:`row_loss`, one number a user. Trained by RecBole's stock Trainer on batches of users.
    """

    input_type = InputType.POINTWISE
    unseen_users: Mapping[str, Any] | None = {}

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        self.normalize_input = config["normalize_input"]
        self.dropout_prob = config["dropout_prob"]
        self.noise_std = config["noise_std"]
        self.emphasis = config["emphasis"]
        self.loss = loss(config["loss_type"])

        interactions, histories = interactions_and_histories(dataset)
        self.keep_history(histories)
        self.n_rows = len(training_users(dataset))  # of an epoch

        # [PAD] and users who are held out have no items, and teach nothing.
        count = np.diff(interactions.indptr)
        with in_words_of_settings(power="user_weight_power"):
            weight = activity_weight(count, config["user_weight_power"])
        weight = weight * (count > 0)
        self.register_buffer("user_weight", torch.from_numpy(weight).float(), persistent=False)

    @staticmethod
    def train_loader(config: Config) -> type[UserDataLoader]:
        r"""Return the class of the data loader of training, for ``get_dataloader``: batches of users."""
        return UserDataLoader

    def input(self, rows: Rows) -> Rows:
        r"""Return binary rows as the network reads them."""
        if self.normalize_input:
            return rows.unit_length()
        return rows

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        user = interaction[self.USER_ID]
        rows = binary_rows(*self.history(user))

        # The network reads the corrupted rows, and reconstructs the complete ones.
        corrupted, dropped = dropout(self.input(rows), self.dropout_prob)
        corrupted = gaussian(corrupted, self.noise_std, self.n_items)
        weight, unobserved_weight = entry_weights(dropped, self.dropout_prob, self.emphasis)

        # Mixed precision ends at the scores: losses sum over all items.
        def reconstruction(code: torch.Tensor) -> torch.Tensor:
            scores = self.network.decoder(code).to(rows.values.dtype)
            return self.loss(scores, rows, weight, unobserved_weight)

        row_loss, penalty = self.row_loss(corrupted, reconstruction)
        batch_loss = (self.user_weight[user] * row_loss).mean() + penalty
        return check_loss(batch_loss, type(self).__name__)

    def row_loss(
        self, rows: Rows, reconstruction: Callable[[torch.Tensor], torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        r"""Return what training minimizes.

        Args:
            rows (Rows): Corrupted histories.
            reconstruction (callable): Maps codes, shape: [batch_size, k], to losses, shape: [batch_size]

        Returns:
            tuple: the loss of each user, shape: [batch_size], and a penalty of the batch, shape: []
        """
        raise NotImplementedError

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        r"""Score all items for histories given one after the other, as from :meth:`history`.

        They may be histories of users unseen in training.

        Returns:
            torch.Tensor: shape: [len(count), n_items]
        """
        scores = self.network.decoder(self.code(items, count))
        return check_scores(scores, type(self).__name__)

    def code(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        r"""Return the latent codes of histories given one after the other, shape: [len(count), k]"""
        return self.network.encode(self.input(binary_rows(items, count)))

    def item_embedding(self) -> torch.Tensor:
        r"""Return the item embeddings: the weights of the decoder's last layer, shape: [n_items, size]"""
        return self.network.decoder.columns

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return the cosines of all items' embeddings with one item's, shape: [n_items]"""
        embedding = self.item_embedding()
        return F.cosine_similarity(embedding, embedding[item], dim=1)

    def predict(self, interaction: Interaction) -> torch.Tensor:
        # Each user is encoded once, however many pairs are theirs.
        user, of_pair = interaction[self.USER_ID].unique(return_inverse=True)
        code = self.code(*self.history(user))
        return self.network.decoder.at(code[of_pair], interaction[self.ITEM_ID])

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        return self.score(*self.history(interaction[self.USER_ID])).view(-1)
