"""What the graph filters share."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from recbole.data.interaction import Interaction

from recbole_edlae._warnings import DataWarning
from recbole_edlae.model import by_gram, graph, history
from tests.model.graph_filters import CHEBYCF, GFCF

of_both = pytest.mark.parametrize("name, chosen", [("GFCF", GFCF), ("ChebyCF", CHEBYCF)])


@of_both
def test_pairs_are_scored_user_by_user(name, chosen, fit_filter, monkeypatch):
    model, X = fit_filter(name, **chosen)
    scores = model.full_sort_predict(Interaction({model.USER_ID: torch.arange(len(X))})).view(len(X), -1)
    generator = np.random.default_rng(0)
    users, items = (torch.from_numpy(generator.integers(0, size, 200)) for size in X.shape)
    monkeypatch.setattr(history, "SCORES", 100)  # three users at a time
    found = model.predict(Interaction({model.USER_ID: users, model.ITEM_ID: items}))
    torch.testing.assert_close(found, scores[users, items], rtol=1e-5, atol=1e-6)


@of_both
def test_a_checkpoint_holds_the_graph_and_no_matrix_of_items(name, chosen, fit_filter):
    model, X = fit_filter(name, **chosen)
    state = model.state_dict()
    assert len(state["graph.values"]) == len(state["graph.items"]) == X.sum()
    assert all(tensor.shape != (X.shape[1], X.shape[1]) for tensor in state.values())
    damaged = state | {"graph.items": state["graph.items"] + X.shape[1]}
    with pytest.raises(ValueError, match="the graph is damaged: its indices lie outside of shape"):
        model.load_state_dict(damaged)
    names = ("graph.values", "graph.items", "graph.indptr")
    smaller = sp.csr_matrix(tuple(state[key].numpy() for key in names), shape=X.shape)[:, :-1]
    parts = (
        smaller.data,
        smaller.indices,
        smaller.indptr.astype(np.int64),
        state["graph.scale"].numpy()[:-1],
    )
    fewer = state | dict(zip((*names, "graph.scale"), map(torch.from_numpy, parts)))
    with pytest.raises(ValueError, match="the checkpoint has weights for 30 items, the data have 31"):
        model.load_state_dict(fewer)


@of_both
def test_the_graph_is_that_of_training_whatever_users_are_scored_from(name, chosen, fit_filter):
    users = {"eval_args": {"split": {"US": [0.8, 0.1, 0.1]}}}
    model, X = fit_filter(name, **chosen, **users)
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
def test_errors_name_the_setting(name, chosen, wrong, message, fit_filter):
    with pytest.raises(ValueError, match=message):
        fit_filter(name, **{**chosen, **wrong})


@of_both
def test_too_little_memory_is_said_before_any_is_taken(name, chosen, fit_filter, monkeypatch):
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda _: 1000)
    monkeypatch.setattr(graph, "low_pass", lambda *_, **__: pytest.fail("memory was taken"))
    with pytest.raises(
        MemoryError, match=r"a graph filter on 31 items: .* Ways out: a lower low_pass_rank"
    ):
        fit_filter(name, **chosen)


@of_both
def test_there_are_no_item_embeddings(name, chosen, fit_filter):
    with pytest.raises(
        ValueError, match=f"{name} is a filter of the item graph and has no item embeddings"
    ):
        fit_filter(name, **chosen)[0].item_embedding()


@pytest.mark.parametrize("name, rank", [("GFCF", 256), ("ChebyCF", 512)])
def test_the_default_rank_is_cut_to_the_number_of_items(name, rank, fit_filter):
    with pytest.warns(
        DataWarning, match=f"^low_pass_rank {rank} is more than the 30 items of the data: 30 is taken$"
    ):
        cut, _ = fit_filter(name)
    exact, _ = fit_filter(name, low_pass_rank=30)
    each_item = torch.arange(31), torch.ones(31, dtype=torch.int64)
    assert torch.equal(cut.score(*each_item), exact.score(*each_item))
