r"""
LowRankEDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.

    Harald Steck and Dario Garcia Garcia. "On the Regularization of Autoencoders" in 2021.
"""

import numpy as np
import torch
from scipy.linalg import eigh

from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType, ModelType


def row_dot(A, B):
    r"""Compute the diagonal of A B^T, shape: [n_rows, 1]"""
    return (A * B).sum(axis=1, keepdims=True)


def orthonormal(U, MU):
    r"""Compute U and MU in a basis with U^T M U = I."""
    L = np.linalg.cholesky(U.T @ MU)
    return np.linalg.solve(L, U.T).T, np.linalg.solve(L, MU.T).T


class LowRankEDLAE(GeneralRecommender):
    r"""LowRankEDLAE is EDLAE with item weights U V^T of low rank. The rows of U and V are
    item embeddings: U for the items of a user's history, V for the items to recommend.
    """

    input_type = InputType.POINTWISE
    type = ModelType.TRADITIONAL

    def __init__(self, config, dataset):
        super(LowRankEDLAE, self).__init__(config, dataset)

        # load parameters info
        self.rank = config["rank"]
        self.reg_weight = config["reg_weight"]
        self.dropout_prob = config["dropout_prob"]
        self.tol = config["tol"]
        self.max_iter = config["max_iter"]
        if not 0 <= self.dropout_prob < 1:
            raise ValueError("Make sure 'dropout_prob' in [0, 1)!")

        # need at least one param
        self.dummy_param = torch.nn.Parameter(torch.zeros(1))

        X = dataset.inter_matrix(form="csr").astype(np.float32)
        X.data[:] = 1.0  # inter_matrix adds up repeated interactions

        self.interaction_matrix = X
        self.encoder, self.decoder = self._solve(X)
        self.other_parameter_name = ["interaction_matrix", "encoder", "decoder"]

    def _solve(self, X):
        r"""Minimize Eq. (10) of the paper, where the diagonal of U V^T does not count.

        This is ADMM with a variable beta in place of that diagonal. As the updates in the
        supplement of the paper can diverge, U takes a step along its gradient instead, of
        the best length; and beta = diag(U V^T) is penalized by the weights diag(M), for
        which the multipliers drop out of the updates.

        Args:
            X (scipy.sparse.csr_matrix): Binary interactions, shape: [n_users, n_items]

        Returns:
            tuple: The factors U and V of the scores X U V^T, shape: [n_items, rank]
        """
        # M = X^T X + diag(penalty), where the penalty is that of EDLAE, Eq. (8)
        M = (X.T @ X).toarray().astype(np.float64)
        popularity = M.diagonal().copy()
        dropped = self.dropout_prob / (1 - self.dropout_prob) * popularity
        penalty = self.reg_weight + dropped
        penalty[popularity == 0] = 1.0  # [PAD] and unseen items get zero weights
        M += np.diag(penalty)
        m = M.diagonal()[:, None]
        C = np.linalg.inv(M)

        # a rank above the number of items that have interactions is full rank
        U = self._truncate(M, C, min(self.rank, np.count_nonzero(popularity)))
        U, MU = orthonormal(U, M @ U)
        V = self._best_decoder(U, MU, m)
        for _ in range(self.max_iter):
            # from here on V^T V = I
            V, T = np.linalg.qr(V)
            U, MU = U @ T.T, MU @ T.T
            d, e = row_dot(U, V), row_dot(MU, V)

            # stop where the gradients vanish, relative to those at U V^T = 0
            grad_U = MU - M @ ((1 + d) * V) + (m * (1 + d) - e) * V
            grad_V = V @ (U.T @ MU) - (1 + d) * MU + (m * (1 + d) - e) * U
            residual = max(
                np.linalg.norm(grad_U) / np.linalg.norm(M @ V - m * V),
                np.linalg.norm(grad_V) / np.linalg.norm(MU - m * U),
            )
            if residual <= self.tol:
                break

            # U: a step along the gradient in the metric M
            step = -C @ grad_U
            slope = -np.sum(grad_U * step)
            length = slope / (slope + np.sum(m * row_dot(step, V) ** 2))
            U, MU = U + length * step, MU - length * grad_U

            # beta, and what is left of its multiplier
            new_d, new_e = row_dot(U, V), row_dot(MU, V)
            beta = (d + new_d + (new_e - e) / m) / 2
            pull = new_e - m

            # V: one ridge regression for each item, by the formula of Sherman and Morrison
            U, MU = orthonormal(U, MU)
            V = (1 + beta) * MU + pull * U
            V -= m * row_dot(U, V) / (1 + m * row_dot(U, U)) * U
        else:
            self.logger.warning(
                f"LowRankEDLAE stopped after max_iter = {self.max_iter} iterations at a "
                f"residual of {residual:.1e}, above tol = {self.tol}."
            )
        return U.astype(np.float32), V.astype(np.float32)

    def _truncate(self, M, C, rank):
        r"""Compute the U to start from: the full-rank EDLAE cut to its leading directions,
        Algorithm 1 of the second paper.

        Returns:
            numpy.ndarray: shape: [n_items, rank]
        """
        c = C.diagonal()[:, None]
        N = M + C / (c * c.T) - np.diag(2 / c[:, 0])
        V = eigh(N, subset_by_index=[len(N) - rank, len(N) - 1])[1]
        return V - C @ (V / c)

    def _best_decoder(self, U, MU, m):
        r"""Compute the V that minimizes Eq. (10) for a given U, where U^T M U = I.

        Returns:
            numpy.ndarray: shape: [n_items, rank]
        """
        H = MU - m * U
        b, h = row_dot(MU, H), row_dot(H, H)
        t = np.maximum(m - row_dot(MU, MU), 1e-12 * m)
        return m * (t * H + b * MU) / (t * (m + h) + b * b)

    def forward(self):
        pass

    def calculate_loss(self, interaction):
        return torch.nn.Parameter(torch.zeros(1))

    def predict(self, interaction):
        user = interaction[self.USER_ID].cpu().numpy()
        item = interaction[self.ITEM_ID].cpu().numpy()

        embedding = self.interaction_matrix[user, :] @ self.encoder
        scores = (embedding * self.decoder[item, :]).sum(axis=1)
        return torch.from_numpy(scores).to(self.device)

    def full_sort_predict(self, interaction):
        user = interaction[self.USER_ID].cpu().numpy()

        scores = self.interaction_matrix[user, :] @ self.encoder @ self.decoder.T
        return torch.from_numpy(scores.flatten()).to(self.device)
