"""One rule for tokens and numbers, for every argument and file that names users or items."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np


def token_of(value: Any, name: str) -> str:
    """Return the token that a value stands for: text is itself, 196 is "196", 50.0 is "50", 0.5 is "0.5".

    Args:
        value: text, or an integer or float of Python or NumPy.
        name: of the argument, for the message.

    Raises:
        ValueError: It is anything else: None, a bool, NaN, infinity, bytes, a list or a dict.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Real) and not isinstance(value, (bool, np.bool_)):
        if isinstance(value, Integral):
            return str(int(value))
        if math.isfinite(value):
            return str(int(value)) if value == int(value) else str(value)
    raise ValueError(f"{name}: a token is text or a number, got {_short(value)}")


def as_list(value: Any, name: str, what: str = "item tokens") -> list:
    """Return the entries of a list, tuple, set, array or iterator.

    Raises:
        ValueError: It is text, a dict or nothing that has entries.
    """
    if not is_list(value):
        raise ValueError(f"{name} must be a list of {what}, got {_short(value)}")
    return list(value)


def is_list(value: Any) -> bool:
    """Return whether a value has entries and is neither text nor a dict."""
    if isinstance(value, (str, bytes, bytearray, Mapping)) or getattr(value, "shape", None) == ():
        return False
    return isinstance(value, Iterable)


def positive(value: Any, name: str) -> int:
    """Return a number of at least 1 as an int.

    Raises:
        ValueError: It is no integer, or less than 1.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {_short(value)}")
    return int(value)


def lists_to_exclude(exclude: Any, histories: int) -> tuple[list, list[list]]:
    """Return what to exclude for all, and for each of some histories.

    Args:
        exclude: None, a list of item tokens for all, or a list of as many lists as histories, None for an empty one.
        histories: how many there are.

    Raises:
        ValueError: It is neither, or there are more or fewer lists than histories.
    """
    entries = [] if exclude is None else as_list(exclude, "exclude", "item tokens, or a list of such lists")
    lists = [entry is None or is_list(entry) for entry in entries]
    if not any(lists):
        return [token_of(entry, "exclude") for entry in entries], [[] for _ in range(histories)]
    if not all(lists):
        wrong = _short(entries[lists.index(False)])
        raise ValueError(f"exclude must be a list of item tokens or a list of lists, not both; got {wrong} among lists")
    if len(entries) != histories:
        raise ValueError(f"exclude has {len(entries)} lists for {histories} histories")
    return [], [[] if entry is None else list(entry) for entry in entries]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
