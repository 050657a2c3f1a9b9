"""No autoencoder with a linear last layer of width k fits its training data better than the rank-k SVD."""

import numpy as np
import torch

from recbole_edlae.solvers._gram import gram


def svd_bound(X, ranks):
    """Σ_{i>k} σ_i²: the least squared error of any matrix of rank k on X (Steck & Garcia 2021, Proposition).

    A network whose last layer is linear, of width k, gives all users scores H Vᵀ, H of shape (users, k): a matrix of
    rank k, however deep the network that made H. A bias of that layer is one more rank.

    Args:
        X: SciPy CSR matrix, shape (users, items).
        ranks: k, a number or a list of them.

    Returns:
        float, or a list of them. Cost: eigenvalues of the item × item Gram matrix.
    """
    squares = np.linalg.eigvalsh(gram(X, dtype=torch.float64).numpy()).clip(min=0)  # ascending
    bound = [float(squares[: max(0, len(squares) - k)].sum()) for k in np.atleast_1d(ranks)]
    return bound if np.ndim(ranks) else bound[0]


def squared_error(X, score, *, batch=1024):
    """‖X − Ŷ‖²_F of scores Ŷ that a function gives for CSR rows, a batch of users at a time.

    Args:
        X: SciPy CSR matrix, shape (users, items).
        score: function of some rows of X, CSR, to an array of their scores, (rows, items).
        batch: users at a time.
    """
    parts = (X[start : start + batch] for start in range(0, X.shape[0], batch))
    return float(sum(((part.toarray() - np.asarray(score(part), dtype=np.float64)) ** 2).sum() for part in parts))
