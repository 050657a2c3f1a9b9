"""The regularized system of the low-rank solvers: G plus its penalty."""

from typing import Any

import torch

from recbole_edlae.solvers._matrix import regularized_inverse
from recbole_edlae.solvers.parameters import Progress, regularization


class System:
    """M = G + diag Λ as an operator; the matrix itself is never formed. Λ is that of ``regularization``."""

    def __init__(self, G: Any, *, dropout: float, l2: float) -> None:
        self.G = G
        self.Lambda = regularization(G, dropout=dropout, l2=l2)
        self.unused = G.diagonal() == 0

        # m, the diagonal of M.
        self.diagonal = G.diagonal() + self.Lambda

    def product(self, U: torch.Tensor) -> torch.Tensor:
        """Return M U."""
        return (self.G @ U).addcmul_(self.Lambda[:, None], U)

    def inverse(self, progress: Progress | None = None) -> Any:
        """Return C = M⁻¹, of G's kind."""
        return regularized_inverse(self.G, self.Lambda, progress=progress)


def row_dot(A: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
    """Return diag(A Bᵀ)."""
    return torch.linalg.vecdot(A, B)
