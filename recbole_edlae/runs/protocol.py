"""Tell the protocol, which all rows of a leaderboard and all trials of a sweep share, from the settings of a model.

Whatever is not known to be a setting of a model, of its training or of the machine is the protocol. So a setting that
RecBole, a plugin or a later version adds to the data, the candidates or the metrics belongs to it without being named.
"""

from collections.abc import Iterable
from typing import Any

from recbole.config import Config
from recbole.data import dataset as datasets
from recbole.utils import evaluation_arguments, training_arguments

from recbole_edlae.data.fingerprint import class_of
from recbole_edlae.runs.run import WITHOUT_EFFECT
from recbole_edlae.settings.keys import (
    is_known,
    models_with,
    settings_of,
    settings_of_models,
    settings_without_file,
)

# RecBole's list of settings of the training, and those that it lacks. MAX_ITEM_LIST_LENGTH is how much of a history a
# sequential model sees; what is predicted and ranked does not depend on it.
TRAINING = {*training_arguments, "enable_amp", "enable_scaler", "require_pow", "shuffle", "transform"}
TRAINING |= {"MAX_ITEM_LIST_LENGTH"}

# No result depends on them; data_path names the data.
WITHOUT_RESULT = set(WITHOUT_EFFECT) - {"data_path"}

# On which device and in what portions a run is computed.
MACHINE = {"eval_batch_size", "gpu_id", "use_gpu", "worker"}

# RecBole overwrites them, whatever a user says.
OVERWRITTEN = {"device", "eval_type", "MODEL_INPUT_TYPE", "MODEL_TYPE", "valid_metric_bigger"}
OVERWRITTEN |= {"valid_neg_sample_args", "test_neg_sample_args"}

_AFTER_READING = {*evaluation_arguments, "seed", "reproducibility"} - {"repeatable"}


def protocol(config: Config) -> dict[str, Any]:
    """Return the settings that change the data, the candidates or how is measured, with their values.

    Args:
        config: of a run.
    """
    others = settings_of_models() | TRAINING | MACHINE | WITHOUT_RESULT | OVERWRITTEN | {"model"}
    return {key: value for key, value in config.final_config_dict.items() if key not in others}


def data_settings(config: Config) -> dict[str, Any]:
    """Return the part of the protocol that decides what is read, before it is split.

    Args:
        config: of a run.
    """
    read = {key: value for key, value in protocol(config).items() if key not in _AFTER_READING}
    return read | {"MAX_ITEM_LIST_LENGTH": config["MAX_ITEM_LIST_LENGTH"]}


def dataset_class(config: Config) -> str:
    """Return the name of the class with which RecBole reads the data of a model.

    Args:
        config: of a run.
    """
    return class_of(config.final_config_dict).__name__


def has_own_dataset(model: str) -> bool:
    """Return whether RecBole has a class for the data of one model.

    Args:
        model: its name.
    """
    return hasattr(datasets, f"{model}Dataset")


def check_space(model: str, keys: Iterable[str]) -> None:
    """Check that a sweep varies nothing but settings of its model and of the training.

    Args:
        model: its name.
        keys: settings of the search space. A key that nothing reads is left to the check of all settings.

    Raises:
        ValueError: A setting is part of the protocol, of another model, or without effect on any result.
    """
    own = settings_of(model)
    for key in keys:
        if key in own | TRAINING | settings_without_file() or not is_known(key):
            continue
        if key in WITHOUT_RESULT | MACHINE:
            raise ValueError(f"space: no result depends on {key}; set it for all trials, on the command line")
        choices = f"a space has settings of the training and of {model}: {', '.join(sorted(own)) or 'none'}"
        if others := models_with(key):
            raise ValueError(f"space: {key} is a setting of {others[0]}; {choices}")
        raise ValueError(f"space: {key} is part of the protocol, which all trials share; {choices}")
