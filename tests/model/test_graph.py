"""GF-CF and ChebyCF against what they must equal: the papers' formulas with dense matrices in float64."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.interaction import Interaction
from recbole.utils import get_model, get_trainer, init_seed

from recbole_edlae._warnings import DataWarning
from recbole_edlae.model import graph, history, resources
from tests import oracles

GFCF = {"low_pass_rank": 5}
CHEBYCF = {"low_pass_rank": 5, "order": 6, "flatness": 2.0, "low_pass_weight": 0.3, "degree_power": 0.4}
of_both = pytest.mark.parametrize("name, chosen", [("GFCF", GFCF), ("ChebyCF", CHEBYCF)])


@pytest.fixture
def fit(settings):
    def build(name, **overrides):
        config = Config(name, "tiny", config_dict={**settings, **overrides})
        init_seed(config["seed"], config["reproducibility"])
        train, _, _ = data_preparation(config, create_dataset(config))
        model = get_model(name)(config, train.dataset)
        get_trainer(config["MODEL_TYPE"], name)(config, model).fit(train, saved=False)
        return model.eval(), (train.dataset.inter_matrix(form="csr").toarray() > 0).astype(float)

    return build


def gfcf(X, rank, alpha):
    """R̃ᵀR̃ + α D^−½ V Vᵀ D^½."""
    scaled = X / np.sqrt(np.maximum(X.sum(1), 1))[:, None] / np.sqrt(np.maximum(X.sum(0), 1))
    return scaled.T @ scaled + alpha * oracles.ideal_filter(X, rank, 0.5)


def chebycf(X, order, flatness, alpha, rank, beta):
    """D^−β (p(I − 2 R̃ᵀR̃) + α V Vᵀ) D^β, p the polynomial through plateau heights at the roots of T_order+1."""
    steps = np.arange(order + 1)
    roots = np.cos((2 * (order - steps) + 1) * np.pi / (2 * order + 2))
    extrema = np.cos((order - steps) * np.pi / order)
    heights = np.where(extrema < 0, 0.5 + 0.5 * abs(extrema) ** flatness, 0.5 - 0.5 * abs(extrema) ** flatness)
    basis = np.cos(np.arange(order + 1) * np.arccos(roots)[:, None])
    coefficients = np.linalg.solve(basis, heights)
    return oracles.graph_filter(X, coefficients, beta) + alpha * oracles.ideal_filter(X, rank, beta)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_gfcf_is_the_papers(alpha, fit):
    model, X = fit("GFCF", low_pass_weight=alpha, **GFCF)
    check(model, X, gfcf(X, 5, alpha))


@pytest.mark.parametrize("alpha, beta, order", [(0.3, 0.4, 6), (0.0, 0.0, 1), (0.2, 0.0, 7)])
def test_chebycf_is_the_papers(alpha, beta, order, fit):
    chosen = {"low_pass_rank": 5, "order": order, "flatness": 2.0, "low_pass_weight": alpha, "degree_power": beta}
    model, X = fit("ChebyCF", **chosen)
    check(model, X, chebycf(X, order, 2.0, alpha, 5, beta))


def check(model, X, F):
    """Scores of the training's users, of users that training never saw, and similarities."""
    F = F * (X.sum(0) > 0)[:, None]  # a history may have items of nobody
    with torch.no_grad():
        scores = model.full_sort_predict(Interaction({model.USER_ID: torch.arange(len(X))})).view(len(X), -1)
        np.testing.assert_allclose(scores, X @ F, atol=1e-5)
        unseen = model.score(torch.tensor([3, 5, 9]), torch.tensor([2, 0, 1]))
        np.testing.assert_allclose(unseen, [F[[3, 5]].sum(0), 0 * F[0], F[9]], atol=1e-5)
        np.testing.assert_allclose(model.similarity(3), F[3], atol=1e-5)
    assert not scores[:, X.sum(0) == 0].any()


@of_both
def test_defaults_are_those_of_the_authors_on_gowalla(name, chosen):
    config = Config(name, "no such dataset")
    expected = {
        "GFCF": {"low_pass_weight": 0.3, "low_pass_rank": 256},
        "ChebyCF": {
            "order": 8, "flatness": 1.5, "low_pass_weight": 0.2, "low_pass_rank": 512, "degree_power": 0.4,
        },
    }  # fmt: skip
    assert {key: config[key] for key in expected[name]} == expected[name]


@of_both
def test_pairs_are_scored_user_by_user(name, chosen, fit, monkeypatch):
    model, X = fit(name, **chosen)
    scores = model.full_sort_predict(Interaction({model.USER_ID: torch.arange(len(X))})).view(len(X), -1)
    generator = np.random.default_rng(0)
    users, items = (torch.from_numpy(generator.integers(0, size, 200)) for size in X.shape)
    monkeypatch.setattr(history, "SCORES", 100)  # three users at a time
    found = model.predict(Interaction({model.USER_ID: users, model.ITEM_ID: items}))
    torch.testing.assert_close(found, scores[users, items], rtol=1e-5, atol=1e-6)


@of_both
def test_a_checkpoint_holds_the_graph_and_no_matrix_of_items(name, chosen, fit):
    model, X = fit(name, **chosen)
    state = model.state_dict()
    assert len(state["graph.values"]) == len(state["graph.items"]) == X.sum()
    assert all(tensor.shape != (X.shape[1], X.shape[1]) for tensor in state.values())
    damaged = state | {"graph.items": state["graph.items"] + X.shape[1]}
    with pytest.raises(ValueError, match="the graph is damaged: its indices lie outside of shape"):
        model.load_state_dict(damaged)
    names = ("graph.values", "graph.items", "graph.indptr")
    smaller = sp.csr_matrix(tuple(state[key].numpy() for key in names), shape=X.shape)[:, :-1]
    parts = (smaller.data, smaller.indices, smaller.indptr.astype(np.int64), state["graph.scale"].numpy()[:-1])
    fewer = state | dict(zip((*names, "graph.scale"), map(torch.from_numpy, parts)))
    with pytest.raises(ValueError, match="the checkpoint has weights for 30 items, the data have 31"):
        model.load_state_dict(fewer)


@of_both
def test_the_graph_is_that_of_training_whatever_users_are_scored_from(name, chosen, fit):
    users = {"eval_args": {"split": {"US": [0.8, 0.1, 0.1]}}}
    model, X = fit(name, **chosen, **users)
    assert len(model.state_dict()["graph.values"]) == model.interactions.nnz == X.sum()
    held_out = np.flatnonzero((X.sum(1) == 0) & (model.indptr.diff().numpy() > 0))
    assert len(held_out) and model.score(*model.history(torch.from_numpy(held_out))).any(1).all()


@of_both
@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"low_pass_rank": 0}, r"low_pass_rank must be int in \[1, inf\), got 0"),
        ({"low_pass_weight": -0.1}, r"low_pass_weight must be float in \[0, inf\), got -0.1"),
    ],
)
def test_errors_name_the_setting(name, chosen, wrong, message, fit):
    with pytest.raises(ValueError, match=message):
        fit(name, **{**chosen, **wrong})


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"order": 0}, r"order must be int in \[1, inf\), got 0"),
        ({"order": 2.5}, "order must be int, got 2.5"),
        ({"flatness": 0.0}, r"flatness must be float in \(0, inf\), got 0.0"),
        ({"degree_power": -0.4}, r"degree_power must be float in \[0, inf\), got -0.4"),
    ],
)
def test_errors_of_chebycf_name_the_setting(wrong, message):
    with pytest.raises(ValueError, match=message):
        Config("ChebyCF", "no such dataset", config_dict=wrong)


@of_both
def test_too_little_memory_is_said_before_any_is_taken(name, chosen, fit, monkeypatch):
    monkeypatch.setattr(resources, "memory_at_hand", lambda _: 1000)
    monkeypatch.setattr(graph, "low_pass", lambda *_, **__: pytest.fail("memory was taken"))
    with pytest.raises(MemoryError, match=r"a graph filter on 31 items: .* Ways out: a lower low_pass_rank"):
        fit(name, **chosen)


@of_both
def test_there_are_no_item_embeddings(name, chosen, fit):
    with pytest.raises(ValueError, match=f"{name} is a filter of the item graph and has no item embeddings"):
        fit(name, **chosen)[0].item_embedding()


@pytest.mark.parametrize("name, rank", [("GFCF", 256), ("ChebyCF", 512)])
def test_the_default_rank_is_cut_to_the_number_of_items(name, rank, fit):
    with pytest.warns(DataWarning, match=f"^low_pass_rank {rank} is more than the 30 items of the data: 30 is taken$"):
        cut, _ = fit(name)
    exact, _ = fit(name, low_pass_rank=30)
    each_item = torch.arange(31), torch.ones(31, dtype=torch.int64)
    assert torch.equal(cut.score(*each_item), exact.score(*each_item))
