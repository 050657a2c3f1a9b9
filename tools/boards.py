"""Write the page of leaderboards, docs/boards.md, from the boards on record: `python -m tools.boards [FOLDER ...]`.

A folder is one that `recbole-edlae leaderboard` wrote. Its boards are put on record in docs/boards, one file a dataset,
in place of those that were there. Training times stay out: they are the machine's.
"""

import json
import pathlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from recbole_edlae.leaderboard import report
from recbole_edlae.leaderboard.results import LEVEL, Leaderboard, Row

DOCS = pathlib.Path(__file__).parents[1] / "docs"
TITLES = {
    "ml-100k": "ml-100k, as it comes with RecBole",
    "ml-1m": "ml-1m, RecBole's published benchmark",
    "ml-1m-prosg": "ml-1m, held-out users",
    "gowalla": "Gowalla, LightGCN's split",
    "yelp2018": "Yelp2018, LightGCN's split",
    "amazon-book": "Amazon-Book, LightGCN's split",
}
HEAD = """# Leaderboards

Each table below is a run of the command above it: models of this package and of RecBole on identical splits. Published
numbers stand beside them where the protocol is the same. `python -m tools.boards FOLDER` writes this page from the
folder that the command wrote.

* **Settings by** says how the settings of a row were chosen:
    * `validation`: by `recbole-edlae tune`. Each model has a file in [`configs/tuned`](../configs/tuned), which begins
      with the command.
    * `validation, after a look at the test`: Gowalla's `DLAE`, and Yelp2018's `ChebyCF` and `EDLAE, by users`. We had
      seen test results of the same models with other settings, so these are not clean held-out numbers. On Gowalla
      quote `DLAE, item power`, which has the higher validation.
    * `equal weights, after a look at the test`: ensembles with such members, and Gowalla's. Validation prefers `DLAE`
      alone on Gowalla, and `by users + ChebyCF` on Yelp2018.
    * `equal weights`: an ensemble of rows of the same table. Only its members were chosen.
    * `authors`: as published with the model.
    * `tuned on test`: published rows whose source chose its settings on the test set. Such a number is too high to
      compare with one that was chosen on validation. For published rows without this mark we do not know.
* **On LightGCN's splits** the test is not drawn like validation, which matters for
  [item powers](protocols.md#does-validation-speak-for-the-test-there).
* **Bold** means significantly ahead of every other row that was run here, by a paired test over users. A larger number
  alone is not bold.
* **Published** rows are numbers from papers and other benchmarks. They take no part in the tests.
* **Corrections** of RecBole's numbers are named under each board, with the rows that they touched.
  [Which numbers change](recbole.md#which-numbers-change) says what each one is.

[Protocols](protocols.md) says how the data are split and measured.
"""


def main(folders: Iterable[str]) -> None:
    """Put the boards of folders on record and write the page.

    Args:
        folders: each with a leaderboard.json.
    """
    for folder in folders:
        report_data = json.loads((pathlib.Path(folder) / "leaderboard.json").read_text(encoding="utf-8"))
        for board in report_data["boards"]:
            board["rows"] = [{**row, "fit_seconds": None} for row in board["rows"]]
            record = {
                "command": report_data["command"],
                "environment": report_data["environment"],
                "board": board,
            }
            text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
            (DOCS / "boards" / f"{board['dataset']}.json").write_text(text, encoding="utf-8")
    (DOCS / "boards.md").write_text(page(), encoding="utf-8")


def records() -> dict[str, dict[str, Any]]:
    """Return dataset → its record, in the order of the page."""
    files = {path.stem: path for path in sorted((DOCS / "boards").glob("*.json"))}
    names = [*(name for name in TITLES if name in files), *(name for name in files if name not in TITLES)]
    return {name: json.loads(files[name].read_text(encoding="utf-8")) for name in names}


def page() -> str:
    """Return the text of the page."""
    return "\n".join([HEAD, *(_section(name, record) for name, record in records().items())])


def leaderboard_of(board: Mapping[str, Any]) -> Leaderboard:
    """Return a leaderboard from what its JSON file holds.

    Args:
        board: one of the "boards" of a leaderboard.json.
    """
    names = (
        "label",
        "model",
        "kind",
        "settings",
        "metrics",
        "intervals",
        "fit_seconds",
        "note",
        "mark",
        "corrections",
    )
    # reports of an earlier version have no marks and no corrections
    rows = [Row(**{name: row[name] for name in names if name in row}) for row in board["rows"]]
    p_values = {
        name: pd.DataFrame(table["p"], index=table["labels"], columns=table["labels"])
        for name, table in board["p_values"].items()
    }
    shared = {name: board[name] for name in ("dataset", "metrics", "protocol", "seeds", "users", "test")}
    return Leaderboard(**shared, rows=rows, p_values=p_values)


def _section(name: str, record: Mapping[str, Any]) -> str:
    """Return the section of one dataset."""
    versions = ", ".join(f"{package} {version}" for package, version in record["environment"].items())
    versions = versions.removeprefix("machine ")
    board = leaderboard_of(record["board"])
    lines = [f"## {TITLES.get(name, name)}", "", "```console", f"$ {record['command']}", "```", ""]
    lines += [report.markdown(board), *_leads(board), f"Run on {versions}.", *_sources(record["board"])]
    return "\n".join(lines) + "\n"


def _leads(board: Leaderboard) -> list[str]:
    """Return a line for each metric on the model with the largest value, and over whom its lead is not significant."""
    lines = []
    for metric, table in board.p_values.items():
        ran = [row for row in board.rows if row.kind == "run" and row.label in table.index]
        first = max(ran, key=lambda row: row.metrics[metric])
        close = {label: p for label, p in table.loc[first.label].drop(first.label).items() if p >= LEVEL}
        over = ", ".join(f"{label} (p = {p:.2g})" for label, p in close.items())
        remark = (
            f"the lead over {over} is not significant"
            if close
            else "significantly ahead of every other row"
        )
        lines.append(f"* {report.heading(metric)}: {first.label} has the largest value; {remark}.")
    return [*lines, ""] if lines else []


def _sources(board: Mapping[str, Any]) -> list[str]:
    """Return the lines that say where the published rows come from, each source once."""
    labels: dict[str, list[str]] = {}
    for row in board["rows"]:
        if row["kind"] == "published":
            labels.setdefault(row["note"], []).append(row["label"])
    if not labels:
        return []
    return [
        "",
        "Published rows:",
        "",
        *(f"* {', '.join(names)}: {source}" for source, names in labels.items()),
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
