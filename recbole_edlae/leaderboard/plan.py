"""List the runs that a leaderboard's settings file and the command line ask for."""

import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from recbole_edlae._files import CONFIGS
from recbole_edlae.data.atomic import AtomicFileError
from recbole_edlae.leaderboard.results import read_reference
from recbole_edlae.leaderboard.settings import check_seeds, read_settings
from recbole_edlae.runs.engine import shared_runner
from recbole_edlae.runs.protocol import MACHINE, OVERWRITTEN, WITHOUT_RESULT, dataset_class, protocol
from recbole_edlae.runs.run import Run, make_run
from recbole_edlae.settings.configs import LEADERBOARDS, REFERENCES, find
from recbole_edlae.settings.files import read_config_files

FOLDER = CONFIGS / "leaderboard"

# What a single row says of them would not be done.
_NOT_OF_A_ROW = (WITHOUT_RESULT - MACHINE) | OVERWRITTEN


class Plan:
    """List the runs of one dataset's leaderboard: rows of a settings file × seeds.

    Args:
        dataset: its name; None takes that of the settings file, or of the config files.
        overrides: settings for all runs.
        settings: the leaderboard's YAML file; None takes that of the dataset, where one comes with the package.
        models: labels of the rows to run, or models with their defaults; None takes all rows.
        config_files: RecBole's YAML files; None takes those of the settings file.
        seeds: None takes ``seed`` among the overrides, those of the settings file, or the seed of the config files.
        reference: CSV file of published results; None takes that of the settings file.

    Attributes:
        dataset: name of the dataset.
        seeds: each is another split.
        reference: published rows.
        rows: label → model and the settings of the row with which it runs.
        marks: label → how the settings of the row were chosen.
        runs: every row with every seed.

    Raises:
        ValueError: the settings file, a row or a seed is invalid.
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
        path = _settings_file(dataset or read_config_files(config_files or []).get("dataset"), settings)
        content = read_settings(path) if path else {}
        files = config_files or content.get("config_files", [])
        shared = read_config_files(files)
        self.dataset = str(dataset or content.get("dataset") or shared.get("dataset") or "ml-100k")

        # One seed may come from anywhere, several are a list.
        overrides = dict(overrides)
        if seeds:
            check_seeds("--seeds", seeds)
            if "seed" in overrides:
                raise ValueError(f"seed: --seeds {' '.join(map(str, seeds))} and --seed={overrides['seed']}: take one")
        one_seed = [overrides.pop("seed")] if "seed" in overrides else None
        self.seeds: list[int] = seeds or one_seed or content.get("seeds") or [shared.get("seed", 2020)]

        reference = find(REFERENCES, reference) if reference else content.get("reference")
        self.reference = read_reference(reference) if reference else []
        self.rows = _rows(content.get("models") or {}, models, self.dataset, overrides)
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
        shared = protocol(first.config())
        for run in others:
            own = protocol(run.config())
            for key in shared | own:
                if own.get(key) != shared.get(key):
                    raise ValueError(
                        f"{run.label}: {key} is {own.get(key)!r} here and {shared.get(key)!r} for {first.label}; "
                        "rows of a leaderboard share one protocol: set it in config_files"
                    )

    def check_tested(self) -> None:
        """Check that models of different types are tested alike, before any model is trained.

        RecBole reads the data of sequential and of knowledge-based models in ways of their own.

        Raises:
            ValueError: their interactions or their candidates differ.
        """
        first_of_class: dict[str, Run] = {}
        for run in self.runs[: len(self.rows)]:
            first_of_class.setdefault(dataset_class(run.config()), run)
        first, *others = first_of_class.values()
        for other in others:
            _check_tested(first, other)


def _check_tested(first: Run, other: Run) -> None:
    """Check that runs whose data are read by different classes are tested alike."""
    tested = _tested(first)
    tested_by_other = _tested(other)
    if tested is None or tested_by_other is None:
        return
    if different := tested ^ tested_by_other:
        raise ValueError(
            f"{other.label}: {first.model} and {other.model} are tested on different interactions or candidates of "
            f"{other.dataset} ({len(different):,} are in the test of one of them only); rows of a leaderboard share "
            "one protocol: make a leaderboard for each type of model"
        )


def _tested(run: Run) -> set[tuple[str, str]] | None:
    """Return what a run is tested on; None where its data cannot be prepared, which its row will say."""
    try:
        return shared_runner().tested(run)
    except AtomicFileError:
        raise
    except Exception:
        return None


def _settings_file(dataset: str | None, settings: str | os.PathLike | None) -> pathlib.Path | None:
    """Return the settings file that was named, or that of the dataset; None where there is no such file."""
    if settings:
        return find(LEADERBOARDS, settings)
    path = FOLDER / f"{dataset or 'ml-100k'}.yaml"
    return path if path.is_file() else None


def _rows(
    models: Mapping[str, Any], chosen: Iterable[str] | None, dataset: str, overrides: Mapping[str, Any]
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return label → model and settings of the rows that are chosen; a label that is no row is a model's name.

    Settings of the command line replace those of a row.
    """
    default = yaml.safe_load((FOLDER / "ml-100k.yaml").read_text(encoding="utf-8"))["models"]
    models = models or dict.fromkeys(default)
    rows = {}
    for label in chosen or models:
        settings = dict(models.get(label) or {})
        model = settings.pop("model", label)
        if (own := settings.pop("dataset", dataset)) != dataset:
            raise ValueError(
                f"{label}: dataset is {own!r} here and {dataset!r} for the leaderboard, whose rows share it"
            )
        for key in settings:
            if key in _NOT_OF_A_ROW:
                raise ValueError(f"{label}: {key} is not for a single row, where it would have no effect")
        rows[label] = (model, {key: overrides.get(key, value) for key, value in settings.items()})
    return rows
