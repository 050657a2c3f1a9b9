"""A sweep over what a model makes of an inverse inverts once, and finds what it would have found alone."""

import pytest
import torch

from recbole_edlae.model import by_gram, closed_form
from recbole_edlae.runs import cache
from recbole_edlae.runs.cache import Cache
from recbole_edlae.solvers import SparseGram
from recbole_edlae.solvers.scale import tiles
from tests.model.test_by_gram import model_of

SAME_INVERSE = [
    ("EDLAE", {}),
    ("EDLAE", {"emphasis": [1.0, 0.3], "diagonal_bound": 0.1}),
    ("EDLAE", {"item_weight_power": 0.3, "low_pass_weight": 0.2, "low_pass_rank": 3}),
    ("DLAE", {}),
]


@pytest.fixture(autouse=True)
def packed(monkeypatch):
    monkeypatch.setattr(closed_form, "DENSE_ITEMS", 0)
    monkeypatch.setattr(tiles, "SIDE", 8)


def fitted_scores(model, **options):
    model.fit(**options)
    return model.score(*model.history(torch.arange(1, 20)))


@pytest.fixture
def inverted(monkeypatch):
    """Return a list that grows with every inverse that a cache has made."""
    made, stock = [], Cache.keep

    def keep(self, make, *made_of):
        def counted():
            made.extend(part for part in made_of if isinstance(part, str) and part == "inverse")
            return make()

        return stock(self, counted, *made_of)

    monkeypatch.setattr(Cache, "keep", keep)
    return made


@pytest.mark.parametrize("by_users", [True, False])
def test_one_inverse_serves_what_is_made_of_it(by_users, tiny, monkeypatch, inverted):
    monkeypatch.setattr(SparseGram, "is_quicker", lambda *_: by_users)
    kept, first = Cache(), model_of("EDLAE", tiny)
    for name, settings in SAME_INVERSE:
        model = model_of(name, tiny, reg_weight=3.0, dropout_prob=0.4, **settings)
        model.interactions = first.interactions  # of one split
        found = fitted_scores(model, gram=kept)
        assert torch.equal(found, fitted_scores(model))
    assert len(inverted) == 1 and kept.saved > 0


@pytest.mark.parametrize("change", [{"reg_weight": 4.0}, {"dropout_prob": 0.5}, {"user_weight_power": 0.5}])
def test_another_inverse_is_made(change, tiny, inverted):
    kept, model = Cache(), model_of("EDLAE", tiny, reg_weight=3.0)
    fitted_scores(model, gram=kept)
    for name, value in change.items():
        setattr(model, name, value)
    assert torch.equal(fitted_scores(model, gram=kept), fitted_scores(model))
    assert len(inverted) == 2


def test_other_data_have_another_inverse(tiny, inverted):
    kept, model = Cache(), model_of("EDLAE", tiny, reg_weight=3.0)
    fitted_scores(model, gram=kept)
    model.interactions = model.interactions[::-1].tocsr()[:-5]
    assert torch.equal(fitted_scores(model, gram=kept), fitted_scores(model))
    assert len(inverted) == 2


def test_nothing_is_kept_without_memory_for_two(tiny, monkeypatch, inverted):
    monkeypatch.setattr(cache, "memory_at_hand", lambda _: 1000)
    kept, model = Cache(), model_of("EDLAE", tiny, reg_weight=3.0)
    assert torch.equal(fitted_scores(model, gram=kept), fitted_scores(model, gram=kept))
    assert len(inverted) == 2


def test_the_oldest_make_room(monkeypatch):
    kept, made = Cache(), []
    for name in "abcac":
        # Two matrices of 4,000 bytes fit into a quarter of what there is.
        held = 4000 * min(len(made), 2)
        monkeypatch.setattr(cache, "memory_at_hand", lambda _, held=held: 4 * 8500 - held)
        kept.keep(lambda name=name: made.append(name) or torch.zeros(1000), name)
    assert made == ["a", "b", "c", "a"]


def test_what_is_kept_makes_room_for_a_fit_that_needs_it(tiny, monkeypatch):
    kept, model = Cache(), model_of("EDLAE", tiny, reg_weight=3.0)
    expected = fitted_scores(model, gram=kept)

    # As if what is kept were all that is missing.
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda _: 0 if kept._kept else 2**30)
    assert kept._kept and torch.equal(fitted_scores(model, gram=kept), expected)
    monkeypatch.setattr(by_gram, "memory_at_hand", lambda _: 0)
    with pytest.raises(MemoryError):
        model.fit(gram=kept)
