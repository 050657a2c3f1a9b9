"""Say what is wrong with a name or a value, what is allowed, and which known name is the nearest."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Entry = TypeVar("Entry")


def choose(what: str, name: Any, table: Mapping[Any, Entry]) -> Entry:
    """Return the entry of a table by its name; raise :func:`not_one_of` for a name that it lacks.

    Examples:
        >>> choose("color", "red", {"red": 1, "green": 2})
        1
        >>> choose("color", "gren", {"red": 1, "green": 2})
        Traceback (most recent call last):
        ValueError: color must be one of green, red; got 'gren'
    """
    # A list, because a file has names of any type, also of some that cannot be hashed.
    if name not in list(table):
        raise not_one_of(what, name, table)
    return table[name]


def not_one_of(what: str, name: Any, choices: Iterable[Any]) -> ValueError:
    """Return the error for a name that is none of some choices, which lists them, the nearest first."""
    nearest = ", ".join(map(str, closest_first(name, choices)))
    return invalid(what, f"one of {nearest}", name)


def invalid(what: str, allowed: str, value: Any) -> ValueError:
    """Return the error for a value that is not allowed.

    Args:
        what: what the message calls it: the setting's name.
        allowed: what the value must be.
        value: that was given.

    Examples:
        >>> invalid("seed", "an integer", "x")
        ValueError("seed must be an integer, got 'x'")
        >>> invalid("order", "one of RO, TO", "XO")
        ValueError("order must be one of RO, TO; got 'XO'")
    """
    # After a list the comma would read on.
    separator = ","
    if allowed.startswith("one of") or "," in allowed:
        separator = ";"
    return ValueError(f"{what} must be {allowed}{separator} got {value!r}")


def unknown(
    what: str, name: Any, choices: Iterable[Any], where: str = "", *, shown: int | None = None
) -> ValueError:
    """Return the error for a name that is not among some choices.

    Args:
        what: what the name is of.
        name: that was given.
        choices: all that is allowed.
        where: beginning of the message, such as the file with the name; "" for none.
        shown: as in :func:`hint`.

    Examples:
        >>> unknown("model", "EDLE", ["BPR", "EDLAE"])
        ValueError("unknown model 'EDLE'; did you mean EDLAE?")
        >>> unknown("model", "x", ["BPR", "EDLAE"])
        ValueError("unknown model 'x'; there are BPR, EDLAE")
    """
    message = f"unknown {what} {name!r}; {hint(name, choices, shown=shown)}"
    if where:
        message = f"{where}: {message}"
    return ValueError(message)


def hint(wrong: Any, choices: Iterable[Any], *, shown: int | None = None) -> str:
    """Return the end of a message about a wrong name: the nearest choice, or all where none is near.

    Args:
        wrong: what was given instead of a choice.
        choices: all that is allowed.
        shown: how many choices are listed at most; None lists all.

    Examples:
        >>> hint("x", ["a1", "b2", "c3"], shown=2)
        'there are a1, b2 and 1 more'
    """
    choices = list(choices)
    nearest = similar(wrong, choices)
    if nearest:
        return f"did you mean {nearest[0]}?"

    listed = ", ".join(map(str, choices[:shown]))
    if shown is not None and len(choices) > shown:
        listed += f" and {len(choices) - shown} more"
    return f"there are {listed}"


def closest_first(wrong: Any, choices: Iterable[Any]) -> list[Any]:
    """Return all choices: up to five that are :func:`similar` to a wrong one, then the others in their own order.

    Examples:
        >>> closest_first("Bananna", ["apple", "banana", "cherry"])
        ['banana', 'apple', 'cherry']
    """
    choices = list(choices)
    nearest = similar(wrong, choices)
    return nearest + [choice for choice in choices if choice not in nearest]


def similar(wrong: Any, choices: Iterable[Any]) -> list[Any]:
    """Return up to five choices that resemble a wrong one, by falling similarity, in upper or lower case."""
    by_lower = {str(choice).lower(): choice for choice in choices}
    names = difflib.get_close_matches(str(wrong).lower(), by_lower, n=5, cutoff=0.6)
    return [by_lower[name] for name in names]
