"""Turn leaderboards into plain data, for the JSON file and the page."""

import math
import os
import platform
from collections.abc import Sequence
from typing import Any

from recbole_edlae.leaderboard.captions import caption, heading, lower_is_better
from recbole_edlae.leaderboard.results import Leaderboard, Row
from recbole_edlae.runs.run import versions
from recbole_edlae.settings import registry


def as_data(leaderboards: Sequence[Leaderboard], command: str) -> dict[str, Any]:
    """Return everything that a report shows, in types that JSON can hold."""
    boards = list(map(_leaderboard_data, leaderboards))
    data = {"command": command, "environment": environment(), "boards": boards}
    return _with_null(data)


def environment() -> dict[str, str]:
    """Return the machine and the versions."""
    machine = f"{platform.system()} {platform.machine()}"
    data = {"machine": f"{machine}, {os.cpu_count()} CPU cores"}

    # By the names under which packages are installed.
    for name, version in versions().items():
        data[name.replace("_", "-")] = version
    return data


def _leaderboard_data(leaderboard: Leaderboard) -> dict[str, Any]:
    """Return one leaderboard in types that JSON can hold."""
    headings = {}
    for name in leaderboard.metrics:
        headings[name] = heading(name)

    rows = []
    for row in leaderboard.rows:
        rows.append(_row_data(row, leaderboard))

    # JSON has no tables.
    p_values = {}
    for name, table in leaderboard.p_values.items():
        p_values[name] = {"labels": list(table), "p": table.values.tolist()}

    return {
        **vars(leaderboard),
        "headings": headings,
        "lower_is_better": lower_is_better(leaderboard),
        "caption": caption(leaderboard),
        "rows": rows,
        "p_values": p_values,
    }


def _row_data(row: Row, leaderboard: Leaderboard) -> dict[str, Any]:
    """Return one row in types that JSON can hold."""
    # An interval of fewer than two users has no ends.
    intervals: dict[str, tuple[float, float] | None] = {}
    for name, ends in row.intervals.items():
        intervals[name] = None
        if all(map(math.isfinite, ends)):
            intervals[name] = ends

    # The page prints these in bold.
    best = []
    for name in leaderboard.metrics:
        if leaderboard.best(name) is row:
            best.append(name)

    is_own = row.model in registry.registered()
    return {**vars(row), "own": is_own, "intervals": intervals, "best": best}


def _with_null(value: Any) -> Any:
    """Return a value with None in place of every number that is not finite, because JSON has no such numbers."""
    if isinstance(value, dict):
        return {key: _with_null(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_null(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
