"""Know every model by its name: where its class is, its defaults, the settings with which it scores unseen users.

A model of this package is a file of :mod:`recbole_edlae.model`, named like the model in lower case, and a YAML file of
its settings in ``properties/model``: nothing else names it. :func:`register` adds models of other packages. Where the
installed RecBole has a model of the same name itself, the name means RecBole's.

What is particular to a model stands on its class:

* ``trainer``: the Trainer class that fits it; without it RecBole's choice.
* ``train_loader(config)``: a static method that returns the class of its loader of training; without it RecBole's.
* ``unseen_users``: the settings with which it scores users that it was not trained on; None where it cannot.
* ``members_of(settings)`` and ``check_config(config, settings)``: class methods of an ensemble, which return the models
  that it is made of, and check their settings.
* ``paper`` and ``search_space``: what to cite, and what to search, as in RecBole's ``hyper.test``.
"""

import functools
import importlib
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from recbole_edlae.settings.schema import RECBOLE_PROPERTIES, Setting, read_schema

PROPERTIES = pathlib.Path(__file__).parents[1] / "properties" / "model"

# Models of RecBole's that score a user from a history, and the settings that it takes, if any.
RECBOLES_UNSEEN_USERS: dict[str, dict[str, Any]] = {
    "MultiVAE": {},
    "MultiDAE": {},
    "RecVAE": {},
    "MacridVAE": {},
    "EASE": {},
    "ADMMSLIM": {},
    "SLIMElastic": {},
    "ItemKNN": {"knn_method": "item"},
    "Pop": {},
    "Random": {},
}

_registered: dict[str, tuple[type, str]] = {}  # models of other packages: name → class and YAML file


def register(model: type, *, defaults: str | pathlib.Path) -> None:
    """Register a model class of another package with RecBole. Idempotent.

    Args:
        model: Subclass of RecBole's GeneralRecommender, with the attributes above as far as they are wanted.
        defaults: Path of the YAML file of its settings, every line ``key: value  # (type) meaning``. A subclass of
            another model has that one's settings too, and its file what it adds or changes.

    Raises:
        ValueError: RecBole, this package or another one has a model of that name.
    """
    name = model.__name__
    known, _ = _registered.get(name, (model, ""))
    if known is not model or name in own_models() or _is_recboles(name):
        where = f", in {known.__module__}" if known is not model else ""
        raise ValueError(f"RecBole has a model named {name} already{where}")
    _registered[name] = model, str(defaults)


def registered() -> dict[str, str]:
    """Return name → YAML file of defaults, for every model of this package and every registered one."""
    return own_models() | {name: defaults for name, (_, defaults) in _registered.items()}


def names() -> list[str]:
    """Return the names of all models, those of this package and the registered ones first."""
    return [*registered(), *sorted(file.stem for file in (RECBOLE_PROPERTIES / "model").glob("*.yaml"))]


def defaults_of(name: str) -> list[pathlib.Path]:
    """Return the YAML files of a model's defaults; later ones win.

    A registered model has those of the registered models that it is a subclass of, down to one of this package or of
    RecBole's, whose file is complete.

    Args:
        name: of any model.
    """
    if name in own_models():
        return [pathlib.Path(own_models()[name])]
    if name not in _registered:
        return [file for file in [RECBOLE_PROPERTIES / "model" / f"{name}.yaml"] if file.is_file()]
    files: list[pathlib.Path] = []
    for parent in model_class(name).__mro__:
        if parent in [model for model, _ in _registered.values()]:
            files.insert(0, pathlib.Path(_registered[parent.__name__][1]))
        elif parent.__module__.startswith(("recbole.model.", "recbole_edlae.model.")):
            return [*defaults_of(parent.__name__), *files]
    return files


def schema_of(name: str) -> dict[str, Setting]:
    """Return key → Setting of a model's own defaults, as :func:`defaults_of` finds them.

    Args:
        name: of the model.
    """
    settings: dict[str, Setting] = {}
    for file in defaults_of(name):
        settings |= read_schema(file)
    return settings


def model_class(name: str) -> type:
    """Return the class of one of the :func:`registered` models."""
    if name in _registered:
        return _registered[name][0]
    return getattr(importlib.import_module(f"recbole_edlae.model.{name.lower()}"), name)


def unseen_users() -> dict[str, Mapping[str, Any]]:
    """Return the models that score users they were not trained on → the settings that it takes."""
    found = {name: _unseen_users(name) for name in (*registered(), *RECBOLES_UNSEEN_USERS)}
    return {name: settings for name, settings in found.items() if settings is not None}


def _unseen_users(model: str) -> Mapping[str, Any] | None:
    """Return the settings with which one model scores such users; None where it cannot."""
    if model in registered():
        return getattr(model_class(model), "unseen_users", None)
    return RECBOLES_UNSEEN_USERS.get(model)


def check_unseen_users(model: str, settings: Mapping[str, Any]) -> None:
    """Check that a model can score users it was not trained on.

    Args:
        model: Its name.
        settings: All settings, as ``Config`` ends with.

    Raises:
        ValueError: It cannot, with the reason.
    """
    check_members(check_unseen_users, model, settings)
    needed = _unseen_users(model)  # of this model alone: the others are not imported
    if needed is None:
        raise ValueError(
            f"model: {model} has nothing for a user it was not trained on; models that score a user from a history: "
            f"{', '.join(unseen_users())}"
        )
    for key, value in needed.items():
        if settings.get(key) != value:
            raise ValueError(
                f"model: {model} scores users it was not trained on with {key} {value!r} only, "
                f"got {settings.get(key)!r}"
            )


def is_ensemble(model: str) -> bool:
    """Return whether a model is made of others.

    Args:
        model: its name.
    """
    return model in registered() and hasattr(model_class(model), "members_of")


def members_of(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return label → Member of the models that an ensemble is made of; empty for any other model.

    Args:
        model: its name.
        settings: all settings, as ``Config`` ends with.
    """
    if not is_ensemble(model):
        return {}
    ensemble: Any = model_class(model)
    return ensemble.members_of(settings)


def check_members(check: Callable[[str, Mapping[str, Any]], None], model: str, settings: Mapping[str, Any]) -> None:
    """Check each model that an ensemble is made of; there is nothing to check of any other model.

    Args:
        check: takes the name of a member's model and all its settings, and raises a ValueError.
        model: name of the ensemble.
        settings: all its settings, as ``Config`` ends with.

    Raises:
        ValueError: That of the check, with the name of the member.
    """
    for label, member in members_of(model, settings).items():
        try:
            check(member.model, {**default_settings(member.model), **settings, **member.settings})
        except ValueError as error:
            raise ValueError(f"members: {label}: {error}") from None


def default_settings(model: str) -> dict[str, Any]:
    """Return key → value of the default settings of a model.

    Args:
        model: its name.
    """
    defaults: dict[str, Any] = {}
    for file in defaults_of(model):
        defaults |= yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return defaults


@functools.cache
def own_models() -> dict[str, str]:
    """Return name → YAML file of the models of this package, without those that the installed RecBole has itself."""
    return {file.stem: str(file) for file in sorted(PROPERTIES.glob("*.yaml")) if not _is_recboles(file.stem)}


def _is_recboles(name: str) -> bool:
    """Return whether RecBole itself has a model of a name, which is a module in lower case."""
    return any(RECBOLE_PROPERTIES.parent.glob(f"model/*/{name.lower()}.py"))
