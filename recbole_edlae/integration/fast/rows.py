"""Pick rows of RecBole's tables by arrays, and split datasets by them; RecBole makes Python lists of row numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction

from recbole_edlae.integration.fast.groups import order_by_key
from recbole_edlae.settings.corrections import vectorized

_NO_ROWS = np.empty(0, dtype=np.int64)


def split_by_ratio(
    stock: Callable, dataset: Dataset, ratios: Sequence[float], group_by: str | None = None
) -> list[Dataset]:
    """Split by ratios as RecBole does, each group by itself.

    Args:
        stock: RecBole's function.
        dataset: to split.
        ratios: of the parts; they need not sum to 1.
        group_by: column that says to which group a row belongs; None takes all rows as one.
    """
    if not _is_vectorizable(dataset, group_by, "_grouped_index", "_calcu_split_ids"):
        return stock(dataset, ratios, group_by)
    total = sum(ratios)
    shares = [ratio / total for ratio in ratios]

    # RecBole's own rule says where the parts of a group end.
    def ends_of(size: int) -> list[int]:
        return [*dataset._calcu_split_ids(tot=size, ratios=shares), size]

    groups = _Groups(dataset, group_by)
    lengths = groups.lengths(groups.sizes, ends_of)
    if lengths is None:
        return stock(dataset, ratios, group_by)
    dataset.logger.debug(f"split by ratios [{shares}], group_by=[{group_by}]")
    return _parts(dataset, groups.split(lengths))


def leave_one_out(stock: Callable, dataset: Dataset, group_by: str, leave_one_mode: str) -> list[Dataset]:
    """Leave the last rows of each group out as RecBole does.

    Args:
        stock: RecBole's function.
        dataset: to split.
        group_by: column that says to which group a row belongs.
        leave_one_mode: valid_and_test, valid_only or test_only.
    """
    left_out = {"valid_and_test": 2, "valid_only": 1, "test_only": 1}.get(leave_one_mode)
    methods = ("_grouped_index", "_split_index_by_leave_one_out")
    if left_out is None or group_by is None or not _is_vectorizable(dataset, group_by, *methods):
        return stock(dataset, group_by, leave_one_mode)
    dataset.logger.debug(f"leave one out, group_by=[{group_by}], leave_one_mode=[{leave_one_mode}]")

    # A group keeps at least one row in training. One that is too small fills the last splits first.
    groups = _Groups(dataset, group_by)
    available = np.minimum(left_out, groups.sizes - 1)
    lengths = [groups.sizes - available]
    for number in range(1, left_out + 1):
        lengths.append((number > left_out - available).astype(np.int64))
    rows = groups.split(np.column_stack(lengths))

    if leave_one_mode == "valid_only":
        rows.append(_NO_ROWS)
    elif leave_one_mode == "test_only":
        rows.insert(1, _NO_ROWS)
    return _parts(dataset, rows)


def time_based_split(
    stock: Callable, dataset: Dataset, ratios: Sequence[float], group_by: str
) -> list[Dataset]:
    """Split by time as RecBole does: one boundary for all tests, and each group's earlier rows by ratios.

    Args:
        stock: RecBole's function.
        dataset: to split.
        ratios: of the three parts; they need not sum to 1.
        group_by: column that says to which group a row belongs.
    """
    field = dataset.time_field
    is_plain = group_by is not None and len(ratios) == 3 and field in dataset.inter_feat
    if (
        not is_plain
        or dataset.inter_feat[field].ndim != 1
        or not _is_vectorizable(dataset, group_by, "_grouped_index")
    ):
        return stock(dataset, ratios, group_by)
    total = sum(ratios)
    shares = [ratio / total for ratio in ratios]
    if shares[2] == 1:
        return stock(dataset, ratios, group_by)

    # How many rows of each group are not later than the boundary.
    times = dataset.inter_feat[field].numpy()
    boundary = np.percentile(times, 100 * (1 - shares[-1]))
    groups = _Groups(dataset, group_by)
    early_sizes = np.add.reduceat((times <= boundary)[groups.rows], groups.starts, dtype=np.int64)

    # Training and validation share these rows by their ratios.
    def ends_of(size: int) -> list[int]:
        return [int(size * (shares[0] / (1 - shares[2]))), size]

    early = groups.lengths(early_sizes, ends_of)
    if early is None:
        return stock(dataset, ratios, group_by)
    dataset.logger.debug(f"time based split, group_by=[{group_by}]")
    dataset.logger.debug(f"time-based split with ratios [{ratios}], group_by=[{group_by}]")
    return _parts(dataset, groups.split(np.column_stack([early, groups.sizes - early_sizes])))


class _Groups:
    """Rows of a dataset by group, the groups in order of their first rows.

    Attributes:
        rows: row numbers, one group after the other.
        sizes: number of rows of each group.
        starts: where each group begins in ``rows``.
    """

    def __init__(self, dataset: Dataset, group_by: str | None) -> None:
        # Without groups all rows are one.
        if group_by is None:
            self.rows = np.arange(len(dataset))
            self.sizes = np.array([len(dataset)])
            self.starts = np.zeros(1, dtype=np.int64)
            return

        codes, keys = pd.factorize(dataset.inter_feat[group_by].numpy())
        first, self.rows = order_by_key(codes, len(keys))
        self.sizes = np.diff(first).astype(np.int64)
        self.starts = first[:-1]

    def lengths(self, sizes: np.ndarray, ends_of: Callable[[int], list[int]]) -> np.ndarray | None:
        """Return how many of the first rows of each group go into each part, one row of numbers a group.

        Args:
            sizes: number of rows of each group that are to be split.
            ends_of: number of rows → where the parts end; called once for each distinct number.

        Returns:
            None where the ends are not ascending from 0 to the number of rows.
        """
        # Groups of one size are split alike.
        distinct, group_size = np.unique(sizes, return_inverse=True)
        ends = np.array([ends_of(int(size)) for size in distinct], dtype=np.int64)
        counts = np.diff(ends, axis=1, prepend=0)
        return counts[group_size] if (counts >= 0).all() else None

    def split(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Return the row numbers of each part.

        Args:
            lengths: groups × parts, number of rows.
        """
        # Each group has a run of rows for each split, some of them empty.
        n_splits = lengths.shape[1]
        split_of_run = np.tile(np.arange(n_splits, dtype=np.int8), len(lengths))
        split_of_row = np.repeat(split_of_run, lengths.ravel())
        return [self.rows[split_of_row == number].astype(np.int64) for number in range(n_splits)]


def _is_vectorizable(dataset: Dataset, group_by: str | None, *methods: str) -> bool:
    """Return whether the switch is on, no class overrides the methods, and groups are known by integers."""
    if not vectorized(dataset.config):
        return False
    for name in methods:
        if getattr(type(dataset), name) is not getattr(Dataset, name):
            return False
    if not len(dataset) or group_by is None:
        return len(dataset) > 0
    if group_by not in dataset.inter_feat:
        return False
    keys = dataset.inter_feat[group_by]
    return keys.ndim == 1 and not keys.dtype.is_floating_point


def _parts(dataset: Dataset, rows_of_parts: list[np.ndarray]) -> list[Dataset]:
    """Return a dataset for each part."""
    dataset._drop_unused_col()
    picked = [dataset.inter_feat[rows] for rows in rows_of_parts]
    return [dataset.copy(interactions) for interactions in picked]


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
        dtype = index.dtype
        is_integer = not (dtype.is_floating_point or dtype.is_complex or dtype == torch.bool)
        return index.detach().cpu().long() if is_integer else index.tolist()

    # Row numbers beyond int64 are an error of RecBole's to raise.
    if index.dtype.kind not in "iu" or index.dtype == np.uint64:
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
    is_plain = (
        isinstance(rows, torch.Tensor) and rows.ndim == 1 and rows.dtype == torch.int64 and len(rows) > 0
    )
    if not is_plain or column.ndim == 0 or not (column.device.type == rows.device.type == "cpu"):
        return column[rows]
    first, last = torch.aminmax(rows)
    return column.index_select(0, rows) if first >= 0 and last < len(column) else column[rows]


def getitem(stock: Callable, interaction: Interaction, index: Any) -> Interaction | torch.Tensor:
    """Pick rows as RecBole does, without a list of their numbers."""
    rows = row_index(index)
    columns = interaction.interaction
    if not isinstance(rows, torch.Tensor) or not _are_tensors(columns):
        return stock(interaction, index)
    return Interaction({name: pick(column, rows) for name, column in columns.items()})


def reindex(stock: Callable, interaction: Interaction, index: Any) -> None:
    """Order rows as RecBole does, each column at once."""
    columns = interaction.interaction
    if not isinstance(index, torch.Tensor) or not _are_tensors(columns):
        stock(interaction, index)
        return
    for name, column in columns.items():
        columns[name] = pick(column, index)


def _are_tensors(columns: Mapping[str, Any]) -> bool:
    """Return whether all columns are tensors, as those of a constructed Interaction are."""
    return all(isinstance(column, torch.Tensor) for column in columns.values())
