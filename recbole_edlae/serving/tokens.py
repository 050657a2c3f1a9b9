"""Check tokens, lists of tokens and numbers, by the same rules in every argument and file."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np


def token_of(value: Any, name: str) -> str:
    """Return the token that text, an integer or a float stands for; raise ValueError for anything else.

    Examples:
        >>> [token_of(value, "items") for value in ("a", 196, 50.0, 0.5)]
        ['a', '196', '50', '0.5']
    """
    if isinstance(value, str):
        return str(value)

    # True and False are numbers to Python, but no ids.
    if isinstance(value, Real) and not isinstance(value, (bool, np.bool_)):
        if isinstance(value, Integral):
            return str(int(value))

        # pandas makes floats of integers with gaps: 50.0 is the token 50.
        if math.isfinite(value):
            integer = int(value)  # type: ignore[call-overload]  # every Real in use has __int__
            if value == integer:
                return str(integer)
            return str(value)

    # RecBole's tokens are text, so anything else is a mistake.
    raise ValueError(f"{name}: a token is text or a number, got {_short(value)}")


def check_encodable(text: str, subject: str) -> None:
    """Check that a file in UTF-8 can hold a text; half of a surrogate pair, which JSON can escape, it cannot."""
    # Better before a long run than in the middle of its output.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{subject} has half a character, which no file can hold") from None


def checked_list(value: Any, name: str, entries: str = "item tokens") -> list:
    """Return the entries of a list, tuple, set, array or iterator; raise ValueError for text, a dict and the like."""
    if not is_list(value):
        raise ValueError(f"{name} must be a list of {entries}, got {_short(value)}")
    return list(value)


def is_list(value: Any) -> bool:
    """Return whether a value has entries and is neither text nor a dict."""
    if isinstance(value, (str, bytes, bytearray, Mapping)):
        return False

    # NumPy's scalars and arrays of no dimension claim to be iterable.
    if getattr(value, "shape", None) == ():
        return False
    return isinstance(value, Iterable)


def positive_int(value: Any, name: str) -> int:
    """Return an integer of Python or NumPy, which must be at least 1, as an int."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {_short(value)}")
    return int(value)


def lists_to_exclude(exclude: Any, histories: int) -> tuple[list, list[list]]:
    """Return what to exclude for all histories, and for each one.

    Args:
        exclude: None, a list of item tokens for all, or a list of as many lists as histories, None for an empty one.
        histories: number of histories.

    Examples:
        >>> lists_to_exclude(["a"], 2)
        (['a'], [[], []])
        >>> lists_to_exclude([["a"], None], 2)
        ([], [['a'], []])
    """
    entries = []
    if exclude is not None:
        entries = checked_list(exclude, "exclude", "item tokens, or a list of such lists")

    # Tokens for all histories.
    are_lists = [entry is None or is_list(entry) for entry in entries]
    if not any(are_lists):
        return entries, [[] for _ in range(histories)]

    # One list for each history.
    if not all(are_lists):
        wrong = _short(entries[are_lists.index(False)])
        raise ValueError(
            f"exclude must be a list of item tokens or a list of lists, not both; got {wrong} among lists"
        )
    if len(entries) != histories:
        raise ValueError(f"exclude has {len(entries)} lists for {histories} histories")
    return [], [[] if entry is None else list(entry) for entry in entries]


def _short(value: Any) -> str:
    """Return a value for a message, cut after 80 characters."""
    text = repr(value)
    if len(text) > 80:
        text = text[:77] + "..."
    return text
