"""Sum the rows of a Gram matrix in compiled loops."""

import numpy as np

from recbole_edlae.solvers.scale.compiled import compiled

# Rows of G that a thread makes at a time, and copies below the diagonal while they are in its cache.
BLOCK = 32


@compiled
def _sum_row(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray | None,
    weight: np.ndarray | None,
    item_ptr: np.ndarray,
    item_users: np.ndarray,
    row: np.ndarray,
    i: int,
) -> None:
    """Sum row i of G from the diagonal on."""
    row[i:] = 0
    for t in range(item_ptr[i], item_ptr[i + 1]):
        user = item_users[t]
        start, stop = indptr[user], indptr[user + 1]

        # By bisection: start becomes where the user's row has i.
        end = stop
        while start < end:
            middle = (start + end) // 2
            if indices[middle] < i:
                start = middle + 1
            else:
                end = middle

        # Ones are added as they are, in integers.
        scale = 1 if weight is None else weight[user]
        if data is None:
            for s in range(start, stop):
                row[indices[s]] += scale
        else:
            scale = scale * data[start]
            for s in range(start, stop):
                row[indices[s]] += scale * data[s]


@compiled
def fill(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray | None,
    weight: np.ndarray | None,
    item_ptr: np.ndarray,
    item_users: np.ndarray,
    row: np.ndarray,
    first: int,
    G: np.ndarray,
) -> None:
    """Fill one block of rows from ``first`` on: G[i, j] for j ≥ i, then G[j, i]. ``row`` is workspace."""
    items = len(G)
    last = min(first + BLOCK, items)
    for i in range(first, last):
        _sum_row(indptr, indices, data, weight, item_ptr, item_users, row, i)
        G[i, i:] = row[i:]

    # The transpose, while the block is in the cache.
    for j in range(first, items):
        for i in range(first, min(last, j)):
            G[j, i] = G[i, j]


@compiled
def fill_packed(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray | None,
    weight: np.ndarray | None,
    item_ptr: np.ndarray,
    item_users: np.ndarray,
    row: np.ndarray,
    first: int,
    bounds: np.ndarray,
    offsets: np.ndarray,
    values: np.ndarray,
) -> None:
    """Fill one block of columns from ``first`` on, from the diagonal down. ``row`` is workspace."""
    tile_column = 0
    for i in range(first, min(first + BLOCK, len(row))):
        _sum_row(indptr, indices, data, weight, item_ptr, item_users, row, i)

        # Row i of the upper triangle is column i of the lower one.
        while bounds[tile_column + 1] <= i:
            tile_column += 1
        column = i - bounds[tile_column]

        # Tiles are stored by columns: the column is a piece of memory in each of them.
        for tile_row in range(tile_column, len(bounds) - 1):
            start, stop = bounds[tile_row], bounds[tile_row + 1]
            target = offsets[tile_row, tile_column] + column * (stop - start)
            begin = max(start, i)
            values[target + begin - start : target + stop - start] = row[begin:stop]
