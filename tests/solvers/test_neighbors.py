"""Weights on a few inputs per target, against the definition and against the full solution."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import full_rank, gram, neighbors
from tests import oracles

CASES = [
    {"dropout": 0.0, "l2": 2.0},
    {"dropout": 0.3, "l2": 0.5},
    {"dropout": 0.3, "l2": 0.5, "emphasis": (1.0, 0.2)},
    {"dropout": 0.5, "l2": 1.0, "emphasis": (1.0, 1.0)},
    {"dropout": 0.5, "l2": 1.0, "emphasis": (1.0, 1.0), "diagonal_bound": 0.2},
]


def matrix(
    users: int = 40, items: int = 9, density: float = 0.35, seed: int = 0, values: bool = True
) -> np.ndarray:
    generator = np.random.default_rng(seed)
    X = (generator.random((users, items)) < density) * (
        generator.random((users, items)) + 0.5 if values else 1.0
    )
    return X


def fit(X: np.ndarray, count: int, user_weight: np.ndarray | None = None, **problem: Any) -> np.ndarray:
    return neighbors(sp.csr_matrix(X), count, user_weight, dtype=torch.float64, **problem).toarray()


def best_inputs(X: np.ndarray, j: int, count: int, dropout: float, l2: float) -> list[int]:
    """Inputs of the smallest error of j when each is the only one, by the errors themselves."""
    q, gain = 1 - dropout, {}
    for i in set(range(X.shape[1])) - {j}:
        x, y = X[:, i], X[:, j]
        penalty = l2 + dropout / q * (x @ x)
        b = x @ y / (x @ x + penalty)
        gain[i] = y @ y - ((y - b * x) @ (y - b * x) + penalty * b * b)
    return sorted(sorted(gain, key=gain.get)[-count:])


@pytest.mark.parametrize("problem", [case for case in CASES if "diagonal_bound" not in case])
def test_columns_are_what_all_masks_say_of_their_inputs(problem: dict[str, Any]) -> None:
    X, count = matrix(), 3
    B = fit(X, count, **problem)
    options = {"emphasis": (1.0, 0.0), **problem}
    for j in range(X.shape[1]):
        chosen = best_inputs(X, j, count, problem["dropout"], problem["l2"])
        expected = np.zeros(X.shape[1])
        if problem["dropout"] == 0:
            part = oracles.ease(X[:, [*chosen, j]], problem["l2"])
        else:
            part = oracles.all_masks(
                X[:, [*chosen, j]], options["dropout"], options["emphasis"], options["l2"]
            )
        expected[[*chosen, j]] = part[:, -1]
        np.testing.assert_allclose(B[:, j], expected, atol=1e-12)


@pytest.mark.parametrize("problem", CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_all_inputs_make_it_the_full_solution(problem: dict[str, Any], weighted: bool) -> None:
    X = matrix(density=0.6)
    weight = np.random.default_rng(1).random(len(X)) if weighted else None
    expected = full_rank(gram(sp.csr_matrix(X), weight, dtype=torch.float64), **problem)
    for count in (8, 100):
        np.testing.assert_allclose(fit(X, count, weight, **problem), expected, atol=1e-12)


def test_all_inputs_make_it_the_full_solution_for_other_counts_too() -> None:
    X, generator = matrix(density=0.6), np.random.default_rng(1)
    weight, item_count = generator.random(len(X)), torch.from_numpy(generator.integers(1, 50, X.shape[1]))
    problem: dict[str, Any] = {"dropout": 0.3, "l2": 0.5, "item_count": item_count}
    expected = full_rank(gram(sp.csr_matrix(X), weight, dtype=torch.float64), **problem)
    np.testing.assert_allclose(fit(X, 8, weight, **problem), expected, atol=1e-12)
    assert abs(fit(X, 8, weight, dropout=0.3, l2=0.5) - expected.numpy()).max() > 1e-2


def test_many_items_in_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    X, done = sp.csr_matrix(matrix(300, 200, 0.1)), []
    whole = neighbors(X, 20, dropout=0.3, l2=5.0)
    assert whole.dtype == np.float32 and (whole.getnnz(axis=0) == 20).all()
    monkeypatch.setattr(
        importlib.import_module("recbole_edlae.solvers.scale.neighbors"), "_BATCH_BYTES", 4 * 21**2 * 7
    )
    parts = neighbors(X, 20, dropout=0.3, l2=5.0, progress=lambda *step: done.append(step))
    np.testing.assert_allclose(parts.toarray(), whole.toarray(), atol=1e-6)
    assert len(done) == 29 and done[0] == (7, 200) and done[-1] == (200, 200)


def test_single_precision() -> None:
    X = sp.csr_matrix(matrix(300, 60, 0.2))
    exact = neighbors(X, 20, dropout=0.3, l2=5.0, dtype=torch.float64)
    np.testing.assert_allclose(neighbors(X, 20, dropout=0.3, l2=5.0).toarray(), exact.toarray(), atol=1e-6)


def test_order_of_items_and_of_users_is_that_of_the_result() -> None:
    X, generator = matrix(60, 30), np.random.default_rng(3)
    users, items = generator.permutation(60), generator.permutation(30)
    expected = fit(X, 5, dropout=0.3, l2=1.0)[items][:, items]
    np.testing.assert_allclose(fit(X[users][:, items], 5, dropout=0.3, l2=1.0), expected, atol=1e-12)


def test_of_equal_inputs_the_more_popular_and_then_the_first_is_chosen() -> None:
    X = np.zeros((10, 4))  # items 0, 1 and 2 all explain 1 / 4 of item 3
    X[0] = 1
    X[1:4, [0, 1]] = 1
    assert np.flatnonzero(fit(X, 1, dropout=0.0, l2=0.5)[:, 3]).tolist() == [2]  # the rarest explains most
    X[1:4, 2] = 1
    assert np.flatnonzero(fit(X, 1, dropout=0.0, l2=0.5)[:, 3]).tolist() == [0]
    assert np.flatnonzero(fit(X, 2, dropout=0.0, l2=0.5)[:, 3]).tolist() == [0, 1]


def test_fewer_inputs_than_allowed() -> None:
    X = np.kron(np.eye(3), np.ones((4, 3))) * matrix(
        12, 9, density=1.0
    )  # three groups with nothing in common
    B = fit(X, 5, dropout=0.3, l2=1.0)
    G = X.T @ X
    expected = full_rank(torch.from_numpy(G), dropout=0.3, l2=1.0).numpy()
    np.testing.assert_allclose(B, expected, atol=1e-12)
    assert (np.count_nonzero(B, axis=0) == 2).all()


@pytest.mark.parametrize("emphasis", [(1.0, 0.0), (1.0, 1.0)])
def test_items_that_nobody_used(emphasis: tuple[float, float]) -> None:
    X = matrix(40, 9)
    X[:, [0, 4]] = 0
    weight = np.ones(40)
    weight[:20] = 0  # users of no weight are no users
    B = fit(X, 100, weight, dropout=0.3, l2=0.0, emphasis=emphasis)
    used = np.delete(np.arange(9), [0, 4])
    assert not B[[0, 4]].any() and not B[:, [0, 4]].any()
    expected = fit(X[20:][:, used], 100, dropout=0.3, l2=0.0, emphasis=emphasis)
    np.testing.assert_allclose(B[np.ix_(used, used)], expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (3, 1)])
def test_small_and_empty(shape: tuple[int, int]) -> None:
    assert neighbors(sp.csr_matrix(np.ones(shape)), 3, dropout=0.3, l2=1.0).shape == (shape[1], shape[1])


@pytest.mark.parametrize("convert", [sp.csc_matrix, sp.coo_matrix, sp.csr_array])
def test_takes_every_sparse_format_and_leaves_it_alone(convert: Callable[..., Any]) -> None:
    X = convert(matrix())
    before = X.copy()
    B = neighbors(X, 3, dropout=0.3, l2=1.0, dtype=torch.float64)
    assert (before != X).nnz == 0
    np.testing.assert_allclose(B.toarray(), fit(matrix(), 3, dropout=0.3, l2=1.0))


def test_a_catalog_whose_square_does_not_fit() -> None:
    """100,000 items: a dense matrix of theirs takes 40 GB."""
    cells = np.random.default_rng(0).integers((2000, 100_000), size=(20_000, 2))
    X = sp.csr_matrix((np.ones(len(cells)), cells.T))
    B = neighbors(X, 5, dropout=0.3, l2=1.0)
    used = np.count_nonzero(X.sum(axis=0))
    assert B.shape == (X.shape[1], X.shape[1]) and 4 * used < B.nnz <= 5 * used


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"count": 0}, "count must be an integer of at least 1, got 0"),
        ({"X": -matrix()}, "X must have no negative values"),
        ({"X": np.eye(3)}, "X must be a two-dimensional SciPy sparse matrix"),
        ({"user_weight": np.ones(3)}, r"user_weight must have shape \(40,\)"),
        ({"dtype": torch.float16}, "dtype must be torch.float32 or torch.float64"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"l2": -1.0}, "l2 must be"),
        ({"emphasis": (0.0, 1.0)}, "emphasis must be"),
        ({"diagonal_bound": -1}, "diagonal_bound must be"),
        ({"item_count": torch.ones(8)}, r"item_count must have shape \(9,\), got \(8,\)"),
        (
            {"X": sp.csr_matrix(np.ones((4, 3))), "dropout": 0.0, "l2": 0.0},
            "not positive definite .* 3 items",
        ),
    ],
)
def test_errors(arguments: dict[str, Any], message: str) -> None:
    arguments = {"X": matrix(), "count": 2, "dropout": 0.3, "l2": 1.0, **arguments}
    X = arguments.pop("X")
    with pytest.raises(ValueError, match=message):
        neighbors(X if "two-dimensional" in message else sp.csr_matrix(X), **arguments)


@pytest.mark.parametrize("value, weight", [(1e-200, 1.0), (1e-150, 1e-300)])
def test_products_that_are_too_small_for_a_number_count_once(value: float, weight: float) -> None:
    X = value * matrix(users=200, items=60, density=0.5, values=False)
    B = fit(X, 5, np.full(200, weight), dropout=0.3, l2=1.0)
    assert not B.any()
