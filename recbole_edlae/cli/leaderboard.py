"""`recbole-edlae leaderboard`: many models under one protocol, on the same splits, tested against each other."""

import argparse
import shlex
import sys
from collections.abc import Sequence

from tqdm import tqdm

from recbole_edlae.cli import runs as command
from recbole_edlae.evaluation.significance import TESTS
from recbole_edlae.leaderboard import report
from recbole_edlae.leaderboard import results as board
from recbole_edlae.leaderboard.plan import Plan
from recbole_edlae.runs import engine
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import Cell

PROGRAM = "recbole-edlae leaderboard"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own words to a parser."""
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="rows of the settings file, or models as they are")
    parser.add_argument("--dataset", nargs="+", metavar="NAME", help="one or several (default: the settings file's)")
    parser.add_argument("--settings", metavar="FILE", help="YAML: models and the settings of each (default: that of "
                        "the dataset, of those that come along; without a dataset ml-100k)")  # fmt: skip
    parser.add_argument("--seeds", nargs="+", type=int, metavar="N", help="each is another split (default: 2020)")
    parser.add_argument("--test", choices=TESTS, default=TESTS[0], help="paired test over users (default: %(default)s)")
    parser.add_argument("--reference", metavar="FILE", help="CSV of published results to show beside")


def main(arguments: Sequence[str]) -> None:
    """Run what is not on record in --output, write the report there and print the table.

    Exits with status 1 where every row of a dataset failed, after the report is written.
    """
    with command.ended_in_one_line(PROGRAM):
        options, overrides = command.parse(PROGRAM, __doc__, add_arguments, arguments)
        plans = [Plan(dataset, options, overrides) for dataset in options.dataset or [None]]
        for plan in plans:
            plan.check(overrides)
        with Records(options.output or "leaderboard") as records:
            boards = [run(plan, records, options) for plan in plans]
            words = shlex.join(["recbole-edlae", "leaderboard", *arguments])
            report.write(boards, records.folder, words)
    print("\n".join(report.terminal(each) for each in boards))
    print(f"\nreport: {records.folder / 'leaderboard.html'}")
    failed = [each for each in boards if not any(row.kind == "run" for row in each.rows)]
    if failed:
        last = next(row for row in failed[0].rows if row.kind == "failed")
        print(f"{PROGRAM}: error: every run on {failed[0].dataset} failed; {last.label}: {last.note}", file=sys.stderr)
        sys.exit(1)


def run(plan: Plan, records: Records, options: argparse.Namespace) -> board.Board:
    """Return the board of one plan, whose cells are run or found on record."""
    outcomes = {label: {} for label in plan.rows}
    with tqdm(total=len(plan.cells), desc=plan.dataset, unit="run", disable=None) as bar:
        for cell, record, known in engine.run(plan.cells, records, engine=options.engine):
            outcomes[cell.label][cell.settings["seed"]] = record
            bar.update()
            command.tell(f"{plan.dataset}  {_line(cell, record)}{' (on record)' if known else ''}", record)
    ordered = {label: [found[seed] for seed in plan.seeds] for label, found in outcomes.items()}
    settings = {label: settings for label, (_, settings) in plan.rows.items()}
    return board.build(
        plan.dataset, ordered, records, settings=settings, test=options.test, reference=plan.reference
    )  # fmt: skip


def _line(cell: Cell, record: dict) -> str:
    what = f"{cell.label}, seed {cell.settings['seed']}"
    if record["status"] == "failed":
        return f"{what}: failed, {record['error']}"
    metric = record["identity"]["settings"]["valid_metric"].lower()
    return f"{what}: {metric} {record['test'][metric]:.4f}, fit in {record['fit_seconds']:.1f} s"
