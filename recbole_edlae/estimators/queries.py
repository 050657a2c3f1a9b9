"""Read the arguments of an estimator: interactions to fit to, and users or histories to recommend for."""

import collections
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array

from recbole_edlae._choices import closest_first, unknown
from recbole_edlae.serving.frames import column_names, factorized, is_frame, read_interactions
from recbole_edlae.serving.ids import Entries, Ids, object_array
from recbole_edlae.serving.tokens import checked_list, is_list
from recbole_edlae.solvers.checks import checked_matrix

Columns = tuple[Any, Any]  # of users and of items


class Training(NamedTuple):
    """The interactions that an estimator is fitted to."""

    matrix: sp.csr_matrix  # of ones; row and column 0 are RecBole's padding
    users: np.ndarray  # ids by row, without the padding
    items: np.ndarray  # the same of the columns
    columns: Columns | None  # names in the DataFrame; None for a matrix


class Histories(NamedTuple):
    """Histories to recommend for."""

    users: Any  # ids, or the positions of the histories
    known: Entries
    unknown: collections.Counter  # ids of the other items → how often they occur
    columns: Columns  # names in a DataFrame
    from_frame: bool  # whether they came in a DataFrame or Series


def interactions_of(X: Any, columns: Columns) -> Training:
    """Return the interactions of a matrix or DataFrame, as ``fit`` takes it."""
    # The ids of a matrix are the positions of its rows and columns.
    if not is_frame(X):
        matrix = _binary(X)
        if not matrix.nnz:
            raise ValueError(f"X has no interactions: its shape is {X.shape}, and no value is above 0")
        users = np.arange(matrix.shape[0])
        items = np.arange(matrix.shape[1])
        return Training(_padded(matrix), users, items, None)

    data = read_interactions(X, columns)
    if not len(data.items):
        raise ValueError("X has no interactions")

    # Interactions in several rows count once.
    column, item_ids = factorized(data.items)
    ones = np.ones(len(column), dtype=np.int8)
    shape = (len(data.users), len(item_ids))
    matrix = checked_matrix(sp.coo_matrix((ones, (data.row, column)), shape=shape))
    return Training(_padded(matrix), _array(data.users), _array(item_ids), data.columns)


def read_histories(
    value: Any, columns: Columns, items: Ids, users: Ids | None, matrix: sp.csr_matrix | None
) -> Histories:
    """Return the histories that a value holds, as ``recommend`` takes it, or those of the users that it names."""
    # One column without the name of items is a list of users.
    if is_frame(value):
        names = column_names(value)
        if len(names) != 1 or columns[1] in names:
            return _of_frame(value, columns, items)
        value = value[names[0]]
    if _is_matrix(value):
        return _of_matrix(value, columns, items)

    # What remains is a list of users or a list of histories.
    lists = checked_list(value, "users_or_histories", "user ids, or of lists of item ids")
    are_lists = list(map(is_list, lists))
    is_series = hasattr(value, "to_frame")
    unknown_items: collections.Counter = collections.Counter()
    if not any(are_lists):
        if is_series and value.name == columns[1]:
            raise ValueError(
                f"a Series {value.name!r} of items is no list of users: give a list of histories, [[…]]"
            )
        known = _known_users(lists, users, matrix)
        return Histories(lists, known, unknown_items, columns, is_series)
    if not all(are_lists):
        wrong = lists[are_lists.index(False)]
        raise ValueError(f"a history must be a list of item ids, got {wrong!r} among lists")

    # The users of a Series are its index; polars has none.
    positions = np.arange(len(lists))
    index = getattr(value, "index", positions) if is_series else positions
    known = items.entries(list(map(list, lists)), "histories", unknown_items)
    return Histories(index, known, unknown_items, columns, is_series)


def _of_frame(frame: Any, columns: Columns, items: Ids) -> Histories:
    """Return the histories of a DataFrame with one interaction a row."""
    # A row without an item is a user without history.
    data = read_interactions(frame, columns, allow_empty=True)
    unknown_items: collections.Counter = collections.Counter()
    known = items.entries_of_rows(data.row, data.items.tolist(), "histories", unknown_items)
    return Histories(data.users, known, unknown_items, data.columns, True)


def _is_matrix(value: Any) -> bool:
    """Return whether a value is a sparse matrix or a 2-D array of numbers; one of text is a list of histories."""
    if sp.issparse(value):
        return True
    return getattr(value, "ndim", 1) == 2 and getattr(value.dtype, "kind", "") not in "SU"


def _of_matrix(matrix: Any, columns: Columns, items: Ids) -> Histories:
    """Return the histories of the rows of a matrix, which have all items of the fit as columns."""
    rows = _binary(matrix)
    if rows.shape[1] != len(items):
        raise ValueError(
            f"X has {rows.shape[1]} features, but it is expecting {len(items)} features as input, the items of the fit"
        )

    # Numbers of items count from 1: 0 is the padding.
    row, column = _coordinates(rows)
    users = np.arange(rows.shape[0])
    return Histories(users, (row, column + 1), collections.Counter(), columns, False)


def _known_users(names: list, users: Ids | None, matrix: sp.csr_matrix | None) -> Entries:
    """Return the training items of some users."""
    if users is None or matrix is None:
        raise ValueError("users: an estimator that was read from a file knows none: give their histories")

    # One of the unknown users is enough for the message. As ids, 3 and "3" are different users.
    unknown_users: collections.Counter = collections.Counter()
    numbers = users.numbers(names, "users", unknown_users)
    if unknown_users:
        name = next(iter(unknown_users))
        error = unknown("user", name, [*map(repr, closest_first(name, users)[:5]), "…"])
        if len(unknown_users) > 1:
            raise ValueError(f"{error} (unknown users: {len(unknown_users)})")
        raise error
    return _coordinates(matrix[numbers])


def _coordinates(rows: sp.csr_matrix) -> Entries:
    """Return row and column of the stored entries of a CSR matrix."""
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    return row, rows.indices.astype(np.int64)


def _binary(X: Any) -> sp.csr_matrix:
    """Return a matrix or 2-D array in CSR, checked."""
    # A masked entry is missing: it is no interaction.
    if isinstance(X, np.ma.MaskedArray):
        X = X.filled(0)
    if isinstance(X, np.ndarray) and X.ndim == 2:
        X = sp.csr_matrix(check_array(X))
    if not sp.issparse(X) or X.ndim != 2:
        kind = type(X).__name__
        if isinstance(X, np.ndarray) or sp.issparse(X):
            kind += f" of shape {X.shape}"
        raise ValueError(
            "X must be a SciPy sparse matrix or 2-D array of numbers (users × items), "
            f"or a DataFrame with one interaction a row; got {kind}"
        )

    # scikit-learn's words, which its own checks look for.
    X = checked_matrix(X)
    if X.nnz and X.data.min() < 0:
        raise ValueError(f"Negative values in data: X has {X.data.min()}; leave out what is no interaction")
    return X


def _padded(X: sp.csr_matrix) -> sp.csr_matrix:
    """Return ones where X has values, with row and column 0 before them, as RecBole numbers users and items."""
    ones = np.ones(X.nnz, dtype=np.int8)
    indptr = np.append(0, X.indptr)
    shape = (X.shape[0] + 1, X.shape[1] + 1)
    return sp.csr_matrix((ones, X.indices + 1, indptr), shape=shape)


def _array(ids: Any) -> np.ndarray:
    """Return the ids of a pandas.Index, numbers as such and all others as Python objects."""
    values = np.asarray(ids)
    if values.dtype.kind in "iuf":
        return values
    return object_array(ids)
