"""Pick rows of RecBole's Interaction by a tensor; RecBole makes a Python list of every array first."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction


def row_index(index: Any) -> Any:
    """Return what picks the same rows of a tensor as RecBole's index does.

    Args:
        index: of any kind that :class:`Interaction` takes.

    Returns:
        A tensor for one-dimensional arrays and tensors of integers; for other arrays the list that RecBole makes of
        them, and everything else as it is.
    """
    if not isinstance(index, (np.ndarray, torch.Tensor)):
        return index
    if index.ndim != 1 or not len(index):
        return index.tolist()
    if isinstance(index, torch.Tensor):
        is_integer = not (index.dtype.is_floating_point or index.dtype.is_complex or index.dtype == torch.bool)
        return index.detach().cpu().long() if is_integer else index.tolist()
    if index.dtype.kind not in "iu" or index.dtype == np.uint64:  # ids beyond int64 are an error of RecBole's
        return index.tolist()
    return torch.from_numpy(np.ascontiguousarray(index, dtype=np.int64))


def pick(column: torch.Tensor, rows: Any) -> torch.Tensor:
    """Return ``column[rows]``.

    Args:
        column: of any shape.
        rows: any index of its first dimension.

    Notes:
        For row numbers ``index_select`` takes half of the time; it does not count from the end.
    """
    is_plain = isinstance(rows, torch.Tensor) and rows.ndim == 1 and rows.dtype == torch.int64 and len(rows) > 0
    if not is_plain or column.ndim == 0 or not (column.device.type == rows.device.type == "cpu"):
        return column[rows]
    first, last = torch.aminmax(rows)
    return column.index_select(0, rows) if first >= 0 and last < len(column) else column[rows]


def getitem(stock: Callable, interaction: Interaction, index: Any) -> Interaction | torch.Tensor:
    """Do as RecBole does, without a list of the row numbers."""
    rows = row_index(index)
    columns = interaction.interaction
    if not isinstance(rows, torch.Tensor) or not _are_tensors(columns):
        return stock(interaction, index)
    return Interaction({name: pick(column, rows) for name, column in columns.items()})


def reindex(stock: Callable, interaction: Interaction, index: Any) -> None:
    """Do as RecBole does, each column picked at once."""
    columns = interaction.interaction
    if not isinstance(index, torch.Tensor) or not _are_tensors(columns):
        stock(interaction, index)
        return
    for name, column in columns.items():
        columns[name] = pick(column, index)


def _are_tensors(columns: Mapping[str, Any]) -> bool:
    """Return whether all columns are tensors, as those of a constructed Interaction are."""
    return all(isinstance(column, torch.Tensor) for column in columns.values())
