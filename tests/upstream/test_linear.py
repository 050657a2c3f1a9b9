"""The linear reference models against the package's solvers: the same weights, however the package gets them."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from recbole.model.general_recommender.ease import EASE

from recbole_edlae.solvers import SparseGram, full_rank, gram, low_rank, objective, stationarity
from tests.upstream.conftest import made_up, solution

GRAMS = {
    "dense": gram,
    "packed": lambda X: gram(X, packed=True),
    "by users": SparseGram,
}


def relative_difference(actual, expected) -> float:
    return np.abs(np.asarray(actual) - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("way", GRAMS)
@pytest.mark.parametrize(
    "dropout, l2, emphasis",
    [(0.33, 500.0, [1.0, 0.0]), (0.5, 20.0, [1.0, 1.0]), (0.0, 100.0, [1.0, 0.0]), (0.2, 50.0, [1.0, 0.3])],
)
def test_edlae_has_the_weights_of_the_package(interactions, way, dropout, l2, emphasis):
    B = full_rank(GRAMS[way](interactions), dropout=dropout, l2=l2, emphasis=emphasis)
    B = B if isinstance(B, torch.Tensor) else B.dense()
    expected = solution("EDLAE", interactions, dropout_prob=dropout, reg_weight=l2, emphasis=emphasis)
    assert expected.dtype == np.float32 and relative_difference(B, expected) <= 2e-5


@pytest.mark.parametrize("l2, dropout", [(0.0, 0.5), (1.0, 0.0)])
def test_items_without_interactions_have_no_weights(l2, dropout):
    B = solution("EDLAE", made_up(), dropout_prob=dropout, reg_weight=l2, emphasis=[1.0, 0.5])
    unused = [0, 50, 129]
    assert np.isfinite(B).all() and B.any()
    assert not B[unused].any() and not B[:, unused].any()


def test_edlae_without_dropout_is_the_ease_of_recbole(interactions):
    class Dataset:
        def num(self, field):
            return max(interactions.shape)

        def inter_matrix(self, form):
            return sp.csr_matrix(interactions)

    class Settings(dict):
        device = torch.device("cpu")

    fields = {"USER_ID_FIELD": "user", "ITEM_ID_FIELD": "item", "NEG_PREFIX": "neg_", "device": "cpu"}
    ease = EASE(Settings(fields, reg_weight=250.0), Dataset())
    B = solution("EDLAE", interactions, dropout_prob=0.0, reg_weight=250.0, emphasis=[1.0, 0.0])
    assert relative_difference(ease.item_similarity, B) <= 1e-5


@pytest.mark.parametrize("packed", [False, True], ids=["dense", "packed"])
@pytest.mark.parametrize("rank, dropout, l2", [(10, 0.33, 100.0), (50, 0.5, 20.0)])
def test_low_rank_edlae_takes_the_iterations_of_the_package(interactions, packed, rank, dropout, l2):
    G = gram(interactions, dtype=torch.float64, packed=packed)
    weights = low_rank(G, rank, method="admm", dropout=dropout, l2=l2, tol=1e-3, max_iter=200)
    settings = {"rank": rank, "dropout_prob": dropout, "reg_weight": l2, "tol": 1e-3, "max_iter": 200}
    U, V = solution("LowRankEDLAE", interactions, **settings)
    assert U.shape == V.shape == (interactions.shape[1], rank)
    assert relative_difference(weights.u @ weights.v.T, U @ V.T) <= 1e-6

    problem = {"dropout": dropout, "l2": l2}
    U, V = torch.from_numpy(U).double(), torch.from_numpy(V).double()
    assert stationarity(G, U, V, **problem) <= 1.001e-3
    assert objective(G, U, V, **problem) == pytest.approx(weights.history[-1].objective, rel=1e-6)


def test_low_rank_edlae_of_a_rank_above_the_items_is_edlae():
    X = made_up()
    settings = {"dropout_prob": 0.33, "reg_weight": 20.0}
    U, V = solution("LowRankEDLAE", X, rank=500, tol=1e-3, max_iter=100, **settings)
    B = U @ V.T
    np.fill_diagonal(B, 0)
    assert relative_difference(B, solution("EDLAE", X, emphasis=[1.0, 0.0], **settings)) <= 1e-4


def test_low_rank_edlae_says_that_it_did_not_converge():
    settings = {"dropout_prob": 0.33, "reg_weight": 20.0}
    with pytest.raises(pytest.fail.Exception, match=r"stopped after max_iter = 2 iterations"):
        solution("LowRankEDLAE", made_up(), rank=20, tol=1e-9, max_iter=2, **settings)
