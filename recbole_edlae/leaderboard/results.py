"""Collect the measurements of a leaderboard, their confidence intervals, and which differences are significant."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from recbole_edlae.evaluation.per_user import RANKING, PerUser
from recbole_edlae.evaluation.significance import interval, pairwise
from recbole_edlae.runs.records import Records
from recbole_edlae.settings.corrections import CORRECTIONS

KINDS = ("active", "touched")
LEVEL = 0.05  # significance level of the corrected tests; the intervals are at 1 − LEVEL


@dataclasses.dataclass
class Row:
    """One model with its settings, over all seeds.

    Attributes:
        label: name of the row in the report.
        model: name of the model.
        kind: "run", "failed" or "published".
        settings: settings of this row, beside the shared ones.
        metrics: name → mean of RecBole's results over seeds.
        intervals: name → low and high end of the confidence interval.
        fit_seconds: mean over seeds.
        note: reason of the failure, or source of the publication.
        mark: how its settings were chosen, for example "validation" or "tuned on test".
        corrections: corrections of RecBole's numbers: "active" ones, and those that "touched" any run of this row.
    """

    label: str
    model: str
    kind: str
    settings: dict[str, Any]
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    fit_seconds: float | None = None
    note: str = ""
    mark: str = ""
    corrections: dict[str, list[str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Leaderboard:
    """All rows for one dataset, best first; failed ones last.

    Attributes:
        dataset: name of the dataset.
        metrics: names, the validation metric first.
        rows: the best first.
        protocol: settings that all rows share.
        seeds: seeds of the runs.
        users: number of users that the tests compare; 0 where no ranking metric was evaluated.
        test: one of ``significance.TESTS``.
        p_values: metric → table of labels × labels.
    """

    dataset: str
    metrics: list[str]
    rows: list[Row]
    protocol: dict[str, Any]
    seeds: list[int]
    users: int
    test: str
    p_values: dict[str, pd.DataFrame]

    def best(self, metric: str) -> Row | None:
        """Return the row whose lead over every other row that was run is significant, or None."""
        # Metrics without values of users have no tests.
        table = self.p_values.get(metric)
        if table is None:
            return None

        # Published rows and those without values of users lead nothing.
        runs = []
        for row in self.rows:
            if row.kind == "run" and row.label in table.index:
                runs.append(row)
        if len(runs) < 2:
            return None

        # Only the row with the largest mean can lead all others.
        leader = max(runs, key=lambda row: row.metrics[metric])
        p_values = table.loc[leader.label].drop(leader.label)
        if (p_values < LEVEL).all():
            return leader
        return None


def build(
    dataset: str,
    outcomes: Mapping[str, Sequence[Mapping[str, Any]]],
    records: Records,
    *,
    settings: Mapping[str, dict[str, Any]],
    test: str = "wilcoxon",
    reference: Iterable[Row] = (),
    marks: Mapping[str, str] | None = None,
) -> Leaderboard:
    """Return the leaderboard of finished runs.

    Args:
        dataset: name of the dataset.
        outcomes: label → records, one per seed.
        records: holds the values per user.
        settings: label → settings of this row, beside the shared ones.
        test: one of ``significance.TESTS``.
        reference: published rows to show as well.
        marks: label → how the settings of the row were chosen.
    """
    marks = marks or {}
    rows = []
    ran = []
    for label, seeds in outcomes.items():
        row = _row(label, seeds, settings[label], marks.get(label, ""))
        rows.append(row)
        if row.kind == "run":
            ran.append(row)

    # All seeds of a row have the same settings but the seed.
    configs = [seeds[0]["identity"]["settings"] for seeds in outcomes.values()]
    valid_metric = configs[0]["valid_metric"].lower()

    # In RecBole's order, with the validation metric, if the test has it, before all others.
    names: list[str] = []
    for row in ran[:1]:
        names = sorted(row.metrics, key=lambda name: name != valid_metric)

    # Tests and intervals are over users, for the rows that have their values.
    per_user = {}
    for row in ran:
        per_user[row.label] = [records.per_user(record["key"]) for record in outcomes[row.label]]
    p_values: dict[str, pd.DataFrame] = {}
    users = 0
    for name, values in _values_of_users(per_user, names):
        p_values[name] = pairwise(values, test)
        users = len(values)
        for row in ran:
            if row.label in values:
                row.intervals[name] = interval(values[row.label], 1 - LEVEL)

    # A failed run does not say whether bigger is better.
    bigger = True
    all_seeds = set()
    for seeds in outcomes.values():
        bigger = bigger and seeds[0].get("bigger", True)
        for record in seeds:
            all_seeds.add(record["identity"]["settings"]["seed"])

    return Leaderboard(
        dataset=dataset,
        metrics=names,
        rows=_ranked([*rows, *reference], valid_metric, bigger),
        protocol=_shared(configs),
        seeds=sorted(all_seeds),
        users=users,
        test=test,
        p_values=p_values,
    )


def _row(label: str, seeds: Sequence[Mapping[str, Any]], settings: dict[str, Any], mark: str) -> Row:
    """Return the row of the records of one model, one per seed."""
    # A mean over fewer seeds would not be comparable with that of the other rows.
    model = seeds[0]["model"]
    for record in seeds:
        if record["status"] == "failed":
            return Row(label, model, "failed", settings, note=record["error"], mark=mark)

    # All seeds are evaluated with the same metrics.
    means = {}
    for name in seeds[0]["test"]:
        means[name] = float(np.mean([record["test"][name] for record in seeds]))
    seconds = float(np.mean([record["fit_seconds"] for record in seeds]))

    # Those of any seed. Records of earlier versions have none.
    corrections: dict[str, list[str]] = {}
    for kind in KINDS:
        corrections[kind] = []
        for name in CORRECTIONS:
            if any(name in record.get("corrections", {}).get(kind, ()) for record in seeds):
                corrections[kind].append(name)
    return Row(
        label, model, "run", settings, means, fit_seconds=seconds, mark=mark, corrections=corrections
    )


def _ranked(rows: Iterable[Row], metric: str, bigger: bool) -> list[Row]:
    """Return the rows, the best by a metric first, then those without it, failed ones last."""

    def rank(row: Row) -> tuple[bool, bool, float]:
        value = row.metrics.get(metric, math.nan)
        is_missing = math.isnan(value)
        if is_missing:
            value = 0.0  # NaN has no order; these rows stay as they are among themselves
        elif bigger:
            value = -value
        return row.kind == "failed", is_missing, value

    return sorted(rows, key=rank)


def _values_of_users(
    per_user: Mapping[str, Sequence[PerUser | None]], names: Iterable[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each ranking metric with its values, users × labels, of the rows that have them for every seed."""
    complete = {}
    for label, seeds in per_user.items():
        if None not in seeds:
            complete[label] = cast(Sequence[PerUser], seeds)
    if not complete:
        return

    # Only ranking metrics are means over users.
    for name in names:
        if name.partition("@")[0] in RANKING:
            columns = {}
            for label, known in complete.items():
                columns[label] = _over_seeds(known, name)
            yield name, pd.DataFrame(columns)


def _over_seeds(seeds: Sequence[PerUser], name: str) -> pd.Series:
    """Return the mean of a metric over seeds for each user, because the tests sample users.

    A sequential model ranks once for each of a user's interactions in the test; their mean is the user's value.
    """
    values = []
    for hits in seeds:
        rankings = pd.Series(hits.metric(name), index=hits.users)
        values.append(rankings.groupby(level=0).mean())
    return pd.concat(values, axis=1).mean(axis=1)


def _shared(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings on which all configs agree, without the seed."""
    shared = dict(configs[0])
    shared.pop("seed", None)
    for config in configs[1:]:
        for key in list(shared):
            if config.get(key) != shared[key]:
                del shared[key]
    return shared
