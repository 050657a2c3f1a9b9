"""The table of all that is changed in RecBole, and nothing outside of RecBole is: what, why, and when it can go.

There are two kinds. *Repairs* (:mod:`~recbole_edlae.integration.repairs_table`) make RecBole run on today's stack, know
the models of this package, or run faster with the same digits. *Corrections*
(:mod:`~recbole_edlae.integration.corrections_table`) change its numbers, and the setting ``corrections`` switches them
off (:mod:`~recbole_edlae.settings.corrections`).

Rows are text: reading the table imports nothing. :mod:`recbole_edlae.integration.hook` applies them. Rows of one
attribute apply in the order of the table, each to what those before have made of it. ``make tables`` writes the table
into docs/recbole.md.

NumPy, SciPy, pandas, torch, ray and ``sys.modules`` stay as they are. Where RecBole's code needs something else from
them, it finds it under the same name in its own module. Two things remain that RecBole itself does to others:
``Config`` sets ``numpy.float`` and the like, on which its metrics and its users' models rely; and while
``recbole.quick_start`` and ``recbole.evaluator.metrics`` are being imported, for which it asks for ray and
scikit-learn, ``sys.modules`` has stand-ins for them.
"""

from collections.abc import Iterable

from recbole_edlae.integration.corrections_table import CORRECTED
from recbole_edlae.integration.patch import Patch
from recbole_edlae.integration.repairs_table import REPAIRS
from recbole_edlae.settings.corrections import CORRECTIONS

PATCHES: tuple[Patch, ...] = REPAIRS + CORRECTED


def repairs_as_markdown() -> str:
    """Return the repairs for the page "RecBole on a current stack", rows with the same reason as one."""
    lines = ["| in RecBole | as it is there | can go when |", "|---|---|---|"]
    return "\n".join(lines + _merged(REPAIRS)) + "\n"


def corrections_as_markdown() -> str:
    """Return the corrections for the same page: the names of the setting, then the rows behind each."""
    lines = ["| name | what it does |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in CORRECTIONS.items()]

    lines += ["", "| correction | in RecBole | as it is there | can go when |", "|---|---|---|---|"]
    for name in CORRECTIONS:
        lines += [f"| `{name}` {line}" for line in _merged(patch for patch in CORRECTED if patch.correction == name)]
    return "\n".join(lines) + "\n"


def _merged(patches: Iterable[Patch]) -> list[str]:
    """Return a line of the table for all rows with the same reason."""
    attributes: dict[tuple[str, str], list[str]] = {}
    for patch in patches:
        name = patch.module if patch.kind == "import" else f"{patch.module}.{patch.attribute}"
        names = attributes.setdefault((patch.why, patch.until), [])
        if f"`{name}`" not in names:
            names.append(f"`{name}`")
    return [f"| {', '.join(names)} | {why} | {until} |" for (why, until), names in attributes.items()]
