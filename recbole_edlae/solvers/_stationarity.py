"""Whether a pair of factors is a stationary point of low-rank EDLAE."""

import torch

from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers._objective import Factors, check_factors, check_value, gradients
from recbole_edlae.solvers._system import System, row_dot


def stationarity(G: Symmetric, u: torch.Tensor, v: torch.Tensor, *, dropout: float, l2: float) -> float:
    """Return how far the factors are from a stationary point of ``objective``: 0 at one, about 1 at small random ones.

    Args:
        G: Symmetric, shape (n, n), the Gram matrix (``gram``), float32 or float64.
        u: torch.Tensor, shape (n, k), of G's type: U.
        v: torch.Tensor, shape (n, k), of G's type: V.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).

    Returns:
        A number ≥ 0 without a unit; infinity where the norm at UVᵀ = 0 is zero and that of the gradient is not.

    Raises:
        ValueError: a parameter is out of range, or the shapes do not fit.

    Notes:
        Notation: as in ``objective``. With R = P(M D) the gradient is 2 RV for U and 2 RᵀU for V; at UVᵀ = 0 it would
        be R = −P(G). The larger one of

            ‖RV‖ / ‖P(G)V‖  and  ‖RᵀU‖ / ‖P(G)ᵀU‖

        is the residual that the iterative solvers report and compare with tol. Since M B̂ = M − diag(1/c), B̂ cancels:
        R = M UVᵀ − M diag(1 + d) + diag(m − e) with m = diag M and e the diagonal of M P(UVᵀ).

        Cost: 6 n² k operations.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import low_rank, stationarity
        >>> G = torch.tensor([[3.0, 2.0, 1.0], [2.0, 4.0, 1.0], [1.0, 1.0, 2.0]], dtype=torch.float64)
        >>> u, v = low_rank(G, 2, method="als", dropout=0.5, l2=1.0, max_iter=500)[:2]
        >>> stationarity(G, u, v, dropout=0.5, l2=1.0) <= 1.01e-3  # als stops at tol = 1e-3
        True
    """
    check_factors(G, u, v)
    system = System(G, dropout=dropout, l2=l2)
    m = system.diagonal
    MU = system.product(u)

    # RV and RᵀU; their norms in double precision, where squares do not overflow.
    MdV = system.product((1 + row_dot(u, v))[:, None] * v)
    RV, RtU = gradients(m, Factors(u, v, MU), MdV)
    RV = RV.double()
    RtU = RtU.double()

    # Relative to the gradient at UVᵀ = 0.
    norm_u = norm_at_zero(m, u, MU.double())
    norm_v = norm_at_zero(m, v, system.product(v).double())
    check_value(norm_u + norm_v + RV.norm().item() + RtU.norm().item(), "stationarity")
    return residual((RV, RtU), norm_u, norm_v)


def norm_at_zero(m: torch.Tensor, V: torch.Tensor, MV: torch.Tensor) -> float:
    """Return ‖P(G)V‖ = ‖P(M)V‖, the norm of the gradient at UVᵀ = 0."""
    return (MV - m[:, None] * V).norm().item()


def residual(gradient: tuple[torch.Tensor, torch.Tensor], norm_u: float, norm_v: float) -> float:
    """Return ``stationarity`` from (RV, RᵀU) and the norms ‖P(G)ᵀU‖ and ‖P(G)V‖."""
    RV, RtU = gradient
    return max(ratio(RV.norm().item(), norm_v), ratio(RtU.norm().item(), norm_u))


def ratio(norm: float, reference: float) -> float:
    """Return norm / reference, 0 where both are 0."""
    if reference > 0:
        return norm / reference
    if norm > 0:
        return float("inf")
    return 0.0
