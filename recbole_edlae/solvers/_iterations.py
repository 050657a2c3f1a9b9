"""Share the result, the start, the choice of a basis and the loop among the low-rank solvers."""

import math
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch

from recbole_edlae.solvers._factors import Iteration, LowRank
from recbole_edlae.solvers._finite import check_finite, check_gram, check_result
from recbole_edlae.solvers._matrix import REMEDY, Symmetric
from recbole_edlae.solvers._objective import Factors
from recbole_edlae.solvers._spectral import truncate
from recbole_edlae.solvers._system import System
from recbole_edlae.solvers.parameters import Progress, check_count, check_number, check_rank

_ROWS = 1024  # rows whose inner products are summed in the precision of the factors


class ConvergenceWarning(UserWarning):
    """An iterative solver stopped before it reached its tolerance."""


class Step(NamedTuple):
    """What an iterative solver yields after each iteration."""

    factors: Factors
    objective: float
    residual: float


def checked_result(
    u: torch.Tensor, v: torch.Tensor, *, converged: bool = True, history: tuple[Iteration, ...] = ()
) -> LowRank:
    """Return factors as LowRank after a check that they are finite."""
    for name, factor in (("u", u), ("v", v)):
        check_result(factor, name, REMEDY)
    return LowRank(u, v, converged, history)


class Schedule:
    """When to stop, and the progress in operations, so that the inverse and the iterations share one bar."""

    def __init__(
        self,
        method: str,
        G: Symmetric,
        rank: int,
        *,
        products: int,
        tol: float,
        max_iter: int,
        progress: Progress | None,
    ) -> None:
        check_gram(G)
        check_rank(rank, len(G))
        check_count("max_iter", max_iter)
        self.method = method
        self.tol = check_number("tol", tol, at_least=0)
        self.max_iter = max_iter
        self.progress = progress

        # Additions and multiplications; a product with n × k numbers has as many of both.
        self.inversion_cost = len(G) ** 3
        self.iteration_cost = 2 * products * len(G) ** 2 * int(rank)
        self.total = self.inversion_cost + max_iter * self.iteration_cost

    def advance(self, done: int, total: int | None = None) -> None:
        """Report the operations done so far; ``total`` of the caller is replaced by that of the schedule."""
        if self.progress is not None:
            self.progress(done, self.total)

    def run(self, steps: Iterable[Step]) -> LowRank:
        """Draw from ``steps`` until the residual is at most tol; warn where that takes more than max_iter of them."""
        history = []
        for step in steps:
            history.append(Iteration(step.objective, step.residual))
            converged = step.residual <= self.tol
            stop = converged or not math.isfinite(step.residual)

            # Steps that are not needed complete the bar.
            done = self.inversion_cost + len(history) * self.iteration_cost
            if stop:
                done = self.total
            self.advance(done)
            if stop or len(history) == self.max_iter:
                break

        # An infinite residual is a zero norm that it is relative to, and no overflow.
        factors = step.factors
        if math.isnan(step.residual) or not math.isfinite(step.objective):
            raise ValueError(f"{self.method} does not stay finite at {factors.U.dtype}: {REMEDY}")

        result = checked_result(factors.U, factors.V, converged=converged, history=tuple(history))
        if not converged:
            warnings.warn(
                f"{self.method} stopped after {len(history)} iterations at a residual of {step.residual:.1e}, above "
                f"tol = {self.tol:g}: raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=4,
            )
        return result


def initialize(
    system: System, rank: int, *, start: Any, generator: torch.Generator | None, schedule: Schedule
) -> tuple[Symmetric, torch.Tensor]:
    """Return the inverse C of the system and the encoder U to start from.

    ``start`` is "eigen" (the solution of ``eigen``), "random" (normal deviates) or a pair (u, v); its v is refitted at
    once.
    """
    # A wrong start is found before the inverse takes its time.
    pair = _checked_pair(start, system.G, rank)
    C = system.inverse(progress=schedule.advance)
    if pair is not None:
        U = pair[0].to(system.diagonal)
    elif start == "eigen":
        U, _ = truncate(system, C, 1 / C.diagonal(), rank)
    else:
        U = _random(system.G, rank, generator)

    # Items that nobody used have no weights, whatever the start gives them.
    return C, U.masked_fill(system.unused[:, None], 0)


def _random(G: Symmetric, rank: int, generator: torch.Generator | None) -> torch.Tensor:
    """Return an (n, k) matrix of normal deviates."""
    device = torch.device("cpu")
    if generator is not None:
        device = generator.device
    return torch.randn(len(G), rank, generator=generator, dtype=G.dtype, device=device).to(G.device)


def _checked_pair(start: Any, G: Symmetric, rank: int) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return the factors to start from after a check; None where ``start`` is a word."""
    if isinstance(start, str) and start in ("eigen", "random"):
        return None

    # Anything else than two tensors of this shape is refused in one message.
    shapes = []
    if isinstance(start, (tuple, list)):
        shapes = [tuple(factor.shape) for factor in start if isinstance(factor, torch.Tensor)]
    if shapes != [(len(G), rank)] * 2:
        raise ValueError(
            f"start must be 'eigen', 'random' or a pair of tensors (u, v) of shape ({len(G)}, {rank}); "
            f"got {shapes or repr(start)}"
        )

    for factor in start:
        if factor.is_complex():
            raise ValueError(f"start must hold real numbers, got {factor.dtype}")
        check_finite(factor, "start")
    return start[0], start[1]


def m_orthonormal(U: torch.Tensor, MU: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return U in a basis with UᵀMU = I, and MU in the same basis."""
    # A second pass removes what rounding left in the first one.
    for _ in range(2):
        basis = _basis(U, MU)
        U = U @ basis.transform
        MU = MU @ basis.transform
        if basis.accurate:
            break
    return U, MU


def v_orthonormal(factors: Factors) -> Factors:
    """Return the factors in a basis with VᵀV = I that leaves UVᵀ what it was."""
    # V T and U T⁻ᵀ have the product UVᵀ; a second pass as in `m_orthonormal`.
    for _ in range(2):
        basis = _basis(factors.V, factors.V)
        factors = Factors(
            U=factors.U @ basis.inverse.T,
            V=factors.V @ basis.transform,
            MU=factors.MU @ basis.inverse.T,
        )
        if basis.accurate:
            break
    return factors


class _Basis(NamedTuple):
    """A change of basis T, its inverse, and whether rounding spoils so little that one pass is enough."""

    transform: torch.Tensor
    inverse: torch.Tensor
    accurate: bool


def _basis(F: torch.Tensor, MF: torch.Tensor) -> _Basis:
    """Return the T for which F T has orthonormal columns in the metric M, given the product MF.

    Cholesky in double precision, of inner products summed in double precision over blocks, on columns scaled to length
    1. Where columns depend on each other to rounding, as they must above the rank of the full-rank model, eigenvectors
    take over and the dependent directions become zero columns of T, and zero rows of what is then its pseudo-inverse.
    """
    # A = Fᵀ M F, block of rows by block of rows.
    blocks = zip(F.split(_ROWS), MF.split(_ROWS))
    A = sum((rows.T @ product).double() for rows, product in blocks)

    # Columns of length 1, so that a small one is not taken for a dependent one.
    norm = A.diagonal().clamp_min(0).sqrt()
    scale = torch.where(norm > 0, 1 / norm, 0)
    A = scale[:, None] * A * scale

    # The square of the smallest pivot shows how nearly the columns depend on each other.
    limit = 100 * torch.finfo(F.dtype).eps
    L, failed = torch.linalg.cholesky_ex(A)
    pivot = 0.0
    if not failed:
        pivot = L.diagonal().min().item() ** 2

    # A = L Lᵀ gives T = L⁻ᵀ, and A = Q diag(root²) Qᵀ gives T = Q diag(1/root).
    if pivot > limit:
        transform = torch.linalg.solve_triangular(L, torch.eye(len(L)).to(L), upper=False).T
        inverse = L.T
    else:
        values, Q = torch.linalg.eigh((A + A.T) / 2)
        root = torch.where(values > limit, values, 0).sqrt()
        transform = Q * torch.where(root > 0, 1 / root, 0)
        inverse = root[:, None] * Q.T

    # Back to the columns' own lengths.
    transform = (scale[:, None] * transform).to(F)
    inverse = (inverse * norm).to(F)
    return _Basis(transform, inverse, pivot > 0.01)
