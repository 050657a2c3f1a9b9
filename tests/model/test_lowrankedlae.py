"""LowRankEDLAE against what it must equal."""

import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.model.lowrankedlae_form import LowRankEDLAEForm
from recbole_edlae.solvers._low_rank import METHODS
from recbole_edlae.solvers.memory import low_rank_values
from tests.model.linear import fit


@pytest.mark.parametrize("solver", ["admm", "als"])
def test_a_high_rank_scores_as_the_full_rank_does(tiny, solver):
    full, _, _ = fit("EDLAE", data_path=tiny, reg_weight=3.0)
    low, _, _ = fit(
        "LowRankEDLAE", data_path=tiny, reg_weight=3.0, rank=30, solver=solver, tol=1e-6, max_iter=300
    )
    product = low.weights.encoder @ low.weights.decoder.T
    torch.testing.assert_close(product.fill_diagonal_(0), full.weights.encoder, rtol=0, atol=2e-4)


@pytest.mark.parametrize("solver", METHODS)
def test_a_method_gets_the_settings_that_it_takes(solver):
    """A method that is added to the table needs no line in the model, whether or not it iterates."""
    X = sp.csr_matrix([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]])
    powers = {"user_weight_power": 0.0, "item_weight_power": 0.0}
    iteration = {"tol": 1e-3, "max_iter": 300}
    settings = {"reg_weight": 1.0, "dropout_prob": 0.0, "rank": 2, "solver": solver, **powers, **iteration}
    form = LowRankEDLAEForm(settings, X)
    form.fit()
    assert form.weights.encoder.shape == (4, 2)


def test_methods_that_iterate_hold_more_than_closed_forms():
    held = {method: low_rank_values(100, 5, method, 100**2) for method in METHODS}
    assert held["admm"] == held["als"] == held["zero_diagonal"] > held["eigen"] == held["free_diagonal"]


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
    "settings, message",
    [
        ({"rank": 0}, r"rank must be int in \[1, inf\), got 0"),
        ({"rank": 2.5}, "rank must be int, got 2.5"),
        ({"rank": 5, "solver": "alm"}, "solver must be one of .*als.*; got 'alm'"),
        ({"rank": 5, "max_iter": 0}, r"max_iter must be int in \[1, inf\), got 0"),
    ],
)
def test_settings_that_cannot_be(tiny, settings, message):
    with pytest.raises(ValueError, match=message):
        fit("LowRankEDLAE", data_path=tiny, **settings)
