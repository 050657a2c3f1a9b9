"""What the formulas do with a matrix: here for a dense tensor.

Every function is a ``functools.singledispatch`` on its first argument. Other kinds of matrices register what they do
instead (``recbole_edlae.solvers.scale``), so that a formula is written once and asks no matrix for its kind.
"""

import functools
from typing import Any, Protocol

import numpy as np
import torch
from scipy.linalg import get_lapack_funcs
from threadpoolctl import ThreadpoolController

from recbole_edlae.solvers._finite import SingularError, check_result
from recbole_edlae.solvers.parameters import Progress

LAPACK_ROWS = 16_384  # OpenBLAS's threaded potrf crashes from about 29,000 rows on (OpenBLAS issue 2562)
_CACHED = 256  # rows and columns that are transposed at a time
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


@functools.singledispatch
def inverse(M: Any, *, overwrite: bool = False, progress: Progress | None = None) -> Any:
    """Return C = M⁻¹ for a symmetric positive definite M, of M's kind and exactly symmetric.

    Args:
        M: torch.Tensor, shape (n, n), float32 or float64, of which only the upper triangle is read; or SymmetricTiles.
        overwrite: the result replaces M.
        progress: called as ``progress(done, total)``, in operations.

    Raises:
        ValueError: M is not square, or neither float32 nor float64.
        torch.linalg.LinAlgError: M is not positive definite to working precision, has entries that are not finite, or
            its inverse has.

    Notes:
        M = L Lᵀ (Cholesky), X = L⁻¹, C = XᵀX, each replaces the one before and is a third of the work. On the CPU they
        are potrf, trtri and lauum of SciPy's LAPACK: its OpenBLAS uses every core in all of them, where torch's MKL
        takes 1.7 times as long on AMD processors, and two arrays more.

        Equivalent to: ``torch.cholesky_inverse(torch.linalg.cholesky(M))``, which is what runs on other devices, and
        from 16,385 rows on: OpenBLAS's potrf crashes on 29,000 (issue 2562). Packed, a matrix has no such limit.

        Cost: n³ operations (additions and multiplications) on as many threads as torch has; nothing of the size of M
        beside the result, and two arrays more where torch inverts.

    Examples:
        >>> M = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
        >>> torch.allclose(inverse(M) @ M, torch.eye(2), atol=1e-6)
        True
    """
    if M.ndim != 2 or M.shape[0] != M.shape[1]:
        raise ValueError(f"M must be a square matrix, got shape {tuple(M.shape)}")
    if M.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"M must be float32 or float64, got {M.dtype}")
    if M.device.type != "cpu" or len(M) > LAPACK_ROWS:
        return _inverse_by_torch(M, overwrite)

    # LAPACK takes a contiguous array.
    C = M
    if not overwrite or not M.is_contiguous():
        C = M.clone(memory_format=torch.contiguous_format)
    with blas_threads():
        _invert(C.numpy(), progress)
    check_inverse_finite(C.diagonal())

    if overwrite and C is not M:
        return M.copy_(C)
    return C


def _invert(C: np.ndarray, progress: Progress | None) -> None:
    """Replace a contiguous array by its inverse."""
    # By columns, as LAPACK has it, the upper triangle is the lower one; each routine works in its place.
    columns = C.T
    operations = len(C) ** 3
    report = progress or (lambda done, total: None)
    potrf, trtri, lauum = get_lapack_funcs(("potrf", "trtri", "lauum"), dtype=C.dtype)

    # M = L Lᵀ
    _, failed = potrf(columns, lower=1, clean=0, overwrite_a=1)
    check_factor(failed, columns.diagonal())
    report(operations // 3, operations)

    # X = L⁻¹
    trtri(columns, lower=1, overwrite_c=1)
    report(2 * operations // 3, operations)

    # C = XᵀX
    lauum(columns, lower=1, overwrite_c=1)
    report(operations, operations)

    mirror(C)


def mirror(C: np.ndarray) -> None:
    """Copy the upper triangle to the lower one, tile by tile for the cache's sake, and by one thread.

    In torch it would wait for a second one, while OpenBLAS's keep the cores for a while after their work.
    """
    for i in range(0, len(C), _CACHED):
        rows = slice(i, i + _CACHED)
        for j in range(0, i, _CACHED):
            C[rows, j : j + _CACHED] = C[j : j + _CACHED, rows].T
        C[rows, rows] = np.triu(C[rows, rows]) + np.triu(C[rows, rows], 1).T


def _inverse_by_torch(M: torch.Tensor, overwrite: bool) -> torch.Tensor:
    """Return the inverse of a dense matrix on any device; it holds three matrices, M included, with ``overwrite``."""
    factor, failed = torch.linalg.cholesky_ex(M)
    check_factor(failed.item(), factor.diagonal().cpu().numpy())

    # LAPACK's order of memory: a contiguous M is written in place.
    if overwrite:
        torch.cholesky_inverse(factor, out=M.T)
        C = M
    else:
        C = torch.cholesky_inverse(factor)
    check_inverse_finite(C.diagonal())
    return C


def blas_threads() -> Any:
    """Return a context in which SciPy's BLAS has as many threads as torch; it knows nothing of set_num_threads."""
    return _threads().limit(limits=torch.get_num_threads(), user_api="blas")


@functools.cache
def _threads() -> ThreadpoolController:
    """Return the controller of SciPy's libraries: finding them takes longer than a small inverse."""
    return ThreadpoolController()


def check_factor(failed: int, diagonal: np.ndarray) -> None:
    """Check that a factorization succeeded; OpenBLAS's potrf lets NaN pass."""
    if failed or not np.isfinite(diagonal).all():
        raise torch.linalg.LinAlgError("the matrix is not positive definite to working precision")


def check_inverse_finite(diagonal: torch.Tensor) -> None:
    """Check C by its diagonal: every entry of row i is a sum over the same x as C_ii = Σ x², and no larger."""
    if not diagonal.isfinite().all():
        raise torch.linalg.LinAlgError(
            "the inverse has entries that are not finite: the matrix is too small"
        )
