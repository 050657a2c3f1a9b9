"""EDLAE against what it must equal."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from recbole.quick_start import run_recbole
from recbole.utils import get_model

from recbole_edlae._warnings import DataWarning
from recbole_edlae.solvers import neighbors
from tests import oracles
from tests.conftest import ROOT
from tests.model.linear import fit, matrix, total
from tests.shop import shop_rows, shop_text


def test_weights(tiny):
    model, train, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0, dropout_prob=0.25)
    X = matrix(train)
    used = X.sum(0) > 0
    expected = np.zeros((X.shape[1], X.shape[1]))
    M = X[:, used].T @ X[:, used] + np.diag(3.0 + X[:, used].sum(0) / 3)
    C = np.linalg.inv(M)
    expected[np.ix_(used, used)] = np.eye(used.sum()) - C / np.diag(C)
    np.testing.assert_allclose(model.weights.encoder, expected, atol=1e-5)


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


def test_item_weights(tiny):
    plain, train, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    model, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0, item_weight_power=0.4)
    scale = np.maximum(matrix(train).sum(0), 1) ** 0.4
    expected = scale[:, None] * plain.weights.encoder.numpy() / scale
    np.testing.assert_allclose(model.weights.encoder, expected, rtol=1e-5, atol=1e-7)


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
    expected[np.ix_(used, used)] += oracles.ridge_of_others(
        rows[:, used], (rows - rows @ W)[:, used], penalty
    )
    scale = np.maximum(X.sum(0), 1) ** 0.4
    expected = scale[:, None] * expected / scale
    np.testing.assert_allclose(total(model.weights), expected, atol=2e-5)
    np.testing.assert_allclose(
        model.score(*model.history(torch.arange(1, 61))), X[1:] @ expected, atol=1e-4
    )
    new = torch.tensor([3, 5, 9]), torch.tensor([2, 0, 1])  # histories of users that training never saw
    np.testing.assert_allclose(
        model.score(*new), [expected[[3, 5]].sum(0), 0 * scale, expected[9]], atol=1e-4
    )
    np.testing.assert_allclose(model.similarity(3), expected[3], atol=2e-5)
    with pytest.raises(ValueError, match="full-rank model"):
        model.item_embedding()


def test_low_pass_of_weight_0_changes_nothing(tiny):
    plain, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    model, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0, low_pass_weight=0.0, low_pass_rank=5000)
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(model.weights.encoder, plain.weights.encoder)


def test_unweighted_penalty_is_the_weighted_one_where_users_weigh_alike(tiny):
    weighted, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    unweighted, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0, dropout_penalty="unweighted")
    assert torch.equal(unweighted.weights.encoder, weighted.weights.encoder)


@pytest.mark.parametrize("form", [{"neighbors": 4}, {"low_pass_weight": 0.3, "low_pass_rank": 4}, {}])
def test_dan_in_every_form_of_the_weights(form, tiny):
    problem = {
        "data_path": tiny,
        "reg_weight": 3.0,
        "emphasis": [1.0, 0.5],
        "user_weight_power": 0.5,
        **form,
    }
    free, _, _ = fit("EDLAE", dropout_penalty="unweighted", **problem)
    zero, _, _ = fit("EDLAE", dropout_penalty="unweighted", zero_diagonal=True, **problem)
    weighted, _, _ = fit("EDLAE", **problem)
    each_item = torch.arange(31), torch.ones(31, dtype=torch.int64)
    before, after, other = (model.score(*each_item) for model in (free, zero, weighted))
    assert before.diagonal().abs().max() > 0.01 and abs(before - other).max() > 1e-3
    torch.testing.assert_close(after, before - before.diagonal().diag(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"low_pass_weight": -0.2}, r"low_pass_weight must be float in \[0, inf\), got -0.2"),
        ({"low_pass_rank": 0}, r"low_pass_rank must be int in \[1, inf\), got 0"),
        (
            {"low_pass_weight": 0.2, "low_pass_rank": 4, "neighbors": 5},
            "low_pass_weight 0.2 adds weights for all items: neighbors must be None, got 5",
        ),
        ({"dropout_penalty": "raw"}, "dropout_penalty must be one of .*; got 'raw'"),
        ({"neighbors": 0}, r"neighbors must be int or None in \[1, inf\), got 0"),
        ({"neighbors": 2.5}, "neighbors must be int or None, got 2.5"),
    ],
)
def test_settings_that_cannot_be(tiny, settings, message):
    with pytest.raises(ValueError, match=message):
        fit("EDLAE", data_path=tiny, **settings)


def test_a_rank_without_effect_is_not_cut(tiny):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        fit("EDLAE", data_path=tiny)


def test_neighbors_without_regularization_are_refused(few_users):
    with pytest.raises(ValueError, match=r"reg_weight 0.0 and dropout_prob 0.0 leave .*: raise reg_weight"):
        fit("EDLAE", "shop", reg_weight=0.0, dropout_prob=0.0, neighbors=19)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"reg_weight": 1e300}, r"reg_weight 1e\+300 .*too large"),
        ({"user_weight_power": 1e4}, "user_weight_power 10000.0 gives weights"),
        ({"item_weight_power": 1e4}, "item_weight_power 10000.0 is beyond"),
        ({"item_weight_power": 1e4, "neighbors": 5}, "item_weight_power 10000.0 is beyond"),
    ],
)
def test_settings_beyond_the_numbers_are_named(write_shop, settings, words):
    write_shop(shop_text(shop_rows()[5:]))  # the first user has fewer items than others
    with pytest.raises(ValueError, match=words):
        fit("EDLAE", "shop", **settings)


@pytest.mark.slow
def test_without_dropout_it_is_recboles_ease_on_ml_100k():
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
        return run_recbole(name, "ml-1m", [str(ROOT / "configs" / "ml-1m.yaml")], {**quiet, **settings})[
            "test_result"
        ]

    published = {
        "recall@10": 0.2139,
        "mrr@10": 0.4808,
        "ndcg@10": 0.2865,
        "hit@10": 0.7837,
        "precision@10": 0.2082,
    }
    assert run("EASE", reg_weight=1000.0) == published
    assert run("EDLAE", reg_weight=500.0, dropout_prob=0.33, user_weight_power=0.5)["ndcg@10"] >= 0.2925
