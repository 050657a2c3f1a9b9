"""Group and count the interactions of users and items by arrays: for every step, for filters and for averages."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from recbole.data.dataset.dataset import Dataset  # its package is not complete while this module is imported
from recbole.data.interaction import Interaction
from recbole.utils import set_color

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


class _Counted:
    """The users, or the items, of a dataset with their numbers of interactions.

    Attributes:
        codes: number of the token of each interaction.
        counts: interactions of each token.
        feat_codes: the same of each row of the table of features; ``len(counts)`` for ids without interactions.
        is_left: whether each row of that table stays.
    """

    def __init__(
        self, dataset: Dataset, field: str, feat: pd.DataFrame | None, intervals: list | None
    ) -> None:
        self.dataset = dataset
        self.field = field
        self.feat = feat
        self.intervals = intervals

        self.codes, tokens = _codes(dataset.inter_feat[field])
        self.counts = np.bincount(self.codes, minlength=len(tokens))

        # The table of features may have ids that have no interactions.
        self.feat_codes = np.empty(0, dtype=np.intp)
        if feat is not None:
            codes = tokens.get_indexer(feat[field])
            self.feat_codes = np.where(codes < 0, len(tokens), codes)
        self.is_left = np.ones(len(self.feat_codes), dtype=bool)

    def banned(self) -> np.ndarray:
        """Return for each token whether it is illegal now; the last value is that of ids without interactions."""
        logger = self.dataset.logger
        title = set_color("get_illegal_ids_by_inter_num", "blue")
        logger.debug(f"{title}: field=[{self.field}], inter_interval=[{self.intervals}]")
        is_banned = np.zeros(len(self.counts) + 1, dtype=bool)
        if not self.intervals:
            return is_banned
        if len(self.intervals) > 1:
            logger.warning("More than one interval of interaction number are given!")

        # Ids whose number of interactions is in no interval.
        is_outside = ~self.dataset._within_intervals(self.counts, self.intervals)
        is_banned[:-1] = is_outside & (self.counts > 0)

        # RecBole compares ids of the table of features with the lower end of the first interval alone.
        rows = self.feat_codes[self.is_left]
        is_banned[rows] |= np.append(self.counts, 0)[rows] < self.intervals[0][1]
        logger.debug(f"[{is_banned.sum()}] illegal_ids_by_inter_num, field=[{self.field}]")
        return is_banned

    def drop(self, is_banned: np.ndarray) -> bool:
        """Drop illegal rows of the table of features; return whether there were illegal ids."""
        self.is_left &= ~is_banned[self.feat_codes]
        return bool(is_banned.any())

    def finish(self) -> None:
        """Remove the dropped rows from the table of features."""
        if self.feat is not None and not self.is_left.all():
            self.feat.drop(self.feat.index[~self.is_left], inplace=True)


def filter_by_inter_num(stock: Callable, dataset: Dataset) -> None:
    """Leave out users and items as RecBole's ``Dataset._filter_by_inter_num`` does.

    Args:
        stock: RecBole's method, called where the setting is off or an interaction has no user or no item.
        dataset: RecBole's dataset, whose tables lose rows.

    Notes:
        Cost: some integers for each interaction.
    """
    if not _is_vectorized(dataset):
        stock(dataset)
        return
    user_intervals = dataset._parse_intervals_str(dataset.config["user_inter_num_interval"])
    item_intervals = dataset._parse_intervals_str(dataset.config["item_inter_num_interval"])
    if user_intervals is None and item_intervals is None:
        return

    # The tables change once, at the end.
    users = _Counted(dataset, dataset.uid_field, dataset.user_feat, user_intervals)
    items = _Counted(dataset, dataset.iid_field, dataset.item_feat, item_intervals)
    is_left = _remaining(users, items)
    users.finish()
    items.finish()
    if not is_left.all():
        dataset.inter_feat.drop(dataset.inter_feat.index[~is_left], inplace=True)


def _is_vectorized(dataset: Dataset) -> bool:
    """Return whether the functions here can do a dataset's filtering."""
    fields = [dataset.uid_field, dataset.iid_field]
    if not vectorized(dataset.config) or None in fields:
        return False
    return not dataset.inter_feat[fields].isna().any(axis=None)


def _remaining(users: _Counted, items: _Counted) -> np.ndarray:
    """Return for each interaction whether it is left when no user and no item is illegal any more."""
    is_left = np.ones(len(users.codes), dtype=bool)
    while True:
        # Both are judged before either is dropped, as in RecBole.
        banned_users = users.banned()
        banned_items = items.banned()
        has_banned_users = users.drop(banned_users)
        has_banned_items = items.drop(banned_items)
        if not has_banned_users and not has_banned_items:
            return is_left

        # An interaction goes with its user or its item, and then counts for neither.
        is_dropped = is_left & (banned_users[users.codes] | banned_items[items.codes])
        for counted in (users, items):
            counted.counts -= np.bincount(counted.codes[is_dropped], minlength=len(counted.counts))
        users.dataset.logger.debug(f"[{np.count_nonzero(is_dropped)}] dropped interactions.")
        is_left &= ~is_dropped


def _codes(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return the number of each row's token, and the tokens."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), column.cat.categories
    codes, tokens = pd.factorize(column.to_numpy())
    return codes, pd.Index(tokens)


def average_of_users(stock: property) -> property:
    """Return RecBole's ``Dataset.avg_actions_of_users``, which counts without Python's counters."""
    return property(lambda dataset: _average(stock, dataset, dataset.uid_field), doc=stock.__doc__)


def average_of_items(stock: property) -> property:
    """Return RecBole's ``Dataset.avg_actions_of_items``, which counts without Python's counters."""
    return property(lambda dataset: _average(stock, dataset, dataset.iid_field), doc=stock.__doc__)


def _average(stock: property, dataset: Dataset, field: str) -> Any:
    """Return the average number of interactions of the ids that have any."""
    if field is None or not vectorized(dataset.config):
        return stock.__get__(dataset)
    ids = np.asarray(dataset.inter_feat[field])
    if len(ids) == 0 or ids.dtype != np.int64 or ids.min() < 0:
        return stock.__get__(dataset)
    counts = np.bincount(ids)
    return np.mean(counts[counts > 0])
