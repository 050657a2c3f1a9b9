"""The results page: every measurement beside the paper's claim."""

import json
import pathlib

from recbole_edlae._files import whole, write_whole
from recbole_edlae.papers import activations, proposition, rank, similarities, table1, times
from recbole_edlae.papers.activation_study import load_pyplot

FIGURES = {
    "rank": rank,
    "similarities": similarities,
    "table1": table1,
    "times": times,
    "proposition": proposition,
    "activations": activations,
}
HEAD = """\
# Results

What the papers say, and what comes out here. This page is written by [`recbole-edlae reproduce`](reproduction.md) from
the measurements beside it, by rules that stand in its modules. Differences between models are means over users ± their
standard error; a claim that chance would explain as well, at 5 percent, is not decided here.
"""


def save(folder, name, result):
    """Writes one figure's measurement as <dataset>-<name>.json and .png.

    Args:
        folder: pathlib.Path.
        name: one of FIGURES.
        result: dict with "dataset", "command", "protocol" and "data".
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{result['dataset']}-{name}"
    text = json.dumps({"figure": name, **result}, indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / f"{stem}.json", text)
    pyplot = load_pyplot()
    figure = pyplot.figure(figsize=(9, 2.8) if name == "similarities" else (6, 3.6))
    FIGURES[name].draw(result["data"], figure)
    with whole(folder / f"{stem}.png") as file:
        figure.savefig(file, format="png", dpi=90, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(figure)


def text(folder, link):
    """Markdown of all measurements in a folder.

    Args:
        folder: pathlib.Path.
        link: how the page calls it.
    """
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    parts, summary = [], ["| | " + " | ".join(dict.fromkeys(each["dataset"] for each in results)) + " |"]
    summary.append("|---|" + "---|" * len({each["dataset"] for each in results}))
    for name, module in FIGURES.items():
        own = [each for each in results if each["figure"] == name]
        if not own:
            continue
        parts.append(f"## {module.TITLE}\n")
        verdicts = {}
        for result in own:
            found = module.found(result["data"])
            verdicts[result["dataset"]] = verdict([holds for holds, _ in found])
            parts.append(_section(name, module, result, found, verdicts[result["dataset"]], link))
        datasets = dict.fromkeys(each["dataset"] for each in results)
        summary.append(f"| {module.TITLE} | " + " | ".join(verdicts.get(each, "") for each in datasets) + " |")
    return "\n".join([HEAD, *summary, "", *parts])


def verdict(holds):
    """One word for all of a paper's claims."""
    if all(holds):
        return "holds"
    return "holds in part" if any(holds) else "does not hold here" if False in holds else "not decided here"


def write(page, folder):
    """Writes the page of a folder."""
    page, folder = pathlib.Path(page), pathlib.Path(folder)
    link = pathlib.Path(folder).resolve().relative_to(page.resolve().parent).as_posix()
    write_whole(page, text(folder, link))


def _section(name, module, result, found, word, link):
    claims = "\n".join(
        f"* {claim}\n  **{verdict([holds]).capitalize()}**: {numbers}."
        for claim, (holds, numbers) in zip(module.CLAIMS, found)
    )
    return (
        f"### {result['dataset']}: {word}\n\n{claims}\n\n"
        f"![{module.TITLE}, {result['dataset']}]({link}/{result['dataset']}-{name}.png)\n\n"
        f"{module.table(result['data'])}\n\n"
        f"```console\n$ {result['command']}\n```\n"
    )
