"""Low-rank EDLAE by the alternating direction method of multipliers, in a form that converges."""

import torch

from recbole_edlae.solvers.als import decoder
from recbole_edlae.solvers.certificate import certificate
from recbole_edlae.solvers.iteration import Schedule, begin, m_orthonormal, orthonormal, row_dot
from recbole_edlae.solvers.objective import check_omega


def admm(
    G, rank, *, dropout, l2, omega=1.0, tol=1e-3, max_iter=100, start="eigen", generator=None, progress=None
):  # fmt: skip
    """TODO"""
    check_omega(omega)
    schedule = Schedule("admm", G, rank, products=4, tol=tol, max_iter=max_iter, progress=progress)
    system, C, U = begin(G, rank, dropout=dropout, l2=l2, start=start, generator=generator, schedule=schedule)
    return schedule.run(_steps(system, C, U, omega * system.diagonal))


def _steps(system, C, U, Omega):
    m, Lambda, total = system.diagonal, system.Lambda, (1 / C.diagonal()).sum(dtype=torch.float64)
    U, MU = m_orthonormal(U, system.product(U))
    V, U, MU = orthonormal(decoder(U, MU, m), U, MU)
    beta = d = row_dot(U, V)
    gamma = (m * d + m - Lambda - row_dot(MU, V)) / Omega  # the multiplier for which β = d is optimal
    while True:
        MV, MdV, MbV = system.product(torch.cat((V, d[:, None] * V, beta[:, None] * V), 1)).chunk(3, 1)
        yield U, V, *certificate(m, total, U, V, MU, MV, MdV)
        r = MV + MbV - MU + (Omega * (beta - gamma - d) - Lambda)[:, None] * V
        p = C @ r
        rp, dp = (r * p).sum(), row_dot(p, V)
        step = rp / (rp + (Omega * dp * dp).sum()).clamp_min(torch.finfo(m.dtype).tiny)
        U, MU = U + step * p, MU + step * r
        d = row_dot(U, V)
        beta = (row_dot(MU, V) - m + Lambda + Omega * (d + gamma)) / (m + Omega)
        gamma = gamma + d - beta
        U, MU = m_orthonormal(U, MU)
        V, U, MU = orthonormal(_decoder(U, MU, beta, Omega * (beta - gamma) - Lambda, Omega), U, MU)
        d = row_dot(U, V)


def _decoder(U, MU, beta, pull, Omega):
    """v_j solves (I + Ω u uᵀ) v = (1 + β) w + (Ω (β − γ) − Λ) u, row by row, by Sherman and Morrison; UᵀMU = I."""
    V = (1 + beta)[:, None] * MU + pull[:, None] * U
    return V - (Omega * row_dot(U, V) / (1 + Omega * row_dot(U, U)))[:, None] * U
