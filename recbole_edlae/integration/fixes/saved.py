"""Use saved datasets and loaders only where they are of the files and settings of the run.

RecBole compares some settings, and loads a saved dataset although its files were edited or replaced since.
"""

import importlib
import pickle
from collections.abc import Callable, Iterable, Sequence
from logging import getLogger
from typing import Any

from recbole.data.dataset import Dataset
from recbole.utils import set_color

from recbole_edlae._warnings import warn
from recbole_edlae.data.fingerprint import fingerprint
from recbole_edlae.settings import corrections
from recbole_edlae.settings.registry import RECBOLE_PROPERTIES
from recbole_edlae.settings.schema import read_schema

# Settings that decide how a split is batched.
BATCHING = (
    "MODEL_TYPE",
    "MODEL_INPUT_TYPE",
    "train_neg_sample_args",
    "valid_neg_sample_args",
    "test_neg_sample_args",
    "train_batch_size",
    "eval_batch_size",
    "shuffle",
    "worker",
    "transform",
    "reproducibility",
)


def reading(config: Any) -> list[str]:
    """Return the names of the settings that decide what a dataset is, beside its files.

    Args:
        config: RecBole's Config.
    """
    documented = read_schema(RECBOLE_PROPERTIES / "dataset" / "sample.yaml")
    names = [*config.parameters["Dataset"], *documented, "encoding", "repeatable", corrections.SETTING]
    return list(dict.fromkeys(names))


def loaders_in(stock: Callable, file: str, config: Any) -> tuple | None:
    """Return the loaders in a file as RecBole does, where they are of the same files, model and settings.

    Warns:
        DataWarning: They are not, or cannot be read; None is returned.
    """
    # What a pickle has may fail in any way.
    try:
        loaders = stock(config)
    except Exception as error:
        _say_unused(file, f"it cannot be read ({type(error).__name__}), as where another version saved it")
        return None
    if loaders is None:
        return None

    # RecBole has given the loaders the new settings; their datasets have those that they were made with.
    dataset = loaders[0]._dataset
    loader_class = importlib.import_module("recbole.data.utils").get_dataloader(config, "train")
    names = [*reading(config), *BATCHING, "seed", "eval_args"]
    if type(loaders[0]) is not loader_class or not _agree(dataset.config, config, names):
        _say_unused(file, f"its batches are not those of {config['model']} with these settings")
        return None
    return loaders if _is_of_these_files(dataset, file, config) else None


def save_split_dataloaders(stock: Callable, config: Any, dataloaders: Sequence[Any]) -> None:
    """Save loaders as RecBole does, and give them their generators back: the run goes on as it would without saving.

    With ``corrections: False`` it goes on as RecBole's does.
    """
    generators = [loader.generator for loader in dataloaders]
    stock(config, dataloaders)
    if not corrections.chosen(config[corrections.SETTING]):
        return
    for loader, generator in zip(dataloaders, generators):
        loader.generator = loader.sampler.generator = generator


def dataset_in(file: str, dataset_class: Any, config: Any) -> Dataset | None:
    """Return the dataset in a file, where it is of the same files, class and settings.

    Warns:
        DataWarning: It is of another class or other files, or cannot be read; None is returned. It is also None, as in
            RecBole without a word, where the settings differ.
    """
    # What a pickle has may fail in any way.
    try:
        with open(file, "rb") as opened:
            dataset = pickle.load(opened)
    except Exception as error:
        _say_unused(file, f"it cannot be read ({type(error).__name__}), as where another version saved it")
        return None

    if type(dataset) is not dataset_class:
        needed = f"{config['model']} needs a {dataset_class.__name__}"
        _say_unused(file, f"it holds a {type(dataset).__name__}, and {needed}")
        return None
    if not _agree(dataset.config, config, [*reading(config), "seed"]):
        return None
    if not _is_of_these_files(dataset, file, config):
        return None

    # The settings of this run split it.
    getLogger().info(set_color("Load filtered dataset from", "pink") + f": [{file}]")
    corrections.note(config, *corrections.touched(dataset.config))
    dataset.config = config
    return dataset


def _agree(config: Any, other: Any, names: Iterable[str]) -> bool:
    """Return whether two configs have the same values of some settings."""
    return all(config[name] == other[name] for name in names)


def _is_of_these_files(dataset: Dataset, file: str, config: Any) -> bool:
    """Return whether a saved dataset was read from files with the content that they have now, and say if not."""
    noted = vars(dataset).get("fingerprint")
    if noted == fingerprint(config.final_config_dict):
        return True
    reason = f"it is not of the files in {config['data_path']}"
    if noted is None:
        reason = "it does not say which files it is of"
    _say_unused(file, reason)
    return False


def _say_unused(file: str, reason: str) -> None:
    """Warn that a saved dataset, or saved loaders, are not used."""
    warn(f"{file} is not used: {reason}; the files of the dataset are read instead")
