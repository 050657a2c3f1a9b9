"""Leading eigenvectors, and with them the best low-rank approximation of a full-rank model."""

import numpy as np
import scipy.linalg
import torch

_BLOCK = 32  # vectors multiplied at a time: from there on a product costs little more than its operations
_TOL = {torch.float32: 5e-7, torch.float64: 1e-13}  # residual of an eigenvector, relative to the largest eigenvalue


def truncate(system, C, mu, rank):
    """The rank-k model closest to a full-rank one: min tr[(UVᵀ − B̂)ᵀ M (UVᵀ − B̂)] for B̂ = I − C diag μ.

    Notation: M = G + diag Λ (``system``), C = M⁻¹. μ = 1/c is EDLAE's B̂, μ = Λ is DLAE's.

    By Eckart–Young in the metric M: V holds the top-k eigenvectors of B̂ᵀMB̂ and U = B̂V. Multiplied out,

        B̂ᵀMB̂ = M − 2 diag μ + diag μ C diag μ,    B̂V = V − C diag(μ) V,

    so that neither B̂ nor a third n × n array is needed to multiply with it.

    Returns:
        (U, V), VᵀV = I; rows of items that nobody used are zero.
    """
    shift, mu = (system.Lambda - 2 * mu)[:, None], mu[:, None]

    def product(x):
        return (C @ (mu * x)).mul_(mu).add_(system.G @ x).addcmul_(shift, x)

    def dense():
        N = (C * mu).mul_(mu.T).add_(system.G)
        N.diagonal().add_(shift[:, 0])
        return N

    _, V = top_eigenvectors(product, dense, system.diagonal, rank)
    V[system.unused] = 0
    return V - C @ (mu * V), V


def top_eigenvectors(product, dense, like, rank):
    """The ``rank`` largest eigenvalues of a positive semi-definite matrix, in falling order, and their eigenvectors.

    Up to about n / 10 eigenvectors come from a block Krylov space (``_block_lanczos``), which needs products only, and
    more from LAPACK's partial decomposition of the dense matrix (dsyevr) or, above n / 2, its full one (dsyevd).
    LAPACK also takes over where the Krylov space of n / 2 dimensions does not hold them, or turns out not to be one:
    where eigenvalues repeat more than 32 times. Elsewhere than on the CPU ``torch.linalg.eigh`` decomposes the dense
    matrix.

    Args:
        product: the matrix times an (n, j) tensor.
        dense: makes the matrix, which is then overwritten; called only where it is needed.
        like: tensor of shape (n,), for size, dtype and device.
        rank: k, from 1 to n.

    Returns:
        (values, vectors), shapes (k,) and (n, k), of like's dtype.

    Cost: products with 3 k to 5 k vectors and as many values × n; otherwise about 4/3 n³ multiply-adds and an n × n
    array.
    """
    n = len(like)
    if like.device.type != "cpu":
        values, vectors = torch.linalg.eigh(dense())
        return values[-rank:].flip(0), vectors[:, -rank:].flip(1)
    if 4 * _first_check(rank) <= n and (found := _block_lanczos(product, like, rank)) is not None:
        return found
    if 2 * rank <= n:
        values, vectors = scipy.linalg.eigh(
            dense().numpy().T, subset_by_index=[n - rank, n - 1], overwrite_a=True, check_finite=False
        )
    else:
        values, vectors = (t[..., -rank:].numpy() for t in torch.linalg.eigh(dense()))
    order = np.argsort(-values, kind="stable")
    return torch.from_numpy(values[order]), torch.from_numpy(np.ascontiguousarray(vectors[:, order]))


def _first_check(rank):
    """Dimensions of the Krylov space before it is first looked at: fewer have not been enough on any data."""
    return 5 * rank // 2 + 4 * _BLOCK


def _block_lanczos(product, like, rank):
    """Eigenvectors from the Krylov space of a block of random vectors, re-orthogonalised in full (block Lanczos).

    Notation: N the matrix; rows of ``basis`` orthonormal, blocks Q_0, Q_1, …; T = Q N Qᵀ on the m rows that have been
    multiplied; Q_next R what N makes of the last block outside of their span. For T y = θ y, the vector Qᵀ y has the
    residual ‖R y_last‖ and θ is at most its eigenvalue. The space grows until every residual is at most _TOL θ_1,
    which leaves the eigenvalues with an error of the order of its square.

    The random block is always the same, so that results are.

    Returns:
        (values, vectors), or None where the space of n / 2 dimensions was not enough, where a block did not add to
        it, or where the residual of the vectors themselves, multiplied once more, is not as small as that.
    """
    n, dtype = len(like), like.dtype
    limit, check = n // 2, _first_check(rank)
    basis, T = torch.empty(limit + _BLOCK, n, dtype=dtype), torch.zeros(limit, limit, dtype=torch.float64)
    start = torch.randn(n, _BLOCK, generator=torch.Generator().manual_seed(0), dtype=dtype)
    basis[:_BLOCK] = torch.linalg.qr(start)[0].T
    for m in range(_BLOCK, limit + 1, _BLOCK):
        held, last = basis[:m], basis[m - _BLOCK : m]
        T[:m, m - _BLOCK : m], R, basis[m : m + _BLOCK] = _extend(held, product(last.T))
        largest = T[:m, :m].diagonal().max()
        if R.diagonal().abs().min() <= 10 * torch.finfo(dtype).eps * largest:
            return None
        if m < check:
            continue
        values, Y = torch.linalg.eigh(T[:m, :m], UPLO="U")
        values, Y = values[-rank:].flip(0), Y[:, -rank:].flip(1)
        if (R.double() @ Y[-_BLOCK:]).norm(dim=0).max() <= _TOL[dtype] * values[0]:
            return _checked(product, values.to(dtype), (Y.T.to(dtype) @ held).T.contiguous())
        check = 6 * m // 5
    return None


def _extend(held, W):
    """Coefficients H of W in the rows of ``held``, and rows Q orthonormal to them: W = heldᵀ H + Qᵀ R.

    Twice, as the first time rounding leaves too much of what is large.
    """
    H, R = torch.zeros(len(held), W.shape[1], dtype=W.dtype), torch.eye(W.shape[1], dtype=W.dtype)
    for _ in range(2):
        part = held @ W
        W, triangle = torch.linalg.qr(W - (part.T @ held).T)
        H, R = H + part @ R, triangle @ R
    return H, R, W.T


def _checked(product, values, vectors):
    """The pair, or None: a random sum of the vectors has the root of the sum of their squared residuals, on average."""
    signs = torch.randint(2, (len(values), 1), generator=torch.Generator().manual_seed(1)).to(vectors) * 2 - 1
    residual = (product(vectors @ signs) - vectors @ (values[:, None] * signs)).norm()
    return (values, vectors) if residual <= 20 * _TOL[vectors.dtype] * len(values) ** 0.5 * values[0] else None
