"""Group the interactions of users and items by arrays, for every step that asks for them."""

import functools
import weakref
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from recbole.data.interaction import Interaction


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
