"""Group interactions by user or item, and pick rows of RecBole's tables, by arrays instead of lists of row numbers."""

import functools
import itertools
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from recbole.data.dataset.dataset import Dataset  # its package is not complete while this module is imported
from recbole.data.interaction import Interaction

from recbole_edlae.settings.corrections import vectorized


def order_by_key(keys: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort the rows of a table by a small integer, rows with the same one in their order.

    Args:
        keys: integer of each row, from 0 to ``length - 1``.
        length: number of keys.

    Returns:
        ``first`` of ``length + 1`` numbers, and ``rows``: those of a key are ``rows[first[key] : first[key + 1]]``.

    Notes:
        SciPy counts the rows of each key: linear time, where ``argsort`` compares.
    """
    # A matrix of keys × rows: the rows of a key are the columns of its entries.
    n_rows = len(keys)
    ones = np.ones(n_rows, dtype=np.int8)
    by_key = sp.csr_matrix((ones, (keys, np.arange(n_rows))), shape=(length, n_rows))
    return by_key.indptr, by_key.indices


class Groups:
    """Pairs of a key and a value: for a key its values in the order of the rows, or all pairs as a matrix.

    Args:
        keys: non-negative integer of each row, as an array or a tensor.
        values: non-negative integer of each row, likewise.
        length: number of keys.
        width: number of values.
    """

    def __init__(self, keys: Any, values: Any, length: int, width: int) -> None:
        # A dataset's own tensors: a pickle of both stores them once.
        self.keys = keys
        self.values = values
        self.shape = (length, width)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed from the pairs."""
        state = dict(vars(self))
        for name in ("_rows", "matrix"):
            state.pop(name, None)
        return state

    @functools.cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of each key, see :func:`order_by_key`."""
        return order_by_key(np.asarray(self.keys), self.shape[0])

    def of(self, key: int) -> np.ndarray:
        """Return the values of a key in the order of the rows."""
        first, rows = self._rows
        return np.asarray(self.values)[rows[first[key] : first[key + 1]]]

    @functools.cached_property
    def matrix(self) -> sp.csr_matrix:
        """Keys × values, each pair once, those of a key in ascending order; every stored number is 1."""
        ones = np.ones(len(self.keys), dtype=np.int8)
        pairs = (np.asarray(self.keys), np.asarray(self.values))
        return with_ones(sp.csr_matrix((ones, pairs), shape=self.shape))


def with_ones(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Set every stored number of a sparse matrix to 1, in place, and return it."""
    matrix.data = np.ones(matrix.nnz, dtype=np.int8)
    return matrix


def numbered_pairs(matrix: sp.csr_matrix) -> np.ndarray:
    """Return row × number of columns + column of each stored entry: ascending where the matrix is sorted."""
    return rows_of(matrix) * matrix.shape[1] + matrix.indices


def rows_of(matrix: sp.csr_matrix) -> np.ndarray:
    """Return the row of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))


_known: weakref.WeakKeyDictionary = (
    weakref.WeakKeyDictionary()
)  # Interaction → its tensors, their versions, Groups


def groups_of(dataset: Any) -> Groups:
    """Return the pairs of user and item of a dataset's interactions, grouped by user.

    The split, the samplers and the loaders ask for the same pairs, so they are remembered as long as the interactions
    stay as they are.

    Args:
        dataset: RecBole's Dataset.
    """
    feat: Interaction = dataset.inter_feat
    users = feat[dataset.uid_field]
    items = feat[dataset.iid_field]

    # torch raises a tensor's version with every change in place.
    state = (users._version, items._version, dataset.user_num, dataset.item_num)
    known_users, known_items, known_state, groups = _known.get(feat, (None, None, None, None))
    if known_users is users and known_items is items and known_state == state:
        return groups

    groups = Groups(users, items, dataset.user_num, dataset.item_num)
    _known[feat] = (users, items, state, groups)
    return groups


def are_ids(*columns: torch.Tensor | np.ndarray) -> bool:
    """Return whether columns are one-dimensional integers."""
    for column in columns:
        is_integer = column.dtype == torch.int64 or column.dtype == np.int64
        if column.ndim != 1 or not is_integer:
            return False
    return True


def grouped_index(stock: Callable, dataset: Dataset, keys: Iterable[Any]) -> Iterable[list[int]]:
    """Return the row numbers of each group as RecBole does, the groups in order of their first rows."""
    if not isinstance(keys, np.ndarray) or not are_ids(keys) or not vectorized(dataset.config):
        return stock(dataset, keys)
    first, rows = _in_order_of_first_rows(keys)
    ends = first.tolist()
    numbers = rows.tolist()
    return [numbers[start:end] for start, end in itertools.pairwise(ends)]


def _in_order_of_first_rows(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each group begins, and the row numbers of all groups, see :func:`order_by_key`."""
    codes, different = pd.factorize(keys)
    return order_by_key(codes, len(different))


def split_by_ratio(
    stock: Callable, dataset: Dataset, ratios: Sequence[float], group_by: str | None = None
) -> list[Dataset]:
    """Split by ratios as RecBole does, each group by itself.

    Notes:
        For the million rows of ml-1m .03 seconds instead of 1.0, and instead of .2 by the groups above alone.
    """
    is_stock = type(dataset)._grouped_index is Dataset._grouped_index
    if not is_stock or not vectorized(dataset.config) or group_by not in dataset.inter_feat:
        return stock(dataset, ratios, group_by)
    keys = dataset.inter_feat[group_by].numpy()
    if not len(keys) or not are_ids(keys):
        return stock(dataset, ratios, group_by)
    first, rows = _in_order_of_first_rows(keys)

    # RecBole's own rule says where the parts of a group end. Groups of one size are split alike.
    total = sum(ratios)
    shares = [ratio / total for ratio in ratios]
    sizes, size_of_group = np.unique(np.diff(first), return_inverse=True)
    ends = [[0, *dataset._calcu_split_ids(tot=size, ratios=shares), size] for size in sizes.tolist()]
    lengths = np.diff(ends)
    if (lengths < 0).any():
        return stock(dataset, ratios, group_by)
    dataset.logger.debug(f"split by ratios [{ratios}], group_by=[{group_by}]")

    # Each group has a run of rows for each part, some of them empty.
    part_of_run = np.tile(np.arange(len(ratios), dtype=np.int8), len(size_of_group))
    part_of_row = np.repeat(part_of_run, lengths[size_of_group].ravel())
    dataset._drop_unused_col()
    picked = [dataset.inter_feat[rows[part_of_row == part]] for part in range(len(ratios))]
    return [dataset.copy(interactions) for interactions in picked]


def getitem(stock: Callable, interaction: Interaction, index: Any) -> Interaction | torch.Tensor:
    """Pick rows as RecBole does, which makes a list of row numbers for each column; the times of the file go along."""
    if isinstance(index, str):
        return stock(interaction, index)
    rows = row_index(index)
    picked = Interaction({name: column[rows] for name, column in interaction.interaction.items()})
    times = vars(interaction).get("file_times")
    if times is not None:
        picked.file_times = times._replace(values=times.values[rows])
    return picked


def row_index(index: Any) -> Any:
    """Return what picks the same rows as RecBole's index: row numbers as one tensor, everything else as in RecBole."""
    # RecBole's splits have lists of integers; other lists may hold masks, slices or tensors.
    if isinstance(index, (list, range)) and set(map(type, index)) <= {int, np.int64}:
        index = torch.tensor(index)
    elif isinstance(index, np.ndarray) and index.dtype.kind == "i":
        index = torch.from_numpy(index.astype(np.int64))
    if isinstance(index, torch.Tensor) and index.dtype == torch.int64 and index.ndim == 1 and len(index):
        return index.cpu()
    return index.tolist() if isinstance(index, (np.ndarray, torch.Tensor)) else index
