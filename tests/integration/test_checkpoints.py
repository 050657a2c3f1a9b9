"""Each trainer has a checkpoint of its own, and says and evaluates what belongs to it."""

import re
import types
import warnings

import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.quick_start import load_data_and_model, quick_start, run_recbole
from recbole.trainer import trainer as trainers
from recbole.utils import get_model, get_trainer

from recbole_edlae._warnings import DataWarning

SEQUENTIAL = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "train_neg_sample_args": None,
    "loss_type": "CE",
    "repeatable": True,
    "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
}
WILD = {"epochs": 6, "learning_rate": 3.0, "train_batch_size": 32}  # the last epoch is not the best
OF_ITEMS = ["ItemCoverage", "AveragePopularity", "GiniIndex", "ShannonEntropy", "TailPercentage"]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """RecBole's report of the machine sleeps for a second."""
    monkeypatch.setattr(quick_start, "get_environment", lambda _: types.SimpleNamespace(draw=str))


@pytest.fixture
def trainer_of(settings):
    """The trainer of a model on `tiny`."""

    def build(model, **more):
        config = Config(model, "tiny", config_dict={**settings, **more})
        train, *_ = data_preparation(config, create_dataset(config))
        return get_trainer(config["MODEL_TYPE"], model)(config, get_model(model)(config, train.dataset))

    return build


@pytest.fixture
def said(settings):
    """What is said of checkpoints in a run without any."""

    def run(model, **more):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run_recbole(model, "tiny", config_dict={**settings, **more}, saved=False)
        return [str(warning.message) for warning in caught if "saved=False" in str(warning.message)]

    return run


@pytest.mark.parametrize("model", ["EDLAE", "EnsembleAE", "Pop", "BPR", "MultiDAE", "SASRec"])
def test_trainers_of_one_second_write_into_files_of_their_own(model, trainer_of, monkeypatch, tmp_path):
    monkeypatch.setattr(trainers, "get_local_time", lambda: "Jan-01-2026_00-00-00")
    more = SEQUENTIAL if model == "SASRec" else {}
    names = [trainer_of(model, **more).saved_model_file for _ in range(2)]
    assert names[0] != names[1]
    assert all(re.fullmatch(rf"saved/{model}-Jan-01-2026_00-00-00-\w+\.pth", name) for name in names)
    assert not list((tmp_path / "saved").iterdir())  # no file before there is a model to save


@pytest.fixture
def trainer_of_trees(settings, monkeypatch):
    """A trainer of decision trees, as the process of this number in a run on several GPUs where a port is named."""
    monkeypatch.setattr(trainers, "get_local_time", lambda: "Jan-01-2026_00-00-00")
    monkeypatch.setattr(trainers, "DistributedDataParallel", lambda model, device_ids: model)

    def build(rank=0, port=None):
        config = Config("BPR", "tiny", config_dict={**settings, "convert_token_to_onehot": False})
        config.final_config_dict |= {"single_spec": port is None, "local_rank": rank, "port": port}
        return trainers.DecisionTreeTrainer(config, torch.nn.Linear(1, 1))

    return build


def test_trainers_of_decision_trees_have_three_files_of_their_own(trainer_of_trees):
    names = ("saved_model_file", "temp_file", "temp_best_file")
    assert (
        len(
            {
                getattr(trainer, name)
                for trainer in (trainer_of_trees(), trainer_of_trees())
                for name in names
            }
        )
        == 6
    )


def test_the_processes_of_one_run_agree_on_the_file(trainer_of_trees):
    """They may be on several machines: the port of their run tells it from others."""
    first, second = (trainer_of_trees(rank, "5678").saved_model_file for rank in (0, 1))
    assert first == second != trainer_of_trees(0, "9999").saved_model_file


@pytest.mark.parametrize("model", ["BPR", "DeepAE"])
def test_a_run_without_checkpoints_says_that_its_test_is_of_another_epoch(model, said):
    more = {"mlp_hidden_size": [8], "latent_dimension": 4} if model == "DeepAE" else {}
    assert said(model, **WILD, **more) == [
        "saved=False keeps no checkpoint: the best valid result is of the best epoch, and a test now is of the last "
        "one; saved=True tests the best"
    ]


def test_an_epoch_that_is_not_validated_is_another_one_too(said):
    assert said("BPR", epochs=3, eval_step=2, learning_rate=0.01)


@pytest.mark.parametrize(
    "model, more",
    [
        ("EDLAE", {}),
        ("EnsembleAE", {**WILD, "latent_dimension": 4}),
        ("BPR", {"epochs": 1}),
        ("BPR", {"eval_step": 0}),
    ],
)
def test_nothing_is_said_where_both_are_of_one_epoch(model, more, said):
    assert said(model, **more) == []


def test_nothing_is_said_with_checkpoints(settings):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="saved=False")
        run_recbole("BPR", "tiny", config_dict={**settings, **WILD})


@pytest.mark.parametrize("model", ["EDLAE", "BPR"])
def test_a_loaded_model_is_evaluated_by_metrics_of_items(model, settings, tmp_path):
    own = {**settings, "metrics": [*OF_ITEMS, "NDCG"], "valid_metric": "NDCG@10"}
    expected = run_recbole(model, "tiny", config_dict=own)["test_result"]
    (checkpoint,) = (tmp_path / "saved").glob("*.pth")
    config, loaded, _, _, _, test = load_data_and_model(str(checkpoint))
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, loaded)
    assert trainer.evaluate(test, load_best_model=False) == expected


def test_checkpoints_are_in_one_folder_side_by_side(settings, tmp_path):
    for _ in range(2):
        run_recbole("EDLAE", "tiny", config_dict=settings)
    assert len(list((tmp_path / "saved").glob("EDLAE-*.pth"))) == 2


def test_a_changed_file_is_no_error_where_training_is_as_it_was():
    from recbole_edlae.data import training_data

    saved = {"fields": {"user_id": "a"}, "training": "b", "interactions": 1, "files": "c"}
    training_data.check_same(saved, saved, "m.pth")
    with pytest.warns(DataWarning, match="checkpoint m.pth: the files of its dataset have changed"):
        training_data.check_same(saved, {**saved, "files": "d"}, "m.pth")
    training_data.check_same(
        {key: saved[key] for key in saved if key != "files"}, saved, "of an earlier version"
    )
