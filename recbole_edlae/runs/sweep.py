"""Search the settings of one model on validation; data and Gram matrix are built once for all trials."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recbole_edlae.runs import space as spaces
from recbole_edlae.runs.engine import run_all
from recbole_edlae.runs.records import Records, best_of, loss
from recbole_edlae.runs.run import Run
from recbole_edlae.settings.files import read_config_files
from recbole_edlae.settings.parts import empty_parts, validates_on_test
from recbole_edlae.settings.rules import SEARCH_FILES

ALGORITHMS = ("exhaustive", "random", "bayes")
_TRIALS = 100  # default of max_evals for random and bayes
Outcome = tuple[Run, dict[str, Any]]  # a trial and its record
Progress = Callable[
    [Run, dict[str, Any], bool], None
]  # called with a trial, its record, and whether it was cached


class Sweep:
    """Search a space of settings of one model on one dataset.

    Args:
        base: the run that every trial varies. Where it names files to search on (``search_filename``), the trials run
            on these files, and :meth:`final` on those of ``benchmark_filename``.
        space: the settings to search, and their values.
        algorithm: one of ALGORITHMS.
        max_evals: largest number of trials; None tries all points in an exhaustive search, and 100 otherwise.
        seed: seed of the algorithm, not of the data.
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
        if not 0 <= seed < 2**32:
            raise ValueError(f"search_seed must be from 0 to {2**32 - 1}, got {seed}")

        self.base = base
        self.stage = search_stage({**read_config_files(base.config_files), **base.settings})
        self.space = space
        self.outcomes: list[Outcome] = []
        self.algorithm = algorithm
        self.seed = seed
        self.engine = engine

        # The points of bayes depend on the results of the trials before.
        self.points: list[spaces.Point] = []
        if algorithm == "exhaustive":
            self.points = spaces.exhaustive(space, max_evals)
        elif algorithm == "random":
            self.points = spaces.random(space, max_evals or _TRIALS, seed)
        self.max_evals = len(self.points) or max_evals or _TRIALS

        # Every run has a data_path, whether the user gave one or not.
        for dimension in space:
            if dimension.key in base.settings and dimension.key != "data_path":
                raise ValueError(f"{dimension.key} is both in the space and on the command line")

    def trial(self, point: Mapping[str, Any]) -> Run:
        """Return the run of one point of the space, setting → value."""
        return dataclasses.replace(self.base, settings={**self.base.settings, **self.stage, **point})

    def final(self, best: Run, validated: Mapping[str, Any]) -> Run:
        """Return the run to test: the best trial, or its refit without validation if the search had its own files.

        A refit takes the number of epochs that was best in the search, as the record ``validated`` of the trial has it.
        """
        if not self.stage:
            return best

        # The best settings on the files of the base run, never evaluated during the training.
        searched = {dimension.key: best.settings[dimension.key] for dimension in self.space}
        settings = {**self.base.settings, **searched, "eval_step": 0}

        # The members of an ensemble have epochs of their own; a model that is fitted in one step has none.
        epochs = validated.get("epochs")
        if isinstance(epochs, Mapping):
            config = dataclasses.replace(self.base, settings=settings).config()
            settings |= config.model_class.refitted(config.final_config_dict, epochs)
        elif epochs is not None:
            settings["epochs"] = epochs
        return dataclasses.replace(self.base, settings=settings)

    def extremes(self) -> list[Run]:
        """Return trials in which each setting takes the extreme values that its check has to allow."""
        return list(map(self.trial, spaces.extremes(self.space)))

    def run(self, records: Records, progress: Progress) -> Outcome:
        """Return the best trial on validation, and its record; among equals, the first one.

        ``progress`` is called as each trial ends.

        Raises:
            ValueError: all trials failed.
        """
        if self.algorithm == "bayes":
            self.outcomes = self._run_bayes(records, progress)
        else:
            self.outcomes = self._run(self.points, records, progress)

        # A failed trial has no score.
        successful = [(trial, record) for trial, record in self.outcomes if record["status"] == "ok"]
        if not successful:
            _, record = self.outcomes[-1]
            raise ValueError(f"none of the trials ended well; the last: {record['error']}")
        return best_of(successful)

    def _run(self, points: Sequence[spaces.Point], records: Records, progress: Progress) -> list[Outcome]:
        """Return the trials of some points, in the order of the points."""
        trials = [self.trial(point) for point in points]
        outcomes = []
        for trial, record, cached in run_all(trials, records, ("valid",), self.engine):
            outcomes.append((trial, record))
            progress(trial, record, cached)

        # Cached trials come first, and Ray's as they end; the best of equal trials is the first in this order.
        return sorted(outcomes, key=lambda outcome: trials.index(outcome[0]))

    def _run_bayes(self, records: Records, progress: Progress) -> list[Outcome]:
        """Return trials chosen one after the other by Optuna's tree of Parzen estimators.

        The points depend only on the seed and the results, so an interrupted search chooses the same points again, and
        its trials are cached.
        """
        study = spaces.study("bayes", self.seed)
        outcomes = []
        for _ in range(self.max_evals):
            asked = study.ask()
            point = spaces.point(self.space, asked)
            outcomes += self._run([point], records, progress)

            # A failed trial tells the search to look elsewhere.
            _, record = outcomes[-1]
            value = math.inf
            if record["status"] == "ok":
                value = loss(record)
            study.tell(asked, value)
        return outcomes


def search_stage(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with which trials run on the files named to search on; empty if there are none.

    Examples:
        >>> search_stage({"search_filename": ["fit", "valid"], "eval_step": 0})
        {'benchmark_filename': ['fit', 'valid', 'valid'], 'eval_step': 1}
        >>> search_stage({"benchmark_filename": ["train", "valid", "test"]})
        {}
    """
    # What is neither None nor two names is rejected later, with all other settings.
    names = settings.get(SEARCH_FILES)
    if not isinstance(names, (list, tuple)) or len(names) != 2:
        return {}

    # RecBole needs a test part; trials do not evaluate it.
    fit, valid = names
    return {"benchmark_filename": [fit, valid, valid], "eval_step": settings.get("eval_step") or 1}


def is_tested(run: Run) -> bool:
    """Return whether a run has a test part on which it was not chosen."""
    settings = run.config().final_config_dict

    # A search on files of its own never sees the test.
    if settings.get(SEARCH_FILES) is not None:
        return True
    return "test" not in empty_parts(settings) and not validates_on_test(settings)
