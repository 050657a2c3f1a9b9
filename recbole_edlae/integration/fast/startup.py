"""Spare short runs what is mostly imports and waiting. No result changes."""

import contextlib
import functools
import importlib
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch

from recbole_edlae.settings.corrections import vectorized


class _Later(types.ModuleType):
    """A module whose functions import the real one when they are called."""

    def __getattr__(self, name: str) -> Callable:
        if name.startswith("__"):
            raise AttributeError(name)
        return functools.partial(_call, self.__name__, name)


def _call(module: str, name: str, *arguments: Any, **options: Any) -> Any:
    """Call a function of a module that is imported now."""
    return getattr(importlib.import_module(module), name)(*arguments, **options)


@contextlib.contextmanager
def sklearn_stand_in() -> Iterator[None]:
    """Answer ``from sklearn.metrics import auc`` while RecBole's metrics are being imported, without scikit-learn.

    RecBole needs three functions of it, for AUC, MAE and RMSE, and gets ones that import it when they are called. The
    import takes a second.
    """
    # Whoever has imported scikit-learn gets it.
    if "sklearn" in sys.modules:
        yield
        return

    stand_ins = {name: _Later(name) for name in ("sklearn", "sklearn.metrics")}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        # Something else may have put the real ones there in the meantime.
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


def get_environment(stock: Callable, config: Any) -> Any:
    """Return RecBole's table of what a run took, with the load of the CPU since the run began.

    RecBole sleeps for a second after the run, and reports the load of that second.
    """
    if not vectorized(config):
        return stock(config)

    # The same numbers as RecBole's.
    utils = importlib.import_module("recbole.utils.utils")
    psutil = importlib.import_module("psutil")
    gpu = "0.0 / 0.0"
    if torch.cuda.is_available() and config["use_gpu"]:
        gpu = utils.get_gpu_usage(config["device"])
    used = psutil.Process(os.getpid()).memory_info().rss / 1024**3
    total = psutil.virtual_memory().total / 1024**3

    table = utils.Texttable()
    table.set_cols_align(["l", "c"])
    table.set_cols_valign(["m", "m"])
    rows = [
        ["Environment", "Usage"],
        ["CPU", f"{psutil.cpu_percent():.2f} %"],
        ["GPU", gpu],
        ["Memory", f"{used:.2f} G/{total:.2f} G"],
    ]
    table.add_rows(rows)
    return table
