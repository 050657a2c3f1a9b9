"""Read the settings file of a reproduction."""

import os
from collections.abc import Sequence
from typing import Any

from recbole_edlae._choices import choose, unknown
from recbole_edlae._files import CONFIGS
from recbole_edlae.papers.study import ROWS
from recbole_edlae.settings.configs import PROTOCOLS, REPRODUCTIONS, find, names
from recbole_edlae.settings.files import read_config_files

PLANS = CONFIGS / "reproduce"
KEYS = (
    "dataset",
    "config_files",
    "rank",
    "ranks",
    "rows",
    "times",
    "proposition",
    "activations",
)


def read_plan(
    dataset: str | None,
    settings: str | os.PathLike | None = None,
    *,
    config_files: Sequence[str] | None = None,
    ranks: Sequence[int] | None = None,
    items: int | None = None,
) -> dict[str, Any]:
    """Return the content of a settings file, with the paths of its config files.

    None takes what the settings file says. This file is by default that of the dataset, among those that ship with the
    package. Ranks are for all figures that have them; items, of synthetic data, are for times only.

    Raises:
        ValueError: no settings ship with the package for the dataset, or the file has an unknown key or row.
    """
    # Settings ship with the package for the datasets of the papers.
    path = PLANS / f"{dataset or 'ml-100k'}.yaml"
    if settings:
        path = find(REPRODUCTIONS, settings)
    if not path.is_file():
        error = unknown("dataset", dataset, names(REPRODUCTIONS))
        raise ValueError(f"{error} (for any other dataset write a settings file and name it, --settings)")

    # A misspelled key or row would silently be left out of the study.
    plan = read_config_files([path])
    for key in plan:
        choose("settings", key, dict.fromkeys(KEYS))
    for row in plan["rows"]:
        choose("rows", row, ROWS)

    # The command line has the last word.
    own_files = [find(PROTOCOLS, file, path.parent) for file in plan.get("config_files", [])]
    plan["dataset"] = dataset or plan["dataset"]
    plan["config_files"] = config_files or own_files
    if ranks:
        plan["ranks"] = sorted(ranks)
        plan["times"] = {**plan["times"], "ranks": sorted(ranks)}
    if items:
        plan["times"] = {**plan["times"], "items": items}
    return plan
