"""RecBole 1.2.1 on current numpy, scipy, pandas, torch and ray: one function per break, in the order RecBole hits them.

Each does nothing where nothing is broken, and says when it can go. None of them alters a result.
"""

import importlib
import sys
import types
import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

import recbole_edlae.integration.hook


def before_import():
    """What has to happen before RecBole's modules can be imported: this, and the repairs that autoload makes."""
    pandas_3()
    recbole_edlae.integration.hook.arm()


def after_import():
    """What is changed in RecBole's modules once they are there."""
    recbole_edlae.integration.hook.remove_ray_stand_in()
    ray_report()
    dok_update()
    collector_counts()
    plain_results()
    deprecation_noise()


def pandas_3():
    """pandas 3 (copy on write) turns RecBole's ``frame[field].fillna(..., inplace=True)`` into a silent no-op.

    Missing values would stay NaN and sequence fields crash; no wrapper can tell which calls were meant, so refuse.
    Can go when RecBole assigns what fillna returns.
    """
    if int(pd.__version__.split(".")[0]) >= 3:
        raise ImportError(
            f"RecBole 1.2.1 silently leaves missing values in the data under pandas {pd.__version__}; "
            "install an older one: pip install 'pandas<3'"
        )


def read_checkpoint(stock_load, file, *args, **kwargs):
    """torch.load for calls from inside RecBole; everybody else's keep torch's safe default.

    RecBole's checkpoints pickle its Config, which torch.load (≥ 2.6) refuses; and they remember a device that this
    machine may not have. Raises ValueError, naming the file, when it is not a readable checkpoint of RecBole's. Its
    weights remember the file and what they were trained on, which is checked where a model loads them.
    Can go when RecBole passes ``weights_only=False`` itself.
    """
    kwargs.setdefault("weights_only", False)
    on_gpu = torch.cuda.is_available()
    if not on_gpu and not args:
        kwargs["map_location"] = "cpu"
    try:
        checkpoint = stock_load(file, *args, **kwargs)
    except (FileNotFoundError, PermissionError, IsADirectoryError, ImportError, AttributeError, MemoryError):
        raise  # says what is the matter itself
    except Exception as error:  # torch's three file formats fail in a dozen ways
        reason = str(error).split("\n")[0]
        raise ValueError(f"checkpoint {file} is corrupt, cut short or not one of RecBole's: {reason}") from error
    checkpoint = importlib.import_module("recbole_edlae.serving.checkpoint_file").checked(checkpoint, file)
    if "config" in checkpoint and not on_gpu:
        checkpoint["config"]["device"] = torch.device("cpu")
    return checkpoint


def dok_update():
    """scipy 1.13 dropped ``dok_matrix._update``, with which LightGCN, NGCF, NCL and others build their graphs.

    Can go when those models build a COO matrix.
    """
    if not hasattr(sp.dok_matrix, "_update"):
        sp.dok_matrix._update = lambda self, entries: self._dict.update(entries)


def collector_counts():
    """``Collector.get_data_struct`` calls ``.cpu()`` on counts too, so every beyond-accuracy metric crashes.

    Can go with RecBole's next release after 1.2.1 that tests for a tensor.
    """
    collector = importlib.import_module("recbole.evaluator.collector").Collector
    stock = collector.get_data_struct
    if hasattr(stock, "recbole_edlae"):
        return

    def get_data_struct(self):
        data = self.data_struct._data_dict
        counts = {key: data.pop(key) for key in list(data) if not isinstance(data[key], torch.Tensor)}
        returned = stock(self)
        data.update(counts)
        returned._data_dict.update(counts)
        return returned

    get_data_struct.recbole_edlae = True
    collector.get_data_struct = get_data_struct


def plain_results():
    """numpy 2 prints RecBole's metrics as ``np.float64(0.2372)``: a result is made of plain floats.

    Can go when ``Evaluator`` rounds to a float.
    """
    evaluator = importlib.import_module("recbole.evaluator.evaluator").Evaluator
    stock = evaluator.evaluate
    if hasattr(stock, "recbole_edlae") or repr(np.float64(0)) == "0.0":
        return

    def evaluate(self, dataobject):
        return type(result := stock(self, dataobject))((name, float(value)) for name, value in result.items())

    evaluate.recbole_edlae = True
    evaluator.evaluate = evaluate


def ray_report():
    """``tune.report(**metrics)``: ray ≥ 2.7 takes one dict, and refuses outside a Tune session.

    Can go when RecBole calls ``ray.tune.report(metrics)`` inside sessions only.
    """
    quick_start = importlib.import_module("recbole.quick_start.quick_start")
    ray = sys.modules.get("ray")
    if ray is None or tuple(map(int, ray.__version__.split(".")[:2])) >= (2, 7):
        quick_start.tune = types.SimpleNamespace(report=_report)


def _report(**metrics):
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return
    from ray import tune

    tune.report(metrics)


def deprecation_noise():
    """FutureWarnings about RecBole's own lines (torch.cuda.amp, chained fillna): its users cannot act on them."""
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"recbole\.")
