"""RecBole on this stack, and on worse ones that are made up."""

import importlib
import importlib.metadata
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.quick_start import quick_start, run_recbole

from recbole_edlae.integration.compat import stack
from recbole_edlae.integration.patches import PATCHES
from tests.conftest import ROOT


class Unsafe:
    """Something that torch's safe default refuses to unpickle."""


def test_torch_load_keeps_its_safe_default_for_everybody_else(tmp_path):
    torch.save({"what": Unsafe()}, tmp_path / "file.pth")
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        torch.load(tmp_path / "file.pth")
    assert isinstance(torch.load(tmp_path / "file.pth", weights_only=False)["what"], Unsafe)


@pytest.mark.parametrize("name", [patch.module for patch in PATCHES if patch.attribute == "torch"])
def test_torch_as_recboles_modules_see_it_reads_their_checkpoints(tmp_path, name):
    torch.save({"what": Unsafe()}, tmp_path / "file.pth")
    seen = importlib.import_module(name).torch
    assert isinstance(seen.load(tmp_path / "file.pth")["what"], Unsafe)
    assert seen.nn is torch.nn and seen.Tensor is torch.Tensor and seen.load is not torch.load


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "zeros"])
def test_corrupt_checkpoint(settings, tmp_path, damage):
    from recbole.quick_start import load_data_and_model

    run_recbole("EDLAE", "tiny", config_dict=settings)
    (checkpoint,) = (tmp_path / "saved").glob("*.pth")
    content = checkpoint.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut": content[:middle],
        "garbage": b"not a checkpoint",
        "empty": b"",
        "zeros": bytes(len(content)),
    }
    checkpoint.write_bytes(damaged[damage])
    with pytest.raises(ValueError, match=rf"checkpoint .*{checkpoint.name} is corrupt"):
        load_data_and_model(str(checkpoint))


def test_missing_checkpoint():
    from recbole.quick_start import load_data_and_model

    with pytest.raises(FileNotFoundError, match=r"nothing.pth"):
        load_data_and_model("nothing.pth")


def test_a_checkpoint_of_a_gpu_opens_without_one(settings, tmp_path, monkeypatch):
    run_recbole("EDLAE", "tiny", config_dict=settings)
    (file,) = (tmp_path / "saved").glob("*.pth")
    state = torch.load(file, weights_only=False)
    state["config"]["device"] = torch.device("cuda")
    torch.save(state, file)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    from recbole.quick_start import load_data_and_model

    assert load_data_and_model(str(file))[1].weights.encoder.device.type == "cpu"


def test_pandas_3_is_refused(monkeypatch):
    with stack.refuse_pandas_3():
        pass
    monkeypatch.setattr(importlib.metadata, "version", {"pandas": "3.1.0"}.__getitem__)
    with pytest.raises(ImportError, match=r"pip install 'pandas<3'"), stack.refuse_pandas_3():
        pass


def test_missing_values_and_sequences_are_filled(tmp_path):
    folder = tmp_path / "gaps"
    folder.mkdir()
    (folder / "gaps.inter").write_text("user_id:token\titem_id:token\nu1\ti1\nu1\ti2\nu2\ti1\n")
    (folder / "gaps.item").write_text(
        "item_id:token\tprice:float\tgenre:token\ttags:token_seq\tvector:float_seq\n"
        "i1\t3.0\tdrama\ta b\t0.5 1.5\ni2\t\t\t\t\n"
    )
    config = Config(
        "Pop", "gaps", config_dict={"data_path": str(tmp_path), "load_col": None, "state": "ERROR"}
    )
    item = create_dataset(config).item_feat
    assert np.isfinite(item["price"]).all() and (item["genre"] >= 0).all()
    assert len(item["tags"]) == len(item["vector"]) == 3


@pytest.mark.parametrize(
    "metric", ["ItemCoverage", "GiniIndex", "AveragePopularity", "ShannonEntropy", "TailPercentage"]
)
def test_beyond_accuracy_metrics(settings, metric):
    result = run_recbole(
        "EDLAE",
        "tiny",
        config_dict={**settings, "metrics": ["Recall", metric], "valid_metric": "Recall@10"},
    )
    assert np.isfinite(result["test_result"][f"{metric.lower()}@10"])


@pytest.mark.parametrize("name", [patch.module for patch in PATCHES if patch.attribute == "sp"])
def test_graphs_are_built_as_of_old(name):
    matrix = importlib.import_module(name).sp.dok_matrix((2, 2), dtype=np.float32)
    matrix._update({(0, 1): 3.0})
    assert matrix[0, 1] == 3.0 and (matrix.tocsr() @ np.ones(2)).tolist() == [3.0, 0.0]
    assert sp.issparse(matrix) and isinstance(matrix, sp.dok_matrix)


def test_report_outside_a_tune_session_is_harmless():
    quick_start.tune.report(**{"ndcg@10": 0.5})


RAYS = {
    "missing": None,
    "broken": "raise AttributeError('module numpy has no attribute bool8')",
    "without pkg_resources": "import pkg_resources_that_is_gone",
    "newer": "__version__ = '2.50.0'",
}


@pytest.mark.slow
@pytest.mark.parametrize("ray", RAYS)
@pytest.mark.parametrize(
    "plugin",
    ["import recbole_edlae", "import recbole_edlae.integration.hook; recbole_edlae.integration.hook.arm()"],
)
def test_whatever_ray_is_there(tmp_path, settings, ray, plugin):
    package = tmp_path / "ray"
    package.mkdir()
    (package / "__init__.py").write_text(RAYS[ray] or "raise ModuleNotFoundError('no ray', name='ray')")
    (package / "tune.py").write_text("def report(metrics): raise RuntimeError('not in a session')")
    (package / "__init__.py").open("a").write("\ndef is_initialized(): return False\n")
    program = f"""
        import sys
        sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]
        {plugin}
        from recbole.quick_start import objective_function
        print(objective_function({{**{settings!r}, "model": "EDLAE", "dataset": "tiny"}})["model"])
        print("ray" in sys.modules)
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.stdout.split()[-2:] == ["EDLAE", "False"], done.stderr
