"""The low-pass filter of a user × item graph: what its leading singular vectors keep of a history."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from scipy.sparse.csgraph import connected_components

from recbole_edlae.solvers._finite import checked_matrix
from recbole_edlae.solvers._spectral import krylov_dimensions, top_eigenvectors
from recbole_edlae.solvers.parameters import check_rank

GROUPS = 32  # at most: block Lanczos finds an eigenvalue as often as it has vectors in a block
_ROWS = 1024  # of a dense matrix that are made at a time
_ZERO = {
    torch.float32: 1e-5,
    torch.float64: 1e-10,
}  # eigenvalues, of at most 1, that are 0 but for rounding


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
        dtype: torch.float32 or torch.float64.

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

        Cost: that of ``top_eigenvectors``: products of X and Xᵀ with 3 k to 5 k vectors and as many values × n; above
        k = n / 10 the 4/3 n³ operations of LAPACK's way and an n × n array, in double precision.

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
    if (X.data < 0).any():
        raise ValueError("X must have no negative values")
    _check_groups(X, rank)

    # D_U and D_I, 1 where a sum is 0.
    user_sums = np.asarray(X.sum(1)).ravel()
    item_sums = np.asarray(X.sum(0)).ravel()
    unused = item_sums == 0
    user_sums[user_sums == 0] = 1
    item_sums[unused] = 1

    # V, the eigenvectors of X̃ᵀX̃. LAPACK, which takes over for few items, is not much slower in double precision.
    precision = dtype
    if krylov_dimensions(X.shape[1], rank) is None:
        precision = torch.float64
    values, V = _eigenvectors(X, user_sums, item_sums, rank, precision)

    # X does not determine the directions of singular value 0, nor the rows of unused items.
    V = V[:, values > _ZERO[precision]]
    V[torch.from_numpy(unused)] = 0

    # left = D_I^½ V, right = D_I^−½ V
    root = torch.from_numpy(np.sqrt(item_sums))[:, None]
    return LowPass((V * root).to(dtype), (V / root).to(dtype))


def _eigenvectors(
    X: sp.csr_matrix, user_sums: np.ndarray, item_sums: np.ndarray, rank: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the largest eigenvalues of X̃ᵀX̃ and their eigenvectors."""
    like = torch.empty(X.shape[1], dtype=dtype)

    # X̃ = D_U^−½ X D_I^−½, in CSR both ways round.
    normalized = sp.diags(1 / np.sqrt(user_sums)) @ X @ sp.diags(1 / np.sqrt(item_sums))
    normalized = normalized.tocsr().astype(like.numpy().dtype)
    transposed = normalized.T.tocsr()

    # X̃ᵀX̃ x
    def product(x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(transposed @ (normalized @ np.ascontiguousarray(x.numpy())))

    # D_I^−½ (Xᵀ D_U⁻¹ X) D_I^−½, some rows at a time: as one sparse matrix it would take more memory than N.
    def dense() -> torch.Tensor:
        weighted = (sp.diags(1 / user_sums) @ X).T.tocsr()
        N = torch.empty(X.shape[1], X.shape[1], dtype=dtype)
        for first in range(0, len(N), _ROWS):
            rows = weighted[first : first + _ROWS] @ X
            N[first : first + _ROWS] = torch.from_numpy(rows.toarray())
        root = torch.from_numpy(np.sqrt(item_sums)).to(dtype)
        return N.div_(root).div_(root[:, None])

    return top_eigenvectors(product, dense, like, rank)


def _check_groups(X: sp.csr_matrix, rank: int) -> None:
    """Check that 1 is an eigenvalue no more often than can be found."""
    users, items = X.shape

    # The bipartite graph of users and items; SciPy builds no block matrix without an entry.
    graph = sp.csr_matrix((users + items, users + items))
    if X.nnz:
        graph = sp.bmat([[None, X], [X.T, None]])

    # Only groups with an interaction have the eigenvalue 1.
    _, label = connected_components(graph, directed=False)
    groups = len(np.unique(label[users + X.indices]))
    if groups > min(rank, GROUPS):
        raise ValueError(
            f"X falls into {groups} groups without a user or an item in common, and a low-pass filter has a direction "
            f"for each: there must be no more than rank, {rank}, and no more than {GROUPS}; keep fewer, larger ones"
        )
