"""Share models, settings chosen on validation, and recorded measurements between figures."""

import dataclasses
import functools
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
from recbole_edlae.runs import space as spaces
from recbole_edlae.runs.dimension import Dimension
from recbole_edlae.runs.engine import RunFailed, run_all
from recbole_edlae.runs.preparation import prepare_data
from recbole_edlae.runs.records import Records, best_of
from recbole_edlae.runs.run import Run, key_of, make_run
from recbole_edlae.runs.runner import quiet

# The models that Steck 2020 compares in Table 1 and Figure 1, by the settings that define them. A settings file has all
# other settings.
ROWS: dict[str, dict[str, Any]] = {
    "weight_decay": {"model": "DLAE", "solver": "weight_decay", "dropout_prob": 0.0},
    "free_diagonal": {"model": "DLAE", "solver": "free_diagonal", "dropout_prob": 0.0},
    "DLAE": {"model": "DLAE", "solver": "free_diagonal"},
    "sampled": {
        "model": "DeepAE",
        "latent_activation": "identity",
        "use_bias": False,
        "normalize_input": False,
    },
    "EDLAE": {"model": "LowRankEDLAE", "solver": "admm"},
    "closed_form": {"model": "LowRankEDLAE", "solver": "eigen"},
    "zero_diagonal": {"model": "LowRankEDLAE", "solver": "zero_diagonal", "dropout_prob": 0.0},
    "full_rank": {"model": "EDLAE"},
}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """One dataset with the settings of all figures.

    Attributes:
        plan: content of a settings file: ``dataset``, ``config_files`` (paths), ``rows``, and settings of figures.
            ``rows`` maps the names of ROWS to settings, where a list holds values to choose from on validation.
        overrides: settings for all runs.
    """

    plan: dict[str, Any]
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def run(self, row: str, **settings: Any) -> Run:
        """Return the run of a row; ``rank`` is the latent dimension of a deep model."""
        settings = choose("row", row, ROWS) | settings
        label = row

        # The rank has another name in each model.
        model = settings.pop("model")
        rank = settings.pop("rank", None)
        if rank is not None:
            key = "rank"
            if model == "DeepAE":
                key = "latent_dimension"
            settings[key] = rank
            label = f"{row}, rank {rank}"

        # Overrides come last: they are for all runs.
        settings |= self.overrides
        return make_run(model, self.plan["dataset"], self.plan["config_files"], settings, label)

    def candidates(self, row: str, **settings: Any) -> list[Run]:
        """Return the runs of a row with every combination of the values in the plan."""
        candidates = []
        for point in spaces.exhaustive(self._space(row)):
            candidates.append(self.run(row, **point, **settings))
        return candidates

    def extremes(self, row: str) -> list[Run]:
        """Return runs of a row that have every value in the plan, and every rank, at least once."""
        points = spaces.extremes(self._space(row))
        runs = [self.run(row, **point) for point in points]

        # Only this model has no rank.
        if row != "full_rank":
            for rank in (self.plan["rank"], *self.plan["ranks"]):
                runs.append(self.run(row, **points[0], rank=rank))
        return runs

    def _space(self, row: str) -> list[Dimension]:
        """Return the values to choose from for each setting of a row."""
        dimensions = []
        for key, value in self.plan["rows"][row].items():
            values = value
            if not isinstance(value, list):
                values = [value]
            dimensions.append(Dimension(key, "choice", tuple(values)))
        return dimensions


class Study:
    """Measure on one dataset under one protocol, and record every measurement."""

    def __init__(self, protocol: Protocol, records: Records, engine: str = "sequential") -> None:
        self.protocol = protocol
        self.plan = protocol.plan
        self.records = records
        self.engine = engine

    def best(self, row: str, **settings: Any) -> dict[str, Any]:
        """Return the best settings in the plan, chosen on validation."""
        # A single candidate need not run. Several figures ask for the same row, whose runs are then on record.
        candidates = self.protocol.candidates(row, **settings)
        best = candidates[0]
        if len(candidates) > 1:
            best, _ = best_of(self._run(candidates, ("valid",)))
        return {key: best.settings[key] for key in self.plan["rows"][row]}

    def best_of_each(self, rows: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return row → its best settings in the plan at ``rank``, chosen on validation."""
        return {row: self.best(row, rank=self.rank) for row in rows}

    def test(self, runs: Mapping[Any, Run]) -> dict[Any, dict[str, Any]]:
        """Return label → "metrics", and "values" per user of the validation metric, their "mean" and "error"."""
        # Runs may be equal, and come back in any order.
        outcomes = {}
        for run, record in self._run(runs.values(), ("valid", "test")):
            outcomes[id(run)] = self._outcome(record)
        return {label: outcomes[id(run)] for label, run in runs.items()}

    def remember(self, name: str, measure: Callable[..., Any], *inputs: Any) -> Any:
        """Return a measurement, from the records if it is there under this name and with these inputs.

        Otherwise ``measure(study, *inputs)`` makes it; JSON can hold the inputs and the result.
        """
        # It depends on the data and the code like a run, so it has the identity of one.
        modules = (__name__, measure.__module__)
        run = self.protocol.run("full_rank")
        of_run = run.identity((), modules, self.records.files)
        identity = {"measured": name, "inputs": inputs, **of_run}
        key = key_of(identity)
        finished = self.records.finished()
        if "data" in finished.get(key, ()):
            return finished[key]["data"]

        # On record at once: an interrupted study loses only what it was measuring.
        data = measure(self, *inputs)
        dataset = self.plan["dataset"]
        record = {"key": key, "status": "ok", "model": name, "dataset": dataset, "data": data}
        self.records.append(record | {"identity": identity})
        tqdm.write(f"{dataset}  {name} {' '.join(map(str, inputs))}: measured", file=sys.stderr)
        return data

    @functools.cached_property
    def X(self) -> sp.csr_matrix:
        """Return the binary training matrix, of shape (users, items), without empty rows and columns."""
        # Refuse files that have changed since the first run.
        config = self.protocol.run("full_rank").config()
        fingerprint(config.final_config_dict, self.records.files)
        with quiet():
            train, *_ = prepare_data(config)

        X = binary_interactions(train.dataset)
        has_items = np.diff(X.indptr) > 0
        has_users = np.diff(X.tocsc().indptr) > 0
        return X[has_items][:, has_users]

    def up_to_items(self, ranks: Iterable[int]) -> list[int]:
        """Return the ranks that a matrix of these items can have."""
        return [rank for rank in ranks if rank <= self.X.shape[1]]

    @property
    def rank(self) -> int:
        """Return the plan's ``rank``, or the largest of its ranks that a small catalog has."""
        return min(self.plan["rank"], self.up_to_items(self.plan["ranks"])[-1])

    @functools.cached_property
    def metric(self) -> str:
        """Return the name of the validation metric."""
        return self.protocol.run("full_rank").config()["valid_metric"].lower()

    def _run(self, runs: Iterable[Run], phases: Sequence[str]) -> list[tuple[Run, dict[str, Any]]]:
        """Return the records of runs; the first one that fails ends the study."""
        # A figure with a missing row would compare less than it claims.
        outcomes = []
        for run, record, cached in run_all(runs, self.records, phases, self.engine):
            if record["status"] == "failed":
                reason = f"{run.label}: {record['error']}; what ended before is on record"
                raise RunFailed(reason, record["traceback"])
            outcomes.append((run, record))

            # Cached runs were printed by an earlier command.
            if not cached:
                tqdm.write(f"{run.dataset}  {run.label} {_line(run, record)}", file=sys.stderr)
        return outcomes

    def _outcome(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return metrics, values per user, their mean and standard error for the record of a test."""
        per_user = self.records.per_user(record["key"])
        if per_user is None:
            raise ValueError(f"{self.metric}: figures need a ranking metric, which has values per user")

        # Leads are differences of the same users' values.
        values = per_user.metric(self.metric)
        return {
            "metrics": record["test"],
            "values": values,
            "mean": float(values.mean()),
            "error": standard_error(values),
        }


def _line(run: Run, record: Mapping[str, Any]) -> str:
    """Return one line on a run that has ended."""
    # The two settings that the plans choose on validation.
    settings = []
    for key in ("reg_weight", "dropout_prob"):
        if key in run.settings:
            settings.append(f"{key} {run.settings[key]:g}")

    # A tested run has been validated too.
    phase = "valid"
    if "test" in record:
        phase = "test"
    metric = record["identity"]["settings"]["valid_metric"].lower()
    value = record[phase][metric]
    return f"({', '.join(settings)}): {phase} {metric} {value:.4f}, {record['fit_seconds']:.1f} s"
