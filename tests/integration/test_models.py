"""Importing the package is enough for stock RecBole, wherever RecBole looks a model up."""

import importlib
import importlib.metadata
import pathlib
import pickle
import subprocess
import sys
import textwrap

import pytest
import recbole.trainer
from recbole.config import Config
from recbole.quick_start import load_data_and_model, objective_function, quick_start, run_recbole
from recbole.utils import ModelType, get_model, get_trainer

from recbole_edlae.integration import hook
from recbole_edlae.integration import models as registry
from recbole_edlae.model.edlae import EDLAE
from recbole_edlae.model.trainer import ClosedFormTrainer
from tests.conftest import ROOT

installed = any(
    entry.value == "recbole_edlae.integration.hook:arm"
    for entry in importlib.metadata.entry_points(group="torch.backends")
)
needs_install = pytest.mark.skipif(not installed, reason="the package is on the path only, not installed with pip")


def python(program, folder):
    """Standard output of a fresh interpreter, which has not imported this package."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("model", ["EDLAE", EDLAE], ids=["name", "class"])
def test_config(model, settings):
    config = Config(model, "tiny", config_dict=settings)
    assert config["model"] == "EDLAE" and config.model_class is EDLAE
    assert config["reg_weight"] == 500.0 and config["emphasis"] == [1.0, 0.0]
    assert config["seed"] == 2020  # RecBole's own defaults are there as ever


def test_what_the_user_says_wins_over_the_defaults(settings, tmp_path, monkeypatch):
    (tmp_path / "own.yaml").write_text("reg_weight: 3.0\ndropout_prob: 0.1\nuser_weight_power: 0.2\n")
    monkeypatch.setattr(sys, "argv", ["run_recbole.py", "--user_weight_power=0.7"])
    config = Config("EDLAE", "tiny", [str(tmp_path / "own.yaml")], {**settings, "dropout_prob": 0.5})
    assert [config[key] for key in ("reg_weight", "dropout_prob", "user_weight_power")] == [3.0, 0.5, 0.7]


def test_other_models_keep_their_defaults(settings):
    assert Config("EASE", "tiny", config_dict=settings)["reg_weight"] == 250.0
    assert Config("BPR", "tiny", config_dict=settings)["eval_batch_size"] == 4096


def test_lookups():
    assert get_model("EDLAE") is EDLAE
    assert get_trainer(EDLAE.type, "EDLAE") is ClosedFormTrainer
    assert get_trainer(ModelType.GENERAL, "DeepAE") is recbole.trainer.Trainer


def test_registered_models_collect_lean_and_others_as_ever(settings):
    from recbole.evaluator.collector import Collector

    from recbole_edlae.evaluation.collector import LeanCollector

    config = Config("EDLAE", "tiny", config_dict=settings)
    assert type(recbole.trainer.trainer.Collector(config)) is LeanCollector
    assert type(recbole.trainer.trainer.Collector(Config("EASE", "tiny", config_dict=settings))) is Collector


def test_objective_function(settings):
    result = objective_function({**settings, "model": "EDLAE", "dataset": "tiny"})
    assert result["model"] == "EDLAE" and 0 < result["test_result"]["ndcg@10"] <= 1


def test_hyper_tuning(settings, tmp_path):
    pytest.importorskip("hyperopt", reason="hyperopt is not installed", exc_type=ImportError)
    from recbole.trainer import HyperTuning

    (tmp_path / "space").write_text("dropout_prob choice [0.1,0.5]\n")
    settings = {**settings, "model": "EDLAE", "dataset": "tiny"}
    file = tmp_path / "settings.yaml"
    file.write_text("\n".join(f"{key}: {value}" for key, value in settings.items()))
    tuning = HyperTuning(
        objective_function, algo="random", max_evals=2, params_file=tmp_path / "space", fixed_config_file_list=[file]
    )
    tuning.run()
    assert tuning.best_params["dropout_prob"] in (0.1, 0.5)


def test_a_loop_over_models(settings):
    results = [run_recbole(name, "tiny", config_dict=dict(settings)) for name in ("Pop", "EDLAE", "DLAE")]
    assert len({str(result["test_result"]) for result in results}) == 3


def test_again_changes_nothing():
    def state():
        return (
            Config._load_internal_config_dict, Config._get_final_config_dict, quick_start.run_recboles,
            get_trainer(EDLAE.type, "EDLAE"), get_model("EDLAE"), list(sys.meta_path), registry.registered(),
        )  # fmt: skip

    before = state()
    hook.arm()
    assert state() == before


def test_a_second_plugin_is_not_hurt(settings, monkeypatch):
    """Another package wraps the same methods of Config, before and after this one."""
    calls = []
    stock = Config._load_internal_config_dict

    def another(self, model, model_class, dataset):
        calls.append(model)
        stock(self, model, model_class, dataset)
        self.internal_config_dict["of_another_plugin"] = 1

    monkeypatch.setattr(Config, "_load_internal_config_dict", another)
    hook.arm()
    config = Config("EDLAE", "tiny", config_dict=settings)
    assert calls == ["EDLAE"] and config["of_another_plugin"] == 1 and config["reg_weight"] == 500.0


def test_a_name_that_recbole_has_is_refused(monkeypatch):
    from recbole.model.general_recommender.ease import EASE as RecBoles

    other = type("EASE", (), {"__module__": __name__})
    with pytest.raises(ValueError, match="RecBole has a model named EASE already"):
        registry.register(other, defaults="x.yaml")
    assert get_model("EASE") is RecBoles


def test_spawned_children_know_the_models(tmp_path):
    """What mp.spawn unpickles in a child of `nproc > 1` names this package's module, and so imports it."""
    program = f"""
        import pickle, sys
        sys.path.insert(0, {str(ROOT)!r})
        pickle.loads({pickle.dumps(quick_start.run_recboles)!r})
        from recbole.utils import get_model
        print(get_model("EDLAE").__module__)
    """
    assert python(program, tmp_path).split()[-1] == "recbole_edlae.model.edlae"


@needs_install
@pytest.mark.slow
def test_a_fresh_process_that_does_not_import_the_plugin_loads_a_checkpoint(settings, tmp_path):
    run_recbole("EDLAE", "tiny", config_dict=settings)
    (checkpoint,) = (tmp_path / "saved").glob("EDLAE*")
    model = load_data_and_model(str(checkpoint))[1]
    program = f"""
        import sys
        from recbole.quick_start import load_data_and_model
        assert "recbole_edlae.model" not in sys.modules
        model = load_data_and_model({str(checkpoint)!r})[1]
        import torch
        from recbole.data.interaction import Interaction
        scores = model.full_sort_predict(Interaction({{"user_id": torch.arange(1, 20)}}))
        print(scores.double().sum().item())
    """
    import torch
    from recbole.data.interaction import Interaction

    scores = model.full_sort_predict(Interaction({"user_id": torch.arange(1, 20)}))
    assert float(python(program, tmp_path).split()[-1]) == scores.double().sum().item()


@needs_install
@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "import torch", "import recbole", "import numpy, recbole.config"])
def test_a_fresh_process_runs_stock_recbole_whatever_was_imported_first(first, settings, tmp_path):
    program = f"""
        {first or "pass"}
        from recbole.quick_start import run_recbole
        run_recbole("EDLAE", "tiny", config_dict={settings!r})
        import sys
        print("recbole_edlae" in sys.modules)
    """
    assert python(program, tmp_path).split()[-1] == "True"


@needs_install
def test_a_program_that_merely_uses_torch_pays_nothing(tmp_path):
    program = """
        import sys, torch
        own = {name for name in sys.modules if name.partition(".")[0] in ("recbole", "recbole_edlae")}
        hook = ["", ".integration", ".integration.hook", ".integration.patches"]
        heavy = {"numba", "pandas", "ray"}
        print(own == {"recbole_edlae" + name for name in hook}, not heavy & sys.modules.keys())
    """
    assert python(program, tmp_path).split() == ["True", "True"]


def test_a_model_of_another_package(settings, tmp_path, monkeypatch):
    """It enters by `register`: its defaults, its checks and its trainer are found as those of this package."""
    module = "from recbole_edlae.model.edlae import EDLAE\n\n\nclass Heavier(EDLAE):\n    pass\n"
    (tmp_path / "heavier.py").write_text(module)
    defaults = (
        pathlib.Path(registry.registered()["EDLAE"]).read_text().replace("reg_weight: 500.0", "reg_weight: 900.0")
    )
    (tmp_path / "Heavier.yaml").write_text(defaults)
    monkeypatch.syspath_prepend(tmp_path)
    model = importlib.import_module("heavier").Heavier
    for _ in range(2):  # again is harmless
        registry.register(model, defaults=tmp_path / "Heavier.yaml")
    assert get_model("Heavier") is model and get_trainer(model.type, "Heavier") is ClosedFormTrainer
    result = run_recbole("Heavier", "tiny", config_dict=settings)["test_result"]
    assert result == run_recbole("EDLAE", "tiny", config_dict={**settings, "reg_weight": 900.0})["test_result"]
    with pytest.raises(ValueError, match="dropout_prob must be float in"):
        Config("Heavier", "tiny", config_dict={**settings, "dropout_prob": 2.0})
    with pytest.raises(ValueError, match=r"RecBole has a model named Heavier already, in heavier"):
        registry.register(type("Heavier", (EDLAE,), {}), defaults="x.yaml")
