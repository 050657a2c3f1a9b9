"""Read the settings file of a reproduction."""

import os
from collections.abc import Sequence
from typing import Any

from recbole_edlae._choices import choose
from recbole_edlae._files import CONFIGS
from recbole_edlae.papers.study import ROWS
from recbole_edlae.settings.configs import PROTOCOLS, REPRODUCTIONS, find, names
from recbole_edlae.settings.files import read_config_files

PLANS = CONFIGS / "reproduce"
KEYS = ("dataset", "config_files", "rank", "ranks", "rows", "times", "proposition", "activations")


def read_plan(
    dataset: str | None,
    settings: str | os.PathLike | None = None,
    *,
    config_files: Sequence[str] | None = None,
    ranks: Sequence[int] | None = None,
    items: int | None = None,
) -> dict[str, Any]:
    """Return the content of a settings file, its config files found.

    Args:
        dataset: its name; None takes that of the settings file.
        settings: the file; None takes that of the dataset, of those that come with the package.
        config_files: RecBole's YAML files; None takes those of the settings file.
        ranks: of the figures that have ranks; None takes those of the settings file.
        items: of made-up data, for times only.

    Raises:
        ValueError: no settings come with the package for the dataset, or the file has an unknown key or row.
    """
    path = find(REPRODUCTIONS, settings) if settings else PLANS / f"{dataset or 'ml-100k'}.yaml"
    if not path.is_file():
        known = ", ".join(names(REPRODUCTIONS))
        raise ValueError(f"dataset: there are settings for {known}; for {dataset} write some and name them, --settings")
    plan = read_config_files([path])
    for key in plan:
        choose("settings", key, dict.fromkeys(KEYS))
    for row in plan["rows"]:
        choose("rows", row, ROWS)
    found = [find(PROTOCOLS, file, path.parent) for file in plan.get("config_files", [])]
    plan |= {"dataset": dataset or plan["dataset"], "config_files": config_files or found}
    if ranks:
        plan |= {"ranks": sorted(ranks), "times": {**plan["times"], "ranks": sorted(ranks)}}
    if items:
        plan["times"] = {**plan["times"], "items": items}
    return plan
