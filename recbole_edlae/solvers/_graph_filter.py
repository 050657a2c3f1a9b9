"""Filter histories on the item graph by polynomials, with products of sparse matrices alone."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from numpy.polynomial.chebyshev import chebtrim

from recbole_edlae.solvers._finite import checked_matrix
from recbole_edlae.solvers._low_pass import LowPass
from recbole_edlae.solvers.parameters import check_number, is_finite

LINEAR_FILTER = (0.5, -0.5)  # N = ½ T_0(L̃) − ½ T_1(L̃)
_ZERO = 1e-14  # of the largest coefficient: rounding
WIDTH = 64  # histories filtered at a time: their columns stay in the cache


class GraphFilter(NamedTuple):
    """The filter F = D_I^−β p(L̃) D_I^β, F[input, target], L̃ = I − 2 R̃ᵀR̃, which is never formed.

    Attributes:
        normalized: R̃ = D_U^−½ X D_I^−½, sparse CSR tensor of shape (u, n).
        transposed: R̃ᵀ, sparse CSR tensor of shape (n, u).
        coefficients: those of p in Chebyshev polynomials, shape (K + 1,).
        scale: D_I^β, shape (n,), 0 for items that nobody used.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import graph_filter
        >>> F = graph_filter(sp.csr_matrix([[1, 1, 0], [0, 1, 1]]), (0.5, -0.5))
        >>> F.normalized.shape, F.transposed.shape
        (torch.Size([2, 3]), torch.Size([3, 2]))
    """

    normalized: torch.Tensor
    transposed: torch.Tensor
    coefficients: torch.Tensor
    scale: torch.Tensor

    def scores(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Return the scores of all items for some histories, shape (users, n).

        Args:
            items: int64, shape (total,): the items of each history, one history after the other.
            count: int64, shape (users,): how many items each history has.

        Notes:
            Cost: 4 K operations for every entry of X and every history; values of 64 histories × (3 n + u) beside
            the result.

        Examples:
            >>> import scipy.sparse as sp
            >>> import torch
            >>> from recbole_edlae.solvers import graph_filter
            >>> F = graph_filter(sp.csr_matrix([[1, 1, 0], [0, 1, 1]]), (0.5, -0.5), dtype=torch.float64)
            >>> F.scores(torch.tensor([0, 2]), torch.tensor([1, 1])).round(decimals=2).tolist()
            [[0.5, 0.35, 0.0], [0.0, 0.35, 0.5]]
        """
        scores = torch.empty(len(count), len(self.scale), dtype=self.scale.dtype, device=self.scale.device)
        first = 0
        for start in range(0, len(count), WIDTH):
            # Some histories at a time, so that their columns stay in the cache.
            block = count[start : start + WIDTH]
            last = first + int(block.sum())
            scores[start : start + WIDTH] = self._filtered(items[first:last], block).T
            first = last
        return scores

    def _filtered(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Return D_I^β p(L̃) D_I^−β x for histories x in columns, shape (n, users), by Clenshaw's recurrence."""
        users = len(count)
        column = torch.arange(users, device=items.device).repeat_interleave(count)

        # D_I^−β x, whose entries of unused items are 0.
        used = self.scale[items] != 0
        position = items[used], column[used]
        values = 1 / self.scale[items[used]]

        *later_coefficients, last = self.coefficients.tolist()
        later = torch.zeros(len(self.scale), users, dtype=self.scale.dtype, device=self.scale.device)

        # A polynomial of degree 0 scales the history.
        if not later_coefficients:
            return later.index_put_(position, values * last * self.scale[items[used]], accumulate=True)

        # b_K = c_K x; b_k = c_k x + 2 L̃ b_k+1 − b_k+2, where 2 L̃ b = 2 b − 4 N b
        current = later.index_put(position, values * last, accumulate=True)
        for coefficient in later_coefficients[:0:-1]:
            following = self._less_neighbors(2 * current - later, current, 4.0)
            later = current
            current = following.index_put_(position, values * coefficient, accumulate=True)

        # p(L̃) x = c_0 x + L̃ b_1 − b_2
        total = self._less_neighbors(current - later, current, 2.0)
        total.index_put_(position, values * later_coefficients[0], accumulate=True)
        return total.mul_(self.scale[:, None])

    def _less_neighbors(self, total: torch.Tensor, x: torch.Tensor, times: float) -> torch.Tensor:
        """Return total − times N x, N = R̃ᵀR̃; total is overwritten."""
        return total.sub_(_product(self.transposed, _product(self.normalized, x)), alpha=times)


def graph_filter(
    X: sp.spmatrix,
    coefficients: Sequence[float],
    *,
    degree_power: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> GraphFilter:
    """Return the filter F = D_I^−β p(L̃) D_I^β that is a polynomial of the normalized item graph.

    Args:
        X: SciPy sparse matrix, shape (u, n), users × items; finite values ≥ 0. Duplicates are summed.
        coefficients: c_0, …, c_K of the polynomial p = Σ c_k T_k; ``LINEAR_FILTER`` for p(L̃) = N.
        degree_power: β, any finite number.
        dtype: torch.float32 or torch.float64.

    Returns:
        GraphFilter. Items that nobody used have zero rows and columns.

    Raises:
        ValueError: a parameter is out of range, or X is not a two-dimensional sparse matrix of finite numbers ≥ 0.

    Notes:
        Notation: D_U, D_I the sums of the rows and columns of X; R̃ = D_U^−½ X D_I^−½; N = R̃ᵀR̃, the item graph, whose
        eigenvalues lie in [0, 1]; L = I − N its Laplacian; L̃ = 2 L − I = I − 2 N, whose eigenvalues lie in [−1, 1];
        T_k Chebyshev's polynomials.

        Two published models are such filters, each with an ideal low-pass filter added (``ideal_filter``):

        * GF-CF's linear filter: p(L̃) = N, β = 0.
        * ChebyCF: p from ``plateau``, β > 0.

        Equivalent to: the sum of c_k T_k(L̃) as dense matrices, between D_I^−β and D_I^β.

        Cost: two sparse matrices of as many entries as X; nothing of size n × n. Last coefficients that are 0 cost
        nothing.

    References:
        Yifei Shen et al. "How Powerful is Graph Convolution for Recommendation?" (GF-CF) in CIKM 2021.

        Chanwoo Kim et al. "Graph Spectral Filtering with Chebyshev Interpolation for Recommendation" (ChebyCF) in
        SIGIR 2025.

    Examples:
        >>> import scipy.sparse as sp
        >>> import torch
        >>> from recbole_edlae.solvers import graph_filter
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 1, 1]])
        >>> identity = graph_filter(X, (1.0, 0.0, 0.0))
        >>> identity.scores(torch.tensor([0, 1]), torch.tensor([2])).tolist()
        [[1.0, 1.0, 0.0]]
    """
    X = checked_matrix(X)
    if (X.data < 0).any():
        raise ValueError("X must have no negative values")
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    degree_power = check_number("power", degree_power)
    values = _checked_coefficients(coefficients)

    # D_U and D_I.
    user_sums = np.asarray(X.sum(1), dtype=np.float64).ravel()
    item_sums = np.asarray(X.sum(0), dtype=np.float64).ravel()

    # D_I^β; an unused item has no degree to take the power of.
    used = item_sums > 0
    scale = np.where(used, np.where(used, item_sums, 1) ** degree_power, 0)

    # R̃ = D_U^−½ X D_I^−½
    normalized = sp.diags(_inverse_root(user_sums)) @ X @ sp.diags(_inverse_root(item_sums))
    return filter_of_parts(
        normalized.tocsr(),
        torch.tensor(values, dtype=dtype),
        torch.from_numpy(scale).to(dtype),
    )


def filter_of_parts(
    normalized: sp.csr_matrix, coefficients: torch.Tensor, scale: torch.Tensor
) -> GraphFilter:
    """Return a GraphFilter of R̃ as a SciPy matrix, and of its coefficients and scale, on the device of these.

    Raises:
        ValueError: the indices of R̃ lie outside of it.
    """
    normalized = checked_matrix(normalized, "the graph")
    transposed = _csr_tensor(normalized.T.tocsr(), scale)
    return GraphFilter(_csr_tensor(normalized, scale), transposed, coefficients, scale)


def ideal_filter(W: LowPass, item_count: torch.Tensor, *, degree_power: float) -> LowPass:
    """Return D_I^−γ V Vᵀ D_I^γ as two factors, from W = D_I^½ V Vᵀ D_I^−½.

    Args:
        W: LowPass, shapes (n, k) (``low_pass``).
        item_count: shape (n,), the diagonal of D_I.
        degree_power: γ, any finite number; −½ gives W itself.

    Returns:
        LowPass of W's type. Items that nobody used have zero rows.

    Raises:
        ValueError: degree_power is not finite.

    Notes:
        GF-CF has γ = ½: V Vᵀ between D_I^−½ and D_I^½, where W has them the other way round. ChebyCF has γ = β.

        Cost: 2 n k multiplications.

    References:
        Yifei Shen et al. "How Powerful is Graph Convolution for Recommendation?" (GF-CF) in CIKM 2021.

    Examples:
        >>> import scipy.sparse as sp
        >>> import torch
        >>> from recbole_edlae.solvers import ideal_filter, low_pass
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 1, 1]])
        >>> W = low_pass(X, 1, dtype=torch.float64)
        >>> left, right = ideal_filter(W, torch.tensor([2, 3, 1]), degree_power=0.5)
        >>> torch.allclose(left @ right.T, (W.left @ W.right.T).T)
        True
    """
    degree_power = check_number("power", degree_power)

    # W has D_I^½ on its left and D_I^−½ on its right: both are taken away with the powers put on.
    degrees = item_count.to(W.left.device).clamp(min=1).double()
    scale = degrees.pow(degree_power + 0.5)[:, None].to(W.left.dtype)
    return LowPass(W.left / scale, W.right * scale)


def _inverse_root(sums: np.ndarray) -> np.ndarray:
    """Return 1/√sum, 0 where a sum is 0."""
    positive = sums > 0
    return np.where(positive, 1 / np.sqrt(np.where(positive, sums, 1)), 0)


def _csr_tensor(matrix: sp.csr_matrix, like: torch.Tensor) -> torch.Tensor:
    """Return a SciPy matrix as a sparse CSR tensor of like's type and device."""
    indptr = torch.from_numpy(matrix.indptr.astype(np.int32))
    indices = torch.from_numpy(matrix.indices.astype(np.int32))
    values = torch.from_numpy(matrix.data).to(like.dtype)

    # torch says once that sparse CSR tensors are in beta state.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)
        tensor = torch.sparse_csr_tensor(indptr, indices, values, matrix.shape, check_invariants=True)
    return tensor.to(like.device)


def _product(matrix: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return matrix @ x, for a sparse CSR tensor and a dense one.

    torch's own sparse product takes four times as long for 64 columns.
    """
    starts = matrix.crow_indices()[:-1]
    return F.embedding_bag(matrix.col_indices(), x, starts, mode="sum", per_sample_weights=matrix.values())


def _checked_coefficients(coefficients: Any) -> list[float]:
    """Return coefficients up to the last one that is not 0, after a check that there are some, all of them finite."""
    values = list(coefficients)
    if not values or not all(map(is_finite, values)):
        raise ValueError(f"coefficients must be at least one finite number, got {coefficients!r}")
    values = [float(value) for value in values]

    # Every coefficient costs two products: those that rounding left at the end go.
    return chebtrim(values, tol=_ZERO * max(map(abs, values))).tolist()
