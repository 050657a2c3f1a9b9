"""Describe what a sweep found: the config file of the best trial, and the summary of all trials."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from recbole_edlae.runs import space as spaces
from recbole_edlae.runs.run import WITHOUT_EFFECT, Run
from recbole_edlae.settings.rules import SEARCH_FILES


def best_config(
    best: Run,
    validated: Mapping[str, Any],
    tested: Mapping[str, Any] | None,
    *,
    space: Sequence[spaces.Dimension],
    given: Mapping[str, Any],
    command: str,
) -> str:
    """Return the text of a config file with the best settings and the given ones, which `run` can take unchanged."""
    config = best.config()
    searched = {dimension.key: config[dimension.key] for dimension in space}

    # RecBole finds a dataset that ships with it by its name; any other needs its path, for another working directory.
    content = {"model": best.model, "dataset": best.dataset}
    data_path = best.settings.get("data_path", "")
    if config["data_path"] == os.path.join(data_path, best.dataset):
        content["data_path"] = data_path
    content |= searched

    # All other settings that were given, and what the refit adds to them.
    omitted = {*WITHOUT_EFFECT, *content}
    protocol = {key: value for key, value in given.items() if key not in omitted}
    for key in ("epochs", "eval_step", "members"):
        if key in best.settings and key not in searched:
            protocol[key] = best.settings[key]

    text = _head(validated, tested, given, command)
    for block in (content, protocol):
        if block:
            text += "\n"
        for key, value in block.items():
            # A list of one, in flow style, keeps any value on its line.
            line = yaml.safe_dump([value], default_flow_style=True, width=float("inf"))
            text += f"{key}: {line.strip()[1:-1]}\n"
    return text


def summary(
    outcomes: Sequence[tuple[Run, Mapping[str, Any]]],
    validated: Mapping[str, Any],
    tested: Mapping[str, Any] | None,
    command: str,
) -> dict[str, Any]:
    """Return the content of ``sweep.json``: number of trials, the best of them and its test, and the hours of each.

    Cached trials count too, so the hours of a search that was interrupted are those of all its trials.
    """
    # Equal trials share a record.
    records = {record["key"]: record for _, record in outcomes}.values()
    search = {
        "trials": len(records),
        "failed": sum(record["status"] == "failed" for record in records),
        "hours": sum(record["seconds"] for record in records) / 3600,
        "best": validated["key"],
    }

    test = None
    if tested is not None:
        test = {"hours": tested["seconds"] / 3600, "key": tested["key"]}
    return {"command": command, "search": search, "test": test}


def _head(
    validated: Mapping[str, Any], tested: Mapping[str, Any] | None, given: Mapping[str, Any], command: str
) -> str:
    """Return the comments at the top of the config file: the command, the results and the data."""
    # A search on files of its own and the refit have different data.
    trained_on = ""
    refitted_on = ""
    if given.get(SEARCH_FILES) is not None:
        trained_on = f", trained on {given[SEARCH_FILES][0]}"
        refitted_on = f", refitted on {given['benchmark_filename'][0]}"

    # A command can have line breaks within its arguments.
    lines = command.splitlines()
    lines.append(f"valid{trained_on}: {_metrics(validated['valid'])}")
    if tested and tested["status"] == "ok":
        lines.append(f"test{refitted_on}: {_metrics(tested['test'])}")
    elif tested:
        lines.append(f"test{refitted_on}: failed, {tested['error']}")
    lines.append(f"fingerprint of the data{trained_on}: {validated['identity']['data']}")
    return "".join(f"# {line}\n" for line in lines)


def _metrics(values: Mapping[str, float]) -> str:
    """Return metrics with their values on one line."""
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items())
