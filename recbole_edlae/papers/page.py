"""Write the results page, with every measurement beside the paper's claim."""

import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from recbole_edlae._files import atomic_file, write_atomically
from recbole_edlae.papers.activations import Activations
from recbole_edlae.papers.claims import Verdict, in_words
from recbole_edlae.papers.figure import Figure, markdown_table
from recbole_edlae.papers.plot import load_pyplot
from recbole_edlae.papers.proposition import Proposition
from recbole_edlae.papers.rank import Ranks
from recbole_edlae.papers.similarities import Similarities
from recbole_edlae.papers.table1 import Table1
from recbole_edlae.papers.times import Times

_ON_PAGE: list[Figure] = [Ranks(), Similarities(), Table1(), Times(), Proposition(), Activations()]
FIGURES = {figure.name: figure for figure in _ON_PAGE}
HEAD = """\
# Results

The papers' claims, and what comes out here. [`recbole-edlae reproduce`](reproduction.md) writes this page from the
measurements in `docs/results`, by fixed rules. Differences between models are means over users ± their standard error.
A claim is "not decided here" if the difference is not significant at 5 percent. A claim of "at least" or "no worse"
holds "within chance" if a measured difference is against it, but not significantly.
"""


def save(folder: pathlib.Path, name: str, result: dict[str, Any]) -> None:
    """Write one figure's "data", with their "dataset" and "command", as <dataset>-<name>.json and .png."""
    # One name for both files, by which the page finds the picture.
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{result['dataset']}-{name}"
    content = json.dumps({"figure": name, **result}, indent=1, ensure_ascii=False)
    write_atomically(folder / f"{stem}.json", content + "\n")

    # Without the name and version of the software, equal pictures are equal files.
    pyplot = load_pyplot()
    picture = pyplot.figure(figsize=FIGURES[name].size)
    FIGURES[name].draw(result["data"], picture)
    with atomic_file(folder / f"{stem}.png") as file:
        picture.savefig(file, format="png", dpi=90, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(picture)


def text(folder: pathlib.Path, link: str) -> str:
    """Return the Markdown page of all measurements in a folder."""
    # The files are sorted by dataset, and so are the columns of the summary.
    results: dict[str, dict[str, dict[str, Any]]] = {}
    no_words: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        dataset = result["dataset"]
        results.setdefault(result["figure"], {})[dataset] = result
        no_words[dataset] = ""

    # A section for each figure and dataset, and a row of the summary for each figure.
    summary = []
    sections = []
    for name, figure in FIGURES.items():
        if name not in results:
            continue
        sections.append(f"## {figure.title}\n")
        words = dict(no_words)
        for dataset, result in results[name].items():
            verdicts = figure.verdicts(result["data"])
            words[dataset] = in_words(verdicts)
            sections.append(_section(figure, result, verdicts, link))
        summary.append([figure.title, *words.values()])

    # The corner of the summary is empty.
    table = markdown_table(["", *no_words], summary).replace("|  |", "| |", 1)
    return "\n".join([HEAD, table, "", *sections])


def write(page: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Write the page of a folder."""
    # Links on the page are relative, so that both can be moved together.
    page = pathlib.Path(page)
    folder = pathlib.Path(folder)
    link = folder.resolve().relative_to(page.resolve().parent).as_posix()
    write_atomically(page, text(folder, link))


def _section(figure: Figure, result: dict[str, Any], verdicts: Sequence[Verdict], link: str) -> str:
    """Return the section of one figure on one dataset."""
    # Each claim with its own verdict; the heading has that on all of them.
    claims = ""
    for claim, verdict in zip(figure.claims, verdicts):
        word = in_words([verdict]).capitalize()
        claims += f"* {claim}\n  **{word}**: {verdict.numbers}.\n"

    # The picture has the name that `save` gave it.
    dataset = result["dataset"]
    return (
        f"### {dataset}: {in_words(verdicts)}\n\n{claims}\n"
        f"![{figure.title}, {dataset}]({link}/{dataset}-{figure.name}.png)\n\n"
        f"{figure.table(result['data'])}\n\n"
        f"```console\n$ {result['command']}\n```\n"
    )
