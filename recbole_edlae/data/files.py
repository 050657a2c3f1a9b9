"""Check that a dataset exists: its files, or a name that RecBole can download."""

import pathlib
from collections.abc import Mapping
from typing import Any

import yaml

from recbole_edlae._choices import closest_first
from recbole_edlae.data.fingerprint import interaction_files
from recbole_edlae.settings.registry import RECBOLE_PROPERTIES


def check_dataset(dataset: str, settings: Mapping[str, Any]) -> None:
    """Check that a dataset's files of interactions, by a user's settings, are there or can be downloaded by RecBole."""
    # It ships with RecBole.
    if dataset == "ml-100k":
        return

    # RecBole downloads a dataset that has no folder.
    root = pathlib.Path(str(settings.get("data_path") or "dataset/"))
    folder = root / dataset
    needed = interaction_files(dataset, settings)
    missing = [name for name in needed if not (folder / name).is_file()]
    downloads = list(yaml.safe_load((RECBOLE_PROPERTIES / "dataset" / "url.yaml").read_text()))
    if not missing or (not folder.exists() and dataset in downloads):
        return

    if folder.is_dir():
        raise ValueError(
            f"dataset: {folder} has no {missing[0]}; it has {', '.join(_names(folder)) or 'no files'}"
        )
    local = ["ml-100k"]
    if root.is_dir():
        local += [name for name in _names(root) if (root / name).is_dir()]
    raise ValueError(
        f"dataset: there is no {dataset or repr(dataset)} in data_path {root}; "
        f"there are {', '.join(closest_first(dataset, local))} here, "
        f"and RecBole downloads {', '.join(closest_first(dataset, downloads)[:5])}, …"
    )


def _names(folder: pathlib.Path) -> list[str]:
    """Return the names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())
