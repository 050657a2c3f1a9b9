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

from recbole_edlae._files import write_whole
from recbole_edlae.leaderboard import escapes
from recbole_edlae.leaderboard.captions import caption, heading
from recbole_edlae.leaderboard.data import as_data
from recbole_edlae.leaderboard.results import Leaderboard, Row

TEMPLATE = pathlib.Path(__file__).with_name("report.html")


def write(leaderboards: Sequence[Leaderboard], folder: str | os.PathLike, command: str) -> None:
    """Write leaderboard.csv, .md, .tex, .json and .html, each atomically.

    Args:
        leaderboards: one per dataset.
        folder: folder for the files.
        command: the command line, for the page.
    """
    # All texts are made before the first file is replaced.
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
    # A space in the place of * keeps the numbers aligned.
    table = _table(leaderboard, escapes.line, best="{}*", other="{} ")
    text = tabulate(table, headers="keys", tablefmt="simple", showindex=False, disable_numparse=True)
    return text + _failures(leaderboard, escapes.line)


def markdown(leaderboard: Leaderboard) -> str:
    """Return a table for a README or an issue.

    Args:
        leaderboard: of one dataset.
    """
    table = _table(leaderboard, escapes.markdown, best="**{}**", other="{}")
    text = tabulate(table, headers="keys", tablefmt="pipe", showindex=False, disable_numparse=True)
    sentences = escapes.markdown(caption(leaderboard))
    return f"{text}\n\n{sentences}{_failures(leaderboard, escapes.markdown)}\n"


def latex(leaderboard: Leaderboard) -> str:
    r"""Return a table for a paper, to be used with \usepackage{booktabs}.

    Args:
        leaderboard: of one dataset.
    """
    # Columns of text on the left, then one for each metric.
    names = leaderboard.metrics
    shown = _shown(leaderboard)
    columns: dict[str, list] = {"": [escapes.latex(_label(row)) for row in shown]}
    if _has_marks(leaderboard):
        columns["settings by"] = [escapes.latex(row.mark) for row in shown]
    text_columns = len(columns)
    for name in names:
        columns[escapes.latex(heading(name))] = [row.metrics.get(name) for row in shown]
    style = pd.DataFrame(columns).style.hide(axis="index").format(precision=4, na_rep="")

    # Several rows may have one label, so the best one is known by its number.
    for name in names:
        best = [number for number, row in enumerate(shown) if row is leaderboard.best(name)]
        style = style.set_properties(subset=(best, [escapes.latex(heading(name))]), textbf="--rwrap")

    return style.to_latex(
        hrules=True,
        column_format="l" * text_columns + "r" * len(names),
        position="t",
        position_float="centering",
        caption=escapes.latex(caption(leaderboard)),
        label=f"tab:{escapes.latex_label(leaderboard.dataset)}",
    )


def csv(leaderboards: Sequence[Leaderboard]) -> str:
    """Return all leaderboards as one table with unrounded numbers, one row per model, metrics with their intervals.

    A text that a spreadsheet would take for a formula has an apostrophe before it.

    Args:
        leaderboards: one per dataset.
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


def html(data: dict[str, Any]) -> str:
    """Return the page, a single file that loads nothing and whose own policy forbids it to.

    Args:
        data: as :func:`as_data` returns it.
    """
    jinja = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = jinja.from_string(TEMPLATE.read_text(encoding="utf-8"))

    # Without a literal "<", no label can end the script that holds the data.
    embedded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return page.render(**data, embedded=embedded)


def _table(leaderboard: Leaderboard, escape: Callable[[str], str], best: str, other: str) -> pd.DataFrame:
    """Return the rows that did not fail, as text.

    Args:
        leaderboard: of one dataset.
        escape: makes a name safe for the format.
        best: format of the value that is significantly ahead.
        other: format of every other value.
    """
    best_rows = {name: leaderboard.best(name) for name in leaderboard.metrics}
    lines = []
    for row in _shown(leaderboard):
        line = {"model": escape(_label(row))}
        if _has_marks(leaderboard):
            line["settings by"] = escape(row.mark)

        # A published row may lack a metric.
        for name in leaderboard.metrics:
            text = ""
            if name in row.metrics:
                style = best if best_rows[name] is row else other
                text = style.format(f"{row.metrics[name]:.4f}")
            line[heading(name)] = text
        lines.append(line)
    return pd.DataFrame(lines)


def _shown(leaderboard: Leaderboard) -> list[Row]:
    """Return the rows of a table: those that did not fail."""
    return [row for row in leaderboard.rows if row.kind != "failed"]


def _label(row: Row) -> str:
    """Return the label of a row in a table."""
    if row.kind == "published":
        return f"{row.label} (published)"
    return row.label


def _has_marks(leaderboard: Leaderboard) -> bool:
    """Return whether any row has a mark of how its settings were chosen."""
    return any(row.mark for row in _shown(leaderboard))


def _failures(leaderboard: Leaderboard, escape: Callable[[str], str]) -> str:
    """Return a line for each row that failed."""
    failed = [row for row in leaderboard.rows if row.kind == "failed"]
    return "".join(f"\n{escape(row.label)} failed: {escape(row.note)}" for row in failed)
