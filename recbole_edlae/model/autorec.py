r"""
AutoRec
################################################
Reference:
    Suvash Sedhain et al. "AutoRec: Autoencoders Meet Collaborative Filtering" in WWW 2015.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from recbole.config import Config
from recbole.data.dataloader import UserDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType

from recbole_edlae._choices import choose
from recbole_edlae.data.item_dataloader import ItemDataLoader
from recbole_edlae.data.training_data import training_users
from recbole_edlae.model.errors import check_loss, check_scores
from recbole_edlae.model.history import HistoryMixin, binary_interactions, interactions_and_histories
from recbole_edlae.model.paper import Paper
from recbole_edlae.nn.autoencoder import AutoEncoder, squared_weights
from recbole_edlae.nn.losses import squared
from recbole_edlae.nn.rows import Rows

LOADERS = {"user": UserDataLoader, "item": ItemDataLoader}
FEEDBACK = ("implicit", "rating")


class AutoRec(HistoryMixin, GeneralRecommender):
    r"""AutoRec reconstructs a user's row of ratings, or an item's, from itself through a hidden layer.

    Ratings are predicted from observed entries alone, as deviations from their mean. Implicit feedback has no
    observed zeros, so that every entry without an interaction is one.

    """

    input_type = InputType.POINTWISE
    unseen_users: Mapping[str, Any] | None = {"based_on": "user"}
    paper = Paper(
        title="AutoRec: Autoencoders Meet Collaborative Filtering",
        authors="Suvash Sedhain, Aditya Krishna Menon, Scott Sanner and Lexing Xie",
        venue="WWW",
        year=2015,
        link="https://doi.org/10.1145/2740908.2742726",
    )
    search_space = """
        reg_weight choice [0.3,1.0,3.0]
    """

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        choose("based_on", config["based_on"], LOADERS)
        choose("feedback", config["feedback"], dict.fromkeys(FEEDBACK))
        self.item_based = config["based_on"] == "item"
        self.reg_weight = config["reg_weight"]

        # Implicit feedback has no observed zeros: every entry without an interaction is one.
        is_implicit = config["feedback"] == "implicit"
        self.unobserved_weight = 1.0 if is_implicit else 0.0

        def read(data: Dataset) -> sp.csr_matrix:
            if is_implicit:
                return binary_interactions(data)
            return mean_ratings(data, config["RATING_FIELD"])

        # Ratings are learned as deviations from the mean of training.
        training, matrix = interactions_and_histories(dataset, read)
        mean = 0.0 if is_implicit else training.data.mean()
        if self.item_based:
            matrix = matrix.T.tocsr()
        self.keep_history(matrix)
        self.register_buffer("values", torch.from_numpy(matrix.data - np.float32(mean)), persistent=False)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))

        # How many rows an epoch has, over which the L2 penalty is spread.
        self.n_rows = len(training_users(dataset))
        if self.item_based:
            self.n_rows = matrix.shape[0]
        self.network = AutoEncoder(
            matrix.shape[1],
            [],
            config["latent_dimension"],
            latent_activation=config["latent_activation"],
        )

    @staticmethod
    def train_loader(config: Config) -> type[UserDataLoader]:
        r"""Return the class of the data loader of training, for ``get_dataloader``: batches of users or of items."""
        return choose("based_on", config["based_on"], LOADERS)

    def rows(self, row: torch.Tensor) -> Rows:
        r"""Return the rows of some users, or of some items in an item-based model."""
        position, count = self.positions(row)
        return Rows(self.indices[position].long(), count, self.values[position])

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        field = self.ITEM_ID if self.item_based else self.USER_ID
        rows = self.rows(interaction[field])
        scores = self.network(rows).to(rows.values.dtype)

        # The loss is a mean over rows; the paper's ½ λ ‖weights‖² is one of their sum.
        l2 = self.reg_weight / (2 * self.n_rows) * squared_weights(self.network)
        loss = squared(scores, rows, 1.0, self.unobserved_weight).mean() + l2
        return check_loss(loss, "AutoRec")

    def score(
        self, items: torch.Tensor, count: torch.Tensor, values: torch.Tensor | None = None
    ) -> torch.Tensor:
        r"""Score all items for histories given one after the other, also of users unseen in training.

        Args:
            items (torch.LongTensor): Item ids, shape: [total]
            count (torch.LongTensor): How many each user has, shape: [n]
            values (torch.Tensor, optional): Their ratings, shape: [total]. Needed where training had ratings.

        Returns:
            torch.Tensor: shape: [n, n_items]
        """
        if self.item_based:
            raise ValueError(
                "an item-based AutoRec knows the users of its training only; set based_on to 'user'"
            )
        if values is None and not self.unobserved_weight:
            raise ValueError(
                "this AutoRec was trained on ratings: score needs the values of the history too"
            )

        # The network reads deviations from the mean, as in training; the mean of implicit feedback is 0.
        deviations = torch.ones(len(items), device=items.device)
        if values is not None:
            deviations = values - self.mean
        return self.network(Rows(items, count, deviations)) + self.mean

    def item_embedding(self) -> torch.Tensor:
        r"""Return the decoder's last weights, a user-based model's item embeddings, shape: [n_items, size]"""
        return self.network.decoder.columns

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return the cosines of all items' embeddings with one item's, shape: [n_items]"""
        embedding = self.item_embedding()
        return F.cosine_similarity(embedding, embedding[item], dim=1)

    def predict(self, interaction: Interaction) -> torch.Tensor:
        row = interaction[self.USER_ID]
        column = interaction[self.ITEM_ID]
        if self.item_based:
            row, column = column, row

        # Each row is encoded once, however many pairs it has.
        row, of_pair = row.unique(return_inverse=True)
        code = self.network.encode(self.rows(row))[of_pair]
        return self.network.decoder.at(code, column) + self.mean

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        user = interaction[self.USER_ID]
        if not self.item_based:
            scores = self.network(self.rows(user)) + self.mean
            return check_scores(scores, "AutoRec").view(-1)

        # Users are columns: only theirs are taken of the last layer.
        code = self.network.encode(self.rows(torch.arange(self.n_items, device=user.device)))
        hidden, weight, bias = self.network.decoder.last_layer(code)
        scores = weight[user] @ hidden.T
        if bias is not None:
            scores = scores + bias[user, None]
        return check_scores(scores + self.mean, "AutoRec").view(-1)


def mean_ratings(dataset: Dataset, field: str) -> sp.csr_matrix:
    r"""Return the dataset's users x items matrix of ratings, the mean where a pair has several."""
    if field not in dataset.inter_feat:
        raise ValueError(
            f"feedback rating needs the field {field} of the interactions: name it in load_col and RATING_FIELD, "
            f"or set feedback to 'implicit'; there are {', '.join(dataset.inter_feat.columns)}"
        )

    # SciPy sums repeated pairs in both, so that the quotient is their mean.
    ratings = dataset.inter_matrix(form="csr", value_field=field).astype(np.float32)
    repeats = dataset.inter_matrix(form="csr").astype(np.float32)
    ratings.sort_indices()
    repeats.sort_indices()
    ratings.data /= repeats.data
    return ratings
