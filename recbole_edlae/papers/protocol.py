"""What the figures share: models by their row, settings chosen on validation, tests and measurements on record."""

import dataclasses
import functools
import itertools
import math
import sys

import numpy as np
from scipy.stats import norm
from tqdm import tqdm

from recbole_edlae._choices import choose
from recbole_edlae.cli import errors
from recbole_edlae.cli import runs as command
from recbole_edlae.model.history import binary_interactions
from recbole_edlae.runs import engine
from recbole_edlae.runs import run as cells
from recbole_edlae.runs.code import RUNNER
from recbole_edlae.runs.runner import quiet

from recbole.data import create_dataset, data_preparation  # isort: skip
from recbole.utils import init_seed  # isort: skip

# What is compared in Steck 2020, Table 1 and Figure 1: the settings that define it. The rest is a settings file's.
ROWS = {
    "weight_decay": {"model": "DLAE", "solver": "weight_decay", "dropout_prob": 0.0},
    "free_diagonal": {"model": "DLAE", "solver": "free_diagonal", "dropout_prob": 0.0},
    "DLAE": {"model": "DLAE", "solver": "free_diagonal"},
    "sampled": {"model": "DeepAE", "latent_activation": "identity", "use_bias": False, "normalize_input": False},
    "EDLAE": {"model": "LowRankEDLAE", "solver": "admm"},
    "closed_form": {"model": "LowRankEDLAE", "solver": "eigen"},
    "zero_diagonal": {"model": "LowRankEDLAE", "solver": "zero_diagonal", "dropout_prob": 0.0},
    "full_rank": {"model": "EDLAE"},
}


class Lab:
    """One dataset under one protocol.

    Args:
        plan: dict, content of a settings file: ``dataset``, ``config_files`` (found already), ``rows``, which maps the
            names of ROWS to settings, a list of values being a choice to make on validation, and what figures ask for.
        overrides: settings for all runs.
        runner: one of engine.ENGINES.

    ``records``, a Records, is to be set before anything is run.
    """

    records = None

    def __init__(self, plan, overrides=None, runner="sequential"):
        self.plan, self.overrides, self.runner = plan, dict(overrides or {}), runner
        self.dataset, self.files = plan["dataset"], plan["config_files"]
        self.chosen = {}

    def cell(self, row, **settings):
        """Cell of a row with these settings beside those that define it."""
        own = choose("row", row, ROWS) | settings
        rank = own.pop("rank", None)
        if rank is not None:
            own["latent_dimension" if own["model"] == "DeepAE" else "rank"] = rank
        label = f"{row}{f', rank {rank}' if rank else ''}"
        return command.make_cell(own.pop("model"), self.dataset, self.files, {**own, **self.overrides}, label)

    def candidates(self, row, **settings):
        """Cells of a row for every combination of the values that the plan lets choose from."""
        lists = {key: value if isinstance(value, list) else [value] for key, value in self.plan["rows"][row].items()}
        points = (dict(zip(lists, values)) for values in itertools.product(*lists.values()))
        return [self.cell(row, **point, **settings) for point in points]

    def ends(self, row: str) -> list[cells.Cell]:
        """Return cells of a row in which every value that the plan lets choose from, and every rank, is there once."""
        lists = {key: value if isinstance(value, list) else [value] for key, value in self.plan["rows"][row].items()}
        first = {key: values[0] for key, values in lists.items()}
        points = [{**first, key: value} for key, values in lists.items() for value in values] or [first]
        ranks = [] if row == "full_rank" else [self.plan["rank"], *self.plan["ranks"]]
        return [self.cell(row, **point) for point in points] + [self.cell(row, **first, rank=rank) for rank in ranks]

    def best(self, row, **settings):
        """The settings among the plan's that are the best on validation, as a dict."""
        lists = self.plan["rows"][row]
        name = (row, repr(settings))
        if name not in self.chosen:
            runs = self._run(self.candidates(row, **settings), ("valid",)) if self.candidates(row)[1:] else []
            first = self.candidates(row, **settings)[0]
            best = max(runs, key=lambda run: run[1]["score"] * (1 if run[1]["bigger"] else -1))[0] if runs else first
            self.chosen[name] = {key: best.settings[key] for key in lists}
        return self.chosen[name]

    def test(self, wanted):
        """Tests cells; label → dict of "metrics", per-user values of "metric" and its mean and standard error.

        Args:
            wanted: label → Cell.
        """
        found = {id(cell): record for cell, record in self._run(list(wanted.values()), ("valid", "test"))}
        return {label: self._outcome(found[id(cell)]) for label, cell in wanted.items()}

    def remember(self, name, measure, *inputs):
        """What ``measure(lab, *inputs)`` returns, from the records where that has been measured before."""
        models = tuple(sorted({row["model"] for row in ROWS.values()}))
        modules = (*RUNNER, __name__, measure.__module__)
        identity = {"measured": name, "inputs": inputs, **self.cell("full_rank").identity((), models, modules)}
        key = cells.key(identity)
        done = self.records.finished()
        if "data" in done.get(key, ()):
            return done[key]["data"]
        data = measure(self, *inputs)
        record = {"key": key, "status": "ok", "model": name, "dataset": self.dataset, "data": data}
        self.records.append({**record, "identity": identity})
        _say(f"{self.dataset}  {name} {' '.join(map(str, inputs))}: measured")
        return data

    @functools.cached_property
    def X(self):
        """Training interactions, SciPy CSR of ones (users, items), of items and users that have any."""
        with quiet():
            config = self.cell("full_rank").config()
            init_seed(config["seed"], config["reproducibility"])
            train = data_preparation(config, create_dataset(config))[0]
        X = binary_interactions(train.dataset)
        return X[np.diff(X.indptr) > 0][:, np.diff(X.tocsc().indptr) > 0]

    @property
    def ranks(self):
        """The plan's ranks, up to the number of items."""
        return [rank for rank in self.plan["ranks"] if rank <= self.X.shape[1]]

    @functools.cached_property
    def metric(self):
        """Name of the validation metric."""
        return self.cell("full_rank").config()["valid_metric"].lower()

    def _run(self, wanted, phases):
        runs = []
        for cell, record, known in engine.run(wanted, self.records, phases, self.runner):
            if record["status"] == "failed":
                if errors.debug:
                    _say(record["traceback"])
                raise ValueError(f"{cell.label}: {record['error']}; what ended before is on record")
            runs.append((cell, record))
            if not known:
                command.tell(f"{self.dataset}  {cell.label} {_line(cell, record)}", record)
        return runs

    def _outcome(self, record):
        values = self.records.per_user(record["key"]).metric(self.metric)
        return {"metrics": record["test"], "values": values, "mean": float(values.mean()), "error": error(values)}


def error(values):
    """Standard error of a mean over users."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def lead(first, second):
    """Mean difference of two outcomes over the same users, and its standard error."""
    difference = first["values"] - second["values"]
    return [float(difference.mean()), error(difference)]


def ahead(difference, comparisons=1):
    """Whether a lead is more than chance: True or False where it is one or the other way, None where it is neither.

    The level is 5 percent on both sides, of all comparisons together (Bonferroni).
    """
    mean, deviation = difference
    if abs(mean) <= norm.isf(0.025 / comparisons) * deviation:
        return None
    return mean > 0


def never_behind(differences):
    """Whether no lead is negative by more than chance.

    False where one is, with all comparisons accounted for; None where one would be if it were the only one.
    """
    if any(ahead(each, len(differences)) is False for each in differences):
        return False
    return None if any(ahead(each) is False for each in differences) else True


def together(verdicts):
    """One verdict on a claim of several parts: False where a part fails, None where one is open."""
    return False if False in verdicts else None if None in verdicts else True


def signed(difference):
    """A difference and its standard error as text."""
    return f"{difference[0]:+.4f} ± {difference[1]:.4f}"


def with_solver(cell, row):
    """The same cell as another row of ROWS has it."""
    return dataclasses.replace(cell, settings={**cell.settings, "solver": ROWS[row]["solver"]})


def _line(cell, record):
    metric = record["identity"]["settings"]["valid_metric"].lower()
    kept = ("reg_weight", "dropout_prob")
    settings = ", ".join(f"{key} {cell.settings[key]:g}" for key in kept if key in cell.settings)
    phase = "test" if "test" in record else "valid"
    return f"({settings}): {phase} {metric} {record[phase][metric]:.4f}, {record['fit_seconds']:.1f} s"


def _say(line):
    tqdm.write(line, file=sys.stderr)
