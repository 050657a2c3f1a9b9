"""What torch itself loads, so that RecBole runs, and knows this package's models, in a process that never imported it.

setup.cfg names :func:`arm` as a ``torch.backends`` entry point, which ``import torch`` calls: a checkpoint then loads,
and ``get_model("EDLAE")`` succeeds, in a fresh process, a spawned child or a Ray worker. It is a module of its own
because importing the package registers everything, which no program that merely uses torch should pay for: ``arm``
leaves notes, to be acted on when RecBole first needs it. ``TORCH_DEVICE_BACKEND_AUTOLOAD=0`` switches it off.
"""

import functools
import importlib
import pathlib
import sys
import types
import warnings

_MODELS = "recbole.model.general_recommender."


def arm():
    """Leaves the notes, once: on RecBole's calls of torch.load, and on the import of parts of RecBole."""
    import torch

    if not hasattr(torch.load, "recbole_edlae"):
        torch.load = _for_recbole(torch.load)
    if not any(isinstance(finder, _RecBoleImports) for finder in sys.meta_path):
        sys.meta_path.insert(0, _RecBoleImports())
        for name in _REPAIRS.keys() & sys.modules.keys():  # it is RecBole that is importing torch
            _REPAIRS[name]()


def numpy_names():
    """RecBole's Config sets ``numpy.float`` and its like from names that numpy 2 dropped.

    Can go when ``Config.compatibility_settings`` does.
    """
    import numpy as np

    for dropped, kept in (("float_", "float64"), ("complex_", "complex128"), ("unicode_", "str_")):
        if not hasattr(np, dropped):
            setattr(np, dropped, getattr(np, kept))


def ray_stand_in():
    """``from ray import tune`` at the top of recbole.quick_start, where ray is missing or cannot be imported.

    RecBole needs it in Tune sessions only. :func:`remove_ray_stand_in` follows once RecBole is imported.
    Can go when RecBole imports ray where it uses it.
    """
    before = set(sys.modules)
    try:
        with warnings.catch_warnings():  # of what an old ray imports: its users cannot act on it
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
            importlib.import_module("ray.tune")
    except Exception:  # ray 2.6.3 fails in several ways: no pkg_resources, no numpy.bool8
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "ray":
                del sys.modules[name]
        for name in ("ray", "ray.tune"):
            sys.modules[name] = types.ModuleType(name, doc="stands in for ray while RecBole is imported")
        sys.modules["ray"].tune = sys.modules["ray.tune"]


def remove_ray_stand_in():
    """To everybody but RecBole, ray is as missing as it was."""
    if getattr(sys.modules.get("ray"), "__spec__", True) is None:
        del sys.modules["ray"], sys.modules["ray.tune"]


_REPAIRS = {"recbole": numpy_names, "recbole.quick_start": ray_stand_in}


def _for_recbole(stock):
    """torch.load as it was, but for callers inside RecBole, who get the plugin's reader of checkpoints."""

    @functools.wraps(stock)
    def load(*args, **kwargs):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.partition(".")[0] != "recbole":
            return stock(*args, **kwargs)
        return importlib.import_module("recbole_edlae.integration.stack").read_checkpoint(stock, *args, **kwargs)

    load.recbole_edlae = True
    return load


class _RecBoleImports:
    """Repairs a part of RecBole's surroundings before that part is imported, and answers for the plugin's models."""

    def find_spec(self, name, path=None, target=None):
        if name in _REPAIRS:
            _REPAIRS[name]()
        model = name.removeprefix(_MODELS)
        if model != name and (pathlib.Path(__file__).parents[1] / "model" / f"{model}.py").is_file():
            importlib.import_module("recbole_edlae")  # registers its models under RecBole's names
            return getattr(sys.modules.get(name), "__spec__", None)
        return None
