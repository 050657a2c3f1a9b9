"""Leaderboards as terminal table, CSV, Markdown, LaTeX, JSON and one HTML page that needs nothing beside it.

The tables hold what is the same every time a leaderboard is run; times are in the JSON file and on the page.
"""

import json
import os
import pathlib
import platform

import jinja2
import pandas as pd
from tabulate import tabulate

from recbole_edlae._files import write_whole
from recbole_edlae.integration import models as registry
from recbole_edlae.runs.run import versions

TEMPLATE = pathlib.Path(__file__).with_name("report.html")


def write(boards, folder, command):
    """Writes leaderboard.csv, .md, .tex, .json and .html, each whole or not at all.

    Args:
        boards: list of Board.
        folder: where.
        command: the command line, for the page.
    """
    data = as_data(boards, command)
    texts = {
        "csv": csv(boards),
        "md": "\n".join(markdown(each) for each in boards),
        "tex": "\n".join(latex(each) for each in boards),
        "json": json.dumps(data, indent=1, ensure_ascii=False) + "\n",
        "html": html(data),
    }
    for kind, text in texts.items():
        write_whole(pathlib.Path(folder) / f"leaderboard.{kind}", text)


def terminal(board):
    """Table for a terminal; * marks what is significantly ahead of every other row that was run."""
    table = _cells(board, lambda value, best: f"{value}{'*' if best else ' '}")
    return tabulate(table, headers="keys", tablefmt="simple", showindex=False, disable_numparse=True) + _failures(board)


def markdown(board):
    """Table for a README or an issue."""
    table = _cells(board, lambda value, best: f"**{value}**" if best else value)
    text = tabulate(table, headers="keys", tablefmt="pipe", showindex=False, disable_numparse=True)
    return f"{text}\n\n{caption(board)}{_failures(board)}\n"


def latex(board):
    r"""A table for a paper, to be used with \usepackage{booktabs}."""
    ran = [row for row in board.rows if row.kind != "failed"]
    frame = pd.DataFrame([{name: row.metrics.get(name) for name in board.metrics} for row in ran])
    frame.index = [f"{row.label} (published)" if row.kind == "published" else row.label for row in ran]
    frame.columns = [_heading(name) for name in board.metrics]
    style = frame.style.format(precision=4, na_rep="").format_index(escape="latex", axis=0)
    style = style.format_index(escape="latex", axis=1)
    for name in board.metrics:
        if best := board.best(name):
            style = style.set_properties(subset=([best.label], [_heading(name)]), textbf="--rwrap")
    return style.to_latex(
        hrules=True, column_format="l" + "r" * len(board.metrics), position="t", position_float="centering",
        caption=_escaped(caption(board)), label=f"tab:{board.dataset}",
    )  # fmt: skip


def csv(boards):
    """All boards as one table, numbers in full: one row per model, metrics with the ends of their intervals."""
    rows = []
    for board in boards:
        for row in board.rows:
            line = {"dataset": board.dataset, "label": row.label, "model": row.model, "kind": row.kind}
            for name in board.metrics:
                low, high = row.intervals.get(name, (None, None))
                line |= {name: row.metrics.get(name), f"{name} low": low, f"{name} high": high}
                line[f"{name} best"] = board.best(name) is row
            rows.append({**line, "settings": json.dumps(row.settings), "note": row.note})
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def html(data):
    """The page: one file that loads nothing and that its own policy forbids to."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    embedded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")  # no text of theirs can end the script
    return page.render(**data, embedded=embedded)


def as_data(boards, command):
    """Everything a report shows, as what JSON can hold."""
    return {"command": command, "environment": environment(), "boards": [_board_data(each) for each in boards]}


def environment():
    """Machine and versions."""
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores",
        **{name.replace("_", "-"): version for name, version in versions().items()},
    }


def caption(board):
    """What the numbers are, in one sentence or two."""
    seeds = f"seed {board.seeds[0]}" if len(board.seeds) == 1 else f"mean over {len(board.seeds)} seeds"
    text = f"{board.dataset}, test set, {seeds}."
    if board.users:
        test = f"paired {board.test.capitalize()} test over {board.users} users, Holm-corrected, p < .05"
        text += f" Bold: significantly ahead of every other row run here ({test})."
    return text


def _board_data(board):
    rows = [
        {
            "label": row.label, "model": row.model, "own": row.model in registry.registered(), "kind": row.kind,
            "settings": row.settings, "note": row.note, "metrics": row.metrics, "intervals": row.intervals,
            "fit_seconds": row.fit_seconds, "best": [name for name in board.metrics if board.best(name) is row],
        }
        for row in board.rows
    ]  # fmt: skip
    p_values = {name: {"labels": list(table), "p": table.values.tolist()} for name, table in board.p_values.items()}
    return {
        "dataset": board.dataset, "metrics": board.metrics,
        "headings": {name: _heading(name) for name in board.metrics}, "caption": caption(board), "seeds": board.seeds,
        "users": board.users, "test": board.test, "rows": rows, "p_values": p_values, "protocol": board.protocol,
    }  # fmt: skip


def _cells(board, mark):
    best = {name: board.best(name) for name in board.metrics}
    return pd.DataFrame([
        {"model": row.label + (" (published)" if row.kind == "published" else "")}
        | {
            _heading(name): mark(f"{row.metrics[name]:.4f}", best[name] is row) if name in row.metrics else ""
            for name in board.metrics
        }
        for row in board.rows
        if row.kind != "failed"
    ])  # fmt: skip


def _failures(board):
    failed = [f"{row.label} failed: {row.note}" for row in board.rows if row.kind == "failed"]
    return "".join(f"\n{line}" for line in failed)


def _heading(metric):
    """A metric as papers write it: NDCG@10."""
    name, at, k = metric.partition("@")
    known = {"ndcg": "NDCG", "mrr": "MRR", "map": "MAP", "liangrecall": "LiangRecall"}
    return known.get(name, name.capitalize()) + at + k


def _escaped(text):
    for character in "&%$#_":
        text = text.replace(character, f"\\{character}")
    return text.replace("<", "$<$")
