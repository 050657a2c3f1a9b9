"""Look a name up in a table; a wrong name is answered with the nearest right ones."""

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
    if name not in list(table):  # a name may be of any type, as a file has it
        raise ValueError(f"{what} must be one of {', '.join(closest_first(name, table))}; got {name!r}")
    return table[name]


def unknown(what: str, name: Any, choices: Iterable[Any]) -> ValueError:
    """Return the error for a name that is not among some choices; it has the nearest, or all where none is near.

    Args:
        what: what the name is of.
        name: that was given.
        choices: all that is allowed.

    Examples:
        >>> unknown("model", "EDLE", ["BPR", "EDLAE"])
        ValueError("unknown model 'EDLE'; did you mean EDLAE?")
        >>> unknown("model", "x", ["BPR", "EDLAE"])
        ValueError("unknown model 'x'; there are BPR, EDLAE")
    """
    choices = list(choices)
    similar = _similar(name, choices)
    hint = f"did you mean {similar[0]}?" if similar else f"there are {', '.join(map(str, choices))}"
    return ValueError(f"unknown {what} {name!r}; {hint}")


def closest_first(wrong: Any, choices: Iterable[Any]) -> list[Any]:
    """Return the choices, those most similar to a wrong one first.

    Args:
        wrong: what was given instead of a choice; upper and lower case are the same.
        choices: all that is allowed.

    Returns:
        All choices: up to five similar ones by falling similarity, then the others in their own order.

    Examples:
        >>> closest_first("Bananna", ["apple", "banana", "cherry"])
        ['banana', 'apple', 'cherry']
    """
    choices = list(choices)
    similar = _similar(wrong, choices)
    return similar + [choice for choice in choices if choice not in similar]


def _similar(wrong: Any, choices: Iterable[Any]) -> list[Any]:
    """Return up to five choices by falling similarity."""
    by_lower = {str(choice).lower(): choice for choice in choices}
    return [by_lower[name] for name in difflib.get_close_matches(str(wrong).lower(), by_lower, n=5, cutoff=0.6)]
