"""What the formulas do with packed tiles, where they have a dense matrix otherwise.

Whoever makes ``SymmetricTiles`` or ``PackedWeights`` imports them from here, so that every formula knows them.
"""

import torch

from recbole_edlae.solvers._finite import (
    check_entries,
    check_finite,
    check_gram,
    check_popularity,
    check_result,
    check_transposed,
    not_finite,
    symmetric_within,
)
from recbole_edlae.solvers._matrix import REMEDY, add_to, dense_copy, inverse, invert_sum, scaled_columns
from recbole_edlae.solvers._normalization import REMEDY as SMALLER_POWER
from recbole_edlae.solvers._normalization import item_scale, normalize_items
from recbole_edlae.solvers.parameters import Progress
from recbole_edlae.solvers.scale.inverse import packed_inverse
from recbole_edlae.solvers.scale.packed import PackedWeights as PackedWeights
from recbole_edlae.solvers.scale.tiles import SymmetricTiles as SymmetricTiles

inverse.register(SymmetricTiles, packed_inverse)


@invert_sum.register
def _(
    G: SymmetricTiles, Lambda: torch.Tensor, overwrite: bool, progress: Progress | None
) -> SymmetricTiles:
    M = G
    if not overwrite:
        M = G.clone()

    # The diagonal of tiles is a copy, which has to be written back.
    M.set_diagonal(M.diagonal() + Lambda)
    return packed_inverse(M, overwrite=True, progress=progress)


@scaled_columns.register
def _(C: SymmetricTiles, scale: torch.Tensor, diagonal: torch.Tensor) -> PackedWeights:
    # The scale stays apart from the tiles: its columns would no longer be symmetric.
    c = C.diagonal()
    C.set_diagonal(torch.zeros_like(c))

    # |C_ij| ≤ √(c_i c_j): no entry of B is larger than these.
    check_result(c.max().sqrt() * c.sqrt() * scale, "B", REMEDY)
    check_result(diagonal, "B", REMEDY)
    return PackedWeights(C, None, scale, diagonal)


@dense_copy.register
def _(M: SymmetricTiles) -> torch.Tensor:
    return M.dense()


@add_to.register
def _(M: SymmetricTiles, N: torch.Tensor) -> None:
    M.add_to(N)


@check_gram.register
def _(G: SymmetricTiles, *, name: str = "G") -> None:
    # SymmetricTiles are square matrices of floats by construction.
    pass


@check_finite.register
def _(A: SymmetricTiles, name: str) -> None:
    # The place of an entry in the tiles would say nothing to the caller.
    if not_finite(A.values) is not None:
        raise ValueError(f"{name} must have finite entries only")


@check_entries.register
def _(G: SymmetricTiles) -> None:
    check_finite(G, "G")
    root = symmetric_within(G)

    # Tiles off the diagonal are stored once, and cannot differ from themselves.
    for i in range(G.parts):
        rows = G.part(i)
        tile = torch.from_numpy(G.tile(i, i))
        check_transposed(tile, tile, (rows, rows), root)


@normalize_items.register
def _(
    B: PackedWeights, popularity: torch.Tensor, *, power: float, overwrite: bool = False
) -> PackedWeights:
    check_popularity(popularity, len(B.right))
    scale = item_scale(popularity, power=power).to(B.right)

    # The scales of C take N^α and N^−α, and C itself is shared; the diagonal stays, n_i^α / n_i^α of it.
    left = scale
    if B.left is not None:
        left = scale * B.left
    right = B.right / scale

    # No entry is larger than the largest factors' product.
    low, high = torch.aminmax(B.C.values)
    largest = max(abs(low).item(), abs(high).item())
    check_result(largest * left.abs().max() * right, "B", SMALLER_POWER)
    return B._replace(left=left, right=right)
