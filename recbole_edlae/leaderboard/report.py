"""Write leaderboards as terminal table, CSV, Markdown, LaTeX, JSON and a self-contained HTML page.

The tables hold only numbers that are the same in every run. Times are in the JSON file and on the page.
"""

import json
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import jinja2
import pandas as pd
from tabulate import tabulate

from recbole_edlae._files import write_atomically
from recbole_edlae.leaderboard import escapes
from recbole_edlae.leaderboard.captions import caption, direction, heading
from recbole_edlae.leaderboard.data import as_data
from recbole_edlae.leaderboard.results import Leaderboard, Row

TEMPLATES = pathlib.Path(__file__).parent


def write(leaderboards: Sequence[Leaderboard], folder: str | os.PathLike, command: str) -> None:
    """Write leaderboard.csv, .md, .tex, .json and .html, each atomically."""
    # All texts are made before the first file is replaced.
    data = as_data(leaderboards, command)
    texts = {
        "csv": csv(leaderboards),
        "md": "\n".join(map(markdown, leaderboards)),
        "tex": "\n".join(map(latex, leaderboards)),
        "json": json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "html": html(data, [csv([leaderboard]) for leaderboard in leaderboards]),
    }
    for kind, text in texts.items():
        path = pathlib.Path(folder) / f"leaderboard.{kind}"
        write_atomically(path, text)


def terminal(leaderboard: Leaderboard) -> str:
    """Return a table for a terminal; * marks what is significantly ahead of every other row that was run."""
    # A space in the place of * keeps the numbers aligned.
    table = _table(leaderboard, escapes.line, best="{}*", other="{} ")
    text = _aligned(table, "simple")
    if remark := direction(leaderboard):
        text += f"\n{remark}"
    return text + _failures(leaderboard, escapes.line)


def markdown(leaderboard: Leaderboard) -> str:
    """Return a table for a README or an issue."""
    table = _table(leaderboard, escapes.markdown, best="**{}**", other="{}")
    sentences = escapes.markdown(caption(leaderboard))
    failures = _failures(leaderboard, escapes.markdown)
    return f"{_aligned(table, 'pipe')}\n\n{sentences}{failures}\n"


def latex(leaderboard: Leaderboard) -> str:
    r"""Return a table for a paper, to be used with \usepackage{booktabs}."""
    # Columns of text on the left, then one for each metric.
    table = _table(leaderboard, escapes.latex, best=r"\textbf{{{}}}", other="{}")
    if table.empty:
        # Every row failed. LaTeX takes no table without columns.
        table["model"] = []
    metrics = len(leaderboard.metrics)
    alignment = "l" * (table.shape[1] - metrics) + "r" * metrics

    # The column of the models has no heading in papers.
    table.columns = ["", *map(escapes.latex, table.columns[1:])]
    return table.style.hide(axis="index").to_latex(
        hrules=True,
        column_format=alignment,
        position="t",
        position_float="centering",
        caption=escapes.latex(caption(leaderboard)),
        label=f"tab:{escapes.latex_label(leaderboard.dataset)}",
    )


def csv(leaderboards: Sequence[Leaderboard]) -> str:
    """Return all leaderboards as one table with unrounded numbers, one row per model, metrics with their intervals.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    lines = []
    for leaderboard in leaderboards:
        for row in leaderboard.rows:
            lines.append(_csv_line(leaderboard, row))
    return pd.DataFrame(lines).to_csv(index=False, lineterminator="\n")


def _csv_line(leaderboard: Leaderboard, row: Row) -> dict[str, Any]:
    """Return column → value of one row in the CSV file."""
    line: dict[str, Any] = {
        "dataset": leaderboard.dataset,
        "label": row.label,
        "model": row.model,
        "kind": row.kind,
    }

    # Published rows have no intervals, and may lack metrics.
    for name in leaderboard.metrics:
        low, high = row.intervals.get(name, (None, None))
        line[name] = row.metrics.get(name)
        line[f"{name} low"] = low
        line[f"{name} high"] = high
        line[f"{name} best"] = leaderboard.best(name) is row
    line |= {"settings": json.dumps(row.settings), "note": row.note, "mark": row.mark}

    # Labels, settings and notes are chosen by users.
    for column, value in line.items():
        if isinstance(value, str):
            line[column] = escapes.spreadsheet(value)
    return line


def html(data: dict[str, Any], csv_files: Sequence[str]) -> str:
    """Return the page as a single file that loads nothing; its own security policy forbids it."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    jinja = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = jinja.get_template("report.html")

    # Without a literal "<", no label can end the script that holds the data.
    embedded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return page.render(**data, embedded=embedded, csv_files=csv_files)


def _aligned(table: pd.DataFrame, style: str) -> str:
    """Return a table as text, with its columns aligned."""
    return tabulate(table, headers="keys", tablefmt=style, showindex=False, disable_numparse=True)


def _table(leaderboard: Leaderboard, escape: Callable[[str], str], best: str, other: str) -> pd.DataFrame:
    """Return the rows that did not fail, as text; ``best`` is the format of what is significantly ahead."""
    # Failed rows are listed below the table.
    shown = []
    has_marks = False
    for row in leaderboard.rows:
        if row.kind != "failed":
            shown.append(row)
            has_marks |= bool(row.mark)

    lines = []
    for row in shown:
        label = row.label
        if row.kind == "published":
            label = f"{label} (published)"
        line = {"model": escape(label)}
        if has_marks:
            line["settings by"] = escape(row.mark)

        for name in leaderboard.metrics:
            line[heading(name)] = _cell(leaderboard, row, name, best, other)
        lines.append(line)
    return pd.DataFrame(lines)


def _cell(leaderboard: Leaderboard, row: Row, name: str, best: str, other: str) -> str:
    """Return a metric of a row as text."""
    # A published row may lack a metric.
    if name not in row.metrics:
        return ""

    value = f"{row.metrics[name]:.4f}"
    if leaderboard.best(name) is row:
        return best.format(value)
    return other.format(value)


def _failures(leaderboard: Leaderboard, escape: Callable[[str], str]) -> str:
    """Return a line for each row that failed."""
    text = ""
    for row in leaderboard.rows:
        if row.kind == "failed":
            text += f"\n{escape(row.label)} failed: {escape(row.note)}"
    return text
