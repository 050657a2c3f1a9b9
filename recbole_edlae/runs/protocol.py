"""Separate the protocol, which all rows of a leaderboard and all trials of a sweep share, from the settings of a model.

A setting belongs to the protocol unless it is a known setting of a model, of its training or of the machine. So a
setting that a plugin or a later RecBole adds to the data, the candidates or the metrics belongs to it without a list.
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

# RecBole's list of settings of the training, and those that the list lacks. MAX_ITEM_LIST_LENGTH limits the history
# that a sequential model sees; it does not change which items are predicted and ranked.
TRAINING = {
    *training_arguments,
    "MAX_ITEM_LIST_LENGTH",
    "enable_amp",
    "enable_scaler",
    "require_pow",
    "shuffle",
    "transform",
}

# No result depends on these settings. data_path is none of them, because it names the data.
WITHOUT_RESULT = set(WITHOUT_EFFECT) - {"data_path"}

# The device of a run, and the sizes of its batches.
MACHINE = {"eval_batch_size", "gpu_id", "use_gpu", "worker"}

# RecBole overwrites these settings, whatever a user sets.
OVERWRITTEN = {
    "MODEL_INPUT_TYPE",
    "MODEL_TYPE",
    "device",
    "eval_type",
    "test_neg_sample_args",
    "valid_metric_bigger",
    "valid_neg_sample_args",
}

# These decide what happens to the data once they are read.
_AFTER_READING = {*evaluation_arguments, "seed", "reproducibility"} - {"repeatable"}


def protocol(config: Config) -> dict[str, Any]:
    """Return the settings that change the data, the candidates or the measurement, with their values."""
    # Whatever is not known to be something else is the protocol.
    others = settings_of_models() | TRAINING | MACHINE | WITHOUT_RESULT | OVERWRITTEN | {"model"}
    settings = {}
    for key, value in config.final_config_dict.items():
        if key not in others:
            settings[key] = value
    return settings


def data_settings(config: Config) -> dict[str, Any]:
    """Return the settings of the protocol that decide which data are read, before they are split."""
    settings = protocol(config)
    for key in _AFTER_READING:
        settings.pop(key, None)

    # A sequential dataset cuts the histories to this length as it is read.
    key = "MAX_ITEM_LIST_LENGTH"
    return settings | {key: config[key]}


def dataset_class(config: Config) -> str:
    """Return the name of RecBole's dataset class for the model of a run."""
    return class_of(config.final_config_dict).__name__


def has_own_dataset(model: str) -> bool:
    """Return whether RecBole has a dataset class for this model alone."""
    return hasattr(datasets, f"{model}Dataset")


def check_space(model: str, keys: Iterable[str]) -> None:
    """Check that a sweep varies nothing but settings of its model and of the training.

    A key that nothing reads is left to the check of all settings.

    Raises:
        ValueError: A setting is part of the protocol, of another model, or without effect on any result.
    """
    of_model = settings_of(model)
    allowed = of_model | TRAINING | settings_without_file()
    for key in keys:
        if key in allowed or not is_known(key):
            continue

        # Trials that vary it would be equal.
        if key in WITHOUT_RESULT | MACHINE:
            raise ValueError(
                f"space: no result depends on {key}; set it for all trials, on the command line"
            )

        # A setting of another model, or one that would make the trials' results incomparable.
        reason = "part of the protocol, which all trials share"
        if others := models_with(key):
            reason = f"a setting of {others[0]}"
        names = ", ".join(sorted(of_model)) or "none"
        choices = f"a space has settings of the training and of {model}: {names}"
        raise ValueError(f"space: {key} is {reason}; {choices}")
