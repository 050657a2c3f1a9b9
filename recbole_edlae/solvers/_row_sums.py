"""Sums of rows of a packed symmetric matrix: the scores of many histories at a time."""

import concurrent.futures
import functools

import numpy as np
import torch

from recbole_edlae.solvers._row_sum_kernels import WIDTH, add_panel, add_rows, copy_tile
from recbole_edlae.solvers._tiles import SymmetricTiles


def row_sums(
    M: SymmetricTiles, items: torch.Tensor, count: torch.Tensor, left: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the sum of some rows of M for each history.

    Args:
        M: SymmetricTiles of shape (n, n), float32 or float64.
        items: int64, shape (total,): the rows of each history, one history after the other.
        count: int64, shape (users,): how many rows each history has.
        left: shape (n,), what each row is multiplied by before it is added; None for 1.

    Returns:
        torch.Tensor of shape (users, n). Rows are added in the order of ``items``, so that a sum depends neither on the
        other histories nor on the number of threads.

    Raises:
        ValueError: a row is none of M's, the counts do not add up to the rows, or ``left`` has another length.

    Notes:
        Of a tile below the diagonal, the rows are contiguous in one direction only. Where the histories have about as
        many items as M has rows, they are transposed first: the columns of one part of M after the other are copied to
        panels of 64 columns, which stay in the cache while the rows of all histories are added. With few items the
        entries are read where they stand.

        Equivalent to: ``embedding_bag`` on ``M.dense()`` with mode "sum".

        Cost: total × n additions; n × (rows of a tile) values beside the result, for many histories.
    """
    n = len(M)
    _check(n, items, count, left)
    ends = count.cumsum(0).numpy()
    indptr = np.append(0, ends)
    rows = items.numpy()
    values, bounds = M.values.numpy(), M.bounds.numpy()
    scale = np.ones(0, dtype=values.dtype) if left is None else left.to(M.dtype).numpy()
    # From NumPy, which asks the kernel for large pages.
    target = np.empty((len(count), n), dtype=values.dtype)
    with concurrent.futures.ThreadPoolExecutor(torch.get_num_threads()) as pool:
        if 2 * len(rows) < n:
            target[:] = 0
            sources = np.searchsorted(bounds, rows, side="right") - 1
            add = functools.partial(add_rows, values, M.offsets, bounds, scale, rows, sources, indptr, target)
            list(pool.map(add, range(M.parts)))
            return torch.from_numpy(target)
        widest = int(M.bounds.diff().max())
        panels = np.empty((-(-widest // WIDTH), n, WIDTH), dtype=values.dtype)
        for part in range(M.parts):
            copy = functools.partial(copy_tile, values, M.offsets, bounds, scale, panels, part)
            list(pool.map(copy, range(M.parts)))
            columns = target[:, bounds[part] : bounds[part + 1]]
            add = functools.partial(add_panel, panels, rows, indptr, columns)
            list(pool.map(add, range(-(-columns.shape[1] // WIDTH))))
    return torch.from_numpy(target)


def _check(n: int, items: torch.Tensor, count: torch.Tensor, left: torch.Tensor | None) -> None:
    """Check what the compiled loops rely on: they read whatever lies at an index."""
    if len(items) and not (items.min() >= 0 and items.max() < n):
        raise ValueError(f"items must be numbers from 0 to {n - 1}, got {int(items.min())} to {int(items.max())}")
    if (count < 0).any() or count.sum() != len(items):
        raise ValueError(f"count must add up to the number of items, {len(items)}, got a sum of {int(count.sum())}")
    if left is not None and left.shape != (n,):
        raise ValueError(f"left must have shape ({n},), got {tuple(left.shape)}")
