"""The objective of low-rank EDLAE: its value above the full-rank optimum, and its gradient."""

import math
from typing import NamedTuple

import torch

from recbole_edlae.solvers._finite import check_finite, check_gram, check_tensor
from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers._system import System, row_dot


class Factors(NamedTuple):
    """The factors U and V, and the product MU that the objective and its gradient share; shapes (n, k)."""

    U: torch.Tensor
    V: torch.Tensor
    MU: torch.Tensor


def objective(G: Symmetric, u: torch.Tensor, v: torch.Tensor, *, dropout: float, l2: float) -> float:
    """Return by how much the training objective of the factors exceeds its full-rank optimum.

    Args:
        G: Symmetric, shape (n, n), the Gram matrix (``gram``), float32 or float64.
        u: torch.Tensor, shape (n, k), of G's type: U.
        v: torch.Tensor, shape (n, k), of G's type: V.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).

    Returns:
        f(U, V), in the units of G; ≥ 0 up to rounding, 0 where P(UVᵀ) = B̂.

    Raises:
        ValueError: a parameter is out of range, the shapes do not fit, or G + diag Λ is singular.

    Notes:
        Notation: M = G + diag Λ, Λ = ``penalty``; C = M⁻¹, c its diagonal; P(·) sets the diagonal to zero;
        d = diag(UVᵀ); B̂ the full-rank EDLAE (``full_rank``).

        Objective (Steck 2020, Eq. 10): ‖X − X P(UVᵀ)‖² + ‖Λ^½ P(UVᵀ)‖². Its minimum over all matrices is Σ (1/c − Λ),
        at B̂, and f is what exceeds this minimum:

            f(U, V) = tr[Dᵀ M D],   D = P(UVᵀ) − B̂.

        The diagonal of UVᵀ does not count. With Y = UVᵀ − diag(1 + d),

            f = tr[Yᵀ M Y] − Σ 1/c,

        since D = Y + C diag(1/c) and the diagonal of Y is −1.

        Equivalent to: forming B̂ and D.

        Cost: n³ + 2 n² k operations; n² values for C.

    References:
        Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.

    Examples:
        At rank n the full-rank EDLAE is itself a product of two factors, and f is 0:

        >>> import torch
        >>> from recbole_edlae.solvers import full_rank, objective
        >>> G = torch.tensor([[3.0, 2.0, 1.0], [2.0, 4.0, 1.0], [1.0, 1.0, 2.0]], dtype=torch.float64)
        >>> B = full_rank(G, dropout=0.5, l2=1.0)
        >>> abs(round(objective(G, B, torch.eye(3).double(), dropout=0.5, l2=1.0), 6))
        0.0
    """
    check_factors(G, u, v)
    system = System(G, dropout=dropout, l2=l2)

    # f = tr[Yᵀ M Y] − Σ 1/c
    total = (1 / system.inverse().diagonal()).sum(dtype=torch.float64)
    factors = Factors(u, v, system.product(u))
    excess = energy(system.diagonal, factors) - total
    return check_value(excess.item(), "objective")


def energy(m: torch.Tensor, factors: Factors, orthonormal: bool = False) -> torch.Tensor:
    """Return tr[Yᵀ M Y], summed in double precision. Cost: 4 n k² operations, none if VᵀV = I."""
    U = factors.U
    V = factors.V
    MU = factors.MU

    # Y = UVᵀ − diag d multiplied out, here with d = 1 + diag(UVᵀ).
    d = 1 + row_dot(U, V).double()
    cross = (d * row_dot(MU, V)).sum()
    constant = (m * d * d).sum()

    # tr[V UᵀMU Vᵀ], of which only the diagonal is left where VᵀV = I.
    if orthonormal:
        return row_dot(U, MU).double().sum() - 2 * cross + constant
    squares = (U.T @ MU).double() * (V.T @ V)
    return squares.sum() - 2 * cross + constant


def gradients(
    m: torch.Tensor, factors: Factors, MdV: torch.Tensor, orthonormal: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return RV and RᵀU from the products MU and MdV = M diag(1 + d) V, with R as in ``stationarity``.

    Cost: 8 n k² operations, half of them if VᵀV = I.
    """
    U = factors.U
    V = factors.V
    MU = factors.MU

    # R = M UVᵀ − M diag(1 + d) + diag(m − e), e the diagonal of M P(UVᵀ).
    d = row_dot(U, V)
    diagonal = (m - row_dot(MU, V) + m * d)[:, None]

    # R V: VᵀV is the identity in an orthonormal basis.
    MUVtV = MU
    if not orthonormal:
        MUVtV = MU @ (V.T @ V)
    RV = MUVtV - MdV + diagonal * V

    # RᵀU: M is symmetric, so that MU serves here too.
    RtU = V @ (U.T @ MU) - (1 + d)[:, None] * MU + diagonal * U
    return RV, RtU


def check_factors(G: Symmetric, u: torch.Tensor, v: torch.Tensor) -> None:
    """Check that G is a Gram matrix, and u and v finite factors that fit it."""
    check_gram(G)
    for name, factor in (("u", u), ("v", v)):
        check_tensor(factor, name)

    # The shapes and types must fit each other before any product.
    if u.ndim != 2 or u.shape != v.shape or len(u) != len(G):
        raise ValueError(
            f"u and v must have shape ({len(G)}, rank) each, got {tuple(u.shape)} and {tuple(v.shape)}"
        )
    if u.dtype != G.dtype or v.dtype != G.dtype:
        raise ValueError(f"u and v must have the type of G, {G.dtype}, got {u.dtype} and {v.dtype}")
    for name, factor in (("u", u), ("v", v)):
        check_finite(factor, name)


def check_value(value: float, name: str) -> float:
    """Return a value after a check that it is finite."""
    if not math.isfinite(value):
        raise ValueError(
            f"{name} would not be finite: the values of G, u or v are too large; scale them down"
        )
    return value
