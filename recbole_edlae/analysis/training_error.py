"""No autoencoder with a linear last layer of width k fits its training data better than the rank-k SVD."""

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
        A network whose last layer is linear, of width k, gives all users scores H Vᵀ, H of shape (users, k): a matrix
        of rank k, however deep the network that made H (Steck & Garcia 2021, Proposition). A bias of that layer is one
        more rank.

        Cost: eigenvalues of the item × item Gram matrix.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.analysis import svd_bound
        >>> [round(bound, 6) for bound in svd_bound(sp.diags([3.0, 2.0, 1.0]).tocsr(), [0, 1, 3])]
        [14.0, 5.0, 0.0]
    """
    squares = np.linalg.eigvalsh(gram(X, dtype=torch.float64).numpy()).clip(min=0)  # ascending
    bound = [float(squares[: max(0, len(squares) - k)].sum()) for k in np.atleast_1d(ranks)]
    return bound if np.ndim(ranks) else bound[0]


def squared_error(X: sp.csr_matrix, score: Callable[[sp.csr_matrix], np.ndarray], *, batch: int = 1024) -> float:
    """Return ‖X − Ŷ‖²_F of scores Ŷ that a function gives for CSR rows, a batch of users at a time.

    Args:
        X: SciPy CSR matrix, shape (users, items).
        score: function of some rows of X, CSR, to an array of their scores, (rows, items).
        batch: users at a time.

    Returns:
        A number ≥ 0.

    Examples:
        >>> import numpy as np
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.analysis import squared_error
        >>> squared_error(sp.csr_matrix([[1.0, 0.0], [0.0, 2.0]]), lambda rows: np.zeros(rows.shape))
        5.0
    """
    parts = (X[start : start + batch] for start in range(0, X.shape[0], batch))
    return float(sum(((part.toarray() - np.asarray(score(part), dtype=np.float64)) ** 2).sum() for part in parts))
