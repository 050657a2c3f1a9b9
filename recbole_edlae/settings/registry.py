"""Look up a model by its name: its class, its defaults, the settings with which it scores unseen users.

A model of this package is a file of :mod:`recbole_edlae.model`, named like the model in lower case, and a YAML file of
its settings in ``properties/model``. No list names it. :func:`register` adds models of other packages. Where the
installed RecBole has a model of the same name itself, the name means RecBole's.

What is particular to a model is an attribute of its class, all of them optional:

* ``trainer``: the Trainer class that fits it; without it RecBole's choice.
* ``train_loader(config)``: a static method that returns the class of its loader of training; without it RecBole's.
* ``unseen_users``: the settings with which it scores users that it was not trained on; None where it cannot.
* ``check_config(config, settings)``: a class method that checks settings which depend on each other.
* ``paper`` and ``search_space``: what to cite, and what to search, as in RecBole's ``hyper.test``.
* ``batch_bytes``: of the scores of a batch of a full ranking; without it ``eval_batch_size`` says how many.
* ``fitted``: a property, whether it is trained; one that is not is neither served nor exported.
* ``scores_by_weights()``: a method, whether its scores are those of its ``weights``; ``ClosedFormTrainer`` asks it.
* ``members_of(settings)`` and ``refitted(settings, epochs)``: class methods of an ensemble, which return the models
  that it is made of, and settings that train these again. Its instances have ``models`` and, by label, ``configs``.
"""

import functools
import importlib
import importlib.util
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from recbole_edlae.settings.schema import Setting, read_schema


def _recbole_folder() -> pathlib.Path:
    """Return the folder of RecBole's package, without importing it."""
    # A namespace package, such as an empty folder of that name, has no origin.
    spec = importlib.util.find_spec("recbole")
    if spec is None or spec.origin is None:
        from recbole_edlae._missing import MISSING_RECBOLE

        raise ModuleNotFoundError(MISSING_RECBOLE, name="recbole")
    return pathlib.Path(spec.origin).parent


RECBOLE_PROPERTIES = _recbole_folder() / "properties"
PROPERTIES = pathlib.Path(__file__).parents[1] / "properties" / "model"
_RECBOLE_MODELS = RECBOLE_PROPERTIES / "model"

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

# Models of other packages: name → class and YAML file.
_registered: dict[str, tuple[type, str]] = {}


def register(model: type, *, defaults: str | pathlib.Path) -> None:
    """Register a model class of another package with RecBole. Idempotent.

    Args:
        model: Subclass of RecBole's GeneralRecommender, with any of the attributes above.
        defaults: Path of the YAML file of its settings, every line ``key: value  # (type) meaning``. A subclass of
            another model has that one's settings too, and its file what it adds or changes.

    Raises:
        ValueError: RecBole, this package or another one has a model of that name.
    """
    # The same class again is no other model.
    name = model.__name__
    known, _ = _registered.get(name, (model, ""))
    if known is not model:
        raise ValueError(f"RecBole has a model named {name} already, in {known.__module__}")
    if name in own_models() or _is_recboles(name):
        raise ValueError(f"RecBole has a model named {name} already")
    _registered[name] = model, str(defaults)


def registered() -> dict[str, str]:
    """Return name → YAML file of defaults, for every model of this package and every registered one."""
    return own_models() | {name: defaults for name, (_, defaults) in _registered.items()}


def names() -> list[str]:
    """Return the names of all models, those of this package and the registered ones first."""
    # RecBole's Random has no settings, and no file of them.
    recboles = {file.stem for file in _RECBOLE_MODELS.glob("*.yaml")}
    return [*registered(), *sorted(recboles.union(RECBOLES_UNSEEN_USERS))]


def defaults_of(name: str) -> list[pathlib.Path]:
    """Return the YAML files of a model's defaults; later ones win.

    A registered model has those of the registered models that it is a subclass of, down to one of this package or of
    RecBole's, whose file is complete.
    """
    if name in own_models():
        return [pathlib.Path(own_models()[name])]

    # Some of RecBole's models have no file.
    if name not in _registered:
        return list(_RECBOLE_MODELS.glob(f"{name}.yaml"))

    # From the class up to the first parent that RecBole or this package knows.
    files: list[pathlib.Path] = []
    for parent in model_class(name).__mro__:
        model, defaults = _registered.get(parent.__name__, (None, ""))
        if model is parent:
            files.insert(0, pathlib.Path(defaults))
        elif parent.__module__.startswith(("recbole.model.", "recbole_edlae.model.")):
            return [*defaults_of(parent.__name__), *files]
    return files


def schema_of(name: str) -> dict[str, Setting]:
    """Return key → Setting of a model's own defaults, as :func:`defaults_of` finds them."""
    settings: dict[str, Setting] = {}
    for file in defaults_of(name):
        settings |= read_schema(file)
    return settings


def recbole_schema(model: str | None = None) -> dict[str, Setting]:
    """Return key → Setting of RecBole's general files and of one of its models.

    Some of RecBole's comments contradict the default beside them; those settings are left out.
    """
    settings: dict[str, Setting] = {}
    for name in ("overall.yaml", "dataset/sample.yaml", f"model/{model}.yaml"):
        # RecBole has no file for the models of this package.
        file = RECBOLE_PROPERTIES / name
        if not file.is_file():
            continue
        for key, setting in read_schema(file).items():
            if setting.default_is_valid:
                settings[key] = setting
    return settings


def model_class(name: str) -> type:
    """Return the class of one of the :func:`registered` models."""
    if name in _registered:
        return _registered[name][0]

    # Imported when it is asked for, because each model loads its own solvers.
    return getattr(importlib.import_module(f"recbole_edlae.model.{name.lower()}"), name)


def unseen_users() -> dict[str, Mapping[str, Any]]:
    """Return the models that score users they were not trained on → the settings that it takes."""
    models = {}
    for name in (*registered(), *RECBOLES_UNSEEN_USERS):
        settings = _unseen_users(name)
        if settings is not None:
            models[name] = settings
    return models


def _unseen_users(model: str) -> Mapping[str, Any] | None:
    """Return the settings with which one model scores unseen users; None if it cannot."""
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

    # Of this model alone, because the names of all would import every model.
    required = _unseen_users(model)
    if required is None:
        raise ValueError(
            f"model: {model} has nothing for a user it was not trained on; models that score a user from a history: "
            f"{', '.join(unseen_users())}"
        )
    for key, value in required.items():
        if settings.get(key) != value:
            raise ValueError(
                f"model: {model} scores users it was not trained on with {key} {value!r} only, "
                f"got {settings.get(key)!r}"
            )


def is_ensemble(model: str) -> bool:
    """Return whether a model is made of others."""
    return model in registered() and hasattr(model_class(model), "members_of")


def members_of(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return label → Member of the models that an ensemble is made of; empty for any other model."""
    if not is_ensemble(model):
        return {}

    # A class method, because the members are needed before the model is built.
    ensemble: Any = model_class(model)
    return ensemble.members_of(settings)


def check_members(
    check: Callable[[str, Mapping[str, Any]], None], model: str, settings: Mapping[str, Any]
) -> None:
    """Check each model that an ensemble is made of, and nothing for any other model.

    Args:
        check: takes the name of a member's model and all its settings, and raises a ValueError.
        model: name of the ensemble.
        settings: all its settings, as ``Config`` ends with.

    Raises:
        ValueError: That of the check, with the name of the member.
    """
    for label, member in members_of(model, settings).items():
        # A member's own settings win over the ensemble's, which win over its defaults.
        member_settings = {**default_settings(member.model), **settings, **member.settings}
        try:
            check(member.model, member_settings)
        except ValueError as error:
            raise ValueError(f"members: {label}: {error}") from None


def default_settings(model: str) -> dict[str, Any]:
    """Return key → value of the default settings of a model."""
    # A file of comments alone is empty YAML.
    defaults: dict[str, Any] = {}
    for file in defaults_of(model):
        defaults |= yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return defaults


@functools.cache
def own_models() -> dict[str, str]:
    """Return name → YAML file of the models of this package, without those that the installed RecBole has itself."""
    files = {}
    for file in sorted(PROPERTIES.glob("*.yaml")):
        # A later RecBole may bring the model along.
        if not _is_recboles(file.stem):
            files[file.stem] = str(file)
    return files


def _is_recboles(name: str) -> bool:
    """Return whether RecBole itself has a model of a name, whose module is the name in lower case."""
    return any(RECBOLE_PROPERTIES.parent.glob(f"model/*/{name.lower()}.py"))
