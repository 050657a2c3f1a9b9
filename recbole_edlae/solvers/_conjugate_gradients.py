"""Conjugate gradients with a preconditioner, for the encoder of the alternating solvers."""

from collections.abc import Callable

import torch


def conjugate_gradients(
    x: torch.Tensor,
    residual: torch.Tensor,
    *,
    operator: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    precondition: Callable[[torch.Tensor], torch.Tensor],
    steps: int,
) -> torch.Tensor:
    """Improve x towards the solution of A x = b by preconditioned conjugate gradients, from its residual r = b − A x.

    ``operator(p, s)`` returns A p for a direction p = C s, ``precondition(r)`` returns C r. Where C is the inverse of
    a matrix M that A contains, s is M p without another product. It stops early where the curvature pᵀAp is not
    positive.

    Examples:
        >>> A, b = torch.tensor([[2.0, 1.0], [1.0, 3.0]]), torch.tensor([[3.0], [4.0]])
        >>> x = conjugate_gradients(0 * b, b, operator=lambda p, s: A @ p, precondition=lambda r: r, steps=2)
        >>> torch.allclose(x, torch.ones(2, 1))
        True
    """
    z = precondition(residual)
    rz = (residual * z).sum()

    # p is the direction; s = C⁻¹ p follows by the same recurrence, without a product.
    p = z
    s = residual
    for step in range(1, steps + 1):
        Ap = operator(p, s)

        # Rounding may leave no curvature where x is the solution already.
        curvature = (p * Ap).sum()
        if not curvature > 0:
            break
        x = x + rz / curvature * p

        # The last step needs no next direction, and saves one preconditioning.
        if step == steps:
            break
        residual = residual - rz / curvature * Ap
        z = precondition(residual)
        previous = rz
        rz = (residual * z).sum()
        p = z + rz / previous * p
        s = residual + rz / previous * s
    return x
