"""Read users and items from a DataFrame, and write recommendations to one.

pandas is imported when a DataFrame comes, and not before. Other DataFrames, such as polars', are read by column.
"""

import collections
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recbole_edlae._choices import closest_first
from recbole_edlae._warnings import warn
from recbole_edlae.serving.tokens import is_list

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("user_id", "item_id")  # RecBole's names
NAMED = 5  # columns that a message names, of a users × items DataFrame with thousands too


class Interactions(NamedTuple):
    """The users and items of a DataFrame."""

    columns: tuple[Any, Any]  # names of the two columns
    users: "pd.Index"  # each once, in the order of their first rows
    row: np.ndarray  # for each item, the position of its user in ``users``
    items: "pd.Series"


def is_frame(value: Any) -> bool:
    """Return whether a value is a DataFrame of pandas or of a library like it."""
    return hasattr(value, "columns") and hasattr(value, "__getitem__") and hasattr(value, "shape")


def read_interactions(
    frame: Any, columns: tuple[Any, Any] = COLUMNS, *, allow_empty: bool = False
) -> Interactions:
    """Return users and items of a DataFrame with one interaction a row, in columns of these names or in any two.

    A row without an item is a user without history where it is allowed to be empty, and an error elsewhere.
    """
    import pandas as pd

    user, item = _user_and_item(column_names(frame), columns)
    users = _column(frame, user)
    items = _column(frame, item)
    _check_missing(users, user)
    if not allow_empty:
        _check_missing(items, item)

    # A user with no item in any row is a user without history.
    row, ids = factorized(users)
    is_known = items.notna().to_numpy()
    return Interactions((user, item), pd.Index(ids), row[is_known], items[is_known])


def factorized(column: "pd.Series") -> tuple[np.ndarray, Any]:
    """Return the position of each value among the distinct ones, and those by first row; refuse lists and bools."""
    # Nobody could ask for these by id: True is equal to 1, and a tuple in a list is a history.
    if column.dtype.kind in "bO":
        for value in {type(value): value for value in reversed(column.tolist())}.values():
            if is_list(value) or isinstance(value, (bool, np.bool_)) or not isinstance(value, Hashable):
                raise ValueError(f"column {column.name!r} must hold one id a row, got {value!r}")
    return column.factorize()


def column_names(frame: Any) -> list:
    """Return the names of the columns of a DataFrame, of PyArrow's tables too."""
    return list(getattr(frame, "column_names", frame.columns))


def answer_frame(
    columns: tuple[Any, Any], users: Any, items: Sequence[np.ndarray], scores: Sequence[np.ndarray]
) -> "pd.DataFrame":
    """Return a DataFrame of recommendations: user, item, score and rank, which begins with 1.

    Each user has an array of item ids, the best first, and one of their scores.
    """
    import pandas as pd

    for name in columns:
        if name in ("score", "rank"):
            raise ValueError(
                f"the answer has a column {name!r} of its own: name that of the users or items otherwise"
            )

    # The empty arrays keep the types when there are no users; items have any type.
    lengths = list(map(len, items))
    ranks = [np.arange(1, length + 1) for length in [0, *lengths]]
    values = {
        columns[0]: pd.Index(users).repeat(lengths),
        columns[1]: np.concatenate(items or [np.empty(0, dtype=object)]),
        "score": np.concatenate([np.empty(0, dtype=np.float32), *scores]),
        "rank": np.concatenate(ranks),
    }
    return pd.DataFrame(values)


def warn_of_unknown(unknown: collections.Counter, popular: np.ndarray) -> None:
    """Warn of what a DataFrame of recommendations does not show: skipped items, and answers by popularity."""
    if unknown:
        item, _ = unknown.most_common(1)[0]
        warn(f"skipped {len(unknown)} item ids that the model does not know, such as {item!r}")
    if popular.any():
        warn(
            f"{popular.sum()} of {len(popular)} histories have no item that the model knows: they get the popular ones"
        )


def _user_and_item(names: list, columns: tuple[Any, Any]) -> tuple[Any, Any]:
    """Return the names of the columns of users and items."""
    if columns[0] == columns[1]:
        raise ValueError(f"user and item must name two columns, both are {columns[0]!r}")

    # Two columns alone are users and items by any names, in this order. A name that was given is not guessed.
    missing = [name for name in columns if name not in names]
    if len(names) == 2 and missing and all(name in COLUMNS for name in missing):
        first, second = names
        if first == COLUMNS[1] or second == COLUMNS[0]:
            return second, first
        return first, second
    if missing:
        nearest = ", ".join(map(str, closest_first(missing[0], names)[:NAMED]))
        if len(names) > NAMED:
            nearest += ", …"
        raise ValueError(
            f"the DataFrame has no column {missing[0]!r}; it has {nearest}: name the two with user=… and item=…"
        )

    # pandas would return a DataFrame instead of a column.
    for name in columns:
        if names.count(name) > 1:
            raise ValueError(f"the DataFrame has {names.count(name)} columns named {name!r}")
    return columns


def _column(frame: Any, name: Any) -> "pd.Series":
    """Return a column as a pandas.Series."""
    import pandas as pd

    column = frame[name]
    if isinstance(column, pd.Series):
        return column
    return pd.Series(column.to_numpy(), name=name)


def _check_missing(values: "pd.Series", name: Any) -> None:
    """Raise ValueError if a value is missing."""
    missing = np.flatnonzero(values.isna())
    if len(missing):
        raise ValueError(
            f"column {name!r} has {len(missing)} missing values, the first in row {missing[0]} (from 0): "
            f"drop these rows, with dropna(subset=[{name!r}])"
        )
