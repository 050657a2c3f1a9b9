"""Look up names; the error for an unknown one suggests the nearest known names."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Entry = TypeVar("Entry")


def choose(what: str, name: Any, table: Mapping[Any, Entry]) -> Entry:
    """Return the entry of a table by its name.

    Args:
        what: what the message calls it: the setting's name.
        name: the requested name.
        table: mapping of names to entries.

    Returns:
        The entry.

    Raises:
        ValueError: the name is not in the table; the message lists all names, the nearest first.

    Examples:
        >>> choose("color", "red", {"red": 1, "green": 2})
        1
        >>> choose("color", "gren", {"red": 1, "green": 2})
        Traceback (most recent call last):
        ValueError: color must be one of green, red; got 'gren'
    """
    # A list compares names of any type: a file may have one that cannot be hashed.
    if name not in list(table):
        allowed = ", ".join(closest_first(name, table))
        raise ValueError(f"{what} must be one of {allowed}; got {name!r}")
    return table[name]


def unknown(what: str, name: Any, choices: Iterable[Any], where: str = "") -> ValueError:
    """Return the error for an unknown name, with the nearest known one, or all of them if none is near.

    Args:
        what: what the name is of.
        name: the unknown name.
        choices: all known names.
        where: beginning of the message, such as the file with the name; "" for none.

    Examples:
        >>> unknown("model", "EDLE", ["BPR", "EDLAE"])
        ValueError("unknown model 'EDLE'; did you mean EDLAE?")
        >>> unknown("model", "x", ["BPR", "EDLAE"])
        ValueError("unknown model 'x'; there are BPR, EDLAE")
    """
    choices = list(choices)
    similar = _similar(name, choices)
    hint = f"there are {', '.join(map(str, choices))}"
    if similar:
        hint = f"did you mean {similar[0]}?"

    message = f"unknown {what} {name!r}; {hint}"
    if where:
        message = f"{where}: {message}"
    return ValueError(message)


def closest_first(wrong: Any, choices: Iterable[Any]) -> list[Any]:
    """Return the choices, those most similar to a wrong one first.

    Args:
        wrong: the wrong name; upper and lower case are the same.
        choices: all known names.

    Returns:
        All choices: up to five similar ones, the most similar first, then the others in their own order.

    Examples:
        >>> closest_first("Bananna", ["apple", "banana", "cherry"])
        ['banana', 'apple', 'cherry']
    """
    choices = list(choices)
    similar = _similar(wrong, choices)
    return similar + [choice for choice in choices if choice not in similar]


def _similar(wrong: Any, choices: Iterable[Any]) -> list[Any]:
    """Return up to five similar choices, the most similar first."""
    # Letters of the wrong case are the most frequent mistake.
    by_lower = {str(choice).lower(): choice for choice in choices}
    names = difflib.get_close_matches(str(wrong).lower(), by_lower, n=5, cutoff=0.6)
    return [by_lower[name] for name in names]
