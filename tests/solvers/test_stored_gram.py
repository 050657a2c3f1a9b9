"""Users added to a stored Gram matrix: the same as all of them at once."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import StoredGram, activity_weight, full_rank, gram
from tests import oracles


def draw(users, items, seed, density=0.2):
    X = np.random.default_rng(seed).random((users, items)) < density
    X[: users // 10] = False  # some have nothing
    return sp.csr_matrix(X.astype(float))


def wider(X, items):
    return sp.csr_matrix((X.data, X.indices, X.indptr), shape=(X.shape[0], items))


@pytest.mark.parametrize("power", [0.0, 0.5, -0.3])
def test_users_added_one_part_after_another_are_all_users(power):
    parts = [draw(80, 30, 0), draw(15, 30, 1, density=0.5), draw(3, 37, 2)]
    stored = StoredGram.of(parts[0], power)
    for part in parts[1:]:
        stored = stored.add(part)
    X = sp.vstack([wider(part, 37) for part in parts]).tocsr()
    count = np.diff(X.indptr)
    weight = np.where(count > 0, (np.maximum(count, 1) / count[count > 0].mean()) ** -power, 1)
    np.testing.assert_allclose(stored.G, oracles.gram(X.toarray(), weight), rtol=1e-12, atol=1e-12)
    assert (stored.users, stored.interactions) == ((count > 0).sum(), count.sum())


@pytest.mark.parametrize("power", [0.0, 0.5])
def test_the_model_is_that_of_a_refit(power):
    old, new = draw(200, 40, 3), draw(30, 40, 4)
    X = sp.vstack([old, new]).tocsr()
    problem = {"dropout": 0.33, "l2": 5.0}
    refit = full_rank(gram(X, activity_weight(np.diff(X.indptr), power), dtype=torch.float64), **problem)
    updated = full_rank(StoredGram.of(old, power).add(new).G, **problem)
    assert (updated - refit).abs().max() < 1e-12
    assert (full_rank(StoredGram.of(old, power).G, **problem) - refit).abs().max() > 1e-3


def test_counts_stay_exact_and_nothing_is_overwritten():
    old, new = draw(50, 20, 5), draw(50, 20, 6)
    stored = StoredGram.of(old)
    before = stored.G.clone()
    added = stored.add(new)
    assert torch.equal(stored.G, before)
    assert np.array_equal(added.G, (old.T @ old + new.T @ new).toarray())


def test_nobody_and_nothing():
    stored = StoredGram.of(draw(50, 20, 7), 0.5)
    same = stored.add(sp.csr_matrix((3, 20)))
    assert torch.equal(same.G, stored.G) and same.users == stored.users
    first = StoredGram.of(sp.csr_matrix((0, 20)), 0.5).add(draw(50, 20, 7))
    torch.testing.assert_close(first.G, stored.G)


def test_errors():
    stored = StoredGram.of(draw(10, 20, 0))
    with pytest.raises(ValueError, match="X has 19 items, the Gram matrix has 20"):
        stored.add(draw(10, 19, 0))
    with pytest.raises(ValueError, match="entries 1 only"):
        stored.add(draw(10, 20, 0) * 2)
    with pytest.raises(ValueError, match="power must be a finite number, got nan"):
        StoredGram.of(draw(10, 20, 0), float("nan"))
