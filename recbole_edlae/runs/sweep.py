"""Search one model's settings on validation, with the data and the Gram matrix built once."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from recbole_edlae.runs import space as spaces
from recbole_edlae.runs.engine import run_all
from recbole_edlae.runs.records import Records, best_of, loss
from recbole_edlae.runs.run import WITHOUT_EFFECT, Run

ALGORITHMS = ("exhaustive", "random", "bayes")
_TRIALS = 100  # unless max_evals says otherwise, where the space is not searched exhaustively
Progress = Callable[[Run, dict[str, Any], bool], None]  # called with a trial, its record, and whether it was on record


class Sweep:
    """Search a space of settings of one model on one dataset.

    Args:
        base: the run that every trial varies.
        space: the settings to search, and their values.
        algorithm: one of ALGORITHMS.
        max_evals: how many trials at most; None tries all points of an exhaustive search, and 100 of another one.
        seed: of the algorithm, not of the data.
        engine: one of ``engine.ENGINES``.

    Raises:
        ValueError: the space cannot be searched like this, or it has a setting that the base run sets already.
    """

    def __init__(
        self,
        base: Run,
        space: Sequence[spaces.Dimension],
        *,
        algorithm: str = "exhaustive",
        max_evals: int | None = None,
        seed: int = 0,
        engine: str = "sequential",
    ) -> None:
        if max_evals is not None and max_evals < 1:
            raise ValueError(f"max_evals must be at least 1, got {max_evals}")
        self.base = base
        self.space = space
        self.algorithm = algorithm
        self.seed = seed
        self.engine = engine
        self._points: list[spaces.Point] = []  # bayes finds its points on the way
        if algorithm == "exhaustive":
            self._points = spaces.exhaustive(space, max_evals)
        elif algorithm == "random":
            self._points = spaces.random(space, max_evals or _TRIALS, seed)
        self.max_evals = len(self._points) or max_evals or _TRIALS
        for dimension in space:
            if dimension.key in base.settings and dimension.key != "data_path":
                raise ValueError(f"{dimension.key} is both in the space and on the command line")

    def trial(self, point: Mapping[str, Any]) -> Run:
        """Return the run of one point of the space.

        Args:
            point: setting → value.
        """
        return dataclasses.replace(self.base, settings={**self.base.settings, **point})

    def extremes(self) -> list[Run]:
        """Return trials in which every setting takes the values that its own check has to allow."""
        first = {dimension.key: dimension.ends()[0] for dimension in self.space}
        return [self.trial({**first, dimension.key: value}) for dimension in self.space for value in dimension.ends()]

    def run(self, records: Records, progress: Progress) -> tuple[Run, dict[str, Any]]:
        """Return the best trial on validation, with its record; of equals the first.

        Args:
            records: where finished trials are found, and new ones are put.
            progress: called as each trial ends.

        Raises:
            ValueError: no trial ended well.
        """
        outcomes = self._run_bayes(records, progress) if self.algorithm == "bayes" else self._run(records, progress)
        ended_well = [outcome for outcome in outcomes if outcome[1]["status"] == "ok"]
        if not ended_well:
            raise ValueError(f"none of the trials ended well; the last: {outcomes[-1][1]['error']}")
        return best_of(ended_well)

    def _run(self, records: Records, progress: Progress) -> list[tuple[Run, dict[str, Any]]]:
        """Return the trials of points that are known before, in their order."""
        trials = [self.trial(point) for point in self._points]
        outcomes = []
        for trial, record, cached in run_all(trials, records, ("valid",), self.engine):
            outcomes.append((trial, record))
            progress(trial, record, cached)
        return sorted(outcomes, key=lambda outcome: trials.index(outcome[0]))

    def _run_bayes(self, records: Records, progress: Progress) -> list[tuple[Run, dict[str, Any]]]:
        """Return trials chosen one after the other by hyperopt's tree of Parzen estimators.

        The search is a function of its seed and the results, so one that was interrupted goes the same way again, and
        finds on record what it ran before.
        """
        try:
            import hyperopt
        except Exception as error:  # 0.2.x imports pkg_resources, which new setuptools lack
            raise ValueError(
                f"algo bayes: hyperopt cannot be imported here ({type(error).__name__}: {error})"
            ) from None
        outcomes = []

        def objective(drawn: Mapping[str, Any]) -> dict[str, Any]:
            point = {dimension.key: dimension.from_hyperopt(drawn[dimension.key]) for dimension in self.space}
            ((trial, record, cached),) = run_all([self.trial(point)], records, ("valid",), self.engine)
            outcomes.append((trial, record))
            progress(trial, record, cached)
            if record["status"] == "failed":
                return {"status": hyperopt.STATUS_FAIL}
            return {"status": hyperopt.STATUS_OK, "loss": loss(record)}

        os.environ["HYPEROPT_FMIN_SEED"] = str(self.seed)  # its argument for that changed with 0.2.6
        hyperopt.fmin(
            objective,
            {dimension.key: dimension.hyperopt(hyperopt.hp) for dimension in self.space},
            algo=hyperopt.tpe.suggest,
            max_evals=self.max_evals,
            show_progressbar=False,
            verbose=False,
            return_argmin=False,
        )
        return outcomes


def best_config(
    best: Run,
    validated: Mapping[str, Any],
    tested: Mapping[str, Any] | None,
    *,
    space: Sequence[spaces.Dimension],
    given: Mapping[str, Any],
    command: str,
) -> str:
    """Return the text of the config file: the settings found and those that were given, for `run` as it is.

    Args:
        best: the best trial.
        validated: its record.
        tested: the record of its test; None where there is no test part.
        space: what was searched.
        given: settings of the config files and the command line.
        command: the command line.
    """
    config = best.config()
    searched = {dimension.key: config[dimension.key] for dimension in space}
    head = f"# {command}\n# valid: {_metrics(validated['valid'])}\n"
    if tested:
        head += f"# test: {_metrics(tested['test']) if tested['status'] == 'ok' else 'failed, ' + tested['error']}\n"
    content = {"model": best.model, "dataset": best.dataset, **searched}
    named_already = {*WITHOUT_EFFECT, *content}
    protocol = {key: value for key, value in given.items() if key not in named_already}
    blocks = [
        "".join(f"{key}: {_yaml(value)}\n" for key, value in block.items()) for block in (content, protocol) if block
    ]
    return head + "\n" + "\n".join(blocks)


def _yaml(value: Any) -> str:
    """Return a value on one line of YAML."""
    return yaml.safe_dump([value], default_flow_style=True, width=float("inf")).strip()[1:-1]


def _metrics(values: Mapping[str, float]) -> str:
    """Return metrics with their values on one line."""
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items())
