"""Inverses through the users: those of the Gram matrix, to rounding."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import (
    LowPass,
    PackedWeights,
    SingularError,
    SparseGram,
    SymmetricTiles,
    full_rank,
    gram,
    inverse_gram,
    local_regression,
    low_pass,
    low_rank,
)
from recbole_edlae.solvers.scale import by_users, tiles


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "SIDE", 40)  # 130 items are four parts


def interactions(users: int, items: int = 130, seed: int = 0, density: float = 0.1) -> sp.csr_matrix:
    X = sp.random(users, items, density, format="csr", random_state=seed)
    X.data[:] = 1
    return X


def by_lapack(X: sp.csr_matrix, weight: np.ndarray, dropout: float, l2: float) -> np.ndarray:
    dense = X.toarray()
    G = dense.T @ (weight[:, None] * dense)
    penalty = l2 + dropout / (1 - dropout) * G.diagonal()
    penalty[G.diagonal() == 0] = 1
    return np.linalg.inv(G + np.diag(penalty))


# K among C's own values, and beside them where the users are nearly as many.
@pytest.mark.parametrize("users, shared", [(1, False), (40, True), (70, True), (125, False), (300, False)])
@pytest.mark.parametrize("dropout, l2", [(0.0, 2.0), (0.5, 0.0), (0.3, 5.0)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_is_the_inverse(users: int, shared: bool, dropout: float, l2: float, dtype: torch.dtype) -> None:
    X, weight = interactions(users), np.random.default_rng(1).uniform(0.1, 3, users)
    expected = by_lapack(X, weight, dropout, l2)
    C, Lambda = inverse_gram(SparseGram(X, weight, dtype=dtype), dropout=dropout, l2=l2)
    assert isinstance(C, SymmetricTiles) and C.dtype == Lambda.dtype == dtype
    cancels = (1 + gram(X, weight, dtype=dtype).diagonal() / Lambda).max().item()
    rounding = 4 * cancels * torch.finfo(dtype).eps * expected.max()
    np.testing.assert_allclose(C.dense().double().numpy(), expected, rtol=0, atol=rounding)
    assert torch.equal(C.dense(), C.dense().T)
    assert (by_users._Plan(130, len(SparseGram(X, weight).X.indptr) - 1).start is not None) == shared


@pytest.mark.parametrize("together", [1, 17 * 80])
def test_does_not_depend_on_how_much_is_made_at_a_time(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = interactions(17)
    expected = inverse_gram(SparseGram(X), dropout=0.5, l2=1.0)[0]
    monkeypatch.setattr(by_users, "_BATCH_VALUES", together)
    assert torch.equal(inverse_gram(SparseGram(X), dropout=0.5, l2=1.0)[0].values, expected.values)


def test_leaves_out_users_that_do_not_count_and_items_that_nobody_used() -> None:
    X = interactions(30).toarray()
    X[[3, 7]] = 0
    X[:, [0, 64, 129]] = 0
    X[8], weight = 1, np.ones(30)
    weight[8] = 0
    few = sp.csr_matrix(np.delete(X, [3, 7, 8], axis=0))
    C, Lambda = inverse_gram(SparseGram(sp.csr_matrix(X), weight), dropout=0.5, l2=0.0)
    assert torch.equal(C.values, inverse_gram(SparseGram(few), dropout=0.5, l2=0.0)[0].values)
    assert torch.equal(Lambda[[0, 64, 129]], torch.ones(3))
    assert torch.equal(C.dense()[64], torch.eye(130)[64])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"emphasis": (1.0, 1.0)},
        {"emphasis": (1.0, 0.3), "diagonal_bound": 0.1},
        {"item_count": torch.arange(130.0) % 7 + 1},
    ],
)
def test_same_weights(settings: dict[str, Any]) -> None:
    X, weight = interactions(60), np.random.default_rng(1).uniform(0.1, 3, 60)
    dense, problem = gram(X, weight, dtype=torch.float64), {"dropout": 0.4, "l2": 3.0, **settings}
    B = full_rank(SparseGram(X, weight, dtype=torch.float64), **problem)
    assert isinstance(B, PackedWeights)
    torch.testing.assert_close(B.dense(), full_rank(dense, **problem), rtol=0, atol=1e-13)
    W = low_pass(X, 5, dtype=torch.float64)
    beside = local_regression(SparseGram(X, weight, dtype=torch.float64), W, low_pass_weight=0.3, **problem)
    expected = local_regression(dense, W, low_pass_weight=0.3, **problem)
    torch.testing.assert_close(beside.dense(), expected.dense(), rtol=0, atol=1e-13)


def test_does_not_depend_on_the_number_of_threads() -> None:
    X, threads = interactions(60), torch.get_num_threads()
    values = []
    try:
        for number in (1, 3):
            torch.set_num_threads(number)
            values.append(full_rank(SparseGram(X), dropout=0.5, l2=1.0).C.values)
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(values[0], values[1], rtol=0, atol=1e-7)


def test_progress_ends_at_the_total() -> None:
    seen: list[tuple[int, int]] = []
    full_rank(SparseGram(interactions(60)), dropout=0.5, l2=1.0, progress=lambda *step: seen.append(step))
    done, totals = zip(*seen)
    assert list(done) == sorted(done) and done[-1] == totals[0] and len(set(totals)) == 1 and len(seen) > 4


@pytest.mark.parametrize(
    "users, items, l2, quicker",
    [(200, 5000, 10.0, True), (4500, 5000, 10.0, False), (200, 5000, 0.01, False)],
)
def test_is_quicker_with_few_users_and_a_penalty_that_counts(
    users: int, items: int, l2: float, quicker: bool
) -> None:
    G = SparseGram(interactions(users, items, density=0.05))
    assert G.is_quicker(torch.full((items,), l2)) is quicker
    assert not G.is_quicker(torch.zeros(items))


def test_bad_arguments() -> None:
    X = interactions(20)
    with pytest.raises(ValueError, match="X must have entries 1 only"):
        SparseGram(2 * X)
    with pytest.raises(ValueError, match=r"user_weight must have shape \(20,\)"):
        SparseGram(X, np.ones(3))
    with pytest.raises(ValueError, match=r"dtype must be torch.float32 or torch.float64"):
        SparseGram(X, dtype=torch.float16)
    with pytest.raises(SingularError, match=r"weights of 130 items. Raise l2 or dropout"):
        full_rank(SparseGram(X), dropout=0.0, l2=0.0)
    with pytest.raises(ValueError, match=r"G must be a dense torch\.Tensor, got SparseGram"):
        low_rank(SparseGram(X), 3, dropout=0.5, l2=1.0)  # type: ignore[arg-type]
    factor = torch.ones(129, 2)
    with pytest.raises(ValueError, match=r"W.left must have shape \(130, rank\)"):
        local_regression(SparseGram(X), LowPass(factor, factor), low_pass_weight=0.1, dropout=0.5, l2=1.0)


@pytest.mark.parametrize("X", [sp.csr_matrix((0, 3)), sp.csr_matrix((4, 3)), sp.csr_matrix((4, 0))])
def test_a_gram_matrix_of_nobody(X: sp.csr_matrix) -> None:
    with pytest.raises(ValueError, match="X must have a user with an item and a weight above 0"):
        SparseGram(X)


def test_users_who_all_weigh_nothing() -> None:
    with pytest.raises(ValueError, match="X must have a user with an item and a weight above 0"):
        SparseGram(sp.csr_matrix(np.ones((2, 3))), np.zeros(2))
