"""What torch itself loads, so that RecBole knows this package's models in a process that never imported it.

setup.cfg names :func:`arm` as a ``torch.backends`` entry point, which ``import torch`` calls: a checkpoint of RecBole's
then loads, and ``get_model("EDLAE")`` succeeds, in a fresh process, a spawned child or a Ray worker. It is a module of
its own because importing the package registers everything, which no program that merely uses torch should pay for;
``arm`` only leaves two notes, and the package is imported when one of them is first needed.
``TORCH_DEVICE_BACKEND_AUTOLOAD=0`` switches it off.
"""

import functools
import importlib
import importlib.machinery
import importlib.util
import pathlib
import sys

_RECBOLE_MODELS = "recbole.model.general_recommender."


def arm():
    """Leaves both notes, once: for RecBole's calls of torch.load, and for its look-up of models."""
    import torch

    if not hasattr(torch.load, "recbole_edlae"):
        torch.load = _for_recbole(torch.load)
    if not any(isinstance(finder, _ModelFinder) for finder in sys.meta_path):
        sys.meta_path.append(_ModelFinder())


def _for_recbole(stock):
    """torch.load as it was, but for callers inside RecBole, who get the plugin's reader of checkpoints."""

    @functools.wraps(stock)
    def load(*args, **kwargs):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.partition(".")[0] != "recbole":
            return stock(*args, **kwargs)
        return importlib.import_module("recbole_edlae.compat").read_checkpoint(stock, *args, **kwargs)

    load.recbole_edlae = True
    return load


class _ModelFinder:
    """Answers for ``recbole.model.general_recommender.<model>`` where RecBole itself has no such module."""

    def find_spec(self, name, path=None, target=None):
        model = name.removeprefix(_RECBOLE_MODELS)
        here = pathlib.Path(__file__).parent / "recbole_edlae" / "model" / f"{model}.py"
        if model == name or "." in model or not here.is_file():
            return None
        importlib.import_module("recbole_edlae")  # registers its models under RecBole's names
        return getattr(sys.modules.get(name), "__spec__", None)
