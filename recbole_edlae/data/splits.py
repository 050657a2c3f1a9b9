"""Split interactions as RecBole does, row for row, with arrays in place of lists of row numbers."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from recbole.data.dataset import Dataset

from recbole_edlae.data.groups import order_by_key
from recbole_edlae.settings.vectorized import is_on

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
    groups = _Groups(dataset, group_by)
    legal = np.minimum(left_out, groups.sizes - 1)
    lengths = [groups.sizes - legal]
    for part in range(1, left_out + 1):
        lengths.append((part > left_out - legal).astype(np.int64))  # a small group fills the last parts first
    rows = groups.split(np.column_stack(lengths))
    if leave_one_mode == "valid_only":
        rows.append(_NO_ROWS)
    elif leave_one_mode == "test_only":
        rows.insert(1, _NO_ROWS)
    return _parts(dataset, rows)


def time_based_split(stock: Callable, dataset: Dataset, ratios: Sequence[float], group_by: str) -> list[Dataset]:
    """Split by time as RecBole does: one boundary for all tests, and each group's earlier rows by ratios.

    Args:
        stock: RecBole's function.
        dataset: to split.
        ratios: of the three parts; they need not sum to 1.
        group_by: column that says to which group a row belongs.
    """
    field = dataset.time_field
    is_plain = group_by is not None and len(ratios) == 3 and field in dataset.inter_feat
    if not is_plain or dataset.inter_feat[field].ndim != 1 or not _is_vectorizable(dataset, group_by, "_grouped_index"):
        return stock(dataset, ratios, group_by)
    total = sum(ratios)
    shares = [ratio / total for ratio in ratios]
    if shares[2] == 1:
        return stock(dataset, ratios, group_by)
    times = dataset.inter_feat[field].numpy()
    boundary = np.percentile(times, 100 * (1 - shares[-1]))
    groups = _Groups(dataset, group_by)
    is_early = np.add.reduceat((times <= boundary)[groups.rows], groups.starts, dtype=np.int64)

    def ends_of(size: int) -> list[int]:
        return [int(size * (shares[0] / (1 - shares[2]))), size]

    early = groups.lengths(is_early, ends_of)
    if early is None:
        return stock(dataset, ratios, group_by)
    dataset.logger.debug(f"time based split, group_by=[{group_by}]")
    dataset.logger.debug(f"time-based split with ratios [{ratios}], group_by=[{group_by}]")
    return _parts(dataset, groups.split(np.column_stack([early, groups.sizes - is_early])))


class _Groups:
    """Rows of a dataset by group, the groups in order of their first rows.

    Attributes:
        rows: row numbers, one group after the other.
        sizes: number of rows of each group.
        starts: where each group begins in ``rows``.
    """

    def __init__(self, dataset: Dataset, group_by: str | None) -> None:
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
        distinct, group_size = np.unique(sizes, return_inverse=True)
        ends = np.array([ends_of(int(size)) for size in distinct], dtype=np.int64)
        counts = np.diff(ends, axis=1, prepend=0)
        return counts[group_size] if (counts >= 0).all() else None

    def split(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Return the row numbers of each part.

        Args:
            lengths: groups × parts, number of rows.
        """
        n_parts = lengths.shape[1]
        part_of_run = np.tile(np.arange(n_parts, dtype=np.int8), len(lengths))
        part_of_row = np.repeat(part_of_run, lengths.ravel())
        return [self.rows[part_of_row == part].astype(np.int64) for part in range(n_parts)]


def _is_vectorizable(dataset: Dataset, group_by: str | None, *methods: str) -> bool:
    """Return whether the switch is on, no class overrides the methods, and groups are known by integers."""
    kind = type(dataset)
    if not is_on(dataset.config) or any(getattr(kind, name) is not getattr(Dataset, name) for name in methods):
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
