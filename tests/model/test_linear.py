"""EDLAE and DLAE against what they must equal."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import torch
import yaml
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.quick_start import run_recbole
from recbole.utils import get_model, get_trainer, init_seed

from recbole_edlae._warnings import DataWarning
from recbole_edlae.model import closed_form
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


def test_a_checkpoint_of_users_weights_is_loaded(tiny):
    model, train, trainer = fit("EDLAE", data_path=tiny, based_on="user", reg_weight=3.0)
    again = type(model)(trainer.config, train.dataset)
    again.load_state_dict(model.state_dict())
    users = {"user_id": torch.arange(1, train.dataset.user_num)}
    assert again.fitted and torch.equal(again.full_sort_predict(users), model.full_sort_predict(users))
    of_items, *_ = fit("EDLAE", data_path=tiny)
    with pytest.raises(ValueError, match="weights for 61 items, the data have 31"):
        of_items.load_state_dict(model.state_dict())
    with pytest.raises(ValueError, match="weights for 31 users, the data have 61"):
        again.load_state_dict(of_items.state_dict())


def test_weights_of_users_have_nothing_for_items_and_new_users(tiny):
    model, *_ = fit("DLAE", data_path=tiny, based_on="user")
    with pytest.raises(ValueError, match="knows the users of its training only; set it to 'item'"):
        model.score(torch.tensor([1]), torch.tensor([1]))
    with pytest.raises(ValueError, match="none of items"):
        model.similarity(3)
    for name, setting in (("EDLAE", {"neighbors": 5}), ("EDLAE", {"low_pass_weight": 0.2}), ("DLAE", {"rank": 3})):
        with pytest.raises(ValueError, match=r"is for weights of items: based_on must be 'item', got 'user'"):
            fit(name, data_path=tiny, based_on="user", **setting)
    split = {"eval_args": {"split": {"US": [0.8, 0.1, 0.1]}}}
    with pytest.raises(ValueError, match=r"scores users it was not trained on with based_on 'item' only, got 'user'"):
        Config("EDLAE", "tiny", config_dict={"data_path": tiny, "based_on": "user", **split})


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


def total(weights):
    """Item x item weights of a matrix and a filter."""
    return torch.cat(list(weights.blocks()), dim=1)


def test_low_pass(tiny):
    problem = {"data_path": tiny, "reg_weight": 3.0, "dropout_prob": 0.25, "user_weight_power": 0.5}
    low_pass = {"low_pass_weight": 0.3, "low_pass_rank": 4}
    model, train, _ = fit("EDLAE", item_weight_power=0.4, **problem, **low_pass)
    X = matrix(train)
    count = X.sum(1)
    weight = np.where(count > 0, (np.maximum(count, 1) / count[count > 0].mean()) ** -0.5, 0)
    rows, W = X * np.sqrt(weight)[:, None], 0.3 * oracles.low_pass(X, 4)
    used, G = X.sum(0) > 0, rows.T @ rows
    expected = W.copy()
    penalty = 3.0 + np.diag(G)[used] / 3
    expected[np.ix_(used, used)] += oracles.ridge_of_others(rows[:, used], (rows - rows @ W)[:, used], penalty)
    scale = np.maximum(X.sum(0), 1) ** 0.4
    expected = scale[:, None] * expected / scale
    np.testing.assert_allclose(total(model.weights), expected, atol=2e-5)
    np.testing.assert_allclose(model.score(*model.history(torch.arange(1, 61))), X[1:] @ expected, atol=1e-4)
    new = torch.tensor([3, 5, 9]), torch.tensor([2, 0, 1])  # histories of users that training never saw
    np.testing.assert_allclose(model.score(*new), [expected[[3, 5]].sum(0), 0 * scale, expected[9]], atol=1e-4)
    np.testing.assert_allclose(model.similarity(3), expected[3], atol=2e-5)
    with pytest.raises(ValueError, match="full-rank model"):
        model.item_embedding()


def test_low_pass_of_weight_0_is_edlae(tiny):
    plain, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    model, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0, low_pass_weight=0.0, low_pass_rank=5000)
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(model.weights.encoder, plain.weights.encoder)


def authors_dan(X, l2, p, powers, bound):
    """DAN around RDLAE as its authors publish it: users weigh n^-power, the dropout counts them as one each."""
    users, items = np.maximum(X.sum(1), 1), X.sum(0)
    G = X.T @ (X / users[:, None] ** powers[0])
    Lambda = l2 + p / (1 - p) * items
    C = np.linalg.inv(G + np.diag(Lambda))
    c = np.diag(C)
    mu = np.where(1 - Lambda * c > bound, (1 - bound) / c, Lambda)
    B = np.eye(len(C)) - C * mu
    np.fill_diagonal(B, 0)
    scale = np.maximum(items, 1) ** powers[1]
    return scale[:, None] * B / scale


@pytest.mark.parametrize("name, settings", [("DLAE", {}), ("EDLAE", {"emphasis": [1.0, 1.0]})])
@pytest.mark.parametrize("packed", [False, True])
def test_dan_as_its_authors_run_it(name, settings, packed, tiny, monkeypatch):
    monkeypatch.setattr(closed_form, "DENSE_ITEMS", 0 if packed else 4096)
    _, train, _ = fit("EDLAE", data_path=tiny)
    X = matrix(train)
    count = X.sum(1)
    # Their users weigh n^-power, ours (n / mean n)^-power: both terms of the penalty grow by the factor between them.
    factor = count[count > 0].mean() ** 0.3
    odds = 0.6 / 0.4 * factor
    model, _, _ = fit(
        name,
        data_path=tiny,
        reg_weight=2.0 * factor,
        dropout_prob=odds / (1 + odds),
        user_weight_power=0.3,
        item_weight_power=0.2,
        dropout_penalty="unweighted",
        diagonal_bound=0.1,
        zero_diagonal=True,
        **settings,
    )
    expected = authors_dan(X, 2.0, 0.6, (0.3, 0.2), 0.1)
    np.testing.assert_allclose(total(model.weights), expected, atol=1e-5)
    assert not total(model.weights).diagonal().any()
    weighted, _, _ = fit(name, data_path=tiny, reg_weight=2.0 * factor, user_weight_power=0.3, **settings)
    assert abs(total(weighted.weights) - expected).max() > 1e-2


def test_unweighted_penalty_is_the_weighted_one_where_users_weigh_alike(tiny):
    weighted, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    unweighted, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0, dropout_penalty="unweighted")
    assert torch.equal(unweighted.weights.encoder, weighted.weights.encoder)


@pytest.mark.parametrize("form", [{"neighbors": 4}, {"low_pass_weight": 0.3, "low_pass_rank": 4}, {}])
def test_dan_in_every_form_of_the_weights(form, tiny):
    problem = {"data_path": tiny, "reg_weight": 3.0, "emphasis": [1.0, 0.5], "user_weight_power": 0.5, **form}
    free, _, _ = fit("EDLAE", dropout_penalty="unweighted", **problem)
    zero, _, _ = fit("EDLAE", dropout_penalty="unweighted", zero_diagonal=True, **problem)
    weighted, _, _ = fit("EDLAE", **problem)
    each_item = torch.arange(31), torch.ones(31, dtype=torch.int64)
    before, after, other = (model.score(*each_item) for model in (free, zero, weighted))
    assert before.diagonal().abs().max() > 0.01 and abs(before - other).max() > 1e-3
    torch.testing.assert_close(after, before - before.diagonal().diag(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("EDLAE", {"low_pass_weight": -0.2}, r"low_pass_weight must be float in \[0, inf\), got -0.2"),
        ("EDLAE", {"low_pass_rank": 0}, r"low_pass_rank must be int in \[1, inf\), got 0"),
        (
            "EDLAE",
            {"low_pass_weight": 0.2, "low_pass_rank": 4, "neighbors": 5},
            "low_pass_weight 0.2 adds weights for all items: neighbors must be None, got 5",
        ),
        ("EDLAE", {"dropout_penalty": "raw"}, "dropout_penalty must be one of .*; got 'raw'"),
        ("DLAE", {"zero_diagonal": "perhaps"}, "zero_diagonal must be bool, got 'perhaps'"),
        ("DLAE", {"zero_diagonal": True, "rank": 4}, "zero_diagonal must be False with a rank.*; got True"),
        ("DLAE", {"dropout_penalty": "unweighted", "rank": 4}, "dropout_penalty must be 'weighted' with a rank"),
    ],
)
def test_what_cannot_be_combined(tiny, name, settings, message):
    with pytest.raises(ValueError, match=message):
        fit(name, data_path=tiny, **settings)


@pytest.mark.parametrize("solver", ["admm", "als"])
def test_a_high_rank_scores_as_the_full_rank_does(tiny, solver):
    full, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    low, _, _ = fit("LowRankEDLAE", data_path=tiny, reg_weight=3.0, rank=30, solver=solver, tol=1e-6, max_iter=300)
    product = low.weights.encoder @ low.weights.decoder.T
    torch.testing.assert_close(product.fill_diagonal_(0), full.weights.encoder, rtol=0, atol=2e-4)


def test_full_rank_of_dlae_as_a_product(tiny):
    full, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0)
    low, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, rank=30)
    torch.testing.assert_close(low.weights.encoder @ low.weights.decoder.T, full.weights.encoder, rtol=0, atol=1e-5)


def test_item_embeddings(tiny):
    model, _, _ = fit("LowRankEDLAE", data_path=tiny, rank=5)
    U, V = model.item_embedding("encoder"), model.item_embedding("decoder")
    assert U.shape == V.shape == (31, 5)
    X = torch.from_numpy(model.interactions.toarray()).float()
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
        ("LowRankEDLAE", {"rank": 5, "solver": "alm"}, "solver must be one of .*als.*; got 'alm'"),
        ("LowRankEDLAE", {"rank": 5, "max_iter": 0}, r"max_iter must be int in \[1, inf\), got 0"),
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
    assert torch.equal(cut.score(*each_item), exact.score(*each_item)) and cut.score(*each_item).any()
    loaded.load_state_dict(cut.state_dict())
    assert torch.equal(loaded.score(*each_item), exact.score(*each_item))


def test_a_rank_without_effect_is_not_cut(tiny):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        fit("EDLAE", data_path=tiny)
