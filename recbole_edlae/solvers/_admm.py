"""Low-rank EDLAE by the alternating direction method of multipliers, in a form that converges."""

import itertools

import torch

from recbole_edlae.solvers._als import decoder
from recbole_edlae.solvers._iterations import Schedule, begin, m_orthonormal, orthonormal
from recbole_edlae.solvers._parameters import check_omega
from recbole_edlae.solvers._stationarity import baseline, energy, gradients, residual
from recbole_edlae.solvers._system import row_dot


def admm(
    G, rank, *, dropout, l2, omega=1.0, tol=1e-3, max_iter=100, start="eigen", generator=None, progress=None
):  # fmt: skip
    """Low-rank EDLAE by ADMM with a proximal step for U.

    Notation: M = G + diag Λ, Λ = ``penalty``, m its diagonal; C = M⁻¹; d = diag(UVᵀ); β stands for d where the
    objective subtracts it, γ is the scaled multiplier of β = d, Ω = ω m its weights; W = MU; u, v, w rows of U, V, W.

    Objective (Steck 2020, Eq. 10, as in ``objective``): the diagonal of UVᵀ is left out. Its augmented Lagrangian

        tr[(UVᵀ − diag β)ᵀ M (UVᵀ − diag β)] − 2 tr[(UVᵀ − diag β)ᵀ G] + Σ Ω (d − β + γ)²

    is lowered in turn, in a basis with VᵀV = I for U and UᵀMU = I for V:

        U ← U − t C RV      a proximal gradient step in the metric M of the best length t; R as in ``stationarity``
        β ← (diag(MUVᵀ) − diag G + Ω (d + γ)) / (m + Ω),   γ ← γ + d − β
        v ← (I + Ω uuᵀ)⁻¹ [(1 + β) w + (Ω (β − γ) − Λ) u]   exact, row by row

    and every iteration begins with β = d and the γ for which that is optimal, known in closed form. At a fixed point
    RV = 0 and RᵀU = 0. Since M C RV = RV, W follows by recurrence.

    It differs from the paper's supplement and the notebook its author published. Their U-step solves with C although
    the weights Ω are in its right-hand side, and their V-step puts a penalty that belongs to the diagonal on all of
    UVᵀ; run as printed, they diverge. On 80 % of ml-100k, dropout .33, l2 100, float64, objective relative to the
    full-rank model's training objective, after 5 / 10 / 20 iterations:

        rank    notebook, ω = 50          notebook, ω = 500         this function after 10, from eigen
        10      .4556 / .4531 / .4518     .4546 / .4524 / .4512     .4515
        50      .2952 / .2902 / .2892     .2959 / 6.8 / 2·10¹⁹      .2881
        200     .1162 / 6.6 / 1·10¹⁰      7.8 / 9·10⁶ / 2·10²⁸      .0736

    Equivalent to: ``als``, which is also the safer choice where G + diag Λ is nearly singular; ``full_rank`` off the
    diagonal at rank n.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), float32 or float64.
        rank: k, from 1 to n.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).
        omega: ω > 0, the weight of β = d relative to diag M; from .1 to 10 it changes the path, not the end.
        tol: the ``stationarity`` to stop at.
        max_iter: iterations at most.
        start: "eigen", "random", or a pair (u, v) to go on from.
        generator: torch.Generator of the random start.
        progress: called as ``progress(done, total)``, in multiply-adds.

    Returns:
        LowRank; VᵀV = I; the history has the objective and the stationarity after each solve for V. Both are computed
        from fresh products before it stops for tol; in between, the stationarity's denominator is up to 16
        iterations old.

    Raises:
        ValueError: a parameter is out of range, G is not square or not float, or G + diag Λ is singular.

    Warns:
        ConvergenceWarning: the stationarity is above tol after max_iter iterations.

    Cost: n³ multiply-adds for C and the start, then 2 n² k an iteration and as much again every 16th; n² values
    beside G.
    """
    check_omega(omega)
    schedule = Schedule("admm", G, rank, products=2, tol=tol, max_iter=max_iter, progress=progress)
    system, C, U = begin(G, rank, dropout=dropout, l2=l2, start=start, generator=generator, schedule=schedule)
    return schedule.run(_steps(system, C, U, omega * system.diagonal, tol))


def _steps(system, C, U, Omega, tol):
    m, Lambda, total = system.diagonal, system.Lambda, (1 / C.diagonal()).sum(dtype=torch.float64)
    U, MU = m_orthonormal(U, system.product(U))
    V, U, MU = orthonormal(decoder(U, MU, m), U, MU)
    baseline_v = baseline(m, V, system.product(V))
    for count in itertools.count():
        if count % 16 == 1:
            MU, baseline_v = _fresh(system, U, V)
        gradient, stationarity = _certified(system, U, V, MU, baseline_v)
        if stationarity <= tol:
            MU, baseline_v = _fresh(system, U, V)
            gradient, stationarity = _certified(system, U, V, MU, baseline_v)
        yield U, V, (energy(m, U, V, MU, orthonormal=True) - total).item(), stationarity
        d = row_dot(U, V)
        gamma = (m * d + m - Lambda - row_dot(MU, V)) / Omega  # for which β = d is optimal, and the gradient RV
        r = -gradient[0]
        p = C @ r
        rp, dp = (r * p).sum(), row_dot(p, V)
        step = rp / (rp + (Omega * dp * dp).sum()).clamp_min(torch.finfo(m.dtype).tiny)
        U, MU = U + step * p, MU + step * r
        d = row_dot(U, V)
        beta = (row_dot(MU, V) - m + Lambda + Omega * (d + gamma)) / (m + Omega)
        gamma = gamma + d - beta
        U, MU = m_orthonormal(U, MU)
        V, U, MU = orthonormal(_decoder(U, MU, beta, Omega * (beta - gamma) - Lambda, Omega), U, MU)


def _fresh(system, U, V):
    """MU and ‖P(G)V‖ from products. The one is otherwise a recurrence, the other hardly moves between iterations."""
    MU, MV = system.product(torch.cat((U, V), 1)).chunk(2, 1)
    return MU, baseline(system.diagonal, V, MV)


def _certified(system, U, V, MU, baseline_v):
    gradient = gradients(system.diagonal, U, V, MU, system.product((1 + row_dot(U, V))[:, None] * V), orthonormal=True)
    return gradient, residual(gradient, baseline(system.diagonal, U, MU), baseline_v)


def _decoder(U, MU, beta, pull, Omega):
    """v_j solves (I + Ω u uᵀ) v = (1 + β) w + (Ω (β − γ) − Λ) u, row by row, by Sherman and Morrison; UᵀMU = I."""
    V = (1 + beta)[:, None] * MU + pull[:, None] * U
    return V - (Omega * row_dot(U, V) / (1 + Omega * row_dot(U, U)))[:, None] * U
