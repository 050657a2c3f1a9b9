"""Leading eigenvectors, and with them the best low-rank approximation of a full-rank model."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg
import torch

from recbole_edlae.solvers._matrix import Symmetric, add_to, dense_copy
from recbole_edlae.solvers._system import System

_BLOCK = 32  # vectors multiplied at a time: from there on a product costs little more than its operations
_TOL = {
    torch.float32: 5e-7,
    torch.float64: 1e-13,
}  # residual of an eigenvector, relative to the largest eigenvalue

Product = Callable[[torch.Tensor], torch.Tensor]
Pairs = tuple[
    torch.Tensor, torch.Tensor
]  # eigenvalues (k,) in falling order, and their eigenvectors (n, k)


def truncate(
    system: System, C: Symmetric, mu: torch.Tensor, rank: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rank-k model closest to a full-rank one: min tr[(UVᵀ − B̂)ᵀ M (UVᵀ − B̂)] for B̂ = I − C diag μ.

    Notation: M = G + diag Λ (``system``), C = M⁻¹. μ = 1/c is EDLAE's B̂, μ = Λ is DLAE's.

    By Eckart–Young in the metric M: V holds the top-k eigenvectors of B̂ᵀMB̂ and U = B̂V. Multiplied out,

        B̂ᵀMB̂ = M − 2 diag μ + diag μ C diag μ,    B̂V = V − C diag(μ) V,

    so that neither B̂ nor a third n × n array is needed to multiply with it.

    Returns:
        (U, V), VᵀV = I; rows of items that nobody used are zero.
    """
    shift = (system.Lambda - 2 * mu)[:, None]
    mu = mu[:, None]

    # B̂ᵀMB̂ x, term by term.
    def product(x: torch.Tensor) -> torch.Tensor:
        return (C @ (mu * x)).mul_(mu).add_(system.G @ x).addcmul_(shift, x)

    # The same matrix, in the memory of one copy of C.
    def dense() -> torch.Tensor:
        N = dense_copy(C).mul_(mu).mul_(mu.T)
        add_to(system.G, N)
        N.diagonal().add_(shift[:, 0])
        return N

    # Rounding leaves nonzero rows for items that nobody used.
    _, V = top_eigenvectors(product, dense, system.diagonal, rank)
    V[system.unused] = 0

    # U = B̂V
    return V - C @ (mu * V), V


def top_eigenvectors(
    product: Product, dense: Callable[[], torch.Tensor], like: torch.Tensor, rank: int
) -> Pairs:
    """Return the k largest eigenvalues of a positive semi-definite matrix, in falling order, and their eigenvectors.

    Up to about n / 10 eigenvectors come from a block Krylov space (``_block_lanczos``), which needs products only, and
    more from LAPACK's partial decomposition of the dense matrix (dsyevr) or, above n / 2, its full one (dsyevd).
    LAPACK also takes over where the Krylov space of n / 2 dimensions does not hold them, or turns out not to be one:
    where eigenvalues repeat more than 32 times. Elsewhere than on the CPU ``torch.linalg.eigh`` decomposes the dense
    matrix, which ``dense`` makes where it is needed. ``like`` has the size, the type and the device.

    Notes:
        Cost: products with 3 k to 5 k vectors and as many values × n; otherwise 4/3 n³ operations to reduce the
        matrix to a tridiagonal one, and an n × n array.
    """
    # torch returns eigenvalues in rising order.
    if like.device.type != "cpu":
        values, vectors = torch.linalg.eigh(dense())
        return values[-rank:].flip(0), vectors[:, -rank:].flip(1)

    # Few eigenvectors need products alone, and LAPACK only where these do not find them.
    if krylov_dimensions(len(like), rank) is not None:
        pairs = _block_lanczos(product, like, rank)
        if pairs is not None:
            return pairs
    return _by_lapack(dense(), rank)


def _by_lapack(N: torch.Tensor, rank: int) -> Pairs:
    """Return the largest eigenvalues and their eigenvectors of a dense matrix, which is overwritten."""
    n = len(N)

    # The partial decomposition stops paying where half of the vectors are asked for.
    if 2 * rank <= n:
        values, vectors = scipy.linalg.eigh(
            N.numpy().T,
            subset_by_index=[n - rank, n - 1],
            overwrite_a=True,
            check_finite=False,
        )
    else:
        all_values, all_vectors = torch.linalg.eigh(N)
        values = all_values[-rank:].numpy()
        vectors = all_vectors[:, -rank:].numpy()

    order = np.argsort(-values, kind="stable")
    vectors = np.ascontiguousarray(vectors[:, order])
    return torch.from_numpy(values[order]), torch.from_numpy(vectors)


def krylov_dimensions(n: int, rank: int) -> int | None:
    """Return how many dimensions a Krylov space may take for some eigenvectors; None where LAPACK finds them."""
    first = _first_check(rank)
    if 4 * first > n:
        return None
    return min(n // 2, 2 * first)


def _first_check(rank: int) -> int:
    """Return the dimensions of the Krylov space at its first check: fewer have not been enough on any data."""
    return 5 * rank // 2 + 4 * _BLOCK


def _block_lanczos(product: Product, like: torch.Tensor, rank: int) -> Pairs | None:
    """Return eigenvectors from the Krylov space of a block of random vectors, fully re-orthogonalized (block Lanczos).

    Notation: N the matrix; rows of ``basis`` orthonormal, blocks Q_0, Q_1, …; T = Q N Qᵀ on the m rows that have been
    multiplied; Q_next R what N makes of the last block outside of their span. For T y = θ y, the vector Qᵀ y has the
    residual ‖R y_last‖ and θ is at most its eigenvalue. The space grows until every residual is at most _TOL θ_1,
    which leaves the eigenvalues with an error of the order of its square.

    The random block is always the same, so that results are reproducible.

    Returns:
        (values, vectors), or None where the space of n / 2 dimensions was not enough, where a block did not add to
        it, or where the residual of the vectors themselves, multiplied once more, is not as small as that.
    """
    n = len(like)
    dtype = like.dtype
    limit = n // 2
    check = _first_check(rank)

    # Of T the upper triangle is written; what is not written to takes no memory.
    basis = torch.empty(limit + _BLOCK, n, dtype=dtype)
    T = torch.empty(limit, limit, dtype=torch.float64)

    # Q_0
    start = torch.randn(n, _BLOCK, generator=torch.Generator().manual_seed(0), dtype=dtype)
    basis[:_BLOCK] = torch.linalg.qr(start)[0].T
    for m in range(_BLOCK, limit + 1, _BLOCK):
        # T grows by the last block's column, the basis by the next block.
        known = basis[:m]
        last = basis[m - _BLOCK : m]
        extension = _extend(known, product(last.T))
        T[:m, m - _BLOCK : m] = extension.coefficients
        basis[m : m + _BLOCK] = extension.rows

        # A block that adds nothing new: the eigenvalues repeat, and the space is not what the residual takes it for.
        R = extension.triangle
        largest = T[:m, :m].diagonal().max()
        if R.diagonal().abs().min() <= 10 * torch.finfo(dtype).eps * largest:
            return None
        if m < check:
            continue

        # T y = θ y; every residual ‖R y_last‖ must be at most _TOL θ_1.
        values, Y = torch.linalg.eigh(T[:m, :m], UPLO="U")
        values = values[-rank:].flip(0)
        Y = Y[:, -rank:].flip(1)
        if (R.double() @ Y[-_BLOCK:]).norm(dim=0).max() <= _TOL[dtype] * values[0]:
            vectors = (Y.T.to(dtype) @ known).T.contiguous()
            return _checked(product, values.to(dtype), vectors)

        # The decomposition of T costs as much as some blocks.
        check = 6 * m // 5
    return None


class _Extension(NamedTuple):
    """What a block W adds to orthonormal rows: W = knownᵀ H + rowsᵀ R."""

    coefficients: torch.Tensor  # H
    triangle: torch.Tensor  # R
    rows: torch.Tensor


def _extend(known: torch.Tensor, W: torch.Tensor) -> _Extension:
    """Return the coefficients of W in orthonormal rows, and new rows orthonormal to them for what is left.

    It takes two passes, since after one pass rounding leaves too much of what is large.
    """
    H = torch.zeros(len(known), W.shape[1], dtype=W.dtype)
    R = torch.eye(W.shape[1], dtype=W.dtype)
    for _ in range(2):
        projection = known @ W
        W, triangle = torch.linalg.qr(W - (projection.T @ known).T)
        H = H + projection @ R
        R = triangle @ R
    return _Extension(H, R, W.T)


def _checked(product: Product, values: torch.Tensor, vectors: torch.Tensor) -> Pairs | None:
    """Return the pairs, or None if their residual is too large.

    A random sum of the vectors has the root of the sum of their squared residuals, on average.
    """
    # One product with a random sum of signs instead of one with every vector.
    signs = (
        torch.randint(2, (len(values), 1), generator=torch.Generator().manual_seed(1)).to(vectors) * 2 - 1
    )
    residual = (product(vectors @ signs) - vectors @ (values[:, None] * signs)).norm()

    limit = 20 * _TOL[vectors.dtype] * len(values) ** 0.5 * values[0]
    if residual > limit:
        return None
    return values, vectors
