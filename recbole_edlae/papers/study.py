"""What the figures share: models by their row, settings chosen on validation, tests and measurements on record."""

import dataclasses
import functools
import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from tqdm import tqdm

from recbole_edlae._choices import choose
from recbole_edlae.data.fingerprint import fingerprint
from recbole_edlae.model.history import binary_interactions
from recbole_edlae.papers.claims import standard_error
from recbole_edlae.runs.code import RUNNER
from recbole_edlae.runs.engine import RunFailed, run_all
from recbole_edlae.runs.preparation import prepare_data
from recbole_edlae.runs.records import Records, best_of
from recbole_edlae.runs.run import Run, key_of, make_run
from recbole_edlae.runs.runner import quiet

# What is compared in Steck 2020, Table 1 and Figure 1: the settings that define it. A settings file has all others.
ROWS: dict[str, dict[str, Any]] = {
    "weight_decay": {"model": "DLAE", "solver": "weight_decay", "dropout_prob": 0.0},
    "free_diagonal": {"model": "DLAE", "solver": "free_diagonal", "dropout_prob": 0.0},
    "DLAE": {"model": "DLAE", "solver": "free_diagonal"},
    "sampled": {"model": "DeepAE", "latent_activation": "identity", "use_bias": False, "normalize_input": False},
    "EDLAE": {"model": "LowRankEDLAE", "solver": "admm"},
    "closed_form": {"model": "LowRankEDLAE", "solver": "eigen"},
    "zero_diagonal": {"model": "LowRankEDLAE", "solver": "zero_diagonal", "dropout_prob": 0.0},
    "full_rank": {"model": "EDLAE"},
}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """One dataset with the settings that all figures are measured under.

    Attributes:
        plan: content of a settings file: ``dataset``, ``config_files`` (found already), ``rows``, which maps the names
            of ROWS to settings, a list of values being a choice to make on validation, and what figures ask for.
        overrides: settings for all runs.
    """

    plan: dict[str, Any]
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """Return the name of the dataset."""
        return self.plan["dataset"]

    def run(self, row: str, **settings: Any) -> Run:
        """Return the run of a row.

        Args:
            row: one of ROWS.
            **settings: beside those that define the row; ``rank`` is the latent dimension of a deep model.
        """
        settings = choose("row", row, ROWS) | settings
        rank = settings.pop("rank", None)
        if rank is not None:
            settings["latent_dimension" if settings["model"] == "DeepAE" else "rank"] = rank
        label = f"{row}{f', rank {rank}' if rank else ''}"
        model = settings.pop("model")
        return make_run(model, self.dataset, self.plan["config_files"], {**settings, **self.overrides}, label)

    def candidates(self, row: str, **settings: Any) -> list[Run]:
        """Return the runs of a row with every combination of the values that the plan lets choose from.

        Args:
            row: one of ROWS.
            **settings: of all candidates.
        """
        choices = self._choices(row)
        points = (dict(zip(choices, values)) for values in itertools.product(*choices.values()))
        return [self.run(row, **point, **settings) for point in points]

    def extremes(self, row: str) -> list[Run]:
        """Return runs of a row that have every value that the plan lets choose from, and every rank, once.

        Args:
            row: one of ROWS.
        """
        choices = self._choices(row)
        first = {key: values[0] for key, values in choices.items()}
        points = [{**first, key: value} for key, values in choices.items() for value in values] or [first]
        ranks = [] if row == "full_rank" else [self.plan["rank"], *self.plan["ranks"]]
        return [self.run(row, **point) for point in points] + [self.run(row, **first, rank=rank) for rank in ranks]

    def _choices(self, row: str) -> dict[str, list]:
        """Return setting → values to choose from."""
        settings = self.plan["rows"][row]
        return {key: value if isinstance(value, list) else [value] for key, value in settings.items()}


class Study:
    """Measure on one dataset under one protocol, and put everything on record.

    Args:
        protocol: the dataset and its settings.
        records: where finished runs and measurements are found, and new ones are put.
        engine: one of ``engine.ENGINES``.
    """

    def __init__(self, protocol: Protocol, records: Records, engine: str = "sequential") -> None:
        self.protocol = protocol
        self.records = records
        self.engine = engine
        self._best: dict[tuple[str, str], dict[str, Any]] = {}

    @property
    def plan(self) -> dict[str, Any]:
        """Return the plan of the protocol."""
        return self.protocol.plan

    def best(self, row: str, **settings: Any) -> dict[str, Any]:
        """Return the settings among the plan's that are the best on validation.

        Args:
            row: one of ROWS.
            **settings: of all candidates.
        """
        name = (row, repr(settings))
        if name not in self._best:
            candidates = self.protocol.candidates(row, **settings)
            best = candidates[0]
            if len(candidates) > 1:
                best, _ = best_of(self._run(candidates, ("valid",)))
            self._best[name] = {key: best.settings[key] for key in self.plan["rows"][row]}
        return self._best[name]

    def test(self, runs: Mapping[Any, Run]) -> dict[Any, dict[str, Any]]:
        """Return label → "metrics", per-user "values" of the validation metric, and their "mean" and "error".

        Args:
            runs: label → what to test.
        """
        records = {id(run): record for run, record in self._run(runs.values(), ("valid", "test"))}
        return {label: self._outcome(records[id(run)]) for label, run in runs.items()}

    def remember(self, name: str, measure: Callable[..., Any], *inputs: Any) -> Any:
        """Return a measurement, from the records where it has been taken before.

        Args:
            name: of the measurement, on record.
            measure: called as ``measure(study, *inputs)``; the measurement depends on the code of its module.
            *inputs: what JSON can hold.
        """
        models = tuple(sorted({row["model"] for row in ROWS.values()}))
        modules = (*RUNNER, __name__, measure.__module__)
        run = self.protocol.run("full_rank")
        identity = {"measured": name, "inputs": inputs, **run.identity((), models, modules, self.records.files)}
        key = key_of(identity)
        finished = self.records.finished()
        if "data" in finished.get(key, ()):
            return finished[key]["data"]
        data = measure(self, *inputs)
        record = {"key": key, "status": "ok", "model": name, "dataset": self.protocol.dataset, "data": data}
        self.records.append({**record, "identity": identity})
        _say(f"{self.protocol.dataset}  {name} {' '.join(map(str, inputs))}: measured")
        return data

    @functools.cached_property
    def X(self) -> sp.csr_matrix:
        """Return the training interactions, ones of shape (users, items), of items and users that have any."""
        config = self.protocol.run("full_rank").config()
        fingerprint(config.final_config_dict, self.records.files)  # refuses files that have changed
        with quiet():
            train, *_ = prepare_data(config)
        X = binary_interactions(train.dataset)
        return X[np.diff(X.indptr) > 0][:, np.diff(X.tocsc().indptr) > 0]

    @property
    def ranks(self) -> list[int]:
        """Return the plan's ranks, up to the number of items."""
        return [rank for rank in self.plan["ranks"] if rank <= self.X.shape[1]]

    @functools.cached_property
    def metric(self) -> str:
        """Return the name of the validation metric."""
        return self.protocol.run("full_rank").config()["valid_metric"].lower()

    def _run(self, runs: Iterable[Run], phases: Sequence[str]) -> list[tuple[Run, dict[str, Any]]]:
        """Return the records of runs, which have to end well."""
        outcomes = []
        for run, record, cached in run_all(runs, self.records, phases, self.engine):
            if record["status"] == "failed":
                raise RunFailed(f"{run.label}: {record['error']}; what ended before is on record", record["traceback"])
            outcomes.append((run, record))
            if not cached:
                _say(f"{self.protocol.dataset}  {run.label} {_line(run, record)}")
        return outcomes

    def _outcome(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a test came to."""
        per_user = self.records.per_user(record["key"])
        if per_user is None:
            raise ValueError(f"{self.metric}: figures need a ranking metric, which has values per user")
        values = per_user.metric(self.metric)
        mean = float(values.mean())
        return {"metrics": record["test"], "values": values, "mean": mean, "error": standard_error(values)}


def _line(run: Run, record: Mapping[str, Any]) -> str:
    """Return one line on a run that has ended."""
    metric = record["identity"]["settings"]["valid_metric"].lower()
    shown = ("reg_weight", "dropout_prob")
    settings = ", ".join(f"{key} {run.settings[key]:g}" for key in shown if key in run.settings)
    phase = "test" if "test" in record else "valid"
    return f"({settings}): {phase} {metric} {record[phase][metric]:.4f}, {record['fit_seconds']:.1f} s"


def _say(line: str) -> None:
    """Print a line beside the progress bar."""
    tqdm.write(line, file=sys.stderr)
