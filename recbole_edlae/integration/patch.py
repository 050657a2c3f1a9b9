"""The row of a table of changes: an object of RecBole's and what takes its place."""

from collections.abc import Mapping
from typing import NamedTuple


class Patch(NamedTuple):
    """One row: an object of RecBole's and what takes its place.

    ``kind`` says how: ``call`` hands each call to the replacement, with the stock function as first argument; ``value``
    puts in place what the replacement returns for the stock object; ``import`` enters the replacement, a context
    manager, while the module is imported. An object may have several rows, one for each reason, which all name the same
    replacement. If all its rows have a ``correction``, calls go to the stock function where the setting ``corrections``
    of the call's Config switches these off.
    """

    module: str
    attribute: str  # "Dataset.sort" of a class, "tune" of the module, "metrics_dict[liangrecall]" of a dict
    replacement: str  # "module:function"
    why: str
    until: str  # when the row can go
    kind: str = "call"
    correction: str = ""  # "" where no number changes


def rows(
    room: str, why: str, until: str, replacements: Mapping[str, str], kind: str = "call", correction: str = ""
) -> list[Patch]:
    """Return rows with the same reason.

    Args:
        room: package of the functions, with a dot at its end.
        why: what is wrong in RecBole.
        until: when the rows can go.
        replacements: "module:attribute" inside RecBole → "module:function" inside the room, or with its full name.
        kind: as in :class:`Patch`.
        correction: as in :class:`Patch`.
    """
    package = room.partition(".")[0]
    patches = []
    for changed, function in replacements.items():
        module, _, attribute = changed.partition(":")
        if not function.startswith(package):
            function = room + function
        patches.append(Patch(f"recbole.{module}", attribute, function, why, until, kind, correction))
    return patches
