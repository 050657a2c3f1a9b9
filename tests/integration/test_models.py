"""Importing the package is enough for stock RecBole, wherever RecBole looks a model up."""

import importlib
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
from recbole_edlae.model.edlae import EDLAE
from recbole_edlae.model.trainer import ClosedFormTrainer
from recbole_edlae.settings import registry
from tests.conftest import ROOT


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


def test_all_models_collect_lean(settings):
    from recbole_edlae.integration.fixes.ranking import LeanCollector

    for model in ("EDLAE", "EASE"):
        config = Config(model, "tiny", config_dict=settings)
        assert type(recbole.trainer.trainer.Collector(config)) is LeanCollector


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
        objective_function,
        algo="random",
        max_evals=2,
        params_file=tmp_path / "space",
        fixed_config_file_list=[file],
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


CHECKPOINT = """
    import sys, types
    {first}
    if "recbole_edlae" not in sys.modules:
        sys.modules["ray"] = types.ModuleType("ray")
        sys.modules["ray"].tune = types.SimpleNamespace(report=None)
    import torch
    from recbole.data.interaction import Interaction
    from recbole.quick_start import load_data_and_model
    model = load_data_and_model({file!r})[1]
    print(model.full_sort_predict(Interaction({{"user_id": torch.arange(1, 20)}})).double().sum().item())
"""


@pytest.mark.slow
def test_a_fresh_process_loads_a_checkpoint_or_says_what_to_import(settings, tmp_path, monkeypatch):
    import torch
    from recbole.data.interaction import Interaction

    run_recbole("EDLAE", "tiny", config_dict=settings)
    (checkpoint,) = map(str, (tmp_path / "saved").glob("EDLAE*"))
    model = load_data_and_model(checkpoint)[1]
    expected = model.full_sort_predict(Interaction({"user_id": torch.arange(1, 20)})).double().sum().item()
    program = CHECKPOINT.format(first="import recbole_edlae", file=checkpoint)
    assert float(python(program, tmp_path).split()[-1]) == expected

    # torch >= 2.6 refuses checkpoints in stock RecBole, and names the first thing that it does not know.
    program = CHECKPOINT.format(first="", file=checkpoint)
    with pytest.raises(AssertionError, match=r"GLOBAL \S+\.import_recbole_edlae_to_open_this_checkpoint "):
        python(program, tmp_path)

    # Where it reads them all the same, unpickling imports the package.
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    assert float(python(program, tmp_path).split()[-1]) == expected


@pytest.mark.slow
def test_checkpoints_of_recboles_models_do_not_need_the_package(settings, tmp_path, monkeypatch):
    run_recbole("BPR", "tiny", config_dict=settings)
    (checkpoint,) = map(str, (tmp_path / "saved").glob("BPR*"))
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    program = CHECKPOINT.format(
        first="sys.modules['recbole_edlae'] = None", file=checkpoint
    )  # as if not installed
    program = program.replace('if "recbole_edlae" not in sys.modules', "if True")
    assert float(python(program, tmp_path).split()[-1]) != 0


def test_torch_does_not_load_the_package(tmp_path):
    program = """
        import sys, torch
        print([name for name in sys.modules if name.partition(".")[0] in ("recbole", "recbole_edlae")])
    """
    assert python(program, tmp_path).split() == ["[]"]


def test_a_model_of_another_package(settings, tmp_path, monkeypatch):
    """It enters by `register`: its defaults, its checks and its trainer are found as those of this package."""
    module = "from recbole_edlae.model.edlae import EDLAE\n\n\nclass Heavier(EDLAE):\n    pass\n"
    (tmp_path / "heavier.py").write_text(module)
    defaults = (
        pathlib.Path(registry.registered()["EDLAE"])
        .read_text()
        .replace("reg_weight: 500.0", "reg_weight: 900.0")
    )
    (tmp_path / "Heavier.yaml").write_text(defaults)
    monkeypatch.syspath_prepend(tmp_path)
    model = importlib.import_module("heavier").Heavier
    for _ in range(2):  # again is harmless
        registry.register(model, defaults=tmp_path / "Heavier.yaml")
    assert get_model("Heavier") is model and get_trainer(model.type, "Heavier") is ClosedFormTrainer
    result = run_recbole("Heavier", "tiny", config_dict=settings)["test_result"]
    assert (
        result == run_recbole("EDLAE", "tiny", config_dict={**settings, "reg_weight": 900.0})["test_result"]
    )
    with pytest.raises(ValueError, match="dropout_prob must be float in"):
        Config("Heavier", "tiny", config_dict={**settings, "dropout_prob": 2.0})
    with pytest.raises(ValueError, match=r"RecBole has a model named Heavier already, in heavier"):
        registry.register(type("Heavier", (EDLAE,), {}), defaults="x.yaml")


@pytest.fixture
def register(tmp_path, monkeypatch):
    """Registers a model class with some lines of defaults, for one test."""
    monkeypatch.setattr(registry, "_registered", {})

    def call(model, lines=""):
        path = tmp_path / f"{model.__name__}.yaml"
        path.write_text(lines)
        registry.register(model, defaults=path)

    return call


def test_a_subclass_has_its_parents_defaults(register, settings):
    class MyEDLAE(registry.model_class("EDLAE")):
        pass

    register(
        MyEDLAE, "reg_weight: 7.0  # (float) The penalty, ranging in (0, inf).\nmine: 1  # (int) My own.\n"
    )
    config = Config("MyEDLAE", "tiny", config_dict=settings)
    parent = Config("EDLAE", "tiny", config_dict={**settings, "reg_weight": 7.0})
    own = registry.read_schema(registry.own_models()["EDLAE"])
    assert {key: config[key] for key in own} == {key: parent[key] for key in own} and config["mine"] == 1
    result = run_recbole("MyEDLAE", "tiny", config_dict=settings)["test_result"]
    assert (
        result == run_recbole("EDLAE", "tiny", config_dict={**settings, "reg_weight": 7.0})["test_result"]
    )


@pytest.mark.parametrize("setting", [{"dropout_prob": 1.5}, {"reg_weight": None}, {"mine": "x"}])
def test_a_subclass_is_checked_as_its_parent_and_by_its_own_file(setting, register, settings):
    class MyEDLAE(registry.model_class("EDLAE")):
        pass

    register(MyEDLAE, "mine: 1  # (int) My own.\n")
    with pytest.raises(ValueError, match=next(iter(setting))):
        Config("MyEDLAE", "tiny", config_dict={**settings, **setting})


def test_defaults_come_down_through_classes_that_are_registered_and_that_are_not(register, settings):
    class Between(registry.model_class("DLAE")):
        pass

    class Parent(Between):
        pass

    class Child(Parent):
        pass

    register(Parent, "reg_weight: 7.0  # (float) The penalty, ranging in (0, inf).\n")
    register(Child, "dropout_prob: 0.1  # (float) The share, ranging in [0, 1).\n")
    config = Config("Child", "tiny", config_dict=settings)
    dlae = Config("DLAE", "tiny", config_dict=settings)
    assert (
        (config["reg_weight"], config["dropout_prob"])
        == (7.0, 0.1)
        != (dlae["reg_weight"], dlae["dropout_prob"])
    )
    assert config["item_weight_power"] == dlae["item_weight_power"] is not None


def test_a_subclass_of_recboles_model_has_its_defaults(register, settings):
    class MyBPR(importlib.import_module("recbole.model.general_recommender").BPR):
        pass

    register(MyBPR, "mine: 1  # (int) My own.\n")
    own, stock = (
        run_recbole(name, "tiny", config_dict=settings)["test_result"] for name in ("MyBPR", "BPR")
    )
    assert own == stock


def test_a_subclass_of_a_model_whose_parent_is_a_model_has_the_former_s_defaults_alone(register, settings):
    class MyEnsemble(registry.model_class("EnsembleAE")):
        pass

    register(MyEnsemble)
    assert registry.schema_of("MyEnsemble") == registry.schema_of("EnsembleAE")
    result = run_recbole("MyEnsemble", "tiny", config_dict={**settings, "latent_dimension": 4})
    assert result["test_result"]["ndcg@10"] > 0


def test_a_checkpoint_of_a_registered_class_of_no_module_opens(register, settings, tmp_path):
    class Local(registry.model_class("EDLAE")):
        pass

    register(Local)
    expected = run_recbole("Local", "tiny", config_dict=settings)["test_result"]
    (checkpoint,) = (tmp_path / "saved").glob("Local-*.pth")
    config, model, _, _, _, test = load_data_and_model(str(checkpoint))
    assert type(model) is Local and config.model_class is Local
    assert (
        get_trainer(config["MODEL_TYPE"], "Local")(config, model).evaluate(test, load_best_model=False)
        == expected
    )
