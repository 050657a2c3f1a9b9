"""Check the settings of a run before any data are read."""

import argparse
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from recbole_edlae._choices import invalid, unknown
from recbole_edlae._warnings import warn
from recbole_edlae.data.columns import check_columns
from recbole_edlae.data.files import check_dataset
from recbole_edlae.model.members import of_member
from recbole_edlae.runs.trained import member_configs
from recbole_edlae.settings import registry
from recbole_edlae.settings.evaluation import normalized_ratings
from recbole_edlae.settings.keys import without_effect
from recbole_edlae.settings.parts import validates_on_test
from recbole_edlae.settings.plain_config import PlainConfig
from recbole_edlae.settings.registry import recbole_schema
from recbole_edlae.settings.rules import check_rules

from recbole.config import Config  # isort: skip
from recbole.trainer import TraditionalTrainer  # isort: skip
from recbole.utils import ModelType, get_model, get_trainer  # isort: skip

_INTERNAL = {  # settings that RecBole makes itself, and nevertheless accepts from users
    "MODEL_TYPE": "it is the model's",
    "local_rank": "RecBole numbers its processes; the option --nproc N starts several",
}


class _Draft(PlainConfig):
    """RecBole's Config that only merges settings: it fills in nothing and sets up no device."""

    def _skip(self, *_: Any) -> None:
        """Do nothing."""

    _set_default_parameters = _init_device = _set_train_neg_sample_args = _set_eval_neg_sample_args = _skip


def check(options: argparse.Namespace, config_dict: Mapping[str, Any] | None = None) -> Config:
    """Check the settings of one run before data are read, and return RecBole's Config of it.

    The options have a model, a dataset, config_files, and the settings of these files and those that override them.
    Config reads ``config_dict`` beside the files; settings of the process's command line override it.

    Warns:
        DataWarning: A setting has no effect, or changes the meaning of what is measured.
    """
    # Types and ranges of single settings. None switches a setting off, except a number.
    schema = recbole_schema(options.model) | registry.schema_of(options.model)
    for key, value in options.settings.items():
        if key in schema and (value is not None or schema[key].is_number):
            schema[key].check(value)
        if key in _INTERNAL:
            raise ValueError(f"{key} cannot be set: {_INTERNAL[key]}")

    # Rules over several settings need all of them merged, before RecBole fills in what follows from invalid ones.
    arguments = (options.model, options.dataset, options.config_files)
    try:
        check_rules(_Draft(*arguments, config_dict).final_config_dict)
        config = PlainConfig(*arguments, config_dict)
    except (KeyError, NotImplementedError, RuntimeError, SyntaxError, TypeError) as error:
        raise ValueError(f"settings: {error.args[0]}") from None

    # Sequential models learn to predict the next interaction. RecBole checks this only after reading data.
    order = config["eval_args"]["order"]
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL and order != "TO":
        raise invalid("order in eval_args", f"TO for {config['model']}, a sequential model", order)

    # The data: their files, and the columns that the settings name.
    check_dataset(options.dataset, options.settings)
    check_columns(config.final_config_dict)

    # What is valid, but perhaps not meant.
    for remark in without_effect(config.final_config_dict, options.settings):
        warn(remark)
    remark_on_ratings = normalized_ratings(config.final_config_dict)
    if remark_on_ratings:
        warn(remark_on_ratings)
    return config


def check_early_stopping(config: Config) -> None:
    """Check that the epoch of a model that is tested is not chosen on the test."""
    # An ensemble has no epochs, but its members may.
    members = member_configs(config)
    for label, member in members.items():
        with of_member(label):
            check_early_stopping(member)
    if members or not validates_on_test(config.final_config_dict):
        return

    # Without a validation, or with one epoch, nothing is chosen.
    if config["eval_step"] <= 0 or config["epochs"] <= 1:
        return

    # A model that is fitted in one step has no epochs to choose from.
    if issubclass(get_trainer(config["MODEL_TYPE"], config["model"]), TraditionalTrainer):
        return
    raise ValueError(
        f"benchmark_filename {config['benchmark_filename']} validates on the test file: {config['model']} would keep "
        f"the epoch that is best on the test; set eval_step: 0 to train for all {config['epochs']} epochs and test the "
        "last one, or name a file for validation"
    )


def check_checkpoint_dir(folder: str) -> None:
    """Check before the training that checkpoints can be written."""
    # The folder is created in the nearest one that exists.
    path = pathlib.Path(folder).absolute()
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    if not existing.is_dir():
        raise ValueError(f"checkpoint_dir {folder} cannot be written: {existing} is a file")
    if not os.access(existing, os.W_OK):
        raise ValueError(
            f"checkpoint_dir {folder} cannot be written: no permission to write into {existing}"
        )


def check_model(name: str) -> None:
    """Raise ValueError for the name of a model that is unknown, or that needs a package which is not installed."""
    if name not in registry.names():
        raise unknown("model", name, registry.names())

    # RecBole imports the modules of some models only here, with the packages that they need.
    try:
        get_model(name)
    except (AttributeError, ImportError) as error:
        raise ValueError(f"model: RecBole cannot import {name} here: {error}") from None
