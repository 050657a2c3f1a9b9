"""Sum rows of a packed symmetric matrix: the scores of many histories at a time."""

import numpy as np
import torch
import torch.nn.functional as F

from recbole_edlae.solvers.scale.tiles import SymmetricTiles

WIDTH = 64  # columns of a panel, which stays in the cache while the rows of all histories are added


def row_sums(
    M: SymmetricTiles,
    items: torch.Tensor,
    count: torch.Tensor,
    left: torch.Tensor | None = None,
    right: torch.Tensor | None = None,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the sum of some rows of diag(left) M diag(right) for each history, shape (users, n).

    Rows are added in the order of ``items``, so that a sum depends neither on the other histories nor on the threads.

    Args:
        M: SymmetricTiles of shape (n, n), float32 or float64.
        items: int64, shape (total,): the rows of each history, one history after the other.
        count: int64, shape (users,): how many rows each history has.
        left: shape (n,); None for 1.
        right: shape (n,); None for 1.
        out: shape (at least users, n), whose first rows become the result; memory that is used again is quicker than
            new memory. None for new memory.

    Notes:
        A row of 20,000 entries has left the cache before another history needs it; 64 columns of all rows stay there.
        So the columns of one part of M after the other are copied to panels of 64, and ``embedding_bag`` adds the rows
        of these. Few histories need few rows: these alone are copied, all columns of a part to one panel.

        Equivalent to: ``embedding_bag`` on the scaled ``M.dense()`` with mode "sum".

        Cost: total × n additions and n² copies; n × (columns of a part) values beside the result.
    """
    n = len(M)
    users = len(count)
    _check(n, items, count, left, right)
    if out is not None and (out.dtype != M.dtype or len(out) < users or out.shape[1:] != (n,)):
        raise ValueError(
            f"out must be {M.dtype} of shape ({users} or more, {n}), got {out.dtype}, {out.shape}"
        )

    # Few histories need few rows, which are copied alone and in one panel.
    rows = None
    width = WIDTH
    height = n
    if 2 * len(items) < n:
        rows, items = items.unique(return_inverse=True)
        if left is not None:
            left = left[rows]
        width = n
        height = len(rows)

    # One panel's memory serves all of them.
    panel_values = torch.empty(height * min(width, int(M.bounds.diff().max())), dtype=M.dtype)
    offsets = F.pad(count.cumsum(0), (1, 0))

    # From NumPy, which asks the kernel for large pages.
    if out is None:
        out = torch.from_numpy(np.empty((users, n), dtype=panel_values.numpy().dtype))
    sums = out[:users]

    for block in map(M.part, range(M.parts)):
        for start in range(block.start, block.stop, width):
            # Some columns of diag(left) M.
            columns = slice(start, min(start + width, block.stop))
            shape = height, columns.stop - start
            panel = panel_values[: height * shape[1]].view(shape)
            M.copy_rows(panel, rows, columns)
            if left is not None:
                panel.mul_(left[:, None])

            # diag(right) scales the sums, which are fewer than the rows.
            scale = 1 if right is None else right[columns]
            torch.mul(bag_sums(panel, items, offsets), scale, out=sums[:, columns])
    return sums


def bag_sums(panel: torch.Tensor, rows: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Return the sum of some rows of a panel for each history, added in their order; offsets include the last end."""
    return F.embedding_bag(rows, panel, offsets, mode="sum", include_last_offset=True)


def _check(
    n: int, items: torch.Tensor, count: torch.Tensor, left: torch.Tensor | None, right: torch.Tensor | None
) -> None:
    """Check what compiled code relies on: it reads whatever lies at an index."""
    if len(items) and not (items.min() >= 0 and items.max() < n):
        raise ValueError(
            f"items must be numbers from 0 to {n - 1}, got {int(items.min())} to {int(items.max())}"
        )
    if (count < 0).any() or count.sum() != len(items):
        raise ValueError(
            f"count must add up to the number of items, {len(items)}, got a sum of {int(count.sum())}"
        )

    # A shorter scale would be broadcast or read beyond its end.
    for name, scale in (("left", left), ("right", right)):
        if scale is not None and scale.shape != (n,):
            raise ValueError(f"{name} must have shape ({n},), got {tuple(scale.shape)}")
