"""A sweep over what a model makes of an inverse inverts once, and finds what it would have found alone."""

import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.model import closed_form, gram_memory
from recbole_edlae.solvers import SparseGram, _tiles
from tests.model.test_resources import model_of

SAME_INVERSE = [
    ("EDLAE", {}),
    ("EDLAE", {"emphasis": [1.0, 0.3], "diagonal_bound": 0.1}),
    ("EDLAE", {"item_weight_power": 0.3, "low_pass_weight": 0.2, "low_pass_rank": 3}),
    ("DLAE", {}),
]


@pytest.fixture(autouse=True)
def packed(monkeypatch):
    monkeypatch.setattr(closed_form, "DENSE_ITEMS", 0)
    monkeypatch.setattr(_tiles, "SIDE", 8)


def fitted_scores(model, **options):
    model.fit(**options)
    return model.score(*model.history(torch.arange(1, 20)))


@pytest.fixture
def inverted(monkeypatch):
    """Return a list that grows with every inverse that is made."""
    made, stock = [], gram_memory._Remembered.new_inverse

    def new_inverse(self, Lambda, progress):
        made.append(Lambda)
        return stock(self, Lambda, progress)

    monkeypatch.setattr(gram_memory._Remembered, "new_inverse", new_inverse)
    return made


@pytest.mark.parametrize("by_users", [True, False])
def test_one_inverse_serves_what_is_made_of_it(by_users, tiny, monkeypatch, inverted):
    monkeypatch.setattr(SparseGram, "is_quicker", lambda *_: by_users)
    memory, first = gram_memory.GramMemory(), model_of("EDLAE", tiny)
    for name, settings in SAME_INVERSE:
        model = model_of(name, tiny, reg_weight=3.0, dropout_prob=0.4, **settings)
        model.interactions = first.interactions  # of one split
        found = fitted_scores(model, gram=memory)
        assert torch.equal(found, fitted_scores(model))
    assert len(inverted) == 1 and memory.saved > 0


@pytest.mark.parametrize("change", [{"reg_weight": 4.0}, {"dropout_prob": 0.5}, {"user_weight_power": 0.5}])
def test_another_inverse_is_made(change, tiny, inverted):
    memory, model = gram_memory.GramMemory(), model_of("EDLAE", tiny, reg_weight=3.0)
    fitted_scores(model, gram=memory)
    for name, value in change.items():
        setattr(model, name, value)
    assert torch.equal(fitted_scores(model, gram=memory), fitted_scores(model))
    assert len(inverted) == 2


@pytest.mark.parametrize("users", [5, 400])
def test_the_way_is_that_of_a_fit_without_memory(users):
    X = sp.random(users, 400, density=0.01, format="csr", random_state=0)
    X.data[:] = 1
    alone, remembered = SparseGram(X), gram_memory.GramMemory().sparse(X)
    quicker = alone.is_quicker(torch.ones(400))
    assert quicker == (users == 5)
    remembered.is_quicker(torch.ones(400))
    assert remembered.operations == (alone.operations if quicker else 400**3)


def test_other_data_have_another_inverse(tiny, inverted):
    memory, model = gram_memory.GramMemory(), model_of("EDLAE", tiny, reg_weight=3.0)
    fitted_scores(model, gram=memory)
    model.interactions = model.interactions[::-1].tocsr()[:-5]
    assert torch.equal(fitted_scores(model, gram=memory), fitted_scores(model))
    assert len(inverted) == 2


def test_nothing_is_kept_without_memory_for_two(tiny, monkeypatch, inverted):
    monkeypatch.setattr(gram_memory, "memory_at_hand", lambda _: 1000)
    memory, model = gram_memory.GramMemory(), model_of("EDLAE", tiny, reg_weight=3.0)
    assert torch.equal(fitted_scores(model, gram=memory), fitted_scores(model, gram=memory))
    assert len(inverted) == 2
