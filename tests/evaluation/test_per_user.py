"""Values per user: their mean is RecBole's metric, and nothing is lost on disk."""

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.evaluator.collector import DataStruct
from recbole.evaluator.evaluator import Evaluator

from recbole_edlae.evaluation.per_user import RANKING, KeepingEvaluator, PerUser


@pytest.fixture
def random_users():
    generator = np.random.default_rng(0)
    positives = generator.integers(1, 15, size=200)
    hits = (generator.random((200, 12)) < 0.3) & (np.arange(12) < positives[:, None])
    return PerUser(np.arange(1, 201), hits, positives)


@pytest.mark.parametrize("metric", RANKING)
def test_mean_is_recboles_metric(metric, random_users):
    Config.compatibility_settings(None)  # RecBole's metrics use numpy names that it restores
    resources = DataStruct()
    matrix = np.column_stack([random_users.hits, random_users.positives]).astype(np.int32)
    resources.set("rec.topk", torch.from_numpy(matrix))
    config = {"metrics": [metric], "topk": [1, 5, 12], "metric_decimal_place": 12}
    for name, value in KeepingEvaluator(Evaluator(config)).evaluate(resources).items():
        assert random_users.metric(name).mean() == pytest.approx(value, abs=1e-11)


def test_metrics_by_hand():
    user = PerUser(np.array([7]), np.array([[False, True, False, True]]), np.array([3]))
    assert user.metric("recall@4") == pytest.approx(2 / 3)
    assert user.metric("hit@1") == 0 and user.metric("Hit@2") == 1
    assert user.metric("mrr@4") == pytest.approx(1 / 2)
    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert user.metric("ndcg@4") == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / ideal)


def test_round_trip(random_users, tmp_path):
    path = tmp_path / "users.npz"
    random_users.save(path)
    loaded = PerUser.load(path)
    for name in ("users", "hits", "positives"):
        assert np.array_equal(getattr(loaded, name), getattr(random_users, name))
    assert [each.name for each in tmp_path.iterdir()] == ["users.npz"]


@pytest.mark.parametrize("name", ["gauc", "auc@10", "ndcg@13", "ndcg@0", "ndcg@x", "ndcg"])
def test_no_such_metric(name, random_users):
    with pytest.raises(ValueError, match=f"metric: .*{name}"):
        random_users.metric(name)


def test_arrays_that_do_not_fit_each_other(tmp_path):
    PerUser(np.arange(3), np.ones((3, 2), bool), np.ones(3, int)).save(tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as stored:
        arrays = dict(stored)
    np.savez(tmp_path / "x.npz", **{**arrays, "users": arrays["users"][:2]})
    with pytest.raises(ValueError, match=r"x\.npz is damaged \(its arrays differ in length\)"):
        PerUser.load(tmp_path / "x.npz")
