"""Collect a leaderboard's measurements, their confidence intervals, and which differences are more than chance."""

import csv
import dataclasses
import io
import math
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from recbole.evaluator import metric_types

from recbole_edlae.evaluation.per_user import RANKING, PerUser
from recbole_edlae.evaluation.significance import interval, pairwise
from recbole_edlae.runs.records import Records
from recbole_edlae.settings.corrections import CORRECTIONS

_COMMENT = re.compile(r"#|\s*$")  # in a file of published results, and empty lines
KINDS = ("active", "touched")
LEVEL = 0.05  # of the corrected tests; the intervals are at 1 − LEVEL


@dataclasses.dataclass
class Row:
    """One model with its settings, over all seeds.

    Attributes:
        label: what the report calls it.
        model: name of the model.
        kind: "run", "failed" or "published".
        settings: the settings that are this row's own.
        metrics: name → mean of RecBole's results over seeds.
        intervals: name → low and high end of the confidence interval.
        fit_seconds: mean over seeds.
        note: why it failed, or where it was published.
        mark: how its settings were chosen, for example "validation" or "tuned on test".
        corrections: of RecBole's numbers: "active", and those that "touched" this row, in any of its seeds.
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
        dataset: its name.
        metrics: names, the validation metric first.
        rows: the best first.
        protocol: settings that all rows share.
        seeds: of the runs.
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
        """Return the row whose lead over every other one that was run is significant, or None.

        Args:
            metric: "metric@k" as in RecBole's results.
        """
        table = self.p_values.get(metric)
        if table is None:
            return None
        runs = [row for row in self.rows if row.kind == "run" and row.label in table.index]
        if len(runs) < 2:
            return None
        leader = max(runs, key=lambda row: row.metrics[metric])
        return leader if (table.loc[leader.label].drop(leader.label) < LEVEL).all() else None


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
    """Return the leaderboard of what was run.

    Args:
        dataset: its name.
        outcomes: label → records, one per seed.
        records: has the values per user.
        settings: label → the settings that are this row's own.
        test: one of ``significance.TESTS``.
        reference: rows published elsewhere, to show beside.
        marks: label → how the settings of the row were chosen.
    """
    rows = [_row(label, seeds, settings[label]) for label, seeds in outcomes.items()]
    for row in rows:
        row.mark = (marks or {}).get(row.label, "")
    ran = [row for row in rows if row.kind == "run"]
    configs = [record["identity"]["settings"] for seeds in outcomes.values() for record in seeds]
    first_of_each = [seeds[0]["identity"]["settings"] for seeds in outcomes.values()]
    valid_metric = first_of_each[0]["valid_metric"].lower()
    names = _metric_names(ran, valid_metric)
    per_user = {row.label: [records.per_user(record["key"]) for record in outcomes[row.label]] for row in ran}
    p_values: dict[str, pd.DataFrame] = {}
    users = 0
    for name, values in _values_of_users(per_user, names):
        p_values[name] = pairwise(values, test)
        users = len(values)
        for row in ran:
            if row.label in values:
                row.intervals[name] = interval(values[row.label], 1 - LEVEL)
    bigger = all(seeds[0].get("bigger", True) for seeds in outcomes.values())
    return Leaderboard(
        dataset=dataset,
        metrics=names,
        rows=_ranked([*rows, *reference], valid_metric, bigger),
        protocol=_shared(first_of_each),
        seeds=sorted({config["seed"] for config in configs}),
        users=users,
        test=test,
        p_values=p_values,
    )


def read_reference(path: str | os.PathLike) -> list[Row]:
    """Return the rows of a CSV file of published results.

    Args:
        path: of a file with columns model and source, one per metric, and mark where a row needs one. Lines that begin
            with # are comments. The source, the mark and a metric may be empty.

    Raises:
        ValueError: the file cannot be read, lacks a column or has a metric that is no number; the message has the line.
    """
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8-sig")
        lines = {number: line for number, line in enumerate(io.StringIO(text), 1) if not _COMMENT.match(line)}
        numbers = list(lines)
        reader = csv.DictReader(lines.values(), restval="", strict=True)
        columns = reader.fieldnames or ()
        content = [(numbers[reader.line_num - 1], line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"reference: {path} cannot be read: {' '.join(str(error).split())}") from None
    if missing := {"model", "source"}.difference(columns):
        raise ValueError(f"reference: {path} has no column {', '.join(sorted(missing))}")
    return [_published(line, f"reference: {path}, line {number}") for number, line in content]


def _published(line: Mapping[str, str], where: str) -> Row:
    """Return the row of a line of a file of published results."""
    if None in line:
        raise ValueError(f"{where} has more fields than the header")
    metrics = {}
    for column, value in line.items():
        name = column.lower()
        if value.strip() and ("@" in name or name in metric_types):
            metrics[name] = _number(value, f"{where}: {column}")
    if not line["model"].strip():
        raise ValueError(f"{where} names no model")
    return Row(line["model"], line["model"], "published", {}, metrics, note=line["source"], mark=line.get("mark", ""))


def _number(text: str, where: str) -> float:
    """Return the finite number that a text is."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where} must be a number, got {text!r}")
    return number


def _row(label: str, seeds: Sequence[Mapping[str, Any]], settings: dict[str, Any]) -> Row:
    """Return the row of the records of one model, one per seed."""
    model = seeds[0]["model"]
    if failed := [record for record in seeds if record["status"] == "failed"]:
        return Row(label, model, "failed", settings, note=failed[0]["error"])
    means = {name: float(np.mean([record["test"][name] for record in seeds])) for name in seeds[0]["test"]}
    seconds = float(np.mean([record["fit_seconds"] for record in seeds]))
    noted = [record.get("corrections", {}) for record in seeds]  # records of earlier versions have none
    merged = {kind: [name for name in CORRECTIONS if any(name in one.get(kind, ()) for one in noted)] for kind in KINDS}
    return Row(label, model, "run", settings, means, fit_seconds=seconds, corrections=merged)


def _metric_names(ran: Sequence[Row], valid_metric: str) -> list[str]:
    """Return the metrics in RecBole's order, with the validation metric before all others."""
    if not ran:
        return []
    names = [name for name in ran[0].metrics if name != valid_metric]
    return [valid_metric, *names] if any(valid_metric in row.metrics for row in ran) else names


def _ranked(rows: Iterable[Row], metric: str, bigger: bool) -> list[Row]:
    """Return the rows, the best by a metric first, those that failed last."""
    sign = -1 if bigger else 1

    def place(row: Row) -> tuple[bool, bool, float]:
        value = row.metrics.get(metric, math.nan)
        return row.kind == "failed", math.isnan(value), 0.0 if math.isnan(value) else sign * value

    return sorted(rows, key=place)


def _values_of_users(
    per_user: Mapping[str, Sequence[PerUser | None]], names: Iterable[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each ranking metric with its values, users × labels, of the rows that have them for every seed."""
    complete = {}
    for label, seeds in per_user.items():
        known = [hits for hits in seeds if hits is not None]
        if len(known) == len(seeds):
            complete[label] = known
    for name in names:
        if complete and name.partition("@")[0] in RANKING:
            yield name, pd.DataFrame({label: _over_seeds(seeds, name) for label, seeds in complete.items()})


def _over_seeds(seeds: Sequence[PerUser], name: str) -> pd.Series:
    """Return the mean of a metric over seeds for each user: users are what the tests draw from.

    A sequential model ranks once for each of a user's interactions in the test; their mean is the user's value.
    """
    values = [pd.Series(hits.metric(name), index=hits.users).groupby(level=0).mean() for hits in seeds]
    return values[0] if len(values) == 1 else pd.concat(values, axis=1).mean(axis=1)


def _shared(configs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings on which all configs agree, but for the seed."""
    return {
        key: value
        for key, value in configs[0].items()
        if key != "seed" and all(config.get(key) == value for config in configs)
    }
