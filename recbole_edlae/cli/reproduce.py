"""`recbole-edlae reproduce`: the papers' figures and tables, measured here and held against what the papers say."""

import argparse
import itertools
import pathlib
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from recbole_edlae.cli import runs as command
from recbole_edlae.papers import page
from recbole_edlae.papers.claims import in_words
from recbole_edlae.papers.plan import read_plan
from recbole_edlae.papers.plot import load_pyplot
from recbole_edlae.papers.study import Protocol, Study
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import WITHOUT_EFFECT, Run
from recbole_edlae.settings.configs import REPRODUCTIONS
from recbole_edlae.settings.schema import check_choice

PROGRAM = "recbole-edlae reproduce"
OUTPUT = "reproduction"  # default folder
PARTS = {"validation": "settings are chosen on it", "test": "figures show what was measured on it"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options to a parser."""
    settings = "YAML: protocol, ranks, settings to choose from (default: that of the dataset, of those that come along)"
    add = parser.add_argument
    add("figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(page.FIGURES)} (default: all)")
    add("--dataset", nargs="+", metavar="NAME", help="default: that of --settings, or ml-100k")
    add("--settings", metavar="FILE", help=settings)
    add("--ranks", nargs="+", type=int, metavar="K", help="of the figures that have ranks")
    add("--items", type=int, metavar="N", help="of made-up data, for times only")
    add("--page", metavar="FILE", help="Markdown page of all results (default: results.md in --output)")
    command.add_shared_arguments(parser, OUTPUT)


def main(arguments: Sequence[str]) -> None:
    """Measure what is not on record in --output, and write JSON, a picture and the page after each figure."""
    # All input and the drawing library are checked before the first measurement.
    options, overrides = command.parse(PROGRAM, __doc__, add_arguments, arguments, [REPRODUCTIONS])
    for name in options.figures:
        check_choice("FIGURE", name, page.FIGURES)
    if options.items and options.figures != ["times"]:
        raise ValueError(
            "--items makes up data for the figure times, and for that only: reproduce times --items N"
        )
    load_pyplot()

    # Made-up data for times are not split.
    parts = PARTS
    if options.figures == ["times"]:
        parts = {}
    protocols = []
    for dataset in options.dataset or [None]:
        plan = read_plan(
            dataset,
            options.settings,
            config_files=options.config_files,
            ranks=options.ranks,
            items=options.items,
        )
        protocol = Protocol(plan, overrides)
        protocols.append(protocol)
        runs: list[Run] = []
        for row in protocol.plan["rows"]:
            runs += protocol.extremes(row)
        command.check(runs, overrides, parts)

    # One dataset after the other: a study reads its data once for all figures.
    records = Records(options.output or OUTPUT)
    file = pathlib.Path(options.page or records.folder / "results.md")
    studies = [Study(protocol, records, options.engine) for protocol in protocols]
    pending = list(itertools.product(studies, options.figures or page.FIGURES))
    for study, name in tqdm(pending, desc="reproduce", unit="figure", disable=None):
        _reproduce(study, name, file, options, overrides)
    print(f"\nreport: {file}")


def _reproduce(
    study: Study, name: str, file: pathlib.Path, options: argparse.Namespace, overrides: Mapping[str, Any]
) -> None:
    """Measure one figure on one dataset, and write it and the page."""
    start = time.perf_counter()
    figure = page.FIGURES[name]
    dataset = study.plan["dataset"]
    data = figure.measure(study)

    # The page shows the command that measures this figure alone. Made-up data are no dataset.
    words = ["recbole-edlae", "reproduce", name, f"--dataset={dataset}", *_option_words(options, overrides)]
    title = dataset
    if options.items:
        title = f"synthetic-{options.items}"
    folder = file.with_suffix("")
    page.save(folder, name, {"dataset": title, "command": shlex.join(words), "data": data})
    page.write(file, folder)

    verdict = in_words(figure.verdicts(data))
    tqdm.write(f"{dataset}  {name}: {verdict}, {time.perf_counter() - start:.0f} s")


def _option_words(options: argparse.Namespace, overrides: Mapping[str, Any]) -> list[str]:
    """Return the command-line words on which a measurement depends."""
    words = []
    if options.settings:
        words.append(f"--settings={options.settings}")
    if options.config_names:
        words += ["--config_files", *options.config_names]
    if options.ranks:
        words += ["--ranks", *map(str, options.ranks)]
    if options.items:
        words.append(f"--items={options.items}")

    # A setting such as gpu_id is of this machine.
    for key, value in overrides.items():
        if key not in WITHOUT_EFFECT:
            words.append(f"--{key}={value}")
    return words
