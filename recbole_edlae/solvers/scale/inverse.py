"""Invert a symmetric positive definite matrix, in place and tile by tile."""

import functools
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

from recbole_edlae.solvers.scale.blas import call
from recbole_edlae.solvers.scale.tiles import Symmetric, SymmetricTiles, cut

TILE = 2048  # rows and columns of a tile at most: all that BLAS and LAPACK see
_CACHED = 256  # rows and columns that are transposed at a time

Tile = Callable[[int, int], np.ndarray]
Matrix = TypeVar("Matrix", torch.Tensor, SymmetricTiles, Symmetric)


def inverse(M: Matrix, *, overwrite: bool = False, progress: Callable[[int, int], object] | None = None) -> Matrix:
    """Return C = M⁻¹ for a symmetric positive definite M.

    Args:
        M: torch.Tensor, shape (n, n), float32 or float64, of which only the upper triangle is read; or SymmetricTiles.
        overwrite: the result replaces M.
        progress: called as ``progress(done, total)`` in units of n³ operations, three times for every row of tiles.

    Returns:
        Of M's kind, shape (n, n), exactly symmetric; M itself with ``overwrite``.

    Raises:
        ValueError: M is not square, or neither float32 nor float64.
        torch.linalg.LinAlgError: M is not positive definite to working precision, has entries that are not finite, or
            its inverse has.

    Notes:
        M = L Lᵀ (Cholesky), X = L⁻¹, C = XᵀX, each replaces the one before and is a third of the work: what LAPACK's
        potrf, trtri and lauum do, here by tiles, of at most 2,048 rows and columns where M is whole. BLAS and LAPACK
        see one tile at a time, because OpenBLAS's threaded potrf crashes from about 29,000 rows on where the processor
        has AVX-512 (OpenBLAS issue 2562). They are SciPy's, because its OpenBLAS uses every core in all of them;
        through torch's MKL the same steps took 1.7 times as long on AMD processors, and two arrays more.

        A recursion by Schur complements has larger products and squares the condition number: on a matrix of order
        1,500 with one eigenvalue of 10⁴ and others of 1, in float32, its error was 6·10⁻³ and LAPACK's 5·10⁻⁵.

        Equivalent to: ``torch.cholesky_inverse(torch.linalg.cholesky(M))``, which is what runs on other devices.

        Cost: n³ additions and multiplications on as many threads as torch has; nothing of the size of M beside the
        result.

    Examples:
        >>> M = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
        >>> torch.allclose(inverse(M) @ M, torch.eye(2), atol=1e-6)
        True
    """
    if isinstance(M, SymmetricTiles):
        return _packed_inverse(M if overwrite else M.clone(), progress)
    return _dense_inverse(M, overwrite, progress)


def _packed_inverse(C: SymmetricTiles, progress: Callable[[int, int], object] | None) -> SymmetricTiles:
    """Replace a packed matrix by its inverse, and return it."""
    _run(C.tile, C.parts, len(C), progress)
    _check_finite(C.diagonal())

    # The steps leave the upper triangles of the tiles on the diagonal as they were.
    C.mirror()
    return C


def _dense_inverse(M: torch.Tensor, overwrite: bool, progress: Callable[[int, int], object] | None) -> torch.Tensor:
    """Return the inverse of a dense matrix, which replaces it with ``overwrite``."""
    if M.ndim != 2 or M.shape[0] != M.shape[1]:
        raise ValueError(f"M must be a square matrix, got shape {tuple(M.shape)}")
    if M.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"M must be float32 or float64, got {M.dtype}")
    if M.device.type != "cpu":
        return _inverse_by_torch(M, overwrite)

    # The tiles are addressed in a contiguous array.
    C = M
    if not overwrite or not M.is_contiguous():
        C = M.clone(memory_format=torch.contiguous_format)

    # By columns, the upper triangle is the lower one that the steps read.
    array = C.numpy()
    bounds = cut(len(array), TILE).tolist()
    _run(_tiles(array.T, bounds), len(bounds) - 1, len(array), progress)
    _check_finite(C.diagonal())
    _mirror(array)

    if overwrite and C is not M:
        return M.copy_(C)
    return C


def _inverse_by_torch(M: torch.Tensor, overwrite: bool) -> torch.Tensor:
    """Return the inverse of a dense matrix on any device; it holds three matrices, M included, with ``overwrite``."""
    factor, failed = torch.linalg.cholesky_ex(M)
    _check(failed.item() == 0 and factor.diagonal().isfinite().all().item())

    # LAPACK's order of memory: a contiguous M is written in place.
    if overwrite:
        torch.cholesky_inverse(factor, out=M.T)
        C = M
    else:
        C = torch.cholesky_inverse(factor)
    _check_finite(C.diagonal())
    return C


def _run(tile: Tile, parts: int, n: int, progress: Callable[[int, int], object] | None) -> None:
    """Replace M by M⁻¹ in its tiles, with as many threads as torch has."""
    with _threads().limit(limits=torch.get_num_threads(), user_api="blas"):
        for done in _invert(tile, parts):
            if progress is not None:
                progress(round(done * n**3), n**3)


@functools.cache
def _threads() -> ThreadpoolController:
    """Return the controller of SciPy's libraries, which know nothing of torch.set_num_threads."""
    return ThreadpoolController()


def _check(positive_definite: bool) -> None:
    """Check that a factorization succeeded."""
    if not positive_definite:
        raise torch.linalg.LinAlgError("the matrix is not positive definite to working precision")


def _check_finite(diagonal: torch.Tensor) -> None:
    """Check C by its diagonal: every entry of row i is a sum over the same x as C_ii = Σ x², and no larger."""
    if not diagonal.isfinite().all():
        raise torch.linalg.LinAlgError("the inverse has entries that are not finite: the matrix is too small")


def _tiles(lower: np.ndarray, bounds: list[int]) -> Tile:
    """Return the function (i, j) → tile, i ≥ j, of a matrix stored by columns and cut at ``bounds``."""
    return lambda i, j: lower[bounds[i] : bounds[i + 1], bounds[j] : bounds[j + 1]]


def _invert(tile: Tile, parts: int) -> Iterator[float]:
    """Replace M by M⁻¹ in the tiles of its lower triangle; yield the share of the work that is done.

    Nothing but ``tile`` knows how the tiles are stored.
    """
    # M = L Lᵀ
    for k in range(parts):
        _factor_column(tile, k, parts)
        yield (1 - (1 - (k + 1) / parts) ** 3) / 3

    # X = L⁻¹
    for j in reversed(range(parts)):
        _invert_column(tile, j, parts)
        yield (1 + (1 - j / parts) ** 3) / 3

    # C = XᵀX
    for i in range(parts):
        _multiply_row(tile, i, parts)
        share = (i + 1) / parts
        yield (2 + 3 * share**2 - 2 * share**3) / 3


def _factor_column(tile: Tile, k: int, parts: int) -> None:
    """Make column k of L, and subtract its products from all that is right of it: M_ij − L_ik L_jkᵀ."""
    # L_kk; OpenBLAS's potrf lets NaN pass.
    diagonal = tile(k, k)
    failed = call("potrf", b"L", len(diagonal), diagonal)
    _check(failed == 0 and bool(np.isfinite(diagonal.diagonal()).all()))

    # L_ik = M_ik L_kk⁻ᵀ
    for i in range(k + 1, parts):
        _triangular("trsm", b"R", b"T", 1.0, diagonal, tile(i, k))

    # M_ij ← M_ij − L_ik L_jkᵀ
    for j in range(k + 1, parts):
        _square(b"N", -1.0, tile(j, k), tile(j, j))
        for i in range(j + 1, parts):
            _product(b"N", b"T", -1.0, tile(i, k), tile(j, k), tile(i, j))


def _invert_column(tile: Tile, j: int, parts: int) -> None:
    """Make column j of X = L⁻¹ from those right of it: X_ij = −(Σ_k X_ik L_kj) L_jj⁻¹, from below."""
    # From below, so that the L_kj above are still there.
    for i in range(parts - 1, j, -1):
        _triangular("trmm", b"L", b"N", 1.0, tile(i, i), tile(i, j))
        for k in range(j + 1, i):
            _product(b"N", b"N", 1.0, tile(i, k), tile(k, j), tile(i, j))
        _triangular("trsm", b"R", b"N", -1.0, tile(j, j), tile(i, j))

    # L_jj is needed above, and goes last.
    call("trtri", b"L", b"N", len(tile(j, j)), tile(j, j))


def _multiply_row(tile: Tile, i: int, parts: int) -> None:
    """Make row i of C = XᵀX, with X still below it: C_ij = Σ_k X_kiᵀ X_kj, k ≥ i."""
    # Off the diagonal first: it takes X_ii, which C_ii replaces.
    for j in range(i):
        _triangular("trmm", b"L", b"T", 1.0, tile(i, i), tile(i, j))
        for k in range(i + 1, parts):
            _product(b"T", b"N", 1.0, tile(k, i), tile(k, j), tile(i, j))

    # C_ii = Σ_k X_kiᵀ X_ki
    call("lauum", b"L", len(tile(i, i)), tile(i, i))
    for k in range(i + 1, parts):
        _square(b"T", 1.0, tile(k, i), tile(i, i))


def _triangular(name: str, side: bytes, transposed: bytes, factor: float, A: np.ndarray, B: np.ndarray) -> None:
    """Compute B ← factor · B times A or A⁻¹ (trmm, trsm), A lower triangular, from the left or the right."""
    call(name, side, b"L", transposed, b"N", *B.shape, factor, A, B)


def _square(transposed: bytes, factor: float, A: np.ndarray, C: np.ndarray) -> None:
    """Compute C ← C + factor · A Aᵀ, or Aᵀ A, in the lower triangle."""
    depth = A.shape[0]
    if transposed == b"N":
        depth = A.shape[1]
    call("syrk", b"L", transposed, len(C), depth, factor, A, 1.0, C)


def _product(left: bytes, right: bytes, factor: float, A: np.ndarray, B: np.ndarray, C: np.ndarray) -> None:
    """Compute C ← C + factor · A B, each of them transposed where its letter is T."""
    depth = A.shape[0]
    if left == b"N":
        depth = A.shape[1]
    call("gemm", left, right, *C.shape, depth, factor, A, B, 1.0, C)


def _mirror(A: np.ndarray) -> None:
    """Copy the upper triangle to the lower one, tile by tile for the cache's sake, and by one thread.

    In torch it would wait for a second one, while OpenBLAS's keep the cores for a while after their work.
    """
    for i in range(0, len(A), _CACHED):
        rows = slice(i, i + _CACHED)
        for j in range(0, i, _CACHED):
            A[rows, j : j + _CACHED] = A[j : j + _CACHED, rows].T
        A[rows, rows] = np.triu(A[rows, rows]) + np.triu(A[rows, rows], 1).T
