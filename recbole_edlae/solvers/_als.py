"""Low-rank EDLAE by alternating least squares, exactly: the objective never rises."""

from collections.abc import Iterator
from typing import Any

import torch

from recbole_edlae.solvers._conjugate_gradients import conjugate_gradients
from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._iterations import Schedule, Step, initialize, m_orthonormal, v_orthonormal
from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers._objective import Factors, energy, gradients
from recbole_edlae.solvers._stationarity import norm_at_zero, residual
from recbole_edlae.solvers._system import System, row_dot
from recbole_edlae.solvers.parameters import Progress, check_count


def als(
    G: Symmetric,
    rank: int,
    *,
    dropout: float,
    l2: float,
    tol: float = 1e-3,
    max_iter: int = 100,
    cg_steps: int = 5,
    start: Any = "eigen",
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> LowRank:
    """Fit low-rank EDLAE by exact alternating least squares.

    Arguments, errors and warnings are those of ``low_rank``; the residual is the ``stationarity``. VᵀV = I in
    the result; its history has the objective and the residual after each solve for V.

    Notes:
        Notation: M = G + diag Λ, Λ = ``penalty``, m its diagonal; C = M⁻¹; P(·) sets the diagonal to zero;
        B̂ the full-rank EDLAE; U₋ⱼ is U with row j set to zero, u_j its row j, w_j row j of MU.

        Objective (Steck 2020, Eq. 10, as in ``objective``): tr[Dᵀ M D], D = P(UVᵀ) − B̂. Given U it separates into one
        ridge regression of k weights per target item (``best_decoder``). Given V it is one quadratic in U,

            P(M P(UVᵀ)) V = P(M B̂) V,

        lowered by conjugate gradients from the current U with C · (VᵀV)⁻¹ as preconditioner, which leaves a matrix that
        differs from the identity by the diagonal's part only. Both steps lower the objective, so it never rises.

        The objective need not have a minimum: as the diagonal of UVᵀ does not count, some factors improve for ever as
        they grow. That was seen with 20 items, 60 users and rank 6, as slow progress with a diagonal above 1, and not
        on ml-100k up to rank 200, where the diagonal stays below .25.

        Equivalent to: any gradient method on U and V that reaches the same stationary point; ``full_rank`` off the
        diagonal at rank n. The papers solve Eq. 10 by ADMM (``admm``).

        Cost: n³ operations for C, those of the start, then (6 + 4 cg_steps) n² k an iteration; n² values beside G.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import low_rank
        >>> G = torch.tensor([[3.0, 2.0, 1.0], [2.0, 4.0, 1.0], [1.0, 1.0, 2.0]])
        >>> weights = low_rank(G, 1, method="als", dropout=0.5, l2=1.0)
        >>> f = [iteration.objective for iteration in weights.history]
        >>> weights.converged, f[-1] <= f[0]
        (True, True)
    """
    check_count("cg_steps", cg_steps)
    products = 3 + 2 * cg_steps
    schedule = Schedule("als", G, rank, products=products, tol=tol, max_iter=max_iter, progress=progress)
    system = System(G, dropout=dropout, l2=l2)
    C, U = initialize(system, rank, start=start, generator=generator, schedule=schedule)
    return schedule.run(_steps(system, C, U, cg_steps))


def _steps(system: System, C: Symmetric, U: torch.Tensor, cg_steps: int) -> Iterator[Step]:
    """Yield the factors after each solve for V."""
    m = system.diagonal

    # Σ 1/c, by which the objective exceeds 0 at the full-rank optimum.
    total = (1 / C.diagonal()).sum(dtype=torch.float64)
    while True:
        # Given U: one ridge regression per target item, in a basis with UᵀMU = I.
        U, MU = m_orthonormal(U, system.product(U))
        factors = v_orthonormal(Factors(U, best_decoder(U, MU, m), MU))
        U = factors.U
        V = factors.V

        # One product with M for two: M diag(1 + d) V is for the gradient, MV for the norm that it is relative to.
        weighted = (1 + row_dot(U, V))[:, None] * V
        MV, MdV = system.product(torch.cat((V, weighted), 1)).chunk(2, 1)
        gradient = gradients(m, factors, MdV, orthonormal=True)
        norm_u = norm_at_zero(m, U, factors.MU)
        norm_v = norm_at_zero(m, V, MV)

        excess = energy(m, factors, orthonormal=True) - total
        yield Step(factors, excess.item(), residual(gradient, norm_u, norm_v))

        # Given V: one quadratic in U.
        U = _improved_encoder(system, C, factors, -gradient[0], cg_steps)


def best_decoder(U: torch.Tensor, W: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    """Return the V that minimizes the objective for this U, where UᵀMU = I and W = MU.

    v_j solves (U₋ⱼᵀ M U₋ⱼ) v = U₋ⱼᵀ G·ⱼ = h with h = w_j − m_j u_j. With U₋ⱼᵀ M U₋ⱼ = I − wwᵀ/m + hhᵀ/m, Sherman and
    Morrison twice give

        v = m (t h + b w) / (t (m + d) + b²),   t = m − wᵀw,  b = wᵀh,  d = hᵀh.

    t ≥ 0 is the distance of item j's unit vector from the span of U. It vanishes at rank n, where any multiple of w
    may be added to v, as that changes the diagonal of UVᵀ alone: a lower limit on t picks one.
    """
    # Rows of H are the right-hand sides h.
    H = W - m[:, None] * U

    # t with its lower limit, which matters at rank n.
    floor = 1000 * torch.finfo(m.dtype).eps * m
    t = torch.maximum(m - row_dot(W, W), floor)

    # v = m (t h + b w) / (t (m + d) + b²), for all items at once.
    b = row_dot(W, H)
    d = row_dot(H, H)
    scale = m / (t * (m + d) + b * b)
    return (scale * t)[:, None] * H + (scale * b)[:, None] * W


def _improved_encoder(
    system: System, C: Symmetric, factors: Factors, negative_gradient: torch.Tensor, steps: int
) -> torch.Tensor:
    """Return U after some steps of conjugate gradients on P(M P(UVᵀ)) V = P(M B̂) V; VᵀV = I.

    A direction p = Cs has Mp = s, so that a step costs two products.
    """
    m = system.diagonal
    V = factors.V

    # P(M P(pVᵀ)) V, both diagonals subtracted from M pVᵀ V = Mp.
    def operator(p: torch.Tensor, Mp: torch.Tensor) -> torch.Tensor:
        d = row_dot(p, V)
        outer = row_dot(Mp, V) - m * d
        return Mp - system.product(d[:, None] * V) - outer[:, None] * V

    def precondition(r: torch.Tensor) -> torch.Tensor:
        return C @ r

    return conjugate_gradients(
        factors.U,
        negative_gradient,
        operator=operator,
        precondition=precondition,
        steps=steps,
    )
