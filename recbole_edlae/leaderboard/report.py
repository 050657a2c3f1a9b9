"""Write leaderboards as terminal table, CSV, Markdown, LaTeX, JSON and one HTML page that needs nothing beside it.

The tables hold what is the same every time a leaderboard is run; times are in the JSON file and on the page.
"""

import json
import math
import os
import pathlib
import platform
from collections.abc import Callable, Sequence
from typing import Any

import jinja2
import pandas as pd
from tabulate import tabulate

from recbole_edlae._files import write_whole
from recbole_edlae.leaderboard import escapes
from recbole_edlae.leaderboard.results import Leaderboard, Row
from recbole_edlae.runs.run import versions
from recbole_edlae.settings import corrections, registry

TEMPLATE = pathlib.Path(__file__).with_name("report.html")
_HEADINGS = {"ndcg": "NDCG", "mrr": "MRR", "map": "MAP", "liangrecall": "LiangRecall"}


def write(leaderboards: Sequence[Leaderboard], folder: str | os.PathLike, command: str) -> None:
    """Write leaderboard.csv, .md, .tex, .json and .html, each whole or not at all.

    Args:
        leaderboards: one per dataset.
        folder: where.
        command: the command line, for the page.
    """
    data = as_data(leaderboards, command)
    texts = {
        "csv": csv(leaderboards),
        "md": "\n".join(markdown(leaderboard) for leaderboard in leaderboards),
        "tex": "\n".join(latex(leaderboard) for leaderboard in leaderboards),
        "json": json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "html": html(data),
    }
    for kind, text in texts.items():
        write_whole(pathlib.Path(folder) / f"leaderboard.{kind}", text)


def terminal(leaderboard: Leaderboard) -> str:
    """Return a table for a terminal; * marks what is significantly ahead of every other row that was run.

    Args:
        leaderboard: of one dataset.
    """
    table = _table(leaderboard, escapes.line, lambda value, best: f"{value}{'*' if best else ' '}")
    text = tabulate(table, headers="keys", tablefmt="simple", showindex=False, disable_numparse=True)
    return text + _failures(leaderboard, escapes.line)


def markdown(leaderboard: Leaderboard) -> str:
    """Return a table for a README or an issue.

    Args:
        leaderboard: of one dataset.
    """
    table = _table(leaderboard, escapes.markdown, lambda value, best: f"**{value}**" if best else value)
    text = tabulate(table, headers="keys", tablefmt="pipe", showindex=False, disable_numparse=True)
    return f"{text}\n\n{escapes.markdown(caption(leaderboard))}{_failures(leaderboard, escapes.markdown)}\n"


def latex(leaderboard: Leaderboard) -> str:
    r"""Return a table for a paper, to be used with \usepackage{booktabs}.

    Args:
        leaderboard: of one dataset.
    """
    names = leaderboard.metrics
    shown = [row for row in leaderboard.rows if row.kind != "failed"]
    columns: dict[str, list] = {"": [escapes.latex(_label(row)) for row in shown]}
    if _has_marks(leaderboard):
        columns["settings by"] = [escapes.latex(row.mark) for row in shown]
    for name in names:
        columns[escapes.latex(heading(name))] = [row.metrics.get(name) for row in shown]
    style = pd.DataFrame(columns).style.hide(axis="index").format(precision=4, na_rep="")

    # Several rows may have one label, so the best is found by its place.
    for name in names:
        best = [place for place, row in enumerate(shown) if row is leaderboard.best(name)]
        style = style.set_properties(subset=(best, [escapes.latex(heading(name))]), textbf="--rwrap")

    return style.to_latex(
        hrules=True,
        column_format="l" * (len(columns) - len(names)) + "r" * len(names),
        position="t",
        position_float="centering",
        caption=escapes.latex(caption(leaderboard)),
        label=f"tab:{escapes.latex_label(leaderboard.dataset)}",
    )


def csv(leaderboards: Sequence[Leaderboard]) -> str:
    """Return all leaderboards as one table, numbers in full: one row per model, metrics with their intervals.

    A text that a spreadsheet would take for a formula has an apostrophe before it.

    Args:
        leaderboards: one per dataset.
    """
    lines = []
    for leaderboard in leaderboards:
        for row in leaderboard.rows:
            line: dict[str, Any] = {
                "dataset": leaderboard.dataset,
                "label": row.label,
                "model": row.model,
                "kind": row.kind,
            }
            for name in leaderboard.metrics:
                low, high = row.intervals.get(name, (None, None))
                line |= {name: row.metrics.get(name), f"{name} low": low, f"{name} high": high}
                line[f"{name} best"] = leaderboard.best(name) is row
            line |= {"settings": json.dumps(row.settings), "note": row.note, "mark": row.mark}
            lines.append(
                {key: escapes.spreadsheet(value) if isinstance(value, str) else value for key, value in line.items()}
            )
    return pd.DataFrame(lines).to_csv(index=False, lineterminator="\n")


def html(data: dict[str, Any]) -> str:
    """Return the page: one file that loads nothing and that its own policy forbids to.

    Args:
        data: as :func:`as_data` returns it.
    """
    jinja = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = jinja.from_string(TEMPLATE.read_text(encoding="utf-8"))
    embedded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")  # no text of theirs can end the script
    return page.render(**data, embedded=embedded)


def as_data(leaderboards: Sequence[Leaderboard], command: str) -> dict[str, Any]:
    """Return everything that a report shows, as what JSON can hold.

    Args:
        leaderboards: one per dataset.
        command: the command line.
    """
    boards = [_leaderboard_data(leaderboard) for leaderboard in leaderboards]
    return _with_null({"command": command, "environment": environment(), "boards": boards})


def environment() -> dict[str, str]:
    """Return the machine and the versions."""
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores",
        **{name.replace("_", "-"): version for name, version in versions().items()},
    }


def caption(leaderboard: Leaderboard) -> str:
    """Return what the numbers are, in one sentence or two.

    Args:
        leaderboard: of one dataset.
    """
    seeds = leaderboard.seeds
    average = f"seed {seeds[0]}" if len(seeds) == 1 else f"mean over {len(seeds)} seeds"
    text = f"{leaderboard.dataset}, test set, {average}."
    if leaderboard.users:
        name = leaderboard.test.capitalize()
        test = f"paired {name} test over {leaderboard.users} users, Holm-corrected, p < .05"
        text += f" Bold: significantly ahead of every other row run here ({test})."
    return text + _corrections(leaderboard)


def _corrections(leaderboard: Leaderboard) -> str:
    """Return which corrections of RecBole's numbers are active, and which rows each touched; "" where none ran."""
    ran = [row for row in leaderboard.rows if row.corrections]
    if not ran:
        return ""
    labels = {
        name: [row.label for row in ran if name in row.corrections["touched"]] for name in corrections.CORRECTIONS
    }
    touched = [
        f"{name} (all rows)" if len(rows) == len(ran) else f"{name} ({', '.join(rows)})"
        for name, rows in labels.items()
        if rows
    ]
    sentence = corrections.sentence(ran[0].corrections["active"], touched)
    return f" {sentence[0].upper()}{sentence[1:]}."


def heading(metric: str) -> str:
    """Return a metric as papers write it.

    Args:
        metric: "metric@k" as in RecBole's results.

    Examples:
        >>> heading("ndcg@10"), heading("liangrecall@20"), heading("recall@5")
        ('NDCG@10', 'LiangRecall@20', 'Recall@5')
    """
    name = metric.partition("@")[0]
    return _HEADINGS.get(name, name.capitalize()) + metric.removeprefix(name)


def _leaderboard_data(leaderboard: Leaderboard) -> dict[str, Any]:
    """Return one leaderboard as what JSON can hold."""
    p_values = {
        name: {"labels": list(table), "p": table.values.tolist()} for name, table in leaderboard.p_values.items()
    }
    return {
        "dataset": leaderboard.dataset,
        "metrics": leaderboard.metrics,
        "headings": {name: heading(name) for name in leaderboard.metrics},
        "caption": caption(leaderboard),
        "seeds": leaderboard.seeds,
        "users": leaderboard.users,
        "test": leaderboard.test,
        "rows": [_row_data(row, leaderboard) for row in leaderboard.rows],
        "p_values": p_values,
        "protocol": leaderboard.protocol,
    }


def _row_data(row: Row, leaderboard: Leaderboard) -> dict[str, Any]:
    """Return one row as what JSON can hold."""
    return {
        "label": row.label,
        "model": row.model,
        "own": row.model in registry.registered(),
        "kind": row.kind,
        "settings": row.settings,
        "note": row.note,
        "mark": row.mark,
        "corrections": row.corrections,
        "metrics": row.metrics,
        "intervals": {name: ends if all(map(math.isfinite, ends)) else None for name, ends in row.intervals.items()},
        "fit_seconds": row.fit_seconds,
        "best": [name for name in leaderboard.metrics if leaderboard.best(name) is row],
    }


def _with_null(value: Any) -> Any:
    """Return a value with None for every number that is not finite, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: _with_null(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_null(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(leaderboard: Leaderboard, escape: Callable[[str], str], mark: Callable[[str, bool], str]) -> pd.DataFrame:
    """Return the rows that did not fail, with every number as ``mark(text, whether it is the best)``."""
    best = {name: leaderboard.best(name) for name in leaderboard.metrics}
    lines = []
    for row in leaderboard.rows:
        if row.kind == "failed":
            continue
        line = {"model": escape(_label(row))}
        if _has_marks(leaderboard):
            line["settings by"] = escape(row.mark)
        for name in leaderboard.metrics:
            known = name in row.metrics
            line[heading(name)] = mark(f"{row.metrics[name]:.4f}", best[name] is row) if known else ""
        lines.append(line)
    return pd.DataFrame(lines)


def _label(row: Row) -> str:
    """Return what a table calls a row."""
    return f"{row.label} (published)" if row.kind == "published" else row.label


def _has_marks(leaderboard: Leaderboard) -> bool:
    """Return whether it is known of a row how its settings were chosen."""
    return any(row.mark for row in leaderboard.rows if row.kind != "failed")


def _failures(leaderboard: Leaderboard, escape: Callable[[str], str]) -> str:
    """Return a line for each row that failed."""
    failed = [row for row in leaderboard.rows if row.kind == "failed"]
    return "".join(f"\n{escape(row.label)} failed: {escape(row.note)}" for row in failed)
