"""The low-rank linear autoencoder whose product has a zero diagonal, by alternating least squares."""

import torch

from recbole_edlae.solvers._iterations import Schedule, begin, m_orthonormal, orthonormal
from recbole_edlae.solvers._parameters import check_count
from recbole_edlae.solvers._stationarity import energy, ratio
from recbole_edlae.solvers._system import row_dot


def zero_diagonal(
    G, rank, *, dropout, l2, tol=1e-3, max_iter=100, cg_steps=5, start="eigen", generator=None, progress=None
):  # fmt: skip
    """Low-rank EDLAE with the constraint diag(UVᵀ) = 0 in the place of an objective that ignores the diagonal.

    Notation: M = G + diag Λ, Λ = ``penalty``; C = M⁻¹; u_j, v_j, w_j rows j of U, V and MU; Π_V takes from every row
    of a matrix its component along v_j.

    Objective (Steck 2020, Eq. 11): ‖X − X UVᵀ‖² + ‖Λ^½ UVᵀ‖² subject to diag(UVᵀ) = 0. On such factors it equals that
    of ``als`` up to a constant, and the history shows the same f. The constraint costs a degree of freedom an item,
    so f ends higher at low rank. Given U, every v_j is a least-squares solution with one linear constraint,

        v_j = (I − u_j u_jᵀ / u_jᵀu_j) w_j        (UᵀMU = I).

    Given V, U is found among the feasible ones by conjugate gradients on Π_V(MU − MV) = 0, preconditioned by Π_V C.
    Both steps keep the constraint to rounding and lower the objective. The factors should have rank 2 at least: a
    product of rank 1 with a zero diagonal has nothing to learn on items that occur on both sides.

    Equivalent to: ``full_rank`` at rank n.

    Args: those of ``als``.

    Returns:
        LowRank; VᵀV = I; the residual in its history is that of the constrained problem: ‖Π_V(MU − MV)‖ / ‖Π_V MV‖
        after each solve for V, where the other half of the gradient is zero.

    Raises:
        ValueError: a parameter is out of range, G is not square or not float, or G + diag Λ is singular.

    Warns:
        ConvergenceWarning: the residual is above tol after max_iter iterations.

    Cost: n³ multiply-adds for C and the start, then (2 + 2 cg_steps) n² k an iteration; n² values beside G.
    """
    check_count("cg_steps", cg_steps)
    schedule = Schedule(
        "zero_diagonal", G, rank, products=2 + 2 * cg_steps, tol=tol, max_iter=max_iter, progress=progress
    )  # fmt: skip
    system, C, U = begin(G, rank, dropout=dropout, l2=l2, start=start, generator=generator, schedule=schedule)
    return schedule.run(_steps(system, C, U, cg_steps))


def _steps(system, C, U, cg_steps):
    m, total = system.diagonal, (1 / C.diagonal()).sum(dtype=torch.float64)
    while True:
        U, MU = m_orthonormal(U, system.product(U))
        V, U, MU = orthonormal(_without(MU, U), U, MU)
        target = _without(system.product(V), V)
        r = target - _without(MU, V)
        yield U, V, (energy(m, U, V, MU, orthonormal=True) - total).item(), ratio(r.norm().item(), target.norm().item())
        U = _encoder(system, C, U, V, r, cg_steps)


def _encoder(system, C, U, V, r, steps):
    """U after ``steps`` of conjugate gradients among the U with u_j · v_j = 0; r = Π_V(MV − MU)."""
    z = _without(C @ r, V)
    p, rz = z, (r * z).sum()
    for step in range(1, steps + 1):
        q = _without(system.product(p), V)
        curvature = (p * q).sum()
        if not curvature > 0:
            break
        U = U + rz / curvature * p
        if step < steps:
            r = r - rz / curvature * q
            z = _without(C @ r, V)
            rz, previous = (r * z).sum(), rz
            p = z + rz / previous * p
    return U


def _without(A, V):
    """Π_V A: every row of A without its component along the same row of V."""
    squares = row_dot(V, V)
    along = torch.where(squares > 0, row_dot(A, V) / squares, 0)
    return A - along[:, None] * V
