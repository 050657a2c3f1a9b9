"""Run RecBole 1.2.1 on today's NumPy, SciPy, pandas, torch and ray.

None of it changes a result. Where RecBole calls another package in a way that the package no longer has, RecBole's
module gets a namespace of its own under that package's name; the package itself stays as it is.
"""

import contextlib
import functools
import importlib
import importlib.metadata
import logging
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import yaml

from recbole_edlae.settings import corrections
from recbole_edlae.settings.files import safe_loader


class Namespace(types.ModuleType):
    """A module as RecBole's code is to see it: some names of its own, all others the real module's."""

    def __init__(self, module: types.ModuleType, **names: Any) -> None:
        super().__init__(module.__name__, doc=module.__doc__)
        vars(self).update(names, _module=module)

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["_module"], name)


@contextlib.contextmanager
def refuse_pandas_3() -> Iterator[None]:
    """Refuse to import RecBole's datasets under pandas 3.

    Under its copy on write, RecBole's ``frame[field].fillna(..., inplace=True)`` does nothing: missing values stay NaN
    and sequence fields crash. No wrapper can tell which of RecBole's chained calls were meant.

    Raises:
        ImportError: pandas 3 or later is installed.
    """
    version = importlib.metadata.version("pandas")
    if int(version.partition(".")[0]) >= 3:
        raise ImportError(
            f"RecBole 1.2.1 silently leaves missing values in the data under pandas {version}; "
            "install an older one: pip install 'pandas<3'"
        )
    yield


@contextlib.contextmanager
def ray_stand_in() -> Iterator[None]:
    """Answer ``from ray import tune`` while ``recbole.quick_start`` is being imported, without importing ray.

    RecBole needs ray in Tune sessions only, and :func:`tune` looks for it there. The import would take a second, and
    ray 2.6.3, the newest that RecBole's requirements allow, fails on new versions of NumPy and setuptools.
    """
    # Whoever has imported ray gets it.
    if "ray" in sys.modules:
        yield
        return

    stand_in = types.ModuleType("ray", doc="Stands in for ray while recbole.quick_start is imported.")
    stand_in.tune = types.ModuleType("ray.tune")  # type: ignore[attr-defined]
    stand_in.tune.report = report  # RecBole has this module when the patches are taken back
    sys.modules["ray"] = stand_in
    try:
        yield
    finally:
        if sys.modules.get("ray") is stand_in:
            del sys.modules["ray"]


def tune(stock: Any) -> types.SimpleNamespace:
    """Return what RecBole uses of ``ray.tune``."""
    return types.SimpleNamespace(report=report)


def report(**metrics: Any) -> None:
    """Report metrics to Ray Tune; outside of a Tune session, where ray may be missing, do nothing."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return

    # Ray 2.7 takes a dict where earlier versions take keywords.
    ray_tune = importlib.import_module("ray.tune")
    major, minor = map(int, ray.__version__.split(".")[:2])
    if (major, minor) < (2, 7):
        ray_tune.report(**metrics)
    else:
        ray_tune.report(metrics)


def read_checkpoint(file: str | os.PathLike, *arguments: Any, **options: Any) -> Any:
    """Return what ``torch.load`` reads from a checkpoint of RecBole's, which pickles its Config.

    torch.load refuses such files from version 2.6 on, and they name a device that this machine may not have. The
    weights carry the file's name and what they were trained on, which is checked where a model loads them. A
    checkpoint is a pickle, which can run any code: open those only whose origin you trust.

    Args:
        file: Path of the checkpoint.
        arguments: Further ones of ``torch.load``.
        options: Further ones of ``torch.load``.

    Raises:
        ValueError: The file is not a readable checkpoint of RecBole's; the message names it.
        OSError: The file is missing or cannot be read.
        ImportError, AttributeError: It needs a module or a class that is not there.
    """
    options.setdefault("weights_only", False)
    on_gpu = torch.cuda.is_available()
    if not on_gpu and not arguments:
        options["map_location"] = "cpu"

    # Some errors say themselves what is wrong. Beside them, torch's three file formats fail in a dozen ways.
    try:
        content = torch.load(file, *arguments, **options)
    except (
        FileNotFoundError,
        PermissionError,
        IsADirectoryError,
        ImportError,
        AttributeError,
        MemoryError,
    ):
        raise
    except Exception as error:
        reason = str(error).split("\n")[0]
        raise ValueError(
            f"checkpoint {file} is corrupt, cut short or not one of RecBole's: {reason}"
        ) from error

    # RecBole is in the middle of its import while this module is imported, and these need it.
    from recbole_edlae.data import training_data
    from recbole_edlae.integration import checkpoint_file, models

    checkpoint = checkpoint_file.checked(content, file)
    if "config" not in checkpoint:
        return checkpoint
    config = checkpoint["config"]

    # RecBole alone splits its data uncorrected, and does not store what a model was trained on as this package does.
    if corrections.SETTING not in config:
        config[corrections.SETTING] = training_data.KEY in checkpoint
    models.add_later_settings(config)
    if not on_gpu:
        config["device"] = torch.device("cpu")
    return checkpoint


def torch_for_recbole(stock: types.ModuleType) -> Namespace:
    """Return torch as RecBole's modules see it: ``load`` reads RecBole's checkpoints."""
    return Namespace(stock, load=read_checkpoint)


def yaml_for_recbole(stock: types.ModuleType) -> Namespace:
    """Return yaml as RecBole's Config sees it: its files cannot make Python objects, whatever loader it names."""
    return Namespace(stock, load=_safe_load)


def _safe_load(text: str, Loader: type) -> Any:
    """Return the content of YAML without objects; what is a number is up to the loader that RecBole names."""
    return yaml.load(text, safe_loader(Loader))


def load_data_and_model(stock: Callable, model_file: str | os.PathLike) -> tuple:
    """Return what RecBole's function of that name returns, which imports torch by itself and so is written anew here.

    Returns:
        Config, model, dataset and the loaders of training, validation and test.
    """
    quick_start = importlib.import_module("recbole.quick_start.quick_start")
    checkpoint = read_checkpoint(model_file)
    config = checkpoint["config"]

    # A Config calls this when it is made, not when it is unpickled, and RecBole's metrics rely on it.
    config.compatibility_settings()

    # RecBole's lines.
    quick_start.init_seed(config["seed"], config["reproducibility"])
    quick_start.init_logger(config)
    logger = logging.getLogger()
    logger.info(config)
    dataset = quick_start.create_dataset(config)
    logger.info(dataset)
    loaders = quick_start.data_preparation(config, dataset)
    quick_start.init_seed(config["seed"], config["reproducibility"])
    model = quick_start.get_model(config["model"])(config, loaders[0]._dataset).to(config["device"])
    model.load_state_dict(checkpoint["state_dict"])
    model.load_other_parameter(checkpoint.get("other_parameter"))
    return config, model, dataset, *loaders


def sparse_for_recbole(stock: types.ModuleType) -> Namespace:
    """Return scipy.sparse as RecBole's graph models see it: ``dok_matrix`` has the method ``_update`` of old."""
    if hasattr(stock.dok_matrix, "_update"):
        return Namespace(stock)

    class dok_matrix(stock.dok_matrix):  # type: ignore[name-defined]
        def _update(self, entries: dict[tuple[int, int], float]) -> None:
            self._dict.update(entries)

    return Namespace(stock, dok_matrix=dok_matrix)


def without_future_warnings(stock: Callable, *arguments: Any) -> Any:
    """Call a function of RecBole's without the FutureWarnings of its own lines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return stock(*arguments)


def amp_for_recbole(stock: types.ModuleType) -> Namespace:
    """Return torch.cuda.amp as RecBole's trainers see it: the same classes by the names that torch has for them now."""
    scaler = functools.partial(torch.amp.GradScaler, "cuda")
    return Namespace(stock, GradScaler=scaler, autocast=functools.partial(torch.amp.autocast, "cuda"))


def compatibility_settings(stock: Callable, config: Any) -> None:
    """Set the names that RecBole's method of that name sets in NumPy, whichever of their sources NumPy still has."""
    sources = {
        "bool": "bool_",
        "int": "int_",
        "float": "float64",
        "complex": "complex128",
        "object": "object_",
        "str": "str_",
        "long": "int_",
        "unicode": "str_",
    }
    for name, source in sources.items():
        setattr(np, name, getattr(np, source))


def evaluate(stock: Callable, evaluator: Any, collected: Any) -> dict[str, float]:
    """Return RecBole's metrics as plain floats, which print as numbers, and say in the log what was corrected."""
    result = stock(evaluator, collected)

    # All corrections of a run have been noted when its first metrics are.
    corrections.say(evaluator.config)
    for name, value in result.items():
        result[name] = float(value)
    return result
