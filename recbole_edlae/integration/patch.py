"""The row of a table of changes: an object of RecBole's and what takes its place."""

from typing import NamedTuple


class Patch(NamedTuple):
    """One row: an object of RecBole's and what takes its place.

    ``kind`` says how: ``call`` hands each call to the replacement, with the stock function as first argument; ``value``
    puts in place what the replacement returns for the stock object; ``import`` enters the replacement, a context
    manager, while the module is imported. A ``call`` with a ``correction`` goes to the stock function where the setting
    ``corrections`` of the call's Config switches that one off.
    """

    module: str
    attribute: str  # "Dataset.sort" of a class, "tune" of the module, "metrics_dict[liangrecall]" of a dict
    replacement: str  # "module:function"
    why: str
    until: str  # when the row can go
    kind: str = "call"
    correction: str = ""  # "" for a repair: no number changes


def rows(why: str, until: str, *entries: tuple[str, str, str], kind: str = "call", correction: str = "") -> list[Patch]:
    """Return rows with the same reason.

    Args:
        why: what is wrong in RecBole.
        until: when the rows can go.
        *entries: module inside RecBole, attribute and replacement of each row.
        kind: as in :class:`Patch`.
        correction: as in :class:`Patch`.
    """
    return [
        Patch(f"recbole.{module}", attribute, replacement, why, until, kind, correction)
        for module, attribute, replacement in entries
    ]
