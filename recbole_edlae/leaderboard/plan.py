"""List the runs that a leaderboard's settings file and the command line ask for."""

import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from recbole_edlae._files import CONFIGS
from recbole_edlae.leaderboard.results import read_reference
from recbole_edlae.leaderboard.settings import check_seeds, read_settings
from recbole_edlae.runs.run import make_run
from recbole_edlae.settings.configs import LEADERBOARDS, REFERENCES, find

FOLDER = CONFIGS / "leaderboard"
PROTOCOL = ("eval_args", "metrics", "topk", "benchmark_filename")  # rows that differ in them cannot be compared


class Plan:
    """List the runs of one dataset's leaderboard: rows of a settings file × seeds.

    Args:
        dataset: its name; None takes that of the settings file.
        overrides: settings for all runs.
        settings: the leaderboard's YAML file; None takes that of the dataset, where one comes with the package.
        models: labels of the rows to run, or models with their defaults; None takes all rows.
        config_files: RecBole's YAML files; None takes those of the settings file.
        seeds: None takes those of the settings file.
        reference: CSV file of published results; None takes that of the settings file.

    Attributes:
        dataset: name of the dataset.
        seeds: each is another split.
        reference: published rows.
        rows: label → model and its settings.
        marks: label → what a reader has to know of the row.
        runs: every row with every seed.

    Raises:
        ValueError: the settings file or a seed is invalid.
    """

    def __init__(
        self,
        dataset: str | None,
        overrides: Mapping[str, Any],
        *,
        settings: str | os.PathLike | None = None,
        models: Sequence[str] | None = None,
        config_files: Sequence[str] | None = None,
        seeds: list[int] | None = None,
        reference: str | os.PathLike | None = None,
    ) -> None:
        path = _settings_file(dataset, settings)
        content = read_settings(path) if path else {}
        self.dataset: str = dataset or content.get("dataset", "ml-100k")
        files = config_files or content.get("config_files", [])
        overrides = dict(overrides)
        if seeds:
            check_seeds("--seeds", seeds)
        self.seeds: list[int] = seeds or content.get("seeds") or [overrides.pop("seed", 2020)]
        reference = find(REFERENCES, reference) if reference else content.get("reference")
        self.reference = read_reference(reference) if reference else []
        self.rows = _rows(content.get("models") or {}, models)
        self.marks: dict[str, str] = content.get("marks", {})
        self.runs = [
            make_run(model, self.dataset, files, {**row, **overrides, "seed": seed}, label)
            for seed in self.seeds
            for label, (model, row) in self.rows.items()
        ]

    def check_protocol(self) -> None:
        """Check that all rows can be compared, before any data are read.

        Raises:
            ValueError: a row has another protocol than the first one.
        """
        first, *others = self.runs[: len(self.rows)]
        protocol = first.config()
        for run in others:
            config = run.config()
            for key in PROTOCOL:
                if config[key] != protocol[key]:
                    raise ValueError(
                        f"{run.label}: {key} is {config[key]!r} here and {protocol[key]!r} for {first.label}; "
                        "rows of a leaderboard share one protocol: set it in config_files"
                    )


def _settings_file(dataset: str | None, settings: str | os.PathLike | None) -> pathlib.Path | None:
    """Return the settings file that was named, or that of the dataset; None where there is no such file."""
    if settings:
        return find(LEADERBOARDS, settings)
    path = FOLDER / f"{dataset or 'ml-100k'}.yaml"
    return path if path.is_file() else None


def _rows(models: Mapping[str, Any], chosen: Iterable[str] | None) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return label → model and settings of the rows that are chosen; a label that is no row is a model's name."""
    default = yaml.safe_load((FOLDER / "ml-100k.yaml").read_text(encoding="utf-8"))["models"]
    models = models or dict.fromkeys(default)
    rows = {label: dict(models.get(label) or {}) for label in chosen or models}
    return {label: (settings.pop("model", label), settings) for label, settings in rows.items()}
