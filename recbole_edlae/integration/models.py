"""How a model enters RecBole: its name, its defaults, its trainer, its data loader.

RecBole finds models, trainers and default settings by name in its own package. ``register`` puts a model where it
looks: the module under ``recbole.model.general_recommender``, the trainer as ``recbole.trainer.<Model>Trainer``, and
the YAML file of defaults where ``Config`` merges those of RecBole's models. A model that is trained on other batches
than of interactions says so by a static method ``train_loader(config)``, which returns the class of its data loader.
"""

import functools
import importlib
import pathlib
import sys

from recbole_edlae.integration import stack as compat
from recbole_edlae.integration.patches import install

PROPERTIES = pathlib.Path(__file__).parents[1] / "properties" / "model"

# Model → its trainer in recbole_edlae.model.trainer, None for RecBole's own. The module is the name in lower case in
# recbole_edlae.model.
MODELS = {
    "EDLAE": "ClosedFormTrainer",
    "DLAE": "ClosedFormTrainer",
    "LowRankEDLAE": "ClosedFormTrainer",
    "DeepAE": None,
    "DeepVAE": None,
    "AutoRec": None,
}

# Models that score a user from a history, and so users they never saw: the values of settings that it takes, if any.
UNSEEN_USERS = {
    "EDLAE": {},
    "DLAE": {},
    "LowRankEDLAE": {},
    "DeepAE": {},
    "DeepVAE": {},
    "AutoRec": {"based_on": "user"},
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

# Modules with PATCHES: what is corrected in RecBole for every model. Later ones are given what earlier ones made of it.
CORRECTIONS = (
    "recbole_edlae.settings.files",
    "recbole_edlae.data.reading",
    "recbole_edlae.data.time_order",
    "recbole_edlae.data.repeats",
    "recbole_edlae.data.parts",
    "recbole_edlae.data.sampler",
    "recbole_edlae.data.candidates",
    "recbole_edlae.evaluation.collector",
)

_defaults = {}  # model name → YAML file, for every model that was registered


def register_all():
    """Makes RecBole run on this machine's stack and enters the models of this package; again is harmless."""
    compat.before_import()
    hosts = {name: importlib.import_module(f"recbole.{name}") for name in ("config", "quick_start", "trainer")}
    compat.after_import()
    _merge_defaults(hosts["config"].Config)
    _ask_for_loader()
    _collect_lean(importlib.import_module("recbole.trainer.trainer"))
    importlib.import_module("recbole_edlae.data.user_split").install()
    for name in CORRECTIONS:
        install(importlib.import_module(name).PATCHES)
    importlib.import_module("recbole_edlae.evaluation.liang").install()
    importlib.import_module("recbole_edlae.integration.checkpoints").install()
    _register_in_children(importlib.import_module("recbole.quick_start.quick_start"))
    trainers = importlib.import_module("recbole_edlae.model.trainer")
    for name, trainer in MODELS.items():
        model = getattr(importlib.import_module(f"recbole_edlae.model.{name.lower()}"), name)
        register(model, defaults=PROPERTIES / f"{name}.yaml", trainer=trainer and getattr(trainers, trainer))


def register(model, *, defaults, trainer=None):
    """Enters one model class into RecBole.

    Args:
        model: subclass of RecBole's GeneralRecommender, in a module of its own named like it in lower case.
        defaults: path of the YAML file of its settings, every line ``key: value  # (type) meaning``.
        trainer: its Trainer class; None leaves RecBole's choice by model type.

    Raises:
        ValueError: RecBole has a model of that name already.
    """
    name = model.__name__
    alias = f"recbole.model.general_recommender.{name.lower()}"
    taken = sys.modules.setdefault(alias, sys.modules[model.__module__])
    if taken is not sys.modules[model.__module__]:
        raise ValueError(f"RecBole has a model named {name} already, in {taken.__name__}")
    _defaults[name] = str(defaults)
    if trainer is not None:
        setattr(importlib.import_module("recbole.trainer"), f"{name}Trainer", trainer)


def registered():
    """Model name → YAML file of its defaults, for every model that was registered."""
    return dict(_defaults)


def check_unseen_users(model, settings):
    """Raises ValueError for a model that cannot score users it was not trained on, with the reason.

    Args:
        model: its name.
        settings: mapping of all settings, as ``Config`` ends with.
    """
    if model not in UNSEEN_USERS:
        raise ValueError(
            f"model: {model} has nothing for a user it was not trained on; models that score a user from a history: "
            f"{', '.join(UNSEEN_USERS)}"
        )
    for key, value in UNSEEN_USERS[model].items():
        if settings.get(key) != value:
            raise ValueError(
                f"model: {model} scores users it was not trained on with {key} {value!r} only, "
                f"got {settings.get(key)!r}"
            )


def _merge_defaults(config_class):
    """Config reads a registered model's YAML right after RecBole's own files, and checks the values it ends with."""
    from recbole_edlae.data import user_split
    from recbole_edlae.settings.rules import check_rules, check_validation
    from recbole_edlae.settings.schema import check_model_settings

    stock_load, stock_final = config_class._load_internal_config_dict, config_class._get_final_config_dict
    if hasattr(stock_load, "recbole_edlae"):
        return

    @functools.wraps(stock_load)
    def load(self, model, model_class, dataset):
        stock_load(self, model, model_class, dataset)
        if model in _defaults:
            self._update_internal_config_dict(_defaults[model])

    @functools.wraps(stock_final)
    def final(self):
        settings = stock_final(self)
        if self.model in _defaults:
            check_model_settings(_defaults[self.model], settings)
            check_rules(settings)
            check_validation(settings)
        user_split.check(settings)
        if user_split.asked_for(settings):
            check_unseen_users(self.model, settings)
        return settings

    load.recbole_edlae = True
    config_class._load_internal_config_dict, config_class._get_final_config_dict = load, final


def _ask_for_loader():
    """RecBole picks data loaders by its own models' names; both places of that function now ask the model first."""
    places = [importlib.import_module(name) for name in ("recbole.data.utils", "recbole.data")]
    stock = places[0].get_dataloader
    if hasattr(stock, "recbole_edlae"):
        return

    @functools.wraps(stock)
    def get_dataloader(config, phase):
        own = getattr(getattr(config, "model_class", None), "train_loader", None)
        return own(config) if own is not None and phase == "train" else stock(config, phase)

    get_dataloader.recbole_edlae = True
    for place in places:
        place.get_dataloader = get_dataloader


def _collect_lean(trainer):
    """Trainers of registered models collect the same numbers without a users x items matrix of integers."""
    from recbole_edlae.evaluation.collector import LeanCollector

    stock = trainer.Collector
    if hasattr(stock, "recbole_edlae"):
        return

    @functools.wraps(stock)
    def collector(config):
        return (LeanCollector if config["model"] in _defaults else stock)(config)

    collector.recbole_edlae = True
    trainer.Collector = collector


def _register_in_children(quick_start):
    """``nproc > 1`` spawns children that import what they unpickle: a function of this module, and so the models."""
    if quick_start.run_recboles is not run_recboles:
        run_recboles.stock = quick_start.run_recboles
        quick_start.run_recboles = run_recboles


def run_recboles(rank, *args):
    """RecBole's function of that name, in a process where this package has been imported."""
    return run_recboles.stock(rank, *args)
