"""Weights and lists: those of the definition, and those of the RecBole model digit for digit."""

import glob

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from recbole.quick_start import run_recbole

from recbole_edlae import estimators
from recbole_edlae.estimators import DLAE, EDLAE, LowRankEDLAE
from recbole_edlae.model import closed_form
from recbole_edlae.model.weights import Weights
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.recommender import Recommender
from tests import oracles

P, L2 = 0.4, 5.0


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return (rng.random((50, 12)) < np.linspace(0.1, 0.6, 12)).astype(float)


def matrix_of(estimator):
    """Item × item weights, read off the scores of histories of one item."""
    return estimator.score(sp.identity(estimator.n_features_in_, format="csr"))


def test_edlae_by_definition(X):
    penalty = L2 + P / (1 - P) * X.sum(0)
    B = matrix_of(EDLAE(L2, P).fit(sp.csr_matrix(X)))
    np.testing.assert_allclose(B, oracles.ridge_of_others(X, X, penalty), atol=1e-5)
    np.testing.assert_allclose(matrix_of(EDLAE(L2, 0.0).fit(X)), oracles.ease(X, L2), atol=1e-5)


def test_dlae_by_definition(X):
    penalty = L2 + P / (1 - P) * X.sum(0)
    np.testing.assert_allclose(matrix_of(DLAE(L2, P).fit(X)), oracles.ridge(X, penalty), atol=1e-5)


def test_low_rank_of_full_rank_minimizes_the_same_as_full_rank(X):
    penalty = L2 + P / (1 - P) * X.sum(0)
    estimator = LowRankEDLAE(L2, P, rank=12, solver="zero_diagonal", tol=1e-4, max_iter=2000)
    B = matrix_of(estimator.fit(X))
    np.fill_diagonal(B, 0)
    np.testing.assert_allclose(B, oracles.ridge_of_others(X, X, penalty), atol=2e-2)


SETTINGS = [
    ("EDLAE", {}),
    ("EDLAE", {"reg_weight": 5.0, "emphasis": [1.0, 0.5], "diagonal_bound": 0.1}),
    ("EDLAE", {"reg_weight": 5.0, "user_weight_power": 0.5, "item_weight_power": 0.3}),
    (
        "EDLAE",
        {
            "reg_weight": 5.0,
            "user_weight_power": 0.5,
            "dropout_penalty": "unweighted",
            "zero_diagonal": True,
        },
    ),
    ("EDLAE", {"reg_weight": 5.0, "low_pass_weight": 0.3, "low_pass_rank": 4}),
    ("EDLAE", {"reg_weight": 5.0, "neighbors": 6}),
    ("DLAE", {"dropout_prob": 0.5, "diagonal_bound": 0.2}),
    ("DLAE", {"reg_weight": 5.0, "rank": 5}),
    ("DLAE", {"reg_weight": 5.0, "rank": 5, "solver": "weight_decay", "dropout_prob": 0.0}),
    ("LowRankEDLAE", {"rank": 5, "reg_weight": 5.0, "max_iter": 7, "tol": 0.0}),
    ("LowRankEDLAE", {"rank": 5, "solver": "eigen", "user_weight_power": 0.5}),
    ("LowRankEDLAE", {"rank": 99, "solver": "als"}),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "name, settings", SETTINGS, ids=[f"{name} {settings}" for name, settings in SETTINGS]
)
def test_weights_are_the_recbole_models_bit_for_bit(
    name, settings, packed, log, recbole_model, monkeypatch
):
    monkeypatch.setattr(closed_form, "DENSE_ITEMS", 0 if packed else 4096)
    model, dataset = recbole_model(name, **settings)
    expected = model.weights.tensors()
    from_matrix = getattr(estimators, name)(**settings).fit(dataset.inter_matrix("csr")[1:, 1:])
    from_frame = getattr(estimators, name)(**settings).fit(log)
    for estimator in (from_matrix, from_frame):
        tensors = estimator.weights_.tensors()
        assert tensors.keys() == expected.keys()
        assert all(torch.equal(tensors[key], tensor) for key, tensor in expected.items())
    assert from_frame.items_.tolist() == dataset.field2id_token["item_id"][1:].tolist()
    assert from_frame.users_.tolist() == dataset.field2id_token["user_id"][1:].tolist()


def check_against_checkpoint(name, dataset, folder, **settings):
    """Run RecBole, then hold an estimator of the same training part against the checkpoint."""
    quiet = {"state": "ERROR", "show_progress": False, "checkpoint_dir": str(folder)}
    run_recbole(name, dataset, config_dict={**quiet, **settings})
    (path,) = glob.glob(f"{folder}/*.pth")
    checkpoint, recommender = Checkpoint.read(path), Recommender.load(path)
    X = checkpoint.train._dataset.inter_matrix("csr")[1:, 1:]
    own = {key: value for key, value in settings.items() if key != "data_path"}
    estimator = getattr(estimators, name)(**own).fit(X)
    histories = [recommender.tokens[1:][row.indices].tolist() for row in X]
    expected = recommender.recommend(histories, 10)
    answer = estimator.recommend(X, 10)
    assert [[recommender.tokens[item + 1] for item in items] for items in answer.items] == expected.items
    assert all(map(np.array_equal, answer.scores, expected.scores))
    by_user = estimator.recommend(range(X.shape[0]), 10)
    assert by_user.items == answer.items and all(map(np.array_equal, by_user.scores, expected.scores))


@pytest.mark.slow
@pytest.mark.parametrize("name, settings", [
    ("EDLAE", {}),
    ("DLAE", {"user_weight_power": 0.5}),
    ("LowRankEDLAE", {"rank": 20, "solver": "eigen"}),
])  # fmt: skip
def test_lists_of_ml_100k_are_the_checkpoints_digit_for_digit(name, settings, tmp_path):
    check_against_checkpoint(name, "ml-100k", tmp_path, **settings)


@pytest.mark.slow
def test_lists_of_ml_1m_are_the_checkpoints_digit_for_digit(shared_data, tmp_path):
    check_against_checkpoint("EDLAE", "ml-1m", tmp_path, data_path=shared_data)


def test_lists_by_definition(X):
    """The best items that the user has not, by the scores of the definition; ties do not occur."""
    penalty = L2 + P / (1 - P) * X.sum(0)
    scores = X @ oracles.ridge_of_others(X, X, penalty)
    answer = EDLAE(L2, P).fit(X).recommend(X, k=4)
    for row, items, values in zip(range(len(X)), answer.items, answer.scores):
        unseen = np.flatnonzero(X[row] == 0)
        best = unseen[np.argsort(-scores[row, unseen])][:4]
        if X[row].any():
            assert items == best.tolist()
            np.testing.assert_allclose(values, scores[row, best], atol=1e-5)


def test_similar_items_by_definition(X):
    estimator = EDLAE(L2, P).fit(X)
    B = oracles.ridge_of_others(X, X, L2 + P / (1 - P) * X.sum(0))
    B[3, 3] = -np.inf
    items, values = estimator.similar(3, k=5)
    assert items == np.argsort(-B[3])[:5].tolist()
    np.testing.assert_allclose(values, np.sort(B[3])[::-1][:5], atol=1e-5)


def test_values_of_a_matrix_are_interactions_however_large(X):
    ratings = X * np.random.default_rng(1).integers(1, 6, X.shape)
    assert np.array_equal(matrix_of(EDLAE().fit(ratings)), matrix_of(EDLAE().fit(X)))
    coo = sp.coo_matrix(X)
    twice = sp.coo_matrix((np.tile(coo.data, 2), (np.tile(coo.row, 2), np.tile(coo.col, 2))), shape=X.shape)
    for other in (coo, twice, sp.csc_matrix(X), X.astype(bool), sp.csr_array(X)):
        assert np.array_equal(matrix_of(EDLAE().fit(other)), matrix_of(EDLAE().fit(X)))


def test_the_input_is_left_as_it_is(X, log):
    matrix, frame = sp.csr_matrix(X), log.copy()
    before = matrix.copy()
    EDLAE().fit(matrix).recommend(matrix)
    EDLAE().fit(frame).recommend(frame)
    assert (matrix != before).nnz == 0 and matrix.dtype == before.dtype
    pd.testing.assert_frame_equal(frame, log)


def test_weights_have_a_class_of_the_package(X):
    assert isinstance(EDLAE().fit(X).weights_, Weights)
