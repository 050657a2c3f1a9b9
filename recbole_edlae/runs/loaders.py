"""Read, split and batch data once for all runs that share them."""

import copy
import itertools
from collections.abc import Callable, Iterable
from typing import Any

from recbole.config import Config
from recbole.data import create_dataset
from recbole.data import utils as data_utils
from recbole.data.dataloader import KnowledgeBasedDataLoader
from recbole.utils import init_seed

from recbole_edlae.data.fingerprint import changed, fingerprint
from recbole_edlae.integration.fixes.saved import BATCHING
from recbole_edlae.runs.preparation import prepare_data
from recbole_edlae.runs.protocol import data_settings, dataset_class, has_own_dataset
from recbole_edlae.settings import corrections


class Loaders:
    """Cache the last dataset, its last split, and the loaders of this split, one set for each way to batch it."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._dataset: Any = None
        self._dataset_settings: str | None = None
        self._split_settings: str | None = None
        self._loaders: dict[str, tuple] = {}

        # Corrections that touched the data behind each set of loaders.
        self._touched: dict[str, set[str]] = {}

    def prepare(self, config: Config, data: str) -> tuple:
        """Return dataset and the three loaders of a config, in the state in which run_recbole's would be.

        The files must have the fingerprint ``data``, unless it is empty.
        """
        self._read(config, data)

        # All cached loaders are of one split.
        split_settings = _text(config, ["seed", "eval_args"])
        if split_settings != self._split_settings:
            self._loaders.clear()
            self._split_settings = split_settings

        # A transform draws random numbers for every batch, and has settings of its model: its loaders serve one run.
        touched_by_reading = corrections.touched(self._dataset.config)
        if config["transform"]:
            corrections.note(config, *touched_by_reading)
            return self._split(config)

        # Each way to batch the split has its own loaders.
        batching = _text(config, BATCHING, data_utils.get_dataloader(config, "train"))
        if batching not in self._loaders:
            self._loaders[batching] = self._split(config)
            self._touched[batching] = corrections.touched(config) | touched_by_reading
        corrections.note(config, *self._touched[batching])

        # Loaders of an earlier run get the config and the random numbers that new ones would have.
        dataset, *loaders = self._loaders[batching]
        for loader in itertools.chain.from_iterable(map(_single_loaders, loaders)):
            loader.config = config
            loader._dataset.config = config
            loader.generator.manual_seed(config["seed"])
        return dataset, *loaders

    def _read(self, config: Config, data: str) -> None:
        """Read the data, unless they are those of the run before."""
        data = data or fingerprint(config.final_config_dict)
        settings = sorted(data_settings(config).items())
        dataset_settings = repr((settings, dataset_class(config), data))

        # A model's own class of datasets may depend on settings of the model.
        if dataset_settings == self._dataset_settings and not has_own_dataset(config["model"]):
            return

        # What belongs to the earlier data goes first, so that none of it is left if reading fails.
        self._dataset_settings = None
        self._split_settings = None
        self._on_change()

        # A model's own class of datasets may draw random numbers, as that of DIEN does.
        init_seed(config["seed"], config["reproducibility"])
        self._dataset = create_dataset(config)

        # There is no fingerprint where RecBole has downloaded the files just now.
        if data not in ("", self._dataset.fingerprint):
            raise changed(config["data_path"], config.final_config_dict)
        self._dataset_settings = dataset_settings

    def _split(self, config: Config) -> tuple:
        """Return a copy of the data, and its loaders of training, validation and test."""
        # Splitting shuffles the dataset in place, so every split gets a copy, with its own config.
        dataset = copy.deepcopy(self._dataset, {id(self._dataset.config): config})
        return dataset, *prepare_data(config, dataset)


def _single_loaders(loader: Any) -> list[Any]:
    """Return a loader as a list; that of knowledge-based models has one of interactions and one of triplets."""
    if isinstance(loader, KnowledgeBasedDataLoader):
        return [loader.general_dataloader, loader.kg_dataloader]
    return [loader]


def _text(config: Config, keys: Iterable[str], *more: Any) -> str:
    """Return a text that is equal for configs that agree on some settings."""
    values = [(key, config[key]) for key in keys]
    return repr([*values, *more])
