"""What the formulas do with a matrix: here for a dense tensor.

Every function is a ``functools.singledispatch`` on its first argument. Other kinds of matrices register what they do
instead (``recbole_edlae.solvers.scale``), so that a formula is written once and asks no matrix for its kind.
"""

import functools
from typing import Any, Protocol

import torch

from recbole_edlae.solvers._finite import SingularError, check_result
from recbole_edlae.solvers._inverse import inverse
from recbole_edlae.solvers._parameters import Progress

REMEDY = "the values of G are too large or too small; scale X, or compute in float64"


class Symmetric(Protocol):
    """A symmetric matrix as the formulas know it: a torch.Tensor, or ``SymmetricTiles``."""

    @property
    def dtype(self) -> torch.dtype:
        """Return the type of the entries."""

    @property
    def device(self) -> torch.device:
        """Return where the entries are."""

    @property
    def shape(self) -> torch.Size:
        """Return (n, n)."""

    def __len__(self) -> int: ...

    def __matmul__(self, U: torch.Tensor, /) -> torch.Tensor: ...

    @property
    def nbytes(self) -> int:
        """Return the bytes that the entries take."""

    def clone(self) -> Any:
        """Return a copy."""

    def diagonal(self) -> torch.Tensor:
        """Return the diagonal, shape (n,)."""


def regularized_inverse(
    G: Any, Lambda: torch.Tensor, *, overwrite: bool = False, progress: Progress | None = None
) -> Any:
    """Return C = (G + diag Λ)⁻¹, of G's kind; with ``overwrite`` it replaces G.

    Raises:
        SingularError: G + diag Λ is singular to working precision.
    """
    try:
        return invert_sum(G, Lambda, overwrite, progress)
    except torch.linalg.LinAlgError:
        raise SingularError(
            f"G + penalty is not positive definite at {G.dtype}: the users do not determine the weights of "
            f"{len(G)} items. Raise l2 or dropout, or compute in float64"
        ) from None


@functools.singledispatch
def invert_sum(G: Any, Lambda: torch.Tensor, overwrite: bool, progress: Progress | None) -> Any:
    """Return (G + diag Λ)⁻¹; with ``overwrite`` it replaces G."""
    M = G
    if not overwrite:
        M = G.clone()

    # M differs from G on the diagonal alone.
    M.diagonal().add_(Lambda)
    return inverse(M, overwrite=True, progress=progress)


@functools.singledispatch
def scaled_columns(C: Any, scale: torch.Tensor, diagonal: torch.Tensor) -> Any:
    """Return C diag(scale) with another diagonal, after a check that it is finite; C may be overwritten."""
    B = C.mul_(scale)
    B.diagonal().copy_(diagonal)
    check_result(B, "B", REMEDY)
    return B


@functools.singledispatch
def dense_copy(M: Any) -> torch.Tensor:
    """Return a dense copy of a matrix."""
    return M.clone()


@functools.singledispatch
def add_to(M: Any, N: torch.Tensor) -> None:
    """Add a matrix M to a dense one, in the place of that."""
    N.add_(M)
