"""Whether a dataset is there: its files, or a name that RecBole knows where to download."""

import pathlib
from collections.abc import Mapping
from typing import Any

import yaml

from recbole_edlae._choices import closest_first
from recbole_edlae.settings.schema import RECBOLE_PROPERTIES


def check_dataset(dataset: str, settings: Mapping[str, Any]) -> None:
    """Check that a dataset's files of interactions are there, or that RecBole can download them.

    Args:
        dataset: its name.
        settings: those that a user has set: ``data_path`` and ``benchmark_filename`` matter.

    Raises:
        ValueError: a file is missing; the message has the files or the datasets that there are.
    """
    if dataset == "ml-100k":
        return
    root = pathlib.Path(str(settings.get("data_path") or "dataset/"))
    folder, parts = root / dataset, settings.get("benchmark_filename")
    wanted = [f"{dataset}.{part}.inter" for part in parts or []] or [f"{dataset}.inter"]
    missing = [name for name in wanted if not (folder / name).is_file()]
    downloads = list(yaml.safe_load((RECBOLE_PROPERTIES / "dataset" / "url.yaml").read_text()))
    if not missing or (not folder.exists() and dataset in downloads):
        return
    if folder.is_dir():
        raise ValueError(f"dataset: {folder} has no {missing[0]}; it has {', '.join(_names(folder)) or 'no files'}")
    here = ["ml-100k", *(name for name in _names(root) if (root / name).is_dir())] if root.is_dir() else ["ml-100k"]
    here, downloads = closest_first(dataset, here), closest_first(dataset, downloads)[:5]
    raise ValueError(
        f"dataset: there is no {dataset or repr(dataset)} in data_path {root}; "
        f"there are {', '.join(here)} here, and RecBole downloads {', '.join(downloads)}, …"
    )


def _names(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
