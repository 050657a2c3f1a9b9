"""The table of all that is changed in RecBole, and nothing outside of RecBole is: what, why, and when it can go.

Each room has its own rows:

* :mod:`~recbole_edlae.integration.additions`: what RecBole lacks, such as models and checkpoints that know their data;
* :mod:`~recbole_edlae.integration.compat.table`: RecBole on today's stack; no number changes;
* :mod:`~recbole_edlae.integration.fixes.table`: what RecBole gets wrong. Rows that change its numbers are
  *corrections*, which the setting ``corrections`` switches off (:mod:`~recbole_edlae.settings.corrections`);
* :mod:`~recbole_edlae.integration.fast.table`: the same results in less time, which the setting
  ``vectorized_data: False`` switches off (:mod:`~recbole_edlae.settings.vectorized`).

Rows are text: reading the table imports nothing. :mod:`recbole_edlae.integration.hook` applies them. An attribute has
one function, which its row names, and one row for each reason to change it. ``make tables`` writes the table into
docs/recbole.md.

NumPy, SciPy, pandas, torch, ray and ``sys.modules`` stay as they are. Where RecBole's code needs something else from
them, it finds it under the same name in its own module. Two things remain that RecBole itself does to others:
``Config`` sets ``numpy.float`` and the like, on which its metrics and its users' models rely; and while
``recbole.quick_start`` and ``recbole.evaluator.metrics`` are being imported, for which it asks for ray and
scikit-learn, ``sys.modules`` has stand-ins for them.
"""

from collections.abc import Iterable

from recbole_edlae.integration import additions
from recbole_edlae.integration.compat import table as compat
from recbole_edlae.integration.fast import table as fast
from recbole_edlae.integration.fixes import table as fixes
from recbole_edlae.integration.patch import Patch
from recbole_edlae.settings.corrections import CORRECTIONS

ROOMS: dict[str, tuple[Patch, ...]] = {
    "What it adds": additions.ROWS,
    "What RecBole needs on today's stack": compat.ROWS,
    "What it fixes without changing a number": fixes.ROWS,
    "What it makes faster": fast.ROWS,
}
PATCHES: tuple[Patch, ...] = additions.ROWS + compat.ROWS + fixes.ROWS + fast.ROWS


def by_attribute(patches: Iterable[Patch]) -> dict[str, list[list[Patch]]]:
    """Return module → the rows of each of its attributes that change.

    Args:
        patches: rows of the table.
    """
    modules: dict[str, dict[str, list[Patch]]] = {}
    for patch in patches:
        attributes = modules.setdefault(patch.module, {})
        attributes.setdefault(patch.attribute, []).append(patch)
    return {module: list(attributes.values()) for module, attributes in modules.items()}


def repairs_as_markdown() -> str:
    """Return the rows that change no number for the page "RecBole on a current stack", room by room."""
    lines: list[str] = []
    for title, rows in ROOMS.items():
        repairs = [patch for patch in rows if not patch.correction]
        lines += [f"### {title}", "", "| in RecBole | as it is there | can go when |", "|---|---|---|"]
        lines += [*_merged(repairs), ""]
    return "\n".join(lines)


def corrections_as_markdown() -> str:
    """Return the corrections for the same page: the names of the setting, then the rows behind each."""
    lines = ["| name | what it does |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in CORRECTIONS.items()]

    lines += ["", "| correction | in RecBole | as it is there | can go when |", "|---|---|---|---|"]
    for name in CORRECTIONS:
        corrected = [patch for patch in PATCHES if patch.correction == name]
        lines += [f"| `{name}` {line}" for line in _merged(corrected)]
    return "\n".join(lines) + "\n"


def _merged(patches: Iterable[Patch]) -> list[str]:
    """Return a line of the table for all rows with the same reason."""
    attributes: dict[tuple[str, str], list[str]] = {}
    for patch in patches:
        name = f"{patch.module}.{patch.attribute}"
        if patch.kind == "import":
            name = patch.module
        names = attributes.setdefault((patch.why, patch.until), [])
        if f"`{name}`" not in names:
            names.append(f"`{name}`")
    return [f"| {', '.join(names)} | {why} | {until} |" for (why, until), names in attributes.items()]
