"""The low-pass filter of a user × item graph: what its leading singular vectors keep of a history."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from scipy.sparse.csgraph import connected_components

from recbole_edlae.solvers._finite import checked_matrix
from recbole_edlae.solvers._parameters import check_rank
from recbole_edlae.solvers._spectral import decomposition_size, top_eigenvectors

GROUPS = 32  # most of them: as often as the block Lanczos method finds an eigenvalue again
_ZERO = 1e-10  # eigenvalues up to here are those of no direction, as the largest is 1


class LowPass(NamedTuple):
    """The filter W = left rightᵀ, W[input, target].

    Attributes:
        left: D_I^½ V, shape (n, k).
        right: D_I^−½ V, shape (n, k).

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import low_pass
        >>> W = low_pass(sp.csr_matrix([[1, 1, 0], [0, 1, 1]]), 2)
        >>> (W.left @ W.right.T).shape
        torch.Size([3, 3])
    """

    left: torch.Tensor
    right: torch.Tensor


def low_pass(X: sp.spmatrix, rank: int, *, dtype: torch.dtype = torch.float32) -> LowPass:
    """Return the ideal low-pass filter W = D_I^½ V Vᵀ D_I^−½ of the normalized user × item matrix.

    Args:
        X: SciPy sparse matrix, shape (u, n), users × items; finite values ≥ 0. Duplicates are summed.
        rank: k, from 1 to n.
        dtype: torch.float32 or torch.float64, of the result; the eigenvectors are found in double precision.

    Returns:
        LowPass, of shapes (n, k), or fewer columns where X has a lower rank. Items that nobody used have zero rows.

    Raises:
        ValueError: a parameter is out of range, X is not a two-dimensional sparse matrix of finite numbers ≥ 0, or it
            falls into more groups without a user or an item in common than ``rank`` or than 32.

    Notes:
        Notation: D_U, D_I the sums of the rows and columns of X; X̃ = D_U^−½ X D_I^−½; V the top-k right singular
        vectors of X̃, those of singular value 0 left out, since X does not determine them.

        W keeps the part of a history that varies least over the graph (GF-CF's ideal low-pass filter; the global part
        of FPSR). W² = W. All singular values are at most 1, and 1 is taken once for every group of users and items
        without a link to the others: with more groups than k, V is not determined.

        The users count alike, whatever their weights are in a Gram matrix: W is a property of the graph.

        Equivalent to: ``numpy.linalg.svd`` of X̃. Where k = n is the rank of X, W is the identity.

        Cost: products of X and Xᵀ with 3 k to 5 k vectors and as many doubles × n; above k = n / 10 about 4/3 n³
        multiply-adds and an n × n array of doubles.

    References:
        Tianjun Wei, Jianghong Ma and Tommy W. S. Chow. "Fine-tuning Partition-aware Item Similarities for Efficient and
        Scalable Recommendation" (FPSR) in WWW 2023.

        Yifei Shen et al. "How Powerful is Graph Convolution for Recommendation?" (GF-CF) in CIKM 2021.

    Examples:
        >>> import scipy.sparse as sp
        >>> import torch
        >>> from recbole_edlae.solvers import low_pass
        >>> W = low_pass(sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 1, 1]]), 1, dtype=torch.float64)
        >>> (W.left @ W.right.T).round(decimals=2).tolist()  # of rank 1: popularity
        [[0.33, 0.33, 0.33], [0.5, 0.5, 0.5], [0.17, 0.17, 0.17]]
    """
    X = checked_matrix(X)
    check_rank(rank, X.shape[1])
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    X = X.astype(np.float64)
    X.eliminate_zeros()
    if (X.data < 0).any():
        raise ValueError("X must have no negative values")
    used = np.bincount(X.indices, minlength=X.shape[1]) > 0
    _check_groups(X, rank)
    # X̃; a sum of 0 is that of no entry.
    user_sums, item_sums = (np.asarray(X.sum(axis)).ravel() for axis in (1, 0))
    root = np.sqrt(np.where(used, item_sums, 1))
    user_root = np.sqrt(np.where(user_sums > 0, user_sums, 1))
    normalized = (sp.diags(1 / user_root) @ X @ sp.diags(1 / root)).tocsr()
    # V, the eigenvectors of X̃ᵀX̃.
    values, V = _eigenvectors(normalized, rank)
    V = V[:, values > _ZERO]
    V[~torch.from_numpy(used)] = 0
    scale = torch.from_numpy(root)[:, None]
    return LowPass((V * scale).to(dtype), (V / scale).to(dtype))


def values_held(n: int, rank: int) -> int:
    """Return how many numbers in single precision ``low_pass`` holds at most."""
    return 2 * (decomposition_size(n, rank, "cpu") + 4 * n * rank)


def _eigenvectors(normalized: sp.csr_matrix, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the largest eigenvalues of X̃ᵀX̃ and their eigenvectors."""
    transposed = normalized.T.tocsr()

    def product(x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(transposed @ (normalized @ np.ascontiguousarray(x.numpy())))

    def dense() -> torch.Tensor:
        return torch.from_numpy((transposed @ normalized).toarray())

    return top_eigenvectors(product, dense, torch.empty(normalized.shape[1], dtype=torch.float64), rank)


def _check_groups(X: sp.csr_matrix, rank: int) -> None:
    """Check that 1 is an eigenvalue no more often than can be found."""
    users, items = X.shape
    graph = sp.bmat([[None, X], [X.T, None]]) if X.nnz else sp.csr_matrix((users + items, users + items))
    _, label = connected_components(graph, directed=False)
    groups = len(np.unique(label[users + X.indices]))
    if groups > min(rank, GROUPS):
        raise ValueError(
            f"X falls into {groups} groups without a user or an item in common, and a low-pass filter has a direction "
            f"for each: there must be no more than rank, {rank}, and no more than {GROUPS}; keep fewer, larger ones"
        )
