"""Describe one run of one model by everything that determines its result."""

import copy
import dataclasses
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from recbole.config import Config
from recbole.data import create_dataset

import recbole_edlae
from recbole_edlae.data.fingerprint import fingerprint
from recbole_edlae.runs.code import code_hash
from recbole_edlae.settings import registry
from recbole_edlae.settings.files import read_config_files
from recbole_edlae.settings.plain_config import PlainConfig

# Settings of paths, devices and logging. No result depends on them.
WITHOUT_EFFECT = (
    "checkpoint_dir",
    "config_file",
    "config_files",
    "data_path",
    "dataloaders_save_path",
    "dataset_save_path",
    "gpu_id",
    "local_rank",
    "log_wandb",
    "save_dataloaders",
    "save_dataset",
    "search_filename",
    "show_progress",
    "single_spec",
    "state",
    "use_gpu",
    "vectorized_data",
    "wandb_project",
)


class _Config(PlainConfig):
    """RecBole's Config, which parses each file of defaults once in a process, whether RecBole's or ours."""

    _parsed: ClassVar[dict[str, dict | None]] = {}

    def _update_internal_config_dict(self, file: str) -> dict | None:
        """Merge a file of defaults as RecBole does."""
        if file not in self._parsed:
            self._parsed[file] = copy.deepcopy(super()._update_internal_config_dict(file))

        # Whoever changes a list of this config changes a copy.
        content = copy.deepcopy(self._parsed[file])
        self.internal_config_dict.update(content or {})
        return content


@dataclasses.dataclass(frozen=True)
class Run:
    """One model with its settings on a dataset with a seed, as in a cell of a leaderboard or a trial of a sweep.

    Attributes:
        model: name of the model.
        dataset: name of the dataset.
        config_files: RecBole's YAML files; later ones win.
        settings: override the files, as on RecBole's command line.
        label: name of the run in a report.
        data: fingerprint that the data files must have; "" takes them as they are.
    """

    model: str
    dataset: str
    config_files: tuple[str, ...] = ()
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    label: str = ""
    data: str = ""

    def config(self, **overrides: Any) -> Config:
        """Return RecBole's Config of this run; overrides win over its own settings."""
        return _Config(self.model, self.dataset, list(self.config_files), {**self.settings, **overrides})

    def identity(
        self,
        phases: Sequence[str],
        modules: Sequence[str] = (),
        known: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return everything that determines the result, as a dict that JSON can hold.

        Args:
            phases: what is evaluated, of "valid" and "test".
            modules: names of further modules on whose code the result depends.
            known: path → hash of earlier files, as in :func:`recbole_edlae.data.fingerprint.fingerprint`.

        Raises:
            ChangedFileError: a file of the data has another hash than before.
        """
        config = self.config()

        # RecBole downloads its own datasets on reading, and only files have a fingerprint.
        if not pathlib.Path(config["data_path"]).exists():
            create_dataset(config)

        # An ensemble runs the code of its members.
        members = registry.members_of(self.model, config.final_config_dict)
        models = {self.model, *(member.model for member in members.values())}

        settings = dict(config.final_config_dict)
        for key in WITHOUT_EFFECT:
            settings.pop(key, None)

        # A round trip through JSON, so that an identity compares equal to the same one read from a record.
        text = json.dumps(settings, sort_keys=True, default=str)
        return {
            "settings": json.loads(text),
            "phases": list(phases),
            "data": fingerprint(config.final_config_dict, known),
            "code": code_hash(models, modules),
            "versions": versions(),
        }


def make_run(
    model: str,
    dataset: str,
    config_files: Iterable[str | os.PathLike],
    settings: Mapping[str, Any],
    label: str = "",
) -> Run:
    """Return a run whose paths are absolute, so that it is independent of the working directory.

    The arguments are attributes of :class:`Run`; without a label the run has the name of its model.
    """
    # A setting of the run wins over the files.
    files = tuple(map(os.path.abspath, config_files))
    merged = {**read_config_files(files), **settings}
    data_path = merged.get("data_path", "dataset/")

    # An invalid path is rejected later, with all other settings.
    if isinstance(data_path, (str, os.PathLike)) and data_path:
        data_path = os.path.abspath(data_path)
    return Run(model, dataset, files, {**settings, "data_path": data_path}, label or model)


def key_of(identity: Mapping[str, Any]) -> str:
    """Return sixteen hexadecimal digits that identify a run.

    Examples:
        >>> key_of({"settings": {"seed": 2020}})
        'ff7ed618a449cd73'
    """
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    """Return package → version of the packages whose arithmetic can change a result."""
    packages = {
        "python": platform.python_version(),
        "recbole_edlae": recbole_edlae.__version__,
    }
    for name in ("recbole", "torch", "numpy", "scipy"):
        packages[name] = importlib.metadata.version(name)
    return packages
