r"""
EDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

import numpy as np
import torch

from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType, ModelType


class EDLAE(GeneralRecommender):
    r"""EDLAE is a linear autoencoder that learns to reconstruct the interactions that
    dropout removed from its input. It is solved in closed form for all dropout masks at once.

    With ``emphasis`` [1, 0] only the errors on dropped interactions count, as in EDLAE;
    with [1, 1] all errors count alike, as in DLAE. EDLAE without dropout is EASE.
    """

    input_type = InputType.POINTWISE
    type = ModelType.TRADITIONAL

    def __init__(self, config, dataset):
        super(EDLAE, self).__init__(config, dataset)

        # load parameters info
        self.reg_weight = config["reg_weight"]
        self.dropout_prob = config["dropout_prob"]
        self.emphasis = config["emphasis"]
        if not 0 <= self.dropout_prob < 1:
            raise ValueError("Make sure 'dropout_prob' in [0, 1)!")
        if self.emphasis[0] <= 0 or self.emphasis[1] < 0:
            raise ValueError("Make sure 'emphasis' is [a, b] with a > 0 and b >= 0!")

        # need at least one param
        self.dummy_param = torch.nn.Parameter(torch.zeros(1))

        X = dataset.inter_matrix(form="csr").astype(np.float32)
        X.data[:] = 1.0  # inter_matrix adds up repeated interactions

        self.interaction_matrix = X
        self.item_similarity = self._solve(X)
        self.other_parameter_name = ["interaction_matrix", "item_similarity"]

    def _solve(self, X):
        r"""Compute the item weights: Eq. (8) of the paper where emphasis is [1, 0],
        Eq. (5) where it is [1, 1], the optimum of Eq. (6) in general.

        Args:
            X (scipy.sparse.csr_matrix): Binary interactions, shape: [n_users, n_items]

        Returns:
            numpy.ndarray: The weights B of the scores X B, shape: [n_items, n_items]
        """
        p, (a, b) = self.dropout_prob, self.emphasis

        # on average, dropout is an L2 penalty that grows with an item's popularity
        G = (X.T @ X).toarray()
        popularity = G.diagonal()
        penalty = self.reg_weight + p / (1 - p) * popularity
        penalty[popularity == 0] = 1.0  # [PAD] and unseen items get zero weights

        # EDLAE: B = I - C diag(1 / c), which has a zero diagonal
        C = np.linalg.inv(G + np.diag(penalty))
        c = C.diagonal()
        B = C / -c
        np.fill_diagonal(B, 0.0)

        # errors on kept interactions count too: they give B a diagonal
        if b > 0:
            explained = np.maximum(1 / c - penalty, 0.0)
            total = b * explained + a * penalty
            B *= a * penalty / total
            np.fill_diagonal(B, (a * p + b * (1 - p)) * explained / total)
        return B

    def forward(self):
        pass

    def calculate_loss(self, interaction):
        return torch.nn.Parameter(torch.zeros(1))

    def predict(self, interaction):
        user = interaction[self.USER_ID].cpu().numpy()
        item = interaction[self.ITEM_ID].cpu().numpy()

        history = self.interaction_matrix[user, :]
        scores = history.multiply(self.item_similarity[:, item].T).sum(axis=1)
        return torch.from_numpy(np.asarray(scores).flatten()).to(self.device)

    def full_sort_predict(self, interaction):
        user = interaction[self.USER_ID].cpu().numpy()

        scores = self.interaction_matrix[user, :] @ self.item_similarity
        return torch.from_numpy(scores.flatten()).to(self.device)
