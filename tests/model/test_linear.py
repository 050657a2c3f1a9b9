"""What the linear models share: weights of users, ranks, and how they are trained, evaluated and saved."""

import warnings

import numpy as np
import pytest
import torch
import yaml
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer

from recbole_edlae._warnings import DataWarning
from recbole_edlae.model import closed_form
from recbole_edlae.model.edlae import EDLAE
from recbole_edlae.settings.registry import schema_of
from tests.conftest import ROOT
from tests.model.linear import fit, matrix


@pytest.mark.parametrize("name", ["EDLAE", "DLAE", "LowRankEDLAE", "GFCF", "ChebyCF"])
def test_a_model_reads_each_setting_of_its_file(name):
    of_evaluation = {"eval_batch_size"}
    assert {*get_model(name).setting_names} == schema_of(name).keys() - of_evaluation


def test_a_subclass_has_settings_of_its_own(tiny):
    class Named(EDLAE):
        setting_names = (*EDLAE.setting_names, "train_batch_size")

    class Reading(EDLAE):
        def __init__(self, config, dataset):
            super().__init__(config, dataset)
            self.size_of_batches = config["train_batch_size"]

    config = Config(
        "EDLAE", "tiny", config_dict={"data_path": tiny, "train_batch_size": 7, "reg_weight": 3.0}
    )
    dataset = create_dataset(config)
    assert Named(config, dataset).train_batch_size == Reading(config, dataset).size_of_batches == 7
    assert Named(config, dataset).reg_weight == Reading(config, dataset).reg_weight == 3.0


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["EDLAE", "DLAE"])
def test_weights_of_users(name, packed, tiny, monkeypatch):
    """With users and items exchanged, by NumPy in double precision; packed and dense."""
    if packed:
        monkeypatch.setattr(closed_form, "DENSE_ITEMS", 0)
    settings = {"reg_weight": 3.0, "dropout_prob": 0.25, "user_weight_power": 0.5, "item_weight_power": 0.3}
    model, train, _ = fit(name, data_path=tiny, based_on="user", **settings)
    X = matrix(train)
    Y = X.T  # rows are items, columns users
    count = Y.sum(1)
    weight = np.where(count > 0, (np.maximum(count, 1) / count[count > 0].mean()) ** -0.5, 0)
    G = Y.T @ (weight[:, None] * Y)
    Lambda = 3.0 + np.diag(G) / 3
    C = np.linalg.inv(G + np.diag(Lambda))
    B = np.eye(len(G)) - (C / np.diag(C) if name == "EDLAE" else C * Lambda)
    expected = B.T @ X / np.maximum(count, 1) ** 0.3
    users, items = np.arange(1, len(X)), np.arange(1, X.shape[1])
    with torch.no_grad():
        scores = model.full_sort_predict({"user_id": torch.from_numpy(users)}).view(len(users), -1)
        pairs = model.predict({"user_id": torch.full((len(items),), 4), "item_id": torch.from_numpy(items)})
    np.testing.assert_allclose(scores[:, 1:], expected[1:, 1:], atol=2e-5)
    np.testing.assert_allclose(pairs, expected[4, 1:], atol=2e-5)


def test_weights_of_users_have_nothing_for_items_and_new_users(tiny):
    model, *_ = fit("DLAE", data_path=tiny, based_on="user")
    with pytest.raises(ValueError, match="knows the users of its training only; set it to 'item'"):
        model.score(torch.tensor([1]), torch.tensor([1]))
    with pytest.raises(ValueError, match="none of items"):
        model.similarity(3)
    for name, setting in (
        ("EDLAE", {"neighbors": 5}),
        ("EDLAE", {"low_pass_weight": 0.2}),
        ("DLAE", {"rank": 3}),
    ):
        with pytest.raises(
            ValueError, match=r"is for weights of items: based_on must be 'item', got 'user'"
        ):
            fit(name, data_path=tiny, based_on="user", **setting)
    split = {"eval_args": {"split": {"US": [0.8, 0.1, 0.1]}}}
    with pytest.raises(
        ValueError, match=r"scores users it was not trained on with based_on 'item' only, got 'user'"
    ):
        Config("EDLAE", "tiny", config_dict={"data_path": tiny, "based_on": "user", **split})


@pytest.mark.parametrize("row", ["row1", "row2", "row3", "row5"])
def test_rows_of_table_1(row, tiny):
    file = ROOT / "configs" / "table1" / f"{row}.yaml"
    settings = {"data_path": tiny, "state": "ERROR", "show_progress": False, "rank": 8, "reg_weight": 3.0}
    config = Config(yaml.safe_load(file.read_text())["model"], "tiny", [str(file)], settings)
    train, _, _ = data_preparation(config, create_dataset(config))
    model = get_model(config["model"])(config, train.dataset)
    model.fit()
    X, k = matrix(train), 8
    penalty = np.diag(3.0 + (0.33 / 0.67 * X.sum(0) if row in ("row3", "row5") else np.zeros(X.shape[1])))
    values, vectors = np.linalg.eigh(X.T @ X)
    if row == "row1":
        expected = (vectors[:, -k:] * np.maximum(1 - 3.0 / values[-k:], 0)) @ vectors[:, -k:].T
    else:
        ridge = np.linalg.solve(X.T @ X + penalty, X.T @ X)
        top = np.linalg.eigh(X.T @ X @ ridge)[1][:, -k:]
        expected = ridge @ top @ top.T
    error = abs((model.weights.encoder @ model.weights.decoder.T).numpy() - expected).max()
    assert error < 1e-4 if row != "row5" else error > 0.05  # EDLAE is not the best approximation of DLAE


@pytest.mark.parametrize(
    "name, settings, setting",
    [
        ("LowRankEDLAE", {"solver": "eigen"}, "rank 200"),
        ("LowRankEDLAE", {"solver": "eigen", "rank": 31}, "rank 31"),
        ("DLAE", {"rank": 64, "solver": "free_diagonal"}, "rank 64"),
        ("EDLAE", {"low_pass_weight": 0.2}, "low_pass_rank 64"),
    ],
)
def test_a_rank_is_cut_to_the_number_of_items(name, settings, setting, tiny):
    message = f"^{setting} is more than the 30 items of the data: 30 is taken$"
    with pytest.warns(DataWarning, match=message):
        cut, train, _ = fit(name, data_path=tiny, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        exact, _, _ = fit(name, data_path=tiny, **settings | {setting.split()[0]: 30})
        loaded = type(exact)(train.dataset.config, train.dataset)  # as one that recommends is built
    each_item = torch.arange(31), torch.ones(31, dtype=torch.int64)
    assert [tensor.shape for tensor in cut.state_dict().values()] == [
        tensor.shape for tensor in exact.state_dict().values()
    ]
    assert torch.equal(cut.score(*each_item), exact.score(*each_item)) and cut.score(*each_item).any()
    loaded.load_state_dict(cut.state_dict())
    assert torch.equal(loaded.score(*each_item), exact.score(*each_item))


@pytest.mark.parametrize("name, settings", [("EDLAE", {}), ("DLAE", {}), ("LowRankEDLAE", {"rank": 5})])
def test_too_few_users_without_regularization_are_refused(few_users, name, settings):
    with pytest.raises(ValueError) as raised:
        fit(name, "shop", reg_weight=0.0, dropout_prob=0.0, **settings)
    assert "reg_weight 0.0 and dropout_prob 0.0 leave the weights" in str(raised.value)
    assert "by 10 users: raise reg_weight or dropout_prob" in str(raised.value)
    assert "l2" not in str(raised.value) and "\n" not in str(raised.value)


def test_repeated_interactions_count_once(tiny):
    model, train, _ = fit("EDLAE", data_path=tiny)
    assert train.dataset.inter_matrix(form="csr").max() >= 1
    assert (model.interactions.data == 1).all()


def test_the_training_loader_is_never_walked(tiny, monkeypatch):
    from recbole.data.dataloader import TrainDataLoader

    monkeypatch.setattr(
        TrainDataLoader, "collate_fn", lambda *_: pytest.fail("an idle pass over the training data")
    )
    model, _, trainer = fit("EDLAE", data_path=tiny)
    assert model.weights.encoder.shape == (model.n_items, model.n_items)
    assert list(trainer.train_loss_dict) == [0]


def test_a_trainer_that_knows_no_fit_fits_too(tiny):
    from recbole.trainer import TraditionalTrainer

    expected, train, _ = fit("EDLAE", data_path=tiny)
    model = get_model("EDLAE")(train.config, train.dataset)
    TraditionalTrainer(train.config, model).fit(train)
    assert torch.equal(model.weights.encoder, expected.weights.encoder)


def test_evaluation_reads_the_checkpoint_only_where_the_weights_are_others(tiny, monkeypatch):
    _, train, trainer = fit("EDLAE", data_path=tiny)
    _, _, test = data_preparation(train.config, create_dataset(train.config))
    read, load = [], trainer.model.load_state_dict
    monkeypatch.setattr(trainer.model, "load_state_dict", lambda state: read.append(state) or load(state))
    expected = trainer.evaluate(test)
    assert not read
    trainer.model.weights.encoder.neg_()
    assert trainer.evaluate(test) == expected and len(read) == 1
    trainer.model.weights.encoder = torch.zeros_like(trainer.model.weights.encoder)
    assert trainer.evaluate(test) == expected and len(read) == 2


def test_default_evaluation_is_in_batches_of_users(tiny):
    config = Config("EDLAE", "tiny", config_dict={"data_path": tiny})
    _, _, test = data_preparation(config, create_dataset(config))
    assert len(test) == 1
    assert config["eval_batch_size"] // 100_000 >= 50  # users at a time, of a catalogue of 100,000


def test_checkpoint_of_other_data_is_refused(tiny):
    _, _, trainer = fit("EDLAE", data_path=tiny)
    config = Config("EDLAE", "tiny", config_dict={"data_path": tiny, "item_inter_num_interval": "[12,inf)"})
    other = get_model("EDLAE")(config, create_dataset(config))
    with pytest.raises(
        ValueError, match="was not trained on these data: 10 of its 30 values of item_id are gone"
    ):
        get_trainer(config["MODEL_TYPE"], "EDLAE")(config, other).resume_checkpoint(
            trainer.saved_model_file
        )
