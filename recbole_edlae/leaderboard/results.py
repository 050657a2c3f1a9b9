"""A leaderboard as data: what was measured, how sure it is, and which differences are more than chance."""

import dataclasses

import numpy as np
import pandas as pd

from recbole_edlae.evaluation.per_user import RANKING
from recbole_edlae.evaluation.significance import interval, pairwise

LEVEL = 0.05  # of the corrected tests; the intervals are at 1 − LEVEL


@dataclasses.dataclass
class Row:
    """One model with its settings, over all seeds."""

    label: str
    model: str
    kind: str  # "run", "failed" or "published"
    settings: dict
    metrics: dict = dataclasses.field(default_factory=dict)  # name → mean of RecBole's results over seeds
    intervals: dict = dataclasses.field(default_factory=dict)  # name → (low, high)
    fit_seconds: float | None = None  # mean over seeds
    note: str = ""  # why it failed, or where it was published


@dataclasses.dataclass
class Board:
    """All rows for one dataset, best first; failed ones last."""

    dataset: str
    metrics: list  # names, the validation metric first
    rows: list
    protocol: dict  # settings that all rows share
    seeds: list
    users: int  # that the tests compare; 0 where no ranking metric was evaluated
    test: str
    p_values: dict  # metric → DataFrame, labels × labels

    def best(self, metric):
        """The row whose lead over every other one that was run is significant, or None."""
        table = self.p_values.get(metric)
        runs = [row for row in self.rows if row.kind == "run" and table is not None and row.label in table.index]
        if len(runs) < 2:
            return None
        leader = max(runs, key=lambda row: row.metrics[metric])
        return leader if (table.loc[leader.label].drop(leader.label) < LEVEL).all() else None


def build(dataset, outcomes, records, *, settings, test="wilcoxon", reference=()):
    """Board from what was run.

    Args:
        dataset: its name.
        outcomes: label → list of records, one per seed.
        records: Records, for the values per user.
        settings: label → the settings that were this row's own.
        test: one of ``significance.TESTS``.
        reference: Rows published elsewhere, to stand beside.

    Returns:
        Board.
    """
    rows = [_row(label, found, settings[label]) for label, found in outcomes.items()]
    ran = [row for row in rows if row.kind == "run"]
    configs = [found[0]["identity"]["settings"] for found in outcomes.values()]
    first = configs[0]["valid_metric"].lower()
    names = sorted({name for row in ran for name in row.metrics}, key=lambda name: name != first)
    if ran:  # in RecBole's order
        names = [first] * (first in names) + [name for name in ran[0].metrics if name != first]
    kept = {row.label: [records.per_user(record["key"]) for record in outcomes[row.label]] for row in ran}
    kept = {label: seeds for label, seeds in kept.items() if all(each is not None for each in seeds)}
    p_values, users = {}, 0
    for name in names:
        if kept and name.partition("@")[0] in RANKING:
            values = pd.DataFrame({label: _over_seeds(seeds, name) for label, seeds in kept.items()})
            p_values[name], users = pairwise(values, test), len(values)
            for row in ran:
                if row.label in values:
                    row.intervals[name] = interval(values[row.label], 1 - LEVEL)
    bigger = all(found[0].get("bigger", True) for found in outcomes.values())
    worst = -np.inf if bigger else np.inf
    rows = sorted(
        [*rows, *reference],
        key=lambda row: (row.kind == "failed", (1 - 2 * bigger) * row.metrics.get(first, worst)),
    )
    return Board(
        dataset, names, rows, _shared(configs), sorted({config["seed"] for config in configs_of(outcomes)}),
        users, test, p_values,
    )  # fmt: skip


def configs_of(outcomes):
    """Final settings of every record."""
    return [record["identity"]["settings"] for found in outcomes.values() for record in found]


def read_reference(path):
    """Rows of a CSV file of published results: columns model and source, and one per metric."""
    try:
        frame = pd.read_csv(path, comment="#")
    except (OSError, ValueError) as error:
        raise ValueError(f"reference: {path} cannot be read: {' '.join(str(error).split())}") from None
    if missing := {"model", "source"} - set(frame.columns):
        raise ValueError(f"reference: {path} has no column {', '.join(sorted(missing))}")
    metrics = [name for name in frame.columns if "@" in name]
    return [
        Row(
            f"{row['model']}", row["model"], "published", {}, note=row["source"],
            metrics={name: float(row[name]) for name in metrics if not pd.isna(row[name])},
        )
        for _, row in frame.iterrows()
    ]  # fmt: skip


def _row(label, found, settings):
    model = found[0]["model"]
    if failed := [record for record in found if record["status"] == "failed"]:
        return Row(label, model, "failed", settings, note=failed[0]["error"])
    means = {name: float(np.mean([record["test"][name] for record in found])) for name in found[0]["test"]}
    seconds = float(np.mean([record["fit_seconds"] for record in found]))
    return Row(label, model, "run", settings, means, fit_seconds=seconds)


def _over_seeds(kept, name):
    """Mean of a metric over seeds for each user, as a Series over users: users are what the tests draw from."""
    seeds = [pd.Series(each.metric(name), index=each.users) for each in kept]
    return seeds[0] if len(seeds) == 1 else pd.concat(seeds, axis=1).mean(axis=1)


def _shared(configs):
    """The settings on which all configs agree, but for the seed."""
    return {
        key: value
        for key, value in configs[0].items()
        if key != "seed" and all(config.get(key) == value for config in configs)
    }
