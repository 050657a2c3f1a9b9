"""The table of all that is changed in RecBole, and nothing outside of RecBole is: what, why, and when it can go.

Each room has its own rows, where its package begins:

* :mod:`~recbole_edlae.integration`: what RecBole lacks, such as models and checkpoints that know their data;
* :mod:`~recbole_edlae.integration.compat`: RecBole on today's stack; no number changes;
* :mod:`~recbole_edlae.integration.fixes`: what RecBole gets wrong. Rows that change its numbers are
  *corrections*, which the setting ``corrections`` switches off (:mod:`~recbole_edlae.settings.corrections`);
* :mod:`~recbole_edlae.integration.fast`: the same results in less time, which the setting
  ``vectorized_data: False`` switches off (:func:`~recbole_edlae.settings.corrections.vectorized`), but for the picking
  of rows, the collector of results and the import of scikit-learn.

A row has a reason, ``why`` and ``until``, and ``functions``: "module:attribute" inside RecBole → "module:function"
inside the room, or with its full name. ``kind`` and ``correction`` are as in :class:`Patch`. Rows are text: reading the
table imports nothing. :mod:`recbole_edlae.integration.hook` applies them. An attribute has one function, and a row for
each reason to change it. ``make tables`` writes the table into docs/recbole.md.

NumPy, SciPy, pandas, torch and ray stay as they are. Where RecBole's code needs something else from them, it finds it
under the same name in its own module. There are two exceptions. RecBole's ``Config`` sets ``numpy.float`` and the like,
on which its metrics and its users' models rely. And ``sys.modules`` has stand-ins for ray and scikit-learn while
``recbole.quick_start`` and ``recbole.evaluator.metrics`` are being imported, which ask for them.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from recbole_edlae import integration
from recbole_edlae.integration import compat, fast, fixes
from recbole_edlae.settings.corrections import CORRECTIONS


class Patch(NamedTuple):
    """One reason to change an object of RecBole's, and what takes its place.

    ``kind`` says how: ``call`` hands each call to the replacement, with the stock function as first argument;
    ``object`` puts the replacement itself in place; ``value`` puts in place what it returns for the stock object;
    ``import`` enters it, a context manager, while the module is imported. If all patches of an object have a
    ``correction``, calls go to the stock function where the setting ``corrections`` of the call's Config switches these
    off.
    """

    module: str
    attribute: str  # "Dataset.sort" of a class, "tune" of the module, "metrics_dict[liangrecall]" of a dict
    replacement: str  # "module:function"
    why: str
    until: str  # when the patch can go
    kind: str = "call"
    correction: str = ""  # "" where no number changes


def _patches(room: str, rows: Iterable[dict[str, Any]]) -> tuple[Patch, ...]:
    """Return the patches of a room, one for each attribute and reason."""
    package = room.partition(".")[0]
    patches = []
    for row in rows:
        reason = {name: value for name, value in row.items() if name != "functions"}
        for changed, function in row["functions"].items():
            module, _, attribute = changed.partition(":")
            if not function.startswith(package):
                function = room + function
            patches.append(Patch(f"recbole.{module}", attribute, function, **reason))
    return tuple(patches)


ROOMS: dict[str, tuple[Patch, ...]] = {
    "What it adds": _patches(integration.ROOM, integration.ROWS),
    "What RecBole needs on today's stack": _patches(compat.ROOM, compat.ROWS),
    "What it fixes without changing a number": _patches(fixes.ROOM, fixes.ROWS),
    "What it makes faster": _patches(fast.ROOM, fast.ROWS),
}
PATCHES: tuple[Patch, ...] = sum(ROOMS.values(), ())


def by_attribute(patches: Iterable[Patch]) -> dict[str, list[list[Patch]]]:
    """Return module → the patches of each of its attributes that change.

    Args:
        patches: of the table.
    """
    modules: dict[str, dict[str, list[Patch]]] = {}
    for patch in patches:
        attributes = modules.setdefault(patch.module, {})
        attributes.setdefault(patch.attribute, []).append(patch)
    return {module: list(attributes.values()) for module, attributes in modules.items()}


def repairs_as_markdown() -> str:
    """Return what changes no number for the page "RecBole on a current stack", room by room."""
    lines: list[str] = []
    for title, patches in ROOMS.items():
        repairs = [patch for patch in patches if not patch.correction]
        lines += [f"### {title}", "", "| in RecBole | as it is there | can go when |", "|---|---|---|"]
        lines += [*_merged(repairs), ""]
    return "\n".join(lines)


def corrections_as_markdown() -> str:
    """Return the corrections for the same page: the names of the setting, then the changes behind each."""
    lines = ["| name | what it does |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in CORRECTIONS.items()]

    lines += ["", "| correction | in RecBole | as it is there | can go when |", "|---|---|---|---|"]
    for name in CORRECTIONS:
        corrected = [patch for patch in PATCHES if patch.correction == name]
        lines += [f"| `{name}` {line}" for line in _merged(corrected)]
    return "\n".join(lines) + "\n"


def _merged(patches: Iterable[Patch]) -> list[str]:
    """Return a line of the table for all attributes with the same reason."""
    attributes: dict[tuple[str, str], list[str]] = {}
    for patch in patches:
        name = f"{patch.module}.{patch.attribute}"
        if patch.kind == "import":
            name = patch.module
        names = attributes.setdefault((patch.why, patch.until), [])
        if f"`{name}`" not in names:
            names.append(f"`{name}`")
    return [f"| {', '.join(names)} | {why} | {until} |" for (why, until), names in attributes.items()]
