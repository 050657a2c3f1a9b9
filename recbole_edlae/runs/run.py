"""One run of one model, and everything that determines its result."""

import copy
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import pathlib
import platform

import recbole_edlae  # first: RecBole's own modules need it on a current stack
from recbole_edlae.runs.code import RUNNER, code_hash
from recbole_edlae.settings.files import PlainConfig

from recbole.data import create_dataset  # isort: skip

# Settings that say where and how loudly to run. No result depends on them.
ASIDE = (
    "checkpoint_dir", "config_file", "config_files", "data_path", "dataloaders_save_path", "dataset_save_path",
    "gpu_id", "local_rank", "log_wandb", "save_dataloaders", "save_dataset", "show_progress", "single_spec", "state",
    "use_gpu", "wandb_project",
)  # fmt: skip


class _Config(PlainConfig):
    """RecBole's Config, which parses each of RecBole's and our files of defaults once in a process."""

    _parsed = {}  # noqa: RUF012

    def _update_internal_config_dict(self, file):
        if file not in self._parsed:
            self._parsed[file] = copy.deepcopy(super()._update_internal_config_dict(file))
        content = copy.deepcopy(self._parsed[file])
        self.internal_config_dict.update(content or {})
        return content


@dataclasses.dataclass(frozen=True)
class Cell:
    """A model with its settings on a dataset with a seed: one cell of a leaderboard, one trial of a sweep."""

    model: str
    dataset: str
    config_files: tuple = ()
    settings: dict = dataclasses.field(default_factory=dict)  # they override the files, as on RecBole's command line
    label: str = ""  # what a report calls it

    def config(self, **overrides):
        """RecBole's Config of this run."""
        return _Config(self.model, self.dataset, list(self.config_files), {**self.settings, **overrides})

    def identity(self, phases: tuple, models: tuple = (), modules: tuple = RUNNER) -> dict:
        """Return everything that determines the result, as a dict that JSON can hold.

        Args:
            phases: what is evaluated, of "valid" and "test".
            models: names of models whose code the result goes through beside this one's.
            modules: of this package, through which the result goes.
        """
        config = self.config()
        if not pathlib.Path(config["data_path"]).exists():
            create_dataset(config)  # downloads it
        settings = {key: value for key, value in config.final_config_dict.items() if key not in ASIDE}
        return {
            "settings": json.loads(json.dumps(settings, sort_keys=True, default=str)),
            "phases": list(phases),
            "data": data_hash(config["data_path"], self.dataset),
            "code": code_hash((self.model, *models), modules),
            "versions": versions(),
        }


def key(identity):
    """Sixteen hexadecimal digits that stand for an identity."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def versions():
    """Package → version, of those whose arithmetic a result goes through."""
    packages = {name: importlib.metadata.version(name) for name in ("recbole", "torch", "numpy", "scipy")}
    return {"python": platform.python_version(), "recbole_edlae": recbole_edlae.__version__, **packages}


@functools.cache
def data_hash(folder, dataset):
    """Hash of a dataset's atomic files, by content."""
    return _hash_of_files(sorted(pathlib.Path(folder).glob(f"{dataset}.*")))


def _hash_of_files(paths):
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
