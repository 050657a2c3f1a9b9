"""Make the tables of what other libraries take, from what `benchmarks/estimators.py` wrote.

Measure anew, with irspack, RecTools and implicit installed, then write the tables into the pages:

    python benchmarks/estimators.py --data dataset/ml-1m/ml-1m.inter --out docs/benchmarks/estimators.json
    python -m tools.tables
"""

import json
import pathlib
from typing import Any

MEASURED = pathlib.Path(__file__).parents[1] / "docs" / "benchmarks" / "estimators.json"

# Library, its row of the measurement, and what it has: EDLAE; DLAE and low rank; new users; significance tests.
LIBRARIES = [
    ("this package", "EDLAE", "yes", "yes", "yes", "yes"),
    ("irspack", "irspack's EDLAE", "yes", "–", "yes", "–"),
    ("RecTools' EASE", "RecTools' EASE", "–", "–", "–", "–"),
    ("implicit, neighbors by cosine", "implicit's neighbors by cosine", "–", "–", "yes", "–"),
    ("Elliot", None, "–", "–", "–", "yes"),
    ("RecBole's EASE", "RecBole's EASE", "–", "–", "–", "–"),
]


def why() -> str:
    """Return the table of the README: what the libraries have and take."""
    found = _measured()
    rows = {row["contender"]: row for row in found["rows"]}
    lines = [
        "| | EDLAE | DLAE, low rank | new users | significance tests | seconds | memory | hit rate |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for library, contender, *features in LIBRARIES:
        cells = ["not measured", "", ""]
        if contender in rows:
            row = rows[contender]
            seconds = row["fit s"] + row["recommend s"]
            cells = [_seconds(seconds), _mebibytes(row["peak MiB"]), _hit_rate(row)]
        lines.append("| " + " | ".join([library, *features, *cells]) + " |")
    return "\n".join(lines) + "\n\n" + _caption(found)


def estimators() -> str:
    """Return the table of the page on other libraries: every contender."""
    found = _measured()
    lines = ["| | fit, s | recommend, s | memory | hit rate |", "|---|---|---|---|---|"]
    for row in found["rows"]:
        cells = [
            row["contender"],
            _seconds(row["fit s"]),
            _seconds(row["recommend s"]),
            _mebibytes(row["peak MiB"]),
        ]
        lines.append("| " + " | ".join([*cells, _hit_rate(row)]) + " |")
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return "\n".join(lines) + "\n\n" + _caption(found) + f"Versions: {versions}.\n"


def _measured() -> dict[str, Any]:
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def _caption(found: dict[str, Any]) -> str:
    """Return what was measured, and on what."""
    machine = found["machine"]
    threads = f"{machine['threads']} thread" + ("s" if machine["threads"] > 1 else "")
    return (
        f"Data: {found['data']}, {found['users']:,} users, {found['items']:,} items and "
        f"{found['interactions']:,} interactions. Machine: {machine['cores']} cores ({machine['cpu']}), {threads}.\n"
    )


def _seconds(value: float) -> str:
    text = f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"
    return _without_zero(text)


def _mebibytes(value: float) -> str:
    return f"{value:,.0f} MiB"


def _hit_rate(row: dict[str, Any]) -> str:
    hits = next(value for name, value in row.items() if name.startswith("hits@"))
    return _without_zero(f"{hits:.3f}")


def _without_zero(text: str) -> str:
    return text.removeprefix("0") if text.startswith("0.") else text
