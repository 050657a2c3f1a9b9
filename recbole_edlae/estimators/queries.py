"""Read what an estimator is given: interactions to fit to, and users or histories to recommend for."""

import collections
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array

from recbole_edlae.serving.frames import column_names, factorized, is_frame, read_interactions
from recbole_edlae.serving.ids import Ids
from recbole_edlae.serving.ranking import Entries, entries
from recbole_edlae.serving.tokens import checked_list, is_list
from recbole_edlae.solvers.checks import checked_matrix

Columns = tuple[Any, Any]  # of users and of items


class Training(NamedTuple):
    """The interactions that an estimator is fitted to.

    Attributes:
        matrix: (users + 1) × (items + 1) CSR of ones; row and column 0 are RecBole's padding.
        users: array of the user ids by row, without the padding.
        items: the same of the items.
        columns: names of the columns of the DataFrame; None for a matrix.
    """

    matrix: sp.csr_matrix
    users: np.ndarray
    items: np.ndarray
    columns: Columns | None


class Histories(NamedTuple):
    """Histories to recommend for.

    Attributes:
        users: their ids, or their positions.
        known: row and item number of their known items.
        unknown: ids of the other items → how often.
        columns: names for users and items in a DataFrame.
        from_frame: whether they came in a DataFrame or Series.
    """

    users: Any
    known: Entries
    unknown: collections.Counter
    columns: Columns
    from_frame: bool


def interactions_of(X: Any, columns: Columns) -> Training:
    """Return the interactions of a matrix or DataFrame.

    Args:
        X: as ``fit`` takes it.
        columns: names of the columns of users and items in a DataFrame.

    Raises:
        ValueError: X is neither, a value is missing, negative or no number, or there is no interaction.
    """
    if not is_frame(X):
        matrix = _binary(X)
        users, items = (np.arange(length) for length in matrix.shape)
        return Training(_padded(matrix), users, items, None)
    data = read_interactions(X, columns)
    if not len(data.items):
        raise ValueError("X has no interactions")
    column, items = factorized(data.items)
    ones = np.ones(len(column), dtype=np.int8)
    matrix = checked_matrix(sp.coo_matrix((ones, (data.row, column)), shape=(len(data.users), len(items))))
    return Training(_padded(matrix), _array(data.users), _array(items), data.columns)


def read_histories(
    value: Any, columns: Columns, items: Ids, users: Ids | None, matrix: sp.csr_matrix | None
) -> Histories:
    """Return the histories that a value holds, or those of the users that it names.

    Args:
        value: as ``recommend`` takes it.
        columns: names of the columns of users and items.
        items: the item ids.
        users: the user ids; None where no users are known.
        matrix: their interactions, as :class:`Training` has them.

    Raises:
        ValueError: The value is nothing of the kind, a user is not known, or an id is missing.
    """
    unknown: collections.Counter = collections.Counter()
    if is_frame(value) and len(column_names(value)) == 1 and columns[1] not in column_names(value):
        value = value[column_names(value)[0]]
    if is_frame(value):
        data = read_interactions(value, columns, allow_empty=True)
        numbers = items.numbers(data.items.tolist(), "histories", unknown)
        return Histories(data.users, entries(data.row, numbers, len(items) + 1), unknown, data.columns, True)
    if sp.issparse(value) or (getattr(value, "ndim", 1) == 2 and getattr(value.dtype, "kind", "") not in "SU"):
        rows = _binary(value, len(items))
        known = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices.astype(np.int64) + 1
        return Histories(np.arange(rows.shape[0]), known, unknown, columns, False)
    is_series = hasattr(value, "to_frame")
    lists = checked_list(value, "users_or_histories", "user ids, or of lists of item ids")
    are_lists = [is_list(entry) for entry in lists]
    if not any(are_lists):
        if is_series and value.name == columns[1]:
            raise ValueError(f"a Series {value.name!r} of items is no list of users: give a list of histories, [[…]]")
        return Histories(lists, _known_users(lists, users, matrix), unknown, columns, is_series)
    if not all(are_lists):
        wrong = lists[are_lists.index(False)]
        raise ValueError(f"a history must be a list of item ids, got {wrong!r} among lists")
    lists = [list(entry) for entry in lists]
    names = getattr(value, "index", None) if is_series else None
    names = np.arange(len(lists)) if names is None else names
    return Histories(names, items.entries(lists, "histories", unknown), unknown, columns, is_series)


def _known_users(names: list, users: Ids | None, matrix: sp.csr_matrix | None) -> Entries:
    """Return the training items of some users."""
    if users is None or matrix is None:
        raise ValueError("users: an estimator that was read from a file knows none: give their histories")
    unknown: collections.Counter = collections.Counter()
    numbers = users.numbers(names, "users", unknown)
    if unknown:
        name = next(iter(unknown))
        others = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        near = ", ".join(map(repr, users.like(name)))
        raise ValueError(f"unknown user {name!r}{others}; there are {near}, …")
    rows = matrix[numbers]
    return np.repeat(np.arange(len(names)), np.diff(rows.indptr)), rows.indices.astype(np.int64)


def _binary(X: Any, items: int | None = None) -> sp.csr_matrix:
    """Return a matrix or 2-D array in CSR, checked; of so many columns, if a number is given."""
    if isinstance(X, np.ma.MaskedArray):
        X = X.filled(0)
    if isinstance(X, np.ndarray) and X.ndim == 2:
        X = sp.csr_matrix(check_array(X))
    if not sp.issparse(X) or X.ndim != 2:
        shape = f" of shape {X.shape}" if isinstance(X, np.ndarray) or sp.issparse(X) else ""
        raise ValueError(
            "X must be a SciPy sparse matrix or 2-D array of numbers (users × items), or a DataFrame with one "
            f"interaction a row; got {type(X).__name__}{shape}"
        )
    X = checked_matrix(X)
    if X.nnz and X.data.min() < 0:
        raise ValueError(f"Negative values in data: X has {X.data.min()}; leave out what is no interaction")
    if items is None and not X.nnz:
        raise ValueError(f"X has no interactions: its shape is {X.shape}, and no value is above 0")
    if items is not None and X.shape[1] != items:
        raise ValueError(
            f"X has {X.shape[1]} features, but it is expecting {items} features as input, the items of the fit"
        )
    return X


def _padded(X: sp.csr_matrix) -> sp.csr_matrix:
    """Return ones where X has values, with row and column 0 before them, as RecBole numbers users and items."""
    ones = np.ones(X.nnz, dtype=np.int8)
    parts = ones, X.indices + 1, np.append(0, X.indptr)
    return sp.csr_matrix(parts, shape=(X.shape[0] + 1, X.shape[1] + 1))


def _array(ids: Any) -> np.ndarray:
    """Return the ids of a pandas.Index, numbers as such and all others as Python objects."""
    values = np.asarray(ids)
    if values.dtype.kind in "iuf":
        return values
    objects = np.empty(len(ids), dtype=object)
    objects[:] = list(ids)
    return objects
