"""`recbole-edlae tune`: searches one model's settings on validation, with the data and the Gram matrix built once.

The test set is looked at once, for the settings that validation chose.
"""

import dataclasses
import math
import os
import pathlib
import shlex
import sys
from collections.abc import Sequence

import yaml
from tqdm import tqdm

from recbole_edlae._files import write_whole
from recbole_edlae.cli import checks
from recbole_edlae.cli import runs as command
from recbole_edlae.data.parts import empty_parts
from recbole_edlae.runs import engine, space
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import ASIDE, Cell

PROGRAM = "recbole-edlae tune"
ALGORITHMS = ("exhaustive", "random", "bayes")


def add_arguments(parser):
    """The command's own words."""
    parser.add_argument("--model", "-m", help="name of a model (default: the config files' or EDLAE)")
    parser.add_argument("--dataset", "-d", help="name of a dataset (default: the config files' or ml-100k)")
    parser.add_argument("--space", required=True, metavar="FILE", help="what to search, as RecBole's hyper.test: lines "
                        "`setting choice [1,2]`, or uniform, quniform, loguniform")  # fmt: skip
    parser.add_argument("--algo", choices=ALGORITHMS, default="exhaustive", help="bayes needs hyperopt")
    parser.add_argument("--max_evals", type=int, metavar="N", help="at most so many settings (default: all, or 100)")
    parser.add_argument("--search_seed", type=int, default=0, metavar="N", help="of the algorithm, not of the data")


def main(arguments: Sequence[str]) -> None:
    """Run the trials that are not on record in --output, test the best and write it there as best.yaml.

    Exits with status 1 where the best cannot be tested; best.yaml then says so.
    """
    with command.ended_in_one_line(PROGRAM):
        options, overrides = command.parse(PROGRAM, __doc__, add_arguments, arguments)
        sweep = Sweep(options, overrides)
        folder = options.output or pathlib.Path("tune") / f"{sweep.cell.model}-{sweep.cell.dataset}"
        with Records(folder) as records:
            best, validated = sweep.run(records)
            tested = None
            if "test" not in empty_parts(best.config().final_config_dict):
                ((_, tested, _),) = engine.run([best], records, engine=options.engine)
            path = records.folder / "best.yaml"
            words = shlex.join(["recbole-edlae", "tune", *arguments])
            text = best_config(best, validated, tested, words, sweep)
            write_whole(path, text)
    print(f"{text}\n{path}")
    if tested and tested["status"] == "failed":
        print(f"{PROGRAM}: error: the best settings failed when they were tested: {tested['error']}", file=sys.stderr)
        sys.exit(1)


class Sweep:
    """One model on one dataset, a space of settings and an order of trying them."""

    def __init__(self, options, overrides):
        files = options.config_files or []
        content = checks.read_config_files(files)
        model = options.model or content.get("model", "EDLAE")
        dataset = options.dataset or content.get("dataset", "ml-100k")
        self.cell = command.make_cell(model, dataset, files, overrides)
        self.given = {**content, **overrides}
        self.space = space.read(options.space)
        self.options = options
        if options.max_evals is not None and options.max_evals < 1:
            raise ValueError(f"max_evals must be at least 1, got {options.max_evals}")
        self.points = self._points()
        self.max_evals = len(self.points)
        self._check()

    def run(self, records: Records) -> tuple[Cell, dict]:
        """Return the cell and the record of the best trial on validation; of equals the first.

        Raises:
            ValueError: no trial ended well.
        """
        done = []
        with tqdm(total=self.max_evals, desc=f"tune {self.cell.model}", unit="trial", disable=None) as bar:

            def note(cell, record, known):
                done.append((cell, record))
                bar.update()
                command.tell(f"{_line(cell, record, self.space)}{' (on record)' if known else ''}", record)

            if self.options.algo == "bayes":
                bayes(self, records, note)
            else:
                cells = [self.trial(point) for point in self.points]
                for result in engine.run(cells, records, ("valid",), self.options.engine):
                    note(*result)
                done.sort(key=lambda pair: cells.index(pair[0]))
        ended_well = [(cell, record) for cell, record in done if record["status"] == "ok"]
        if not ended_well:
            raise ValueError(f"none of the trials ended well; the last: {done[-1][1]['error']}")
        return min(ended_well, key=lambda pair: _loss(pair[1]))

    def trial(self, point):
        """Cell of one point of the space."""
        return dataclasses.replace(self.cell, settings={**self.cell.settings, **point})

    def _points(self):
        if self.options.algo == "exhaustive":
            return space.exhaustive(self.space, self.options.max_evals)
        if self.options.algo == "random":
            return space.random(self.space, self.options.max_evals or 100, self.options.search_seed)
        return [None] * (self.options.max_evals or 100)  # bayes finds them on the way

    def _check(self):
        """Every setting exists and may be what the space says, before any data are read."""
        for dimension in self.space:
            if dimension.key in self.cell.settings and dimension.key != "data_path":
                raise ValueError(f"{dimension.key} is both in the space and on the command line")
        first = {dimension.key: dimension.ends()[0] for dimension in self.space}
        points = [{**first, dimension.key: value} for dimension in self.space for value in dimension.ends()]
        command.check([self.trial(point) for point in points], {}, {"validation": "tune chooses by it"})


def bayes(sweep, records, note):
    """Trials chosen one after the other by hyperopt's tree of Parzen estimators.

    The search is a function of its seed and the results, so one that was interrupted goes the same way again, and
    finds on record what it ran before.
    """
    try:
        import hyperopt
    except Exception as error:  # 0.2.x imports pkg_resources, which new setuptools lack
        raise ValueError(f"algo bayes: hyperopt cannot be imported here ({type(error).__name__}: {error})") from None

    def objective(point):
        cell = sweep.trial({each.key: each.from_hyperopt(point[each.key]) for each in sweep.space})
        ((cell, record, known),) = engine.run([cell], records, ("valid",), sweep.options.engine)
        note(cell, record, known)
        failed = record["status"] == "failed"
        return {"status": hyperopt.STATUS_FAIL} if failed else {"status": hyperopt.STATUS_OK, "loss": _loss(record)}

    os.environ["HYPEROPT_FMIN_SEED"] = str(sweep.options.search_seed)  # its argument for that changed with 0.2.6
    hyperopt.fmin(
        objective, {each.key: each.hyperopt(hyperopt.hp) for each in sweep.space}, algo=hyperopt.tpe.suggest,
        max_evals=sweep.max_evals, show_progressbar=False, verbose=False, return_argmin=False,
    )  # fmt: skip


def best_config(cell: Cell, validated: dict, tested: dict | None, words: str, sweep: Sweep) -> str:
    """Return the text of the config file: the settings found and those that were given, for `run` as it is.

    Args:
        cell: the best trial.
        validated: its record.
        tested: the record of its test; None where there is no test part.
        words: the command line.
        sweep: what was searched.
    """
    config = cell.config()
    found = {dimension.key: config[dimension.key] for dimension in sweep.space}
    given = {key: value for key, value in sweep.given.items() if key not in ASIDE and key not in ("model", "dataset")}
    head = f"# {words}\n"
    head += f"# valid: {_metrics(validated['valid'])}\n"
    if tested:
        ended_well = tested["status"] == "ok"
        head += f"# test: {_metrics(tested['test']) if ended_well else 'failed, ' + tested['error']}\n"
    content = {"model": cell.model, "dataset": cell.dataset, **found}
    protocol = {key: value for key, value in given.items() if key not in found}
    blocks = [
        "".join(f"{key}: {_yaml(value)}\n" for key, value in each.items()) for each in (content, protocol) if each
    ]
    return head + "\n" + "\n".join(blocks)


def _yaml(value):
    """A value on one line."""
    return yaml.safe_dump([value], default_flow_style=True, width=float("inf")).strip()[1:-1]


def _metrics(values: dict) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items())


def _loss(record: dict) -> float:
    """Return what the best trial has least of; a score that is no number is the worst."""
    if not math.isfinite(record["score"]):
        return math.inf
    return -record["score"] if record["bigger"] else record["score"]


def _line(cell, record, dimensions):
    what = ", ".join(f"{each.key} {cell.settings[each.key]}" for each in dimensions)
    if record["status"] == "failed":
        return f"{what}: failed, {record['error']}"
    metric = record["identity"]["settings"]["valid_metric"].lower()
    return f"{what}: {metric} {record['score']:.4f}, {record['fit_seconds'] + record['evaluate_seconds']:.1f} s"
