"""Low-rank EDLAE by alternating least squares, exactly: the objective never rises."""

import torch

from recbole_edlae.solvers._iterations import Schedule, begin, m_orthonormal, orthonormal
from recbole_edlae.solvers._parameters import check_count
from recbole_edlae.solvers._stationarity import baseline, energy, gradients, residual
from recbole_edlae.solvers._system import row_dot


def als(
    G, rank, *, dropout, l2, tol=1e-3, max_iter=100, cg_steps=5, start="eigen", generator=None, progress=None
):  # fmt: skip
    """Low-rank EDLAE by exact alternating least squares.

    Notation: M = G + diag Λ, Λ = ``penalty``, m its diagonal; C = M⁻¹; P(·) sets the diagonal to zero;
    B̂ the full-rank EDLAE; U₋ⱼ is U with row j set to zero, u_j its row j, w_j row j of MU.

    Objective (Steck 2020, Eq. 10, as in ``objective``): tr[Dᵀ M D], D = P(UVᵀ) − B̂. Given U it separates into one
    ridge regression of k weights per target item (``decoder``). Given V it is one quadratic in U,

        P(M P(UVᵀ)) V = P(M B̂) V,

    lowered by conjugate gradients from the U at hand with C · (VᵀV)⁻¹ as preconditioner, which leaves a matrix that
    differs from the identity by the diagonal's part only. Both steps lower the objective, so it never rises.

    The objective need not have a minimum: as the diagonal of UVᵀ does not count, some factors improve for ever as they
    grow. That was seen with 20 items, 60 users and rank 6, as slow progress with a diagonal above 1, and not on
    ml-100k up to rank 200, where the diagonal stays below .25.

    Equivalent to: any gradient method on U and V that reaches the same stationary point; ``full_rank`` off the
    diagonal at rank n. The papers solve Eq. 10 by ADMM (``admm``).

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), float32 or float64.
        rank: k, from 1 to n.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).
        tol: the ``stationarity`` to stop at.
        max_iter: iterations at most.
        cg_steps: conjugate gradient steps for U in each of them.
        start: "eigen", "random", or a pair (u, v) to go on from.
        generator: torch.Generator of the random start.
        progress: called as ``progress(done, total)``, in multiply-adds.

    Returns:
        LowRank; VᵀV = I; the history has the objective and the stationarity after each solve for V.

    Raises:
        ValueError: a parameter is out of range, G is not square or not float, or G + diag Λ is singular.

    Warns:
        ConvergenceWarning: the stationarity is above tol after max_iter iterations.

    Cost: n³ multiply-adds for C and the start, then (3 + 2 cg_steps) n² k an iteration; n² values beside G.
    """
    check_count("cg_steps", cg_steps)
    schedule = Schedule(
        "als", G, rank, products=3 + 2 * cg_steps, tol=tol, max_iter=max_iter, progress=progress
    )  # fmt: skip
    system, C, U = begin(G, rank, dropout=dropout, l2=l2, start=start, generator=generator, schedule=schedule)
    return schedule.run(_steps(system, C, U, cg_steps))


def _steps(system, C, U, cg_steps):
    m, total = system.diagonal, (1 / C.diagonal()).sum(dtype=torch.float64)
    while True:
        U, MU = m_orthonormal(U, system.product(U))
        V, U, MU = orthonormal(decoder(U, MU, m), U, MU)
        weighted = (1 + row_dot(U, V))[:, None] * V
        MV, MdV = system.product(torch.cat((V, weighted), 1)).chunk(2, 1)
        gradient = gradients(m, U, V, MU, MdV, orthonormal=True)
        yield (
            U,
            V,
            (energy(m, U, V, MU, orthonormal=True) - total).item(),
            residual(gradient, baseline(m, U, MU), baseline(m, V, MV)),
        )
        U = _encoder(system, C, U, V, -gradient[0], cg_steps)


def decoder(U, W, m):
    """The V that minimises the objective for this U, where UᵀMU = I and W = MU.

    v_j solves (U₋ⱼᵀ M U₋ⱼ) v = U₋ⱼᵀ G·ⱼ = h with h = w_j − m_j u_j. With U₋ⱼᵀ M U₋ⱼ = I − wwᵀ/m + hhᵀ/m, Sherman and
    Morrison twice give

        v = m (t h + b w) / (t (m + d) + b²),   t = m − wᵀw,  b = wᵀh,  d = hᵀh.

    t ≥ 0 is the distance of item j's unit vector from the span of U. It vanishes at rank n, where any multiple of w
    may be added to v, as that changes the diagonal of UVᵀ alone: a lower limit on t picks one.
    """
    H = W - m[:, None] * U
    t = torch.maximum(m - row_dot(W, W), 1000 * torch.finfo(m.dtype).eps * m)
    b, d = row_dot(W, H), row_dot(H, H)
    scale = m / (t * (m + d) + b * b)
    return (scale * t)[:, None] * H + (scale * b)[:, None] * W


def _encoder(system, C, U, V, r, steps):
    """U after ``steps`` of conjugate gradients; VᵀV = I, and r is minus the gradient at U.

    The preconditioned residual z = Cr has Mz = r, so M p follows by recurrence and a step costs two products.
    """
    m = system.diagonal
    z = C @ r
    p, Mp, rz = z, r, (r * z).sum()
    for step in range(1, steps + 1):
        d = row_dot(p, V)
        q = Mp - system.product(d[:, None] * V) - (row_dot(Mp, V) - m * d)[:, None] * V
        curvature = (p * q).sum()
        if not curvature > 0:
            break
        U = U + rz / curvature * p
        if step < steps:
            r = r - rz / curvature * q
            z = C @ r
            rz, previous = (r * z).sum(), rz
            p, Mp = z + rz / previous * p, r + rz / previous * Mp
    return U
