"""List the runs that a leaderboard's settings file and the command line ask for."""

import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from recbole_edlae._files import CONFIGS
from recbole_edlae.data.atomic import AtomicFileError
from recbole_edlae.leaderboard.reference import read_reference
from recbole_edlae.leaderboard.results import Row
from recbole_edlae.leaderboard.settings import check_seeds, read_settings
from recbole_edlae.runs.engine import shared_runner
from recbole_edlae.runs.protocol import (
    MACHINE,
    OVERWRITTEN,
    TRAINING,
    WITHOUT_RESULT,
    dataset_class,
    protocol,
)
from recbole_edlae.runs.run import Run, make_run
from recbole_edlae.settings import registry
from recbole_edlae.settings.configs import LEADERBOARDS, REFERENCES, find
from recbole_edlae.settings.files import read_config_files
from recbole_edlae.settings.keys import settings_of_models

FOLDER = CONFIGS / "leaderboard"

# Settings that have no effect in a single row.
_NOT_OF_A_ROW = (WITHOUT_RESULT - MACHINE) | OVERWRITTEN


class Plan:
    """List the runs of one dataset's leaderboard: rows of a settings file × seeds.

    Args:
        dataset: name of the dataset; None takes that of the settings file, or of the config files.
        overrides: settings for all runs.
        settings: the leaderboard's YAML file; None takes that of the dataset, if one ships with the package.
        models: labels of the rows to run, or models with their defaults; None takes all rows.
        config_files: RecBole's YAML files; None takes those of the settings file.
        seeds: None takes ``seed`` among the overrides, those of the settings file, or the seed of the config files.
        reference: CSV file of published results; None takes that of the settings file.

    Attributes:
        dataset: name of the dataset.
        seeds: seeds of the runs; each gives another split.
        reference: published rows.
        rows: label → name of the model and settings of the row.
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
        # The dataset of the config files chooses the settings file, which may name other config files.
        content: dict[str, Any] = {}
        in_files = read_config_files(config_files or []).get("dataset")
        path = _settings_file(dataset or in_files, settings)
        if path:
            content = read_settings(path)
        files = config_files or content.get("config_files", [])
        shared = read_config_files(files)
        self.dataset = str(dataset or content.get("dataset") or shared.get("dataset") or "ml-100k")

        # A seed is no override of a run, because runs differ in it.
        overrides = dict(overrides)
        if seeds:
            check_seeds("--seeds", seeds)
            if "seed" in overrides:
                several = " ".join(map(str, seeds))
                raise ValueError(f"seed: --seeds {several} and --seed={overrides['seed']}: take one")
        elif "seed" in overrides:
            seeds = [overrides.pop("seed")]
        self.seeds: list[int] = seeds or content.get("seeds") or [shared.get("seed", 2020)]

        # A file on the command line is found by name too, as those of the settings file have been.
        reference = find(REFERENCES, reference) if reference else content.get("reference")
        self.reference: list[Row] = []
        if reference:
            self.reference = read_reference(reference)
        self.rows = _rows(content.get("models") or {}, models, self.dataset, overrides)
        self.marks: dict[str, str] = {}
        for label, (model, row) in self.rows.items():
            # Nobody chose a setting of the command line on validation.
            of_training = {key: value for key, value in overrides.items() if _is_of_training(model, key)}
            self.rows[label] = model, {**row, **of_training}
            if label in content.get("marks", {}) and not of_training:
                self.marks[label] = content["marks"][label]

        # All rows of one seed share their split, so they follow each other.
        self.runs: list[Run] = []
        for seed in self.seeds:
            for label, (model, row) in self.rows.items():
                row_settings = {**row, **overrides, "seed": seed}
                self.runs.append(make_run(model, self.dataset, files, row_settings, label))

    def check_protocol(self) -> None:
        """Check that all rows can be compared, before any data are read."""
        # The rows of the first seed stand for those of all seeds.
        first, *others = self.runs[: len(self.rows)]
        expected = protocol(first.config())
        for run in others:
            actual = protocol(run.config())
            for key in expected | actual:
                if actual.get(key) != expected.get(key):
                    raise ValueError(
                        f"{run.label}: {key} is {actual.get(key)!r} here "
                        f"and {expected.get(key)!r} for {first.label}; "
                        "rows of a leaderboard share one protocol: set it in config_files"
                    )

    def check_tested(self) -> None:
        """Check that models of different types are tested alike, before any model is trained.

        RecBole reads the data of sequential and of knowledge-based models with other classes of datasets.
        """
        # One run for each class is enough: models of the same class get the same data.
        first_of_class: dict[str, Run] = {}
        for run in self.runs[: len(self.rows)]:
            first_of_class.setdefault(dataset_class(run.config()), run)
        first, *others = first_of_class.values()
        for other in others:
            _check_tested(first, other)


def _is_of_training(model: str, key: str) -> bool:
    """Return whether a setting says how a model is trained, and not how it is measured."""
    if key in TRAINING or key in registry.schema_of(model):
        return True

    # What else is set for an ensemble holds for its members.
    return registry.is_ensemble(model) and key in settings_of_models()


def _check_tested(first: Run, other: Run) -> None:
    """Check that two runs with different classes of datasets are tested on the same pairs of user and item."""
    tested = _tested(first)
    tested_by_other = _tested(other)
    if tested is None or tested_by_other is None:
        return

    # Types of models filter and split the same files in their own ways.
    if different := tested ^ tested_by_other:
        raise ValueError(
            f"{other.label}: {first.model} and {other.model} are tested on different "
            f"interactions or candidates of {other.dataset} "
            f"({len(different):,} are in the test of one of them only); "
            "rows of a leaderboard share one protocol: make a leaderboard for each type of model"
        )


def _tested(run: Run) -> set[tuple[str, str]] | None:
    """Return the pairs on which a run is tested; None if its data cannot be prepared."""
    # A run that fails is reported in its row; files that cannot be read stop the whole command.
    try:
        return shared_runner().tested(run)
    except AtomicFileError:
        raise
    except Exception:
        return None


def _settings_file(dataset: str | None, settings: str | os.PathLike | None) -> pathlib.Path | None:
    """Return the named settings file, or that of the dataset; None if the package has none for the dataset."""
    if settings:
        return find(LEADERBOARDS, settings)

    path = FOLDER / f"{dataset or 'ml-100k'}.yaml"
    if not path.is_file():
        return None
    return path


def _rows(
    models: Mapping[str, Any], chosen: Iterable[str] | None, dataset: str, overrides: Mapping[str, Any]
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return label → model and settings of the chosen rows. A label that is no row is the name of a model.

    Settings of the command line replace those of a row.
    """
    # Without rows, the models of the default leaderboard run with their own defaults.
    if not models:
        text = (FOLDER / "ml-100k.yaml").read_text(encoding="utf-8")
        models = dict.fromkeys(yaml.safe_load(text)["models"])

    # A label that is no row is the name of a model, with its defaults.
    rows = {}
    for label in chosen or models:
        settings = dict(models.get(label) or {})
        model = settings.pop("model", label)
        row_dataset = settings.pop("dataset", dataset)
        if row_dataset != dataset:
            raise ValueError(
                f"{label}: dataset is {row_dataset!r} here and {dataset!r} for the leaderboard, whose rows share it"
            )

        # A setting that is ignored would let the row claim something else than it ran.
        for key in settings:
            if key in _NOT_OF_A_ROW:
                raise ValueError(f"{label}: {key} is not for a single row, where it would have no effect")

            # The report shows what the row ran with.
            settings[key] = overrides.get(key, settings[key])
        rows[label] = (model, settings)
    return rows
