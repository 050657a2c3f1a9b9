"""Names that a user chooses from, and what to say of a name there is none of."""

import difflib


def choose(what, name, table):
    """The entry of a table by its name.

    Args:
        what: the word for it in the message, which is the setting's name.
        name: what was asked for.
        table: mapping of names to entries.

    Raises:
        ValueError: there is no such name; the message lists all there are, those that look like it first.
    """
    if name not in table:
        raise ValueError(f"{what} must be one of {', '.join(closest_first(name, table))}; got {name!r}")
    return table[name]


def closest_first(wrong, choices):
    """The choices, those that look like the wrong one first."""
    by_lower = {str(choice).lower(): choice for choice in choices}
    close = [by_lower[name] for name in difflib.get_close_matches(str(wrong).lower(), by_lower, n=5, cutoff=0.6)]
    return close + [choice for choice in choices if choice not in close]
