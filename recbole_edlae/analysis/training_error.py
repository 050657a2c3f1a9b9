"""Compare the training error of an autoencoder with its lower bound, that of the rank-k SVD."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import gram


def svd_bound(X: sp.csr_matrix, ranks: int | Sequence[int]) -> float | list[float]:
    """Return Σ_{i>k} σ_i², the least squared error of any matrix of rank k on X.

    Args:
        X: SciPy CSR matrix, shape (users, items).
        ranks: k, a number or a list of them.

    Returns:
        A number, or a list of them.

    Notes:
        A network whose last layer is linear and has k inputs gives all users the scores H Vᵀ, with H of shape
        (users, k). This matrix has rank k, however deep the network that makes H (Steck & Garcia 2021, Proposition).
        A bias of that layer adds one to the rank.

        Cost: eigenvalues of the item × item Gram matrix.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.analysis import svd_bound
        >>> [round(bound, 6) for bound in svd_bound(sp.diags([3.0, 2.0, 1.0]).tocsr(), [0, 1, 3])]
        [14.0, 5.0, 0.0]
    """
    # The eigenvalues of XᵀX are σ_i², in ascending order; rounding can make the least of them negative.
    eigenvalues = np.linalg.eigvalsh(gram(X, dtype=torch.float64).numpy())
    squares = eigenvalues.clip(min=0)

    # A matrix of rank k reaches the k largest; the others remain as error (Eckart and Young).
    bounds = []
    for k in np.atleast_1d(ranks):
        remaining = max(0, len(squares) - k)
        bounds.append(float(squares[:remaining].sum()))

    if np.ndim(ranks) == 0:
        return bounds[0]
    return bounds


def squared_error(
    X: sp.csr_matrix, score: Callable[[sp.csr_matrix], np.ndarray], *, batch: int = 1024
) -> float:
    """Return ‖X − Ŷ‖²_F, computing the scores Ŷ for a batch of users at a time.

    Args:
        X: SciPy CSR matrix, shape (users, items).
        score: function from rows of X (CSR) to an array of their scores, of shape (rows, items).
        batch: number of users in a batch.

    Returns:
        A number ≥ 0.

    Examples:
        >>> import numpy as np
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.analysis import squared_error
        >>> squared_error(sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]]), lambda rows: np.zeros(rows.shape))
        5.0
    """
    # Only one batch is dense at a time, and the sum is in double precision whatever the scores are.
    error = 0.0
    for start in range(0, X.shape[0], batch):
        rows = X[start : start + batch]
        scores = np.asarray(score(rows), dtype=np.float64)
        error += ((rows.toarray() - scores) ** 2).sum()
    return float(error)
