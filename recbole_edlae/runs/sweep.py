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
from recbole_edlae.settings.files import read_config_files
from recbole_edlae.settings.parts import SEARCH_FILES, empty_parts, validates_on_test

ALGORITHMS = ("exhaustive", "random", "bayes")
_TRIALS = 100  # unless max_evals says otherwise, where the space is not searched exhaustively
Progress = Callable[[Run, dict[str, Any], bool], None]  # called with a trial, its record, and whether it was on record


class Sweep:
    """Search a space of settings of one model on one dataset.

    Args:
        base: the run that every trial varies. Where it names files to search on (``search_filename``), the trials run
            on those, and :meth:`final` on its own.
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
        self.stage = search_stage({**read_config_files(base.config_files), **base.settings})
        self.space = space
        self.outcomes: list[tuple[Run, dict[str, Any]]] = []
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
            if dimension.key in base.settings and dimension.key != "data_path":  # which every run has
                raise ValueError(f"{dimension.key} is both in the space and on the command line")

    def trial(self, point: Mapping[str, Any]) -> Run:
        """Return the run of one point of the space.

        Args:
            point: setting → value.
        """
        return dataclasses.replace(self.base, settings={**self.base.settings, **self.stage, **point})

    def final(self, best: Run, validated: Mapping[str, Any]) -> Run:
        """Return the run to test: the best trial, or where files to search on are named its refit without validation.

        A model that is trained in epochs is refitted for as many as were best in the search.

        Args:
            best: the best trial.
            validated: its record.
        """
        if not self.stage:
            return best
        searched = {dimension.key: best.settings[dimension.key] for dimension in self.space}
        settings = {**self.base.settings, **searched, "eval_step": 0}
        epochs = validated.get("epochs")
        if isinstance(epochs, Mapping):  # of the members of an ensemble
            config = dataclasses.replace(self.base, settings=settings).config()
            settings |= config.model_class.refitted(config.final_config_dict, epochs)
        elif epochs is not None:
            settings["epochs"] = epochs
        return dataclasses.replace(self.base, settings=settings)

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
        search = self._run_bayes if self.algorithm == "bayes" else self._run
        self.outcomes = search(records, progress)
        ended_well = [outcome for outcome in self.outcomes if outcome[1]["status"] == "ok"]
        if not ended_well:
            raise ValueError(f"none of the trials ended well; the last: {self.outcomes[-1][1]['error']}")
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


def search_stage(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with which trials run on files of their own; none where no such files are named.

    Args:
        settings: of the config files and the command line.

    Examples:
        >>> search_stage({"search_filename": ["fit", "valid"], "eval_step": 0})
        {'benchmark_filename': ['fit', 'valid', 'valid'], 'eval_step': 1}
        >>> search_stage({"benchmark_filename": ["train", "valid", "test"]})
        {}
    """
    names = settings.get(SEARCH_FILES)
    if not isinstance(names, (list, tuple)) or len(names) != 2:  # what is neither None nor two names is refused later
        return {}
    fit, valid = names
    return {"benchmark_filename": [fit, valid, valid], "eval_step": settings.get("eval_step") or 1}


def is_tested(run: Run) -> bool:
    """Return whether a run has a test part that it was not chosen on.

    Args:
        run: as :meth:`Sweep.final` returns it.
    """
    settings = run.config().final_config_dict
    if settings.get(SEARCH_FILES) is not None:
        return True
    return "test" not in empty_parts(settings) and not validates_on_test(settings)


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
        best: the run that is tested, with the settings of the best trial.
        validated: the record of the best trial.
        tested: the record of the test; None where there is no test part.
        space: what was searched.
        given: settings of the config files and the command line.
        command: the command line.
    """
    config = best.config()
    searched = {dimension.key: config[dimension.key] for dimension in space}
    staged = given.get(SEARCH_FILES) is not None
    trained = f", trained on {given[SEARCH_FILES][0]}" if staged else ""
    refitted = f", refitted on {given['benchmark_filename'][0]}" if staged else ""
    lines = "\n# ".join(command.splitlines())
    head = f"# {lines}\n# valid{trained}: {_metrics(validated['valid'])}\n"
    if tested:
        result = _metrics(tested["test"]) if tested["status"] == "ok" else f"failed, {tested['error']}"
        head += f"# test{refitted}: {result}\n"
    head += f"# fingerprint of the data{trained}: {validated['identity']['data']}\n"

    # Where the data are, for another working directory; RecBole has a dataset that comes along elsewhere.
    content = {"model": best.model, "dataset": best.dataset}
    data_path = best.settings.get("data_path", "")
    if config["data_path"] == os.path.join(data_path, best.dataset):
        content["data_path"] = data_path
    content |= searched
    named_already = {*WITHOUT_EFFECT, *content}
    protocol = {key: value for key, value in given.items() if key not in named_already}
    refit = ("epochs", "eval_step", "members")
    protocol |= {key: best.settings[key] for key in refit if key in best.settings.keys() - searched}
    blocks = [
        "".join(f"{key}: {_yaml(value)}\n" for key, value in block.items()) for block in (content, protocol) if block
    ]
    return head + "\n" + "\n".join(blocks)


def summary(
    outcomes: Sequence[tuple[Run, Mapping[str, Any]]],
    validated: Mapping[str, Any],
    tested: Mapping[str, Any] | None,
    command: str,
) -> dict[str, Any]:
    """Return what a sweep did, for ``sweep.json``: its trials, the best of them and its test, and the hours of each.

    Args:
        outcomes: all trials with their records.
        validated: the record of the best trial.
        tested: the record of the test; None where there is no test part.
        command: the command line.

    Returns:
        Keys of records with what they took, found on record or not: the hours of a search that was interrupted are
        those of all its trials.
    """
    records = {record["key"]: record for _, record in outcomes}
    search = {
        "trials": len(records),
        "failed": sum(record["status"] == "failed" for record in records.values()),
        "hours": sum(record["seconds"] for record in records.values()) / 3600,
        "best": validated["key"],
    }
    test = None if tested is None else {"hours": tested["seconds"] / 3600, "key": tested["key"]}
    return {"command": command, "search": search, "test": test}


def _yaml(value: Any) -> str:
    """Return a value on one line of YAML."""
    return yaml.safe_dump([value], default_flow_style=True, width=float("inf")).strip()[1:-1]


def _metrics(values: Mapping[str, float]) -> str:
    """Return metrics with their values on one line."""
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items())
