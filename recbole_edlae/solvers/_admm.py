"""Low-rank EDLAE by the alternating direction method of multipliers, in a form that converges."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from recbole_edlae.solvers._als import best_decoder
from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._iterations import Schedule, Step, initialize, m_orthonormal, v_orthonormal
from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers._objective import Factors, energy, gradients
from recbole_edlae.solvers._stationarity import norm_at_zero, residual
from recbole_edlae.solvers._system import System, row_dot
from recbole_edlae.solvers.parameters import Progress, check_number

_REFRESH = 16  # iterations after which the recurrences start again from fresh products


def admm(
    G: Symmetric,
    rank: int,
    *,
    dropout: float,
    l2: float,
    omega: float = 1.0,
    tol: float = 1e-3,
    max_iter: int = 100,
    start: Any = "eigen",
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> LowRank:
    """Fit low-rank EDLAE by ADMM with a proximal step for U.

    Arguments, errors and warnings are those of ``low_rank``; the residual is the ``stationarity``. VᵀV = I in
    the result; its history has the objective and the residual after each solve for V. Both are computed from fresh
    products before it stops for tol; in between, the residual's denominator is up to 16 iterations old.

    Notes:
        Notation: M = G + diag Λ, Λ = ``penalty``, m its diagonal; C = M⁻¹; d = diag(UVᵀ); β stands for d where the
        objective subtracts it, γ is the scaled multiplier of β = d, Ω = ω m its weights; W = MU; u, v, w rows of
        U, V, W.

        Objective (Steck 2020, Eq. 10, as in ``objective``): the diagonal of UVᵀ is left out. Its augmented Lagrangian

            tr[(UVᵀ − diag β)ᵀ M (UVᵀ − diag β)] − 2 tr[(UVᵀ − diag β)ᵀ G] + Σ Ω (d − β + γ)²

        is lowered in turn, in a basis with VᵀV = I for U and UᵀMU = I for V:

            (1)  U ← U − t C RV      a proximal gradient step in the metric M of the best length t; R as in
                                     ``stationarity``
            (2)  β ← (diag(MUVᵀ) − diag G + Ω (d + γ)) / (m + Ω),   γ ← γ + d − β
            (3)  v ← (I + Ω uuᵀ)⁻¹ [(1 + β) w + (Ω (β − γ) − Λ) u]   exact, row by row

        and every iteration begins with (0) β = d and the γ for which that is optimal, known in closed form. At a fixed
        point RV = 0 and RᵀU = 0. Since M C RV = RV, W follows by recurrence.

        It differs from the paper's supplement and the notebook its author published. Their U-step solves with C
        although the weights Ω are in its right-hand side, and their V-step puts a penalty that belongs to the diagonal
        on all of UVᵀ; run as printed, they diverge. On 80 % of ml-100k, dropout .33, l2 100, float64, objective
        relative to the full-rank model's training objective, after 5 / 10 / 20 iterations:

            rank    notebook, ω = 50          notebook, ω = 500         this function after 10, from eigen
            10      .4556 / .4531 / .4518     .4546 / .4524 / .4512     .4515
            50      .2952 / .2902 / .2892     .2959 / 6.8 / 2·10¹⁹      .2881
            200     .1162 / 6.6 / 1·10¹⁰      7.8 / 9·10⁶ / 2·10²⁸      .0736

        Equivalent to: ``als``, which is also the safer choice where G + diag Λ is nearly singular; ``full_rank`` off
        the diagonal at rank n.

        Cost: n³ operations for C, those of the start, then 4 n² k an iteration and as much again every 16th; n² values
        beside G.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import low_rank
        >>> G = torch.tensor([[3.0, 2.0, 1.0], [2.0, 4.0, 1.0], [1.0, 1.0, 2.0]])
        >>> weights = low_rank(G, 1, method="admm", dropout=0.5, l2=1.0)
        >>> weights.converged, weights.history[-1].residual <= 1e-3
        (True, True)
    """
    omega = check_number("omega", omega, above=0)
    schedule = Schedule("admm", G, rank, products=2, tol=tol, max_iter=max_iter, progress=progress)
    system = System(G, dropout=dropout, l2=l2)
    C, U = initialize(system, rank, start=start, generator=generator, schedule=schedule)

    # Ω = ω m: the weights of β = d scale with the units of G.
    Omega = omega * system.diagonal
    return schedule.run(_steps(system, C, U, Omega, schedule.tol))


def _steps(
    system: System, C: Symmetric, U: torch.Tensor, Omega: torch.Tensor, tol: float
) -> Iterator[Step]:
    """Yield the factors after each solve for V."""
    m = system.diagonal

    # Σ 1/c, by which the objective exceeds 0 at the full-rank optimum.
    total = (1 / C.diagonal()).sum(dtype=torch.float64)

    # The first V is exact for the given U, and every later iteration keeps VᵀV = I.
    U, MU = m_orthonormal(U, system.product(U))
    factors = v_orthonormal(Factors(U, best_decoder(U, MU, m), MU))
    norm_v = norm_at_zero(m, factors.V, system.product(factors.V))

    for iteration in itertools.count():
        # Rounding adds up in the recurrence for MU.
        if iteration % _REFRESH == 1:
            factors, norm_v = _refreshed(system, factors)
        slope = _slope(system, factors, norm_v)

        # The tolerance is met only if it is met by fresh products too.
        if slope.stationarity <= tol:
            factors, norm_v = _refreshed(system, factors)
            slope = _slope(system, factors, norm_v)

        excess = energy(m, factors, orthonormal=True) - total
        yield Step(factors, excess.item(), slope.stationarity)
        factors = _iterated(system, C, factors, slope.RV, Omega)


def _iterated(
    system: System, C: Symmetric, factors: Factors, RV: torch.Tensor, Omega: torch.Tensor
) -> Factors:
    """Return the factors after one iteration; VᵀV = I before and after it."""
    m = system.diagonal
    Lambda = system.Lambda
    U = factors.U
    V = factors.V
    MU = factors.MU

    # (0) The γ for which β = d is optimal, and the gradient RV.
    d = row_dot(U, V)
    gamma = (m * d + m - Lambda - row_dot(MU, V)) / Omega

    # (1) The proximal step for U; MU by the recurrence M C RV = RV.
    r = -RV
    p = C @ r
    rp = (r * p).sum()
    dp = row_dot(p, V)
    length = rp / (rp + (Omega * dp * dp).sum()).clamp_min(torch.finfo(m.dtype).tiny)
    U = U + length * p
    MU = MU + length * r

    # (2) β and its multiplier; diag G = m − Λ.
    d = row_dot(U, V)
    beta = (row_dot(MU, V) - m + Lambda + Omega * (d + gamma)) / (m + Omega)
    gamma = gamma + d - beta

    # (3) V, in a basis with UᵀMU = I.
    U, MU = m_orthonormal(U, MU)
    V = _decoder(U, MU, beta, Omega * (beta - gamma) - Lambda, Omega)
    return v_orthonormal(Factors(U, V, MU))


def _refreshed(system: System, factors: Factors) -> tuple[Factors, float]:
    """Return the factors and ‖P(G)V‖ with fresh products.

    MU is otherwise a recurrence, and the norm hardly moves between iterations.
    """
    # One product for both factors reads M once.
    MU, MV = system.product(torch.cat((factors.U, factors.V), 1)).chunk(2, 1)
    norm_v = norm_at_zero(system.diagonal, factors.V, MV)
    return factors._replace(MU=MU), norm_v


class _Slope(NamedTuple):
    """The gradient RV for U, and the stationarity."""

    RV: torch.Tensor
    stationarity: float


def _slope(system: System, factors: Factors, norm_v: float) -> _Slope:
    """Return the gradient for U and the stationarity, given ‖P(G)V‖; VᵀV = I."""
    U = factors.U
    V = factors.V

    # R V and RᵀU share the product with diag(1 + d) V.
    weighted = (1 + row_dot(U, V))[:, None] * V
    MdV = system.product(weighted)
    gradient = gradients(system.diagonal, factors, MdV, orthonormal=True)

    norm_u = norm_at_zero(system.diagonal, U, factors.MU)
    return _Slope(gradient[0], residual(gradient, norm_u, norm_v))


def _decoder(
    U: torch.Tensor, MU: torch.Tensor, beta: torch.Tensor, pull: torch.Tensor, Omega: torch.Tensor
) -> torch.Tensor:
    """Return the V of step (3) by Sherman and Morrison, given pull = Ω (β − γ) − Λ; UᵀMU = I."""
    # The right-hand side of step (3).
    V = (1 + beta)[:, None] * MU + pull[:, None] * U

    # (I + Ω uuᵀ)⁻¹ differs from I by a multiple of uuᵀ.
    correction = Omega * row_dot(U, V) / (1 + Omega * row_dot(U, U))
    return V - correction[:, None] * U
