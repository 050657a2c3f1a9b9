"""What the low-rank solvers share: their result, their start, the choice of a basis and the loop around their steps."""

import math
import warnings
from typing import NamedTuple

import torch

from recbole_edlae.solvers._finite import check_finite, check_gram, check_result
from recbole_edlae.solvers._parameters import check_count, check_rank, check_tol
from recbole_edlae.solvers._spectral import truncate
from recbole_edlae.solvers._system import System

_REMEDY = "the values of G are too large or too small; scale X, or compute in float64"
_ROWS = 1024  # over so many, inner products are summed in the precision of the factors


class ConvergenceWarning(UserWarning):
    """An iterative solver stopped before the residual it was asked for."""


class Iteration(NamedTuple):
    objective: float
    residual: float


class LowRank(NamedTuple):
    """B = u @ v.T, B[input, target]; u and v of shape (n, rank). ``history`` has one ``Iteration`` each; () if none."""

    u: torch.Tensor
    v: torch.Tensor
    converged: bool
    history: tuple


def finished(u, v, converged, history):
    """Return factors as LowRank, after a check that they are finite."""
    for name, factor in (("u", u), ("v", v)):
        check_result(factor, name, _REMEDY)
    return LowRank(u, v, converged, history)


class Schedule:
    """When to stop, and how far along it is: in multiply-adds, so that the inverse and the iterations share one bar."""

    def __init__(self, method, G, rank, *, products, tol, max_iter, progress):
        check_gram(G)
        check_rank(rank, len(G))
        check_tol(tol)
        check_count("max_iter", max_iter)
        self.method, self.tol, self.max_iter, self.progress = method, tol, max_iter, progress
        self.inversion, self.iteration = len(G) ** 3, products * len(G) ** 2 * int(rank)
        self.total = self.inversion + max_iter * self.iteration

    def advance(self, done, total=None):
        if self.progress is not None:
            self.progress(done, self.total)

    def run(self, steps):
        """Draws (u, v, objective, residual) from ``steps`` until the residual is at most tol."""
        history = []
        for u, v, objective, residual in steps:  # noqa: B007  u and v are used after the loop
            history.append(Iteration(objective, residual))
            stop = residual <= self.tol or not math.isfinite(residual)
            self.advance(self.total if stop else self.inversion + len(history) * self.iteration)
            if stop or len(history) == self.max_iter:
                break
        if math.isnan(residual) or not math.isfinite(objective):
            raise ValueError(f"{self.method} does not stay finite at {u.dtype}: {_REMEDY}")
        result = finished(u, v, residual <= self.tol, tuple(history))
        if not residual <= self.tol:
            warnings.warn(
                f"{self.method} stopped after {len(history)} iterations at a residual of {residual:.1e}, above "
                f"tol = {self.tol:g}: raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=4,
            )
        return result


def begin(G, rank, *, dropout, l2, start, generator, schedule):
    """The system M, its inverse C and the encoder U to start from.

    start is "eigen" (the solution of ``eigen``), "random" (normal deviates) or a pair (u, v), of which v is
    refitted at once.
    """
    system = System(G, dropout=dropout, l2=l2)
    pair = _checked_pair(start, G, rank)
    C = system.inverse(progress=schedule.advance)
    if pair is not None:
        U = pair[0].to(G)
    elif start == "eigen":
        U, _ = truncate(system, C, 1 / C.diagonal(), rank)
    else:
        device = "cpu" if generator is None else generator.device
        U = torch.randn(len(G), rank, generator=generator, dtype=G.dtype, device=device).to(G.device)
    return system, C, U.masked_fill(system.unused[:, None], 0)


def _checked_pair(start, G, rank):
    if isinstance(start, str) and start in ("eigen", "random"):
        return None
    shapes = [tuple(t.shape) for t in start if isinstance(t, torch.Tensor)] if isinstance(start, (tuple, list)) else []
    if shapes != [(len(G), rank)] * 2:
        raise ValueError(
            f"start must be 'eigen', 'random' or a pair of tensors (u, v) of shape ({len(G)}, {rank}); "
            f"got {shapes or repr(start)}"
        )
    for factor in start:
        if factor.is_complex():
            raise ValueError(f"start must hold real numbers, got {factor.dtype}")
        check_finite(factor, "start")
    return start


def m_orthonormal(U, MU):
    """U in a basis with UᵀMU = I, and MU with it."""
    for _ in range(2):
        T, _, accurate = _basis(U, MU)
        U, MU = U @ T, MU @ T
        if accurate:
            break
    return U, MU


def orthonormal(V, U, MU):
    """V in a basis with VᵀV = I, and U and MU such that UVᵀ stays what it was."""
    for _ in range(2):
        T, inverse, accurate = _basis(V, V)
        V, U, MU = V @ T, U @ inverse.T, MU @ inverse.T
        if accurate:
            break
    return V, U, MU


def _basis(F, MF):
    """T and its inverse such that F T has orthonormal columns in the metric whose product with F is MF.

    The third value says whether rounding spoils that so little that a second pass is not needed.

    Cholesky in double precision, of inner products summed in double precision over parts, on columns scaled to length
    1. Where columns depend on each other to rounding, as they must above the rank of the full-rank model, eigenvectors
    take over and the dependent directions become zero columns of T, and zero rows of what is then its pseudo-inverse.
    """
    A = sum((part.T @ product).double() for part, product in zip(F.split(_ROWS), MF.split(_ROWS)))
    norm = A.diagonal().clamp_min(0).sqrt()
    scale = torch.where(norm > 0, 1 / norm, 0)
    A = scale[:, None] * A * scale
    limit = 100 * torch.finfo(F.dtype).eps
    L, failed = torch.linalg.cholesky_ex(A)
    pivot = 0 if failed else L.diagonal().min().item() ** 2
    if pivot > limit:
        T, inverse = torch.linalg.solve_triangular(L, torch.eye(len(L)).to(L), upper=False).T, L.T
    else:
        values, Q = torch.linalg.eigh((A + A.T) / 2)
        root = torch.where(values > limit, values, 0).sqrt()
        T, inverse = Q * torch.where(root > 0, 1 / root, 0), root[:, None] * Q.T
    return (scale[:, None] * T).to(F), (inverse * norm).to(F), pivot > 0.01
