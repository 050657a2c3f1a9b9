"""Full-rank models that are fitted through their users: when, and that nothing else changes."""

import logging

import pytest
import torch

from recbole_edlae.model import by_gram, closed_form
from recbole_edlae.solvers import SparseGram, gram
from recbole_edlae.solvers.memory import packed_values
from recbole_edlae.solvers.scale import tiles
from recbole_edlae.solvers.scale.gram import gram_workspace
from tests.model.test_by_gram import model_of

MODELS = {
    "EDLAE": ("EDLAE", {"user_weight_power": 0.5, "item_weight_power": 0.2}),
    "EDLAE beside a low-pass filter": ("EDLAE", {"low_pass_weight": 0.3, "low_pass_rank": 4}),
    "DLAE as DAN": (
        "DLAE",
        {"dropout_penalty": "unweighted", "user_weight_power": 0.3, "zero_diagonal": True},
    ),
}


@pytest.fixture(autouse=True)
def packed(monkeypatch):
    monkeypatch.setattr(closed_form, "DENSE_ITEMS", 0)
    monkeypatch.setattr(tiles, "SIDE", 8)


@pytest.mark.parametrize("name, settings", MODELS.values(), ids=MODELS)
def test_scores_are_those_of_the_gram_matrix(name, settings, tiny, monkeypatch, caplog):
    model = model_of(name, tiny, reg_weight=3.0, **settings)

    def scores():
        with caplog.at_level(logging.INFO):
            model.fit()
        return model.score(*model.history(torch.arange(1, 40)))

    expected = scores()
    assert " users, 31 items" not in caplog.text
    monkeypatch.setattr(SparseGram, "is_quicker", lambda *_: True)
    torch.testing.assert_close(scores(), expected, rtol=0, atol=1e-5)
    assert f"{name}: 60 users, 31 items: 0.0 GiB of " in caplog.text


@pytest.mark.parametrize(
    "name, settings", [("EDLAE", {"neighbors": 5}), ("LowRankEDLAE", {"rank": 3}), ("DLAE", {"rank": 3})]
)
def test_not_for_models_that_take_more_than_the_inverse(name, settings, tiny, monkeypatch):
    monkeypatch.setattr(SparseGram, "is_quicker", lambda *_: pytest.fail("asked"))
    model_of(name, tiny, **settings).fit()


def test_a_given_gram_matrix_is_taken(tiny, monkeypatch):
    monkeypatch.setattr(SparseGram, "is_quicker", lambda *_: pytest.fail("asked"))
    model = model_of("EDLAE", tiny, reg_weight=3.0)
    model.fit(gram=lambda X, weight, **options: gram(2 * X, weight, **options))
    given = model.score(*model.history(torch.arange(1, 5)))
    monkeypatch.setattr(SparseGram, "is_quicker", lambda *_: False)
    model.fit()
    assert not torch.allclose(model.score(*model.history(torch.arange(1, 5))), given)


def test_not_where_memory_suffices_for_the_gram_matrix_only(tiny, monkeypatch, caplog):
    monkeypatch.setattr(SparseGram, "is_quicker", lambda *_: True)
    model = model_of("EDLAE", tiny)
    needed = 4 * model.peak_values(packed_values(31), "cpu") + gram_workspace(model.interactions, True)
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda device: needed)
    with caplog.at_level(logging.INFO):
        model.fit()
    assert model.fitted and " users, 31 items" not in caplog.text
