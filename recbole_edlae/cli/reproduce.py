"""`recbole-edlae reproduce`: the papers' figures and tables, measured here and held against what the papers say."""

import pathlib
import shlex
import time

from tqdm import tqdm

from recbole_edlae._choices import choose
from recbole_edlae.cli import checks
from recbole_edlae.cli import runs as command
from recbole_edlae.papers import page
from recbole_edlae.papers.activation_study import load_pyplot
from recbole_edlae.papers.protocol import ROWS, Lab
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import ASIDE

PROGRAM = "recbole-edlae reproduce"
PLANS = command.CONFIGS / "reproduce"
PARTS = {"validation": "settings are chosen on it", "test": "figures show what was measured on it"}
KEYS = ("dataset", "config_files", "rank", "ranks", "rows", "times", "proposition", "activations")


def add_arguments(parser):
    """The command's own words."""
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(page.FIGURES)} (default: all)")
    parser.add_argument("--dataset", nargs="+", metavar="NAME", help="default: that of --settings, or ml-100k")
    parser.add_argument("--settings", metavar="FILE", help="YAML: protocol, ranks, settings to choose from (default: "
                        "that of the dataset, of those that come along)")  # fmt: skip
    parser.add_argument("--ranks", nargs="+", type=int, metavar="K", help="of the figures that have ranks")
    parser.add_argument("--items", type=int, metavar="N", help="of made-up data, for times only")
    parser.add_argument("--page", metavar="FILE", help="Markdown page of all results (default: results.md in --output)")


def main(arguments):
    """Measures what is not on record in --output, and writes JSON, a picture and the page after each figure."""
    with command.ended_in_one_line(PROGRAM):
        options, overrides = command.parse(PROGRAM, __doc__, add_arguments, arguments)
        for name in options.figures:
            choose("FIGURE", name, page.FIGURES)
        if options.items and options.figures != ["times"]:
            raise ValueError("--items makes up data for the figure times, and for that only: reproduce times --items N")
        load_pyplot()
        plans = [read(dataset, options) for dataset in options.dataset or [None]]
        labs = [Lab(plan, overrides, options.engine) for plan in plans]
        for lab in labs:
            needed = {} if options.figures == ["times"] else PARTS
            command.check([cell for row in lab.plan["rows"] for cell in lab.ends(row)], overrides, needed)
        records = Records(options.output or "reproduction")
        file = pathlib.Path(options.page or records.folder / "results.md")
        folder = file.with_suffix("")
        todo = [(lab, name) for lab in labs for name in options.figures or page.FIGURES]
        for lab, name in tqdm(todo, desc="reproduce", unit="figure", disable=None):
            start, lab.records = time.perf_counter(), records
            data = page.FIGURES[name].measure(lab)
            words = shlex.join(
                ["recbole-edlae", "reproduce", name, f"--dataset={lab.dataset}", *_given(options, overrides)]
            )
            dataset = f"synthetic-{options.items}" if options.items else lab.dataset
            page.save(folder, name, {"dataset": dataset, "command": words, "data": data})
            page.write(file, folder)
            verdict = page.verdict([holds for holds, _ in page.FIGURES[name].found(data)])
            tqdm.write(f"{lab.dataset}  {name}: {verdict}, {time.perf_counter() - start:.0f} s")
    print(f"\nreport: {file}")


def read(dataset, options):
    """Content of a settings file, its config files found.

    Raises:
        ValueError: there is none for the dataset, or it has a key or a row there is none of.
    """
    path = pathlib.Path(options.settings or PLANS / f"{dataset or 'ml-100k'}.yaml")
    if not path.is_file() and not options.settings:
        known = ", ".join(sorted(each.stem for each in PLANS.glob("*.yaml")))
        raise ValueError(f"dataset: there are settings for {known}; for {dataset} write some and name them, --settings")
    plan = checks.read_config_files([path])
    for key in plan:
        choose("settings", key, dict.fromkeys(KEYS))
    for row in plan["rows"]:
        choose("rows", row, ROWS)
    files = options.config_files or [path.parent / file for file in plan.get("config_files", [])]
    plan |= {"dataset": dataset or plan["dataset"], "config_files": files}
    if options.ranks:
        plan |= {"ranks": sorted(options.ranks), "times": {**plan["times"], "ranks": sorted(options.ranks)}}
    if options.items:
        plan["times"] = {**plan["times"], "items": options.items}
    return plan


def _given(options, overrides):
    """The words that say what was measured, as they were given."""
    words = [f"--settings={options.settings}"] if options.settings else []
    words += ["--config_files", *options.config_files] if options.config_files else []
    words += ["--ranks", *map(str, options.ranks)] if options.ranks else []
    words += [f"--items={options.items}"] if options.items else []
    return words + [f"--{key}={value}" for key, value in overrides.items() if key not in ASIDE]
