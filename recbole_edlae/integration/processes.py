"""Take the package along into other processes: spawned children, Ray workers, workers of PyTorch's loaders.

Such a process imports what is pickled to it. RecBole's functions are pickled by their names, so that a child of a
program that imports this package would run stock RecBole. The functions here stand in for RecBole's entry points. They
do the same and are pickled by their names in this module, which imports the package; so does a loader, by its
:class:`Armed`. A forked child has the package anyway.
"""

import importlib
from collections.abc import Callable
from typing import Any

from recbole_edlae.integration import hook

_MODULE = "recbole.quick_start.quick_start"


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
    module = importlib.import_module(_MODULE)

    # The patch may have been taken back by `restore`.
    try:
        return hook.stock(_MODULE, name)
    except LookupError:
        return getattr(module, name)
