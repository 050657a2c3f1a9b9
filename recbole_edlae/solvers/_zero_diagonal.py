"""The low-rank linear autoencoder whose product has a zero diagonal, by alternating least squares."""

from collections.abc import Iterator
from typing import Any

import torch

from recbole_edlae.solvers._conjugate_gradients import conjugate_gradients
from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._iterations import Schedule, Step, initialize, m_orthonormal, v_orthonormal
from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers._objective import Factors, energy
from recbole_edlae.solvers._stationarity import ratio
from recbole_edlae.solvers._system import System, row_dot
from recbole_edlae.solvers.parameters import Progress, check_count


def zero_diagonal(
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
    """Fit low-rank EDLAE under the constraint diag(UVᵀ) = 0, instead of an objective that ignores the diagonal.

    Arguments, errors and warnings are those of ``low_rank``. VᵀV = I in the result; its history has the
    objective and ‖Π_V(MU − MV)‖ / ‖Π_V MV‖, the residual of the constrained problem, after each solve for V; the
    gradient by V is zero there, so it is that of U.

    Notes:
        Notation: M = G + diag Λ, Λ = ``penalty``; C = M⁻¹; u_j, v_j, w_j rows j of U, V and MU; Π_V takes from every
        row of a matrix its component along v_j.

        Objective (Steck 2020, Eq. 11): ‖X − X UVᵀ‖² + ‖Λ^½ UVᵀ‖² subject to diag(UVᵀ) = 0. On such factors it equals
        that of ``als`` up to a constant, and the history shows the same f. The constraint costs a degree of freedom an
        item, so f ends higher at low rank. Given U, every v_j is a least-squares solution with one linear constraint,

            v_j = (I − u_j u_jᵀ / u_jᵀu_j) w_j        (UᵀMU = I).

        Given V, U is found among the feasible ones by conjugate gradients on Π_V(MU − MV) = 0, preconditioned by Π_V C.
        Both steps keep the constraint to rounding and lower the objective. The factors should have rank 2 at least: a
        product of rank 1 with a zero diagonal has nothing to learn on items that occur on both sides.

        Equivalent to: ``full_rank`` at rank n.

        Cost: n³ operations for C, those of the start, then (4 + 4 cg_steps) n² k an iteration; n² values beside G.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import low_rank
        >>> G = torch.tensor([[3.0, 2.0, 1.0], [2.0, 4.0, 1.0], [1.0, 1.0, 2.0]])
        >>> weights = low_rank(G, 2, method="zero_diagonal", dropout=0.5, l2=1.0, max_iter=500)
        >>> torch.allclose((weights.u @ weights.v.T).diagonal(), torch.zeros(3), atol=1e-5)
        True
    """
    check_count("cg_steps", cg_steps)
    products = 2 + 2 * cg_steps
    schedule = Schedule(
        "zero_diagonal", G, rank, products=products, tol=tol, max_iter=max_iter, progress=progress
    )
    system = System(G, dropout=dropout, l2=l2)
    C, U = initialize(system, rank, start=start, generator=generator, schedule=schedule)
    return schedule.run(_steps(system, C, U, cg_steps))


def _steps(system: System, C: Symmetric, U: torch.Tensor, cg_steps: int) -> Iterator[Step]:
    """Yield the factors after each solve for V."""
    m = system.diagonal

    # Σ 1/c, by which the objective exceeds 0 at the full-rank optimum.
    total = (1 / C.diagonal()).sum(dtype=torch.float64)
    while True:
        # Given U: v_j = (I − u_j u_jᵀ / u_jᵀu_j) w_j, in a basis with UᵀMU = I.
        U, MU = m_orthonormal(U, system.product(U))
        factors = v_orthonormal(Factors(U, _project(MU, U), MU))

        # The residual Π_V(MV − MU) and its scale ‖Π_V MV‖.
        target = _project(system.product(factors.V), factors.V)
        r = target - _project(factors.MU, factors.V)

        excess = energy(m, factors, orthonormal=True) - total
        yield Step(factors, excess.item(), ratio(r.norm().item(), target.norm().item()))

        # Given V: conjugate gradients on Π_V(MU − MV) = 0.
        U = _improved_encoder(system, C, factors, r, cg_steps)


def _improved_encoder(
    system: System, C: Symmetric, factors: Factors, r: torch.Tensor, steps: int
) -> torch.Tensor:
    """Return U after some steps of conjugate gradients among the U with u_j · v_j = 0; r = Π_V(MV − MU)."""
    V = factors.V

    # Projected before and after, every direction keeps u_j · v_j = 0.
    def operator(p: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        return _project(system.product(p), V)

    def precondition(residual: torch.Tensor) -> torch.Tensor:
        return _project(C @ residual, V)

    return conjugate_gradients(factors.U, r, operator=operator, precondition=precondition, steps=steps)


def _project(A: torch.Tensor, V: torch.Tensor) -> torch.Tensor:
    """Return Π_V A: every row of A without its component along the same row of V."""
    squares = row_dot(V, V)

    # A row of zeros in V has no direction to take away.
    along = torch.where(squares > 0, row_dot(A, V) / squares, 0)
    return A - along[:, None] * V
