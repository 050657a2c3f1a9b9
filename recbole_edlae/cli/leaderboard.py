"""`recbole-edlae leaderboard`: many models under one protocol, on the same splits, tested against each other."""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from recbole_edlae.cli import errors
from recbole_edlae.cli import runs as command
from recbole_edlae.evaluation.significance import TESTS
from recbole_edlae.leaderboard import report
from recbole_edlae.leaderboard.plan import Plan
from recbole_edlae.leaderboard.results import Leaderboard, build
from recbole_edlae.runs.engine import run_all
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import Run
from recbole_edlae.settings.configs import LEADERBOARDS, REFERENCES

PROGRAM = "recbole-edlae leaderboard"
OUTPUT = "leaderboard"  # default folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options to a parser."""
    add = parser.add_argument
    add("--models", nargs="+", metavar="MODEL", help="rows of the settings file, or models as they are")
    add("--dataset", nargs="+", metavar="NAME", help="one or several (default: the settings file's)")
    settings = (
        "YAML: models and the settings of each (default: that of the dataset, of those that come along; without a "
        "dataset ml-100k)"
    )
    add("--settings", metavar="FILE", help=settings)
    add("--seeds", nargs="+", type=int, metavar="N", help="each is another split (default: 2020)")
    add("--test", choices=TESTS, default=TESTS[0], help="paired test over users (default: %(default)s)")
    add("--reference", metavar="FILE", help="CSV of published results to show beside")
    command.add_shared_arguments(parser, OUTPUT)


def main(arguments: Sequence[str]) -> None:
    """Run what is not on record in --output, write the report there and print the table.

    Exits with status 1 if every row of a dataset failed, after the report is written.
    """
    kinds = [LEADERBOARDS, REFERENCES]
    options, overrides = command.parse(PROGRAM, __doc__, add_arguments, arguments, kinds)
    plans = []
    for dataset in options.dataset or [None]:
        plan = Plan(
            dataset,
            overrides,
            settings=options.settings,
            models=options.models,
            config_files=options.config_files,
            seeds=options.seeds,
            reference=options.reference,
        )
        plans.append(plan)

    # The settings of all datasets are checked before the data of the first one are read.
    for plan in plans:
        command.check(plan.runs, overrides, {"test": "a leaderboard compares models on it"})
        plan.check_protocol()
    for plan in plans:
        plan.check_tested()

    with Records(options.output or OUTPUT) as records:
        leaderboards = [_run(plan, records, options) for plan in plans]
        words = shlex.join(["recbole-edlae", "leaderboard", *arguments])
        report.write(leaderboards, records.folder, words)

    # The table is the result, so it goes to standard output; progress went to standard error.
    print("\n".join(map(report.terminal, leaderboards)))
    print(f"\nreport: {records.folder / 'leaderboard.html'}")
    _exit_where_all_failed(leaderboards)


def _run(plan: Plan, records: Records, options: argparse.Namespace) -> Leaderboard:
    """Return the leaderboard of one plan; runs that are not cached are executed."""
    outcomes: dict[str, dict[int, dict]] = {label: {} for label in plan.rows}
    with tqdm(total=len(plan.runs), desc=plan.dataset, unit="run", disable=None) as bar:
        for run, record, cached in run_all(plan.runs, records, engine=options.engine):
            outcomes[run.label][run.settings["seed"]] = record
            bar.update()
            command.tell(f"{plan.dataset}  {_line(run, record)}", record, cached)

    # Runs end in any order; the report has seeds in that of the plan.
    ordered = {}
    settings = {}
    for label, (_, row_settings) in plan.rows.items():
        ordered[label] = [outcomes[label][seed] for seed in plan.seeds]
        settings[label] = row_settings
    return build(
        plan.dataset,
        ordered,
        records,
        settings=settings,
        test=options.test,
        reference=plan.reference,
        marks=plan.marks,
    )


def _exit_where_all_failed(leaderboards: Sequence[Leaderboard]) -> None:
    """Exit with status 1 and one line if every row of a dataset failed."""
    # Published rows do not count: nothing was run for them.
    for leaderboard in leaderboards:
        rows = {row.kind: row for row in reversed(leaderboard.rows)}
        if "run" not in rows:
            row = rows["failed"]
            errors.stop(
                PROGRAM, f"every run on {leaderboard.dataset} failed; {row.label}: {row.note}", status=1
            )


def _line(run: Run, record: Mapping[str, Any]) -> str:
    """Return one line on a run that has ended."""
    name = f"{run.label}, seed {run.settings['seed']}"
    if record["status"] == "failed":
        return f"{name}: failed, {record['error']}"

    metric = record["identity"]["settings"]["valid_metric"].lower()
    return f"{name}: {metric} {record['test'][metric]:.4f}, fit in {record['fit_seconds']:.1f} s"
