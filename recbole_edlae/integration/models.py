"""How a model enters RecBole: its name, its defaults, its trainer, its data loader, and other processes.

RecBole finds models, trainers and default settings by name in its own folders. The functions below answer first where
RecBole looks, for the models of this package and for those of others that were registered
(:mod:`recbole_edlae.settings.registry`); the table of patches says where they stand.

A spawned child, a Ray worker or a worker of PyTorch's loaders imports what is pickled to it. RecBole's functions are
pickled by their names, so that a child of a program that imports this package would run stock RecBole. The last
functions here stand in for RecBole's entry points: they do the same, and are pickled by their names in this module,
which imports the package. So is a loader, by its :class:`Armed`. A forked child has the package anyway.
"""

import contextlib
import copy
import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import yaml
from recbole.data.dataloader import UserDataLoader

from recbole_edlae.integration import hook
from recbole_edlae.settings import corrections
from recbole_edlae.settings.evaluation import check_user_split, splits_users
from recbole_edlae.settings.registry import (
    PROPERTIES,
    check_unseen_users,
    defaults_of,
    model_class,
    own_models,
    recbole_schema,
    register,
    registered,
    schema_of,
    unseen_users,
)
from recbole_edlae.settings.rules import check_rules, check_vectorized_data
from recbole_edlae.settings.schema import check_model_settings, read_schema

_QUICK_START = "recbole.quick_start.quick_start"
_writes_tensorboard = True

# The registry's functions are documented under this module's name.
__all__ = ["check_unseen_users", "model_class", "register", "registered", "unseen_users"]


def _check_recboles(model: str, external: Mapping[str, Any]) -> None:
    """Refuse settings that RecBole's model of a name ignores, and this package's model of the same name has."""
    # A later RecBole may have a model of that name itself.
    namesake = PROPERTIES / f"{model}.yaml"
    if model in registered() or not namesake.is_file():
        return

    unread = read_schema(namesake).keys() - recbole_schema(model).keys()
    for key in sorted(unread.intersection(external)):
        raise ValueError(
            f"{key} is a setting of {model} in recbole_edlae; the {model} of this RecBole itself does not have it"
        )


def get_model(stock: Callable, model_name: str) -> type:
    """Return the class of a model, as RecBole's function of that name."""
    return model_class(model_name) if model_name in registered() else stock(model_name)


def get_trainer(stock: Callable, model_type: Any, model_name: str) -> type:
    """Return the trainer of a model, as RecBole's function of that name."""
    trainer = None
    if model_name in registered():
        trainer = getattr(model_class(model_name), "trainer", None)
    return stock(model_type, model_name) if trainer is None else trainer


@contextlib.contextmanager
def without_tensorboard() -> Iterator[None]:
    """Let the trainers that are constructed meanwhile write nothing for TensorBoard."""
    global _writes_tensorboard
    before = _writes_tensorboard
    _writes_tensorboard = False
    try:
        yield
    finally:
        _writes_tensorboard = before


def get_tensorboard(stock: Callable, logger: Any) -> Any:
    """Return a trainer's writer as RecBole does, or in ``without_tensorboard`` one that writes nothing."""
    return stock(logger) if _writes_tensorboard else _NoWriter()


class _NoWriter:
    """Accept every call and do nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def get_dataloader(stock: Callable, config: Any, phase: str) -> Callable:
    """Return the loader of a phase as RecBole's function of that name, which asks the model first.

    Under a user split a loader that batches users has the training users only.
    """
    if phase != "train":
        return stock(config, phase)
    train_loader = getattr(getattr(config, "model_class", None), "train_loader", None)
    loader = stock(config, phase) if train_loader is None else train_loader(config)
    if loader is UserDataLoader and splits_users(config.final_config_dict):
        from recbole_edlae.data import user_split

        return user_split.TrainingUserDataLoader
    return loader


def load_internal_config_dict(
    stock: Callable, config: Any, model: str, model_class: type, dataset: str
) -> None:
    """Load RecBole's default settings, and right after them a registered model's."""
    stock(config, model, model_class, dataset)
    if model in registered():
        for file in defaults_of(model):
            config._update_internal_config_dict(str(file))


def get_final_config_dict(stock: Callable, config: Any) -> dict[str, Any]:
    """Return RecBole's final settings, those of registered models and of user splits checked."""
    settings = stock(config)

    # The two settings that say what is changed in RecBole.
    settings.setdefault(corrections.SETTING, True)
    corrections.chosen(settings[corrections.SETTING])
    check_vectorized_data(settings)

    # Those of the model.
    _check_recboles(config.model, config.external_config_dict)
    if config.model in registered():
        check_model_settings(schema_of(config.model), settings)
        check_rules(settings)
        check_config = getattr(config.model_class, "check_config", None)
        if check_config is not None:
            check_config(config, settings)

    # Those of a user split, which not every model can do.
    check_user_split(settings)
    if splits_users(settings):
        check_unseen_users(config.model, settings)
    return settings


def to_save(config: Any) -> Any:
    """Return the Config to write into a checkpoint: without the class of a registered model, which has a name.

    A pickle has the module of a class instead, which another program may lack; a class in a function cannot be pickled.
    """
    if config["model"] not in registered().keys() - own_models().keys():
        return config
    saved = copy.copy(config)
    vars(saved).pop("model_class", None)
    return saved


def add_later_settings(config: Any) -> None:
    """Add to the Config of a checkpoint the settings that its model has got since, whose defaults change nothing."""
    name = config["model"]
    if name not in registered():
        return
    config.model_class = model_class(name)

    # What the checkpoint has goes before a default of today.
    for key, setting in schema_of(name).items():
        if key not in config.final_config_dict:
            config[key] = yaml.safe_load(setting.default)


def then_score_histories(stock: Callable, model: Any, config: Any, dataset: Any) -> None:
    """Construct one of RecBole's linear models, which under a user split scores from the histories.

    RecBole's scores from the matrix that it was trained on, where held-out users have no row.
    """
    stock(model, config, dataset)
    if not hasattr(dataset, "with_fold_in"):
        return
    histories = dataset.with_fold_in().inter_matrix(form="csr").astype(np.float32)
    if hasattr(model, "pred_mat"):
        model.pred_mat = histories.dot(model.w).tolil()
    else:
        model.interaction_matrix = histories


class Armed:
    """Mark a loader: where it is unpickled, this package is imported."""


def run(*arguments: Any, **options: Any) -> Any:
    """Call RecBole's ``run``."""
    return _stock("run")(*arguments, **options)


def run_recbole(*arguments: Any, **options: Any) -> Any:
    """Call RecBole's ``run_recbole``."""
    return _stock("run_recbole")(*arguments, **options)


def run_recboles(*arguments: Any, **options: Any) -> Any:
    """Call RecBole's ``run_recboles``, which is what the children of ``nproc > 1`` start with."""
    return _stock("run_recboles")(*arguments, **options)


def objective_function(*arguments: Any, **options: Any) -> Any:
    """Call RecBole's ``objective_function``, which is what Ray's trials and HyperTuning start with."""
    return _stock("objective_function")(*arguments, **options)


def stand_in(stock: Callable) -> Callable:
    """Return the function of this module with the name of RecBole's, its documentation and its signature."""
    function = globals()[stock.__name__]
    function.__doc__ = stock.__doc__
    function.__wrapped__ = stock
    return function


def _stock(name: str) -> Callable:
    """Return a function of RecBole's; in a process that has just unpickled its stand-in, RecBole is imported now."""
    module = importlib.import_module(_QUICK_START)

    # The patch may have been taken back by `restore`.
    try:
        return hook.stock(_QUICK_START, name)
    except LookupError:
        return getattr(module, name)
