"""EDLAE and DLAE against what they must equal."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import yaml
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.quick_start import run_recbole
from recbole.utils import get_model, get_trainer, init_seed

from recbole_edlae.solvers import neighbors
from tests import oracles
from tests.conftest import ROOT


def fit(name, dataset="tiny", **settings):
    config = Config(name, dataset, config_dict={"state": "ERROR", "show_progress": False, **settings})
    init_seed(config["seed"], config["reproducibility"])
    train, valid, _ = data_preparation(config, create_dataset(config))
    model = get_model(name)(config, train.dataset)
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    trainer.fit(train, valid)
    return model, train, trainer


def matrix(train):
    X = train.dataset.inter_matrix(form="csr").toarray()
    return (X > 0).astype(float)


def test_weights_of_edlae(tiny):
    model, train, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0, dropout_prob=0.25)
    X = matrix(train)
    used = X.sum(0) > 0
    expected = np.zeros((X.shape[1], X.shape[1]))
    M = X[:, used].T @ X[:, used] + np.diag(3.0 + X[:, used].sum(0) / 3)
    C = np.linalg.inv(M)
    expected[np.ix_(used, used)] = np.eye(used.sum()) - C / np.diag(C)
    np.testing.assert_allclose(model.weights.encoder, expected, atol=1e-5)


def test_weights_of_dlae(tiny):
    model, train, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, dropout_prob=0.25)
    X = matrix(train)
    np.testing.assert_allclose(model.weights.encoder, oracles.ridge(X, 3.0 + X.sum(0) / 3), atol=1e-5)


def test_user_weights(tiny):
    model, train, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, dropout_prob=0.0, user_weight_power=0.5)
    X = matrix(train)
    count = X.sum(1)
    weight = np.where(count > 0, (np.maximum(count, 1) / count[count > 0].mean()) ** -0.5, 0)
    expected = oracles.ridge(X * np.sqrt(weight)[:, None], np.full(X.shape[1], 3.0))
    np.testing.assert_allclose(model.weights.encoder, expected, atol=1e-5)


def test_item_weights(tiny):
    plain, train, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    model, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0, item_weight_power=0.4)
    scale = np.maximum(matrix(train).sum(0), 1) ** 0.4
    expected = scale[:, None] * plain.weights.encoder.numpy() / scale
    np.testing.assert_allclose(model.weights.encoder, expected, rtol=1e-5, atol=1e-7)


def test_bounded_diagonal(tiny):
    free, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0)
    bound = free.weights.encoder.diagonal().median().item()
    model, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, diagonal_bound=bound)
    held = free.weights.encoder.diagonal() > bound
    assert held.any() and not held.all()
    torch.testing.assert_close(model.weights.encoder.diagonal(), free.weights.encoder.diagonal().clamp(max=bound))
    torch.testing.assert_close(model.weights.encoder[:, ~held], free.weights.encoder[:, ~held])
    zero, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, diagonal_bound=0.0)
    torch.testing.assert_close(zero.weights.encoder, fit("EDLAE", data_path=tiny, reg_weight=3.0)[0].weights.encoder)


def test_neighbors(tiny):
    problem = {"data_path": tiny, "reg_weight": 3.0, "dropout_prob": 0.25, "user_weight_power": 0.5}
    model, train, _ = fit("EDLAE", neighbors=4, item_weight_power=0.4, **problem)
    X = matrix(train)
    count = X.sum(1)
    weight = np.where(count > 0, (np.maximum(count, 1) / count[count > 0].mean()) ** -0.5, 0)
    B = neighbors(sp.csr_matrix(X), 4, weight, dropout=0.25, l2=3.0).toarray()
    scale = np.maximum(X.sum(0), 1) ** 0.4
    scores = model.score(*model.history(torch.arange(1, 61)))
    np.testing.assert_allclose(scores, X[1:] @ (scale[:, None] * B / scale), rtol=1e-4, atol=1e-6)
    assert model.weights.weight.numel() <= 4 * 30
    new = torch.tensor([3, 5, 9]), torch.tensor([2, 0, 1])  # histories of users that training never saw
    expected = [(scale[:, None] * B / scale)[items].sum(0) for items in ([3, 5], [], [9])]
    np.testing.assert_allclose(model.score(*new), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("solver", ["admm", "als"])
def test_a_high_rank_scores_as_the_full_rank_does(tiny, solver):
    full, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    low, _, _ = fit("LowRankEDLAE", data_path=tiny, reg_weight=3.0, rank=30, solver=solver, tol=1e-6, max_iter=300)
    product = low.weights.encoder @ low.weights.decoder.T
    torch.testing.assert_close(product.fill_diagonal_(0), full.weights.encoder, rtol=0, atol=2e-4)


def test_full_rank_of_dlae_as_a_product(tiny):
    full, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0)
    low, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, rank=31)
    torch.testing.assert_close(low.weights.encoder @ low.weights.decoder.T, full.weights.encoder, rtol=0, atol=1e-5)


def test_item_embeddings(tiny):
    model, _, _ = fit("LowRankEDLAE", data_path=tiny, rank=5)
    U, V = model.item_embedding("encoder"), model.item_embedding("decoder")
    assert U.shape == V.shape == (31, 5)
    X = torch.from_numpy(model.interactions.toarray())
    torch.testing.assert_close(model.score(*model.history(torch.arange(1, 61))), X[1:] @ U @ V.T)
    with pytest.raises(ValueError, match="side must be 'encoder' or 'decoder', got 'users'"):
        model.item_embedding("users")
    with pytest.raises(ValueError, match="full-rank model"):
        fit("EDLAE", data_path=tiny)[0].item_embedding()


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("EDLAE", {"neighbors": 0}, r"neighbors must be int or None in \[1, inf\), got 0"),
        ("EDLAE", {"neighbors": 2.5}, "neighbors must be int or None, got 2.5"),
        ("LowRankEDLAE", {"rank": 0}, r"rank must be int in \[1, inf\), got 0"),
        ("LowRankEDLAE", {"rank": 2.5}, "rank must be int, got 2.5"),
        ("LowRankEDLAE", {"rank": 32}, "rank must be .*31.*32"),
        ("LowRankEDLAE", {"rank": 5, "solver": "alm"}, "solver must be one of .*als.*; got 'alm'"),
        ("LowRankEDLAE", {"rank": 5, "max_iter": 0}, r"max_iter must be int in \[1, inf\), got 0"),
        ("DLAE", {"rank": 32}, "rank must be .*31.*32"),
        ("DLAE", {"rank": 5, "solver": "weight_decay"}, "dropout"),
    ],
)
def test_wrong_rank_or_solver(tiny, name, settings, message):
    with pytest.raises(ValueError, match=message):
        fit(name, data_path=tiny, **settings)


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


def test_repeated_interactions_count_once(tiny):
    model, train, _ = fit("EDLAE", data_path=tiny)
    assert train.dataset.inter_matrix(form="csr").max() >= 1
    assert (model.interactions.data == 1).all()


def test_the_training_loader_is_never_walked(tiny, monkeypatch):
    from recbole.data.dataloader import TrainDataLoader

    monkeypatch.setattr(TrainDataLoader, "collate_fn", lambda *_: pytest.fail("an idle pass over the training data"))
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
    with pytest.raises(ValueError, match="was not trained on these data: 10 of its 30 values of item_id are gone"):
        get_trainer(config["MODEL_TYPE"], "EDLAE")(config, other).resume_checkpoint(trainer.saved_model_file)


@pytest.mark.slow
def test_without_dropout_edlae_is_recboles_ease_on_ml_100k():
    quiet = {"state": "ERROR", "show_progress": False, "reg_weight": 250.0, "metric_decimal_place": 12}
    metrics = {"metrics": ["Recall", "MRR", "NDCG", "Hit", "Precision", "MAP"], "topk": [5, 10, 20]}
    ours = run_recbole("EDLAE", "ml-100k", config_dict={**quiet, **metrics, "dropout_prob": 0.0})
    theirs = run_recbole("EASE", "ml-100k", config_dict={**quiet, **metrics})
    assert ours["test_result"] == theirs["test_result"]
    assert ours["best_valid_result"] == theirs["best_valid_result"]
    model, train, _ = fit("EDLAE", "ml-100k", reg_weight=250.0, dropout_prob=0.0)
    ease = get_model("EASE")(train.config, train.dataset)
    scale = abs(ease.item_similarity).max()
    assert abs(model.weights.encoder.numpy() - ease.item_similarity).max() <= 1e-5 * scale


@pytest.mark.slow
def test_benchmark_on_ml_1m(shared_data):
    def run(name, **settings):
        quiet = {"data_path": shared_data, "state": "ERROR", "show_progress": False}
        return run_recbole(name, "ml-1m", [str(ROOT / "configs" / "ml-1m.yaml")], {**quiet, **settings})["test_result"]

    published = {"recall@10": 0.2139, "mrr@10": 0.4808, "ndcg@10": 0.2865, "hit@10": 0.7837, "precision@10": 0.2082}
    assert run("EASE", reg_weight=1000.0) == published
    assert run("EDLAE", reg_weight=500.0, dropout_prob=0.33, user_weight_power=0.5)["ndcg@10"] >= 0.2925
