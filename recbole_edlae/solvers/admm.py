"""Low-rank EDLAE by the alternating direction method of multipliers, in a form that converges."""

import itertools

import torch

from recbole_edlae.solvers.als import decoder
from recbole_edlae.solvers.certificate import baseline, energy, gradients, residual
from recbole_edlae.solvers.iteration import Schedule, begin, m_orthonormal, orthonormal
from recbole_edlae.solvers.objective import check_omega
from recbole_edlae.solvers.system import row_dot, symmetric_product


def admm(
    G, rank, *, dropout, l2, omega=1.0, tol=1e-3, max_iter=100, start="eigen", generator=None, progress=None
):  # fmt: skip
    """TODO"""
    check_omega(omega)
    schedule = Schedule("admm", G, rank, products=2, tol=tol, max_iter=max_iter, progress=progress)
    system, C, U = begin(G, rank, dropout=dropout, l2=l2, start=start, generator=generator, schedule=schedule)
    return schedule.run(_steps(system, C, U, omega * system.diagonal, tol))


def _steps(system, C, U, Omega, tol):
    m, total = system.diagonal, (1 / C.diagonal()).sum(dtype=torch.float64)
    U, MU = m_orthonormal(U, system.product(U))
    V, U, MU = orthonormal(decoder(U, MU, m), U, MU)
    for count in itertools.count():
        d = row_dot(U, V)
        gradient = gradients(m, U, V, MU, system.product((1 + d)[:, None] * V))
        if count < 2 or count % 10 == 0:  # it hardly moves from one iteration to the next
            baseline_v = baseline(m, V, system.product(V))
        stationarity = residual(gradient, baseline(m, U, MU), baseline_v)
        if stationarity <= tol:
            baseline_v = baseline(m, V, system.product(V))
            stationarity = residual(gradient, baseline(m, U, MU), baseline_v)
        yield U, V, (energy(m, U, V, MU) - total).item(), stationarity
        # β = d and the γ for which that β is optimal; with them the augmented Lagrangian's gradient in U is RV
        gamma = (m * d + m - system.Lambda - row_dot(MU, V)) / Omega
        r = -gradient[0]
        p = symmetric_product(C, r)
        rp, dp = (r * p).sum(), row_dot(p, V)
        step = rp / (rp + (Omega * dp * dp).sum()).clamp_min(torch.finfo(m.dtype).tiny)
        U, MU = U + step * p, MU + step * r
        d = row_dot(U, V)
        beta = (row_dot(MU, V) - m + system.Lambda + Omega * (d + gamma)) / (m + Omega)
        gamma = gamma + d - beta
        U, MU = m_orthonormal(U, MU)
        V = _decoder(U, MU, beta, Omega * (beta - gamma) - system.Lambda, Omega)
        V, U, MU = orthonormal(V, U, MU)


def _decoder(U, MU, beta, pull, Omega):
    """v_j solves (I + Ω u uᵀ) v = (1 + β) w + (Ω (β − γ) − Λ) u, row by row, by Sherman and Morrison; UᵀMU = I."""
    V = (1 + beta)[:, None] * MU + pull[:, None] * U
    return V - (Omega * row_dot(U, V) / (1 + Omega * row_dot(U, U)))[:, None] * U
