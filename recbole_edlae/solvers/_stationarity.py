"""Certificates of a low-rank EDLAE: how good a pair of factors is, and whether it is a stationary point."""

import math

import torch

from recbole_edlae.solvers._finite import check_finite, check_gram, check_tensor
from recbole_edlae.solvers._system import System, row_dot


def objective(G, u, v, *, dropout, l2):
    """f(U, V) = tr[Dᵀ M D], D = P(UVᵀ) − B̂: how far the factors are from the full-rank optimum.

    Notation: M = G + diag Λ, Λ = ``penalty``; C = M⁻¹, c its diagonal; P(·) sets the diagonal to zero; d = diag(UVᵀ);
    B̂ the full-rank EDLAE (``full_rank``).

    Objective (Steck 2020, Eq. 10): ‖X − X P(UVᵀ)‖² + ‖Λ^½ P(UVᵀ)‖², of which f is what exceeds its minimum over
    all matrices, Σ (1/c − Λ). The diagonal of UVᵀ does not count. With Y = UVᵀ − diag(1 + d),

        f = tr[Yᵀ M Y] − Σ 1/c,

    since D = Y + C diag(1/c) and the diagonal of Y is −1.

    Equivalent to: forming B̂ and D.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), float32 or float64.
        u, v: torch.Tensor, shape (n, k) each.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).

    Returns:
        float, in the units of G; ≥ 0 up to rounding, 0 where P(UVᵀ) = B̂.

    Raises:
        ValueError: a parameter is out of range, the shapes do not fit, or G + diag Λ is singular.

    Cost: n³ + n² k multiply-adds; n² values for C.
    """
    _check_factors(G, u, v)
    system = System(G, dropout=dropout, l2=l2)
    total = (1 / system.inverse().diagonal()).sum(dtype=torch.float64)
    return _checked_value((energy(system.diagonal, u, v, system.product(u)) - total).item(), "objective")


def stationarity(G, u, v, *, dropout, l2):
    """How far the factors are from a stationary point of ``objective``: 0 at one, about 1 at small random factors.

    Notation: as in ``objective``. With R = P(M D) the gradient is 2 RV for U and 2 RᵀU for V; at UVᵀ = 0 it would be
    R = −P(G). The larger one of

        ‖RV‖ / ‖P(G)V‖  and  ‖RᵀU‖ / ‖P(G)ᵀU‖

    is the residual that the iterative solvers report and compare with tol. Since M B̂ = M − diag(1/c), B̂ cancels:
    R = M UVᵀ − M diag(1 + d) + diag(m − e) with m = diag M and e the diagonal of M P(UVᵀ).

    Args: those of ``objective``.

    Returns:
        float ≥ 0, without a unit; infinity where the norm at UVᵀ = 0 is zero and that of the gradient is not.

    Raises:
        ValueError: a parameter is out of range, or the shapes do not fit.

    Cost: 3 n² k multiply-adds.
    """
    _check_factors(G, u, v)
    system = System(G, dropout=dropout, l2=l2)
    m, MU = system.diagonal, system.product(u)
    gradient = gradients(m, u, v, MU, system.product((1 + row_dot(u, v))[:, None] * v))
    gradient = [part.double() for part in gradient]
    norms = [baseline(m, u, MU.double()), baseline(m, v, system.product(v).double())]
    _checked_value(sum(norms) + sum(part.norm().item() for part in gradient), "stationarity")
    return residual(gradient, *norms)


def _checked_value(value, name):
    if not math.isfinite(value):
        raise ValueError(f"{name} would not be finite: the values of G, u or v are too large; scale them down")
    return value


def gradients(m, U, V, MU, MdV, orthonormal=False):
    """RV and RᵀU from the products MU and MdV = M diag(1 + d) V at hand. Cost: 4 n k² multiply-adds, 2 if VᵀV = I."""
    d = row_dot(U, V)
    rest = (m - row_dot(MU, V) + m * d)[:, None]  # m − e
    RV = (MU if orthonormal else MU @ (V.T @ V)) - MdV + rest * V
    RtU = V @ (U.T @ MU) - (1 + d)[:, None] * MU + rest * U
    return RV, RtU


def baseline(m, V, MV):
    """‖P(G)V‖ = ‖P(M)V‖."""
    return (MV - m[:, None] * V).norm().item()


def residual(gradient, baseline_u, baseline_v):
    """``stationarity`` from (RV, RᵀU) and their norms at UVᵀ = 0."""
    RV, RtU = gradient
    return max(ratio(RV.norm().item(), baseline_v), ratio(RtU.norm().item(), baseline_u))


def ratio(part, whole):
    """part / whole of two norms, 0 where both are 0."""
    return part / whole if whole > 0 else (float("inf") if part > 0 else 0.0)


def energy(m, U, V, MU, orthonormal=False):
    """tr[Yᵀ M Y], summed in double precision. Cost: 2 n k² multiply-adds, none if VᵀV = I."""
    d = 1 + row_dot(U, V).double()
    cross = (d * row_dot(MU, V)).sum()
    squares = row_dot(U, MU).double() if orthonormal else (U.T @ MU).double() * (V.T @ V)
    return squares.sum() - 2 * cross + (m * d * d).sum()


def _check_factors(G, u, v):
    check_gram(G)
    for name, factor in (("u", u), ("v", v)):
        check_tensor(factor, name)
    if u.ndim != 2 or u.shape != v.shape or len(u) != len(G):
        raise ValueError(f"u and v must have shape ({len(G)}, rank) each, got {tuple(u.shape)} and {tuple(v.shape)}")
    if u.dtype != G.dtype or v.dtype != G.dtype:
        raise ValueError(f"u and v must have the type of G, {G.dtype}, got {u.dtype} and {v.dtype}")
    for name, factor in (("u", u), ("v", v)):
        check_finite(factor, name)
