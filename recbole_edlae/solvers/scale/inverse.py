"""Invert a packed symmetric positive definite matrix, in place and tile by tile.

LAPACK's own factorization crashes on large matrices (OpenBLAS issue 2562): here BLAS and LAPACK see one tile at a time.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.linalg import get_blas_funcs, get_lapack_funcs

from recbole_edlae.solvers._matrix import blas_threads, check_factor, check_inverse_finite
from recbole_edlae.solvers.scale.tiles import SymmetricTiles

Tile = Callable[[int, int], np.ndarray]


def packed_inverse(
    M: SymmetricTiles, *, overwrite: bool = False, progress: Callable[[int, int], object] | None = None
) -> SymmetricTiles:
    """Return C = M⁻¹, as ``inverse`` does for a dense matrix; of M the lower triangle is read.

    Notes:
        M = L Lᵀ (Cholesky), X = L⁻¹, C = XᵀX, each replaces the one before: what potrf, trtri and lauum do, by tiles.
        A tile is stored by columns without gaps, so that SciPy's routines work in its place.

        A recursion by Schur complements has larger products and squares the condition number: on a matrix of order
        1,500 with one eigenvalue of 10⁴ and others of 1, in float32, its error was 6·10⁻³ and LAPACK's 5·10⁻⁵.

        Cost: n³ operations (additions and multiplications) on as many threads as torch has; nothing beside the result.
    """
    C = M
    if not overwrite:
        C = M.clone()
    n = len(C)
    steps = _Steps(C.tile, C.parts, C.values.numpy().dtype)
    with blas_threads():
        for done in steps.run():
            if progress is not None:
                progress(round(done * n**3), n**3)
    check_inverse_finite(C.diagonal())

    # The steps leave the upper triangles of the tiles on the diagonal as they were.
    C.mirror()
    return C


class _Steps:
    """Replace M by M⁻¹ in the tiles of its lower triangle. Nothing but ``tile`` knows how these are stored."""

    def __init__(self, tile: Tile, parts: int, dtype: np.dtype) -> None:
        self.tile = tile
        self.parts = parts
        self.potrf, self.trtri, self.lauum = get_lapack_funcs(("potrf", "trtri", "lauum"), dtype=dtype)
        self.gemm, self.syrk, self.trmm, self.trsm = get_blas_funcs(
            ("gemm", "syrk", "trmm", "trsm"), dtype=dtype
        )

    def run(self) -> Iterator[float]:
        """Take all steps; yield the share of the work that is done."""
        parts = self.parts

        # M = L Lᵀ
        for k in range(parts):
            self._factor_column(k)
            yield (1 - (1 - (k + 1) / parts) ** 3) / 3

        # X = L⁻¹
        for j in reversed(range(parts)):
            self._invert_column(j)
            yield (1 + (1 - j / parts) ** 3) / 3

        # C = XᵀX
        for i in range(parts):
            self._multiply_row(i)
            share = (i + 1) / parts
            yield (2 + 3 * share**2 - 2 * share**3) / 3

    def _factor_column(self, k: int) -> None:
        """Make column k of L, and subtract its products from all that is right of it: M_ij − L_ik L_jkᵀ."""
        tile = self.tile
        diagonal = tile(k, k)
        _, failed = self.potrf(diagonal, lower=1, clean=0, overwrite_a=1)
        check_factor(failed, diagonal.diagonal())

        # L_ik = M_ik L_kk⁻ᵀ
        for i in range(k + 1, self.parts):
            self.trsm(1.0, diagonal, tile(i, k), side=1, lower=1, trans_a=1, overwrite_b=1)

        # M_ij ← M_ij − L_ik L_jkᵀ
        for j in range(k + 1, self.parts):
            self.syrk(-1.0, tile(j, k), beta=1.0, c=tile(j, j), lower=1, overwrite_c=1)
            for i in range(j + 1, self.parts):
                self.gemm(-1.0, tile(i, k), tile(j, k), beta=1.0, c=tile(i, j), trans_b=1, overwrite_c=1)

    def _invert_column(self, j: int) -> None:
        """Make column j of X = L⁻¹ from those right of it: X_ij = −(Σ_k X_ik L_kj) L_jj⁻¹."""
        tile = self.tile

        # From below, so that the L_kj above are still there.
        for i in range(self.parts - 1, j, -1):
            self.trmm(1.0, tile(i, i), tile(i, j), lower=1, overwrite_b=1)
            for k in range(j + 1, i):
                self.gemm(1.0, tile(i, k), tile(k, j), beta=1.0, c=tile(i, j), overwrite_c=1)
            self.trsm(-1.0, tile(j, j), tile(i, j), side=1, lower=1, overwrite_b=1)

        # L_jj is needed above, and goes last.
        self.trtri(tile(j, j), lower=1, overwrite_c=1)

    def _multiply_row(self, i: int) -> None:
        """Make row i of C = XᵀX, with X still below it: C_ij = Σ_k X_kiᵀ X_kj, k ≥ i."""
        tile = self.tile

        # Off the diagonal first: it takes X_ii, which C_ii replaces.
        for j in range(i):
            self.trmm(1.0, tile(i, i), tile(i, j), lower=1, trans_a=1, overwrite_b=1)
            for k in range(i + 1, self.parts):
                self.gemm(1.0, tile(k, i), tile(k, j), beta=1.0, c=tile(i, j), trans_a=1, overwrite_c=1)

        # C_ii = Σ_k X_kiᵀ X_ki
        self.lauum(tile(i, i), lower=1, overwrite_c=1)
        for k in range(i + 1, self.parts):
            self.syrk(1.0, tile(k, i), beta=1.0, c=tile(i, i), trans=1, lower=1, overwrite_c=1)
