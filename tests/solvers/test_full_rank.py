import itertools
from typing import Any

import numpy as np
import pytest
import torch

from recbole_edlae.solvers import full_rank, penalty
from tests import oracles

CASES = [(0.3, (1, 0)), (0.3, (1, 0.2)), (0.5, (1, 1)), (0.4, (2, 0.7)), (0.8, (1, 0.9)), (0, (1, 0.5))]
MORE_ON_KEPT = [(0.3, (0.5, 1)), (0.5, (1, 4)), (0.8, (1, 50)), (0, (1, 3)), (0.2, (1e-3, 1))]


def interactions(users: int = 40, items: int = 5, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((users, items)) < 0.5).astype(float)


def solve(X: np.ndarray, dtype: torch.dtype = torch.float64, **arguments: Any) -> np.ndarray:
    return full_rank(
        torch.from_numpy(X.T @ X).to(dtype), **{"dropout": 0.3, "l2": 1.0, **arguments}
    ).numpy()


@pytest.mark.parametrize("p, emphasis", CASES + MORE_ON_KEPT)
@pytest.mark.parametrize("l2", [0.0, 2.5])
def test_equals_the_enumeration_of_all_dropout_masks(
    p: float, emphasis: tuple[float, float], l2: float
) -> None:
    X = interactions()
    B = solve(X, dropout=p, emphasis=emphasis, l2=l2)
    np.testing.assert_allclose(B, oracles.all_masks(X, p, emphasis, l2), atol=1e-12, rtol=0)


@pytest.mark.parametrize("l2", [1e-3, 3.0, 1e3])
def test_without_dropout_is_ease(l2: float) -> None:
    X = interactions(items=12)
    np.testing.assert_allclose(solve(X, dropout=0, l2=l2), oracles.ease(X, l2), atol=1e-12)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.7])
def test_equal_emphasis_is_ridge_regression(p: float) -> None:
    X = interactions(items=12)
    expected = oracles.ridge(X, 2.0 + p / (1 - p) * X.sum(0))
    np.testing.assert_allclose(solve(X, dropout=p, l2=2.0, emphasis=(1, 1)), expected, atol=1e-12)


def test_emphasis_counts_by_its_ratio_only() -> None:
    X = interactions(items=12)
    np.testing.assert_allclose(solve(X, emphasis=(2, 0.5)), solve(X, emphasis=(8, 2)), atol=1e-14)


def test_little_emphasis_on_kept_entries_tends_to_none_off_the_diagonal() -> None:
    X, off = interactions(items=12), ~np.eye(12, dtype=bool)
    distance = [abs(solve(X, emphasis=(1, b)) - solve(X))[off].max() for b in (1e-2, 1e-4, 1e-6)]
    assert distance[0] > 50 * distance[1] > 2500 * distance[2] > 0


def test_diagonal_grows_with_emphasis_on_kept_entries() -> None:
    X = interactions(items=12)
    diagonals = [np.diag(solve(X, emphasis=(1, b))) for b in (0, 0.1, 0.5, 1)]
    assert (diagonals[0] == 0).all()
    assert all((low < high).all() for low, high in itertools.pairwise(diagonals))


@pytest.mark.parametrize("p, emphasis", CASES[1:] + MORE_ON_KEPT)
def test_no_diagonal_is_better_for_any_emphasis(p: float, emphasis: tuple[float, float]) -> None:
    """The expected error over all masks is larger for every other diagonal, the rest of the column refitted."""
    X, l2 = interactions(), 2.5
    m = emphasis[0] * p + emphasis[1] * (1 - p)
    s, r = emphasis[1] / m, (emphasis[0] * emphasis[1]) ** 0.5 / m
    Lambda = l2 + p / (1 - p) * X.sum(0)

    def error(diagonal: np.ndarray) -> np.ndarray:
        """By column: ‖X − X(P(B) + s diag β)‖² + ‖Λ^½(P(B) + r diag β)‖², B the best for this diagonal."""
        target = X - X * (s * diagonal)
        B = np.linalg.solve(X.T @ X + np.diag(Lambda), X.T @ target)
        for j in range(len(B)):
            others = np.delete(np.arange(len(B)), j)
            A = X[:, others]
            B[others, j] = np.linalg.solve(A.T @ A + np.diag(Lambda[others]), A.T @ target[:, j])
            B[j, j] = 0
        return ((target - X @ B) ** 2).sum(0) + Lambda @ B**2 + Lambda * (r * diagonal) ** 2

    best = np.diag(solve(X, dropout=p, emphasis=emphasis, l2=l2))
    for step in (1e-3, 0.1, 1.0):
        for sign in (-1, 1):
            assert (error(best + sign * step) > error(best)).all()


def test_much_more_emphasis_on_kept_entries_tends_to_the_identity_and_keeps_its_digits() -> None:
    X, off = interactions(items=12), ~np.eye(12, dtype=bool)
    for ratio in (1e2, 1e4, 1e8):
        B = solve(X, emphasis=(1.0, ratio))
        np.testing.assert_allclose(B.diagonal(), 0.7, atol=2 / ratio)  # q
        # To first order in a / b, 1 − s β = Λ/E · a/b.
        G, Lambda = X.T @ X, 1.0 + 0.3 / 0.7 * X.sum(0)
        C = np.linalg.inv(G + np.diag(Lambda))
        c = C.diagonal()
        first = -C / c * (Lambda / (1 / c - Lambda)) / ratio
        np.testing.assert_allclose(B[off], first[off], rtol=50 / ratio + 1e-5, atol=0)
        single = solve(X, torch.float32, emphasis=(1.0, ratio))
        np.testing.assert_allclose(single[off], B[off], rtol=1e-4, atol=0)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 2e-4), (torch.float64, 1e-11)])
@pytest.mark.parametrize("emphasis", [(1.0, 0.0), (1.0, 0.3), (1.0, 1.0)])
def test_every_solution_is_kept_in_its_type_and_leaves_the_gram_matrix(
    dtype: torch.dtype, tolerance: float, emphasis: tuple[float, float]
) -> None:
    X = interactions(600, 550, seed=3)
    G = torch.from_numpy(X.T @ X).to(dtype)
    before = G.clone()
    B = full_rank(G, dropout=0.3, l2=20.0, emphasis=emphasis)
    assert B.dtype == dtype and torch.equal(G, before)
    reference = solve(X, dropout=0.3, l2=20.0, emphasis=emphasis)
    assert abs(B.numpy() - reference).max() <= tolerance * abs(reference).max()
    assert full_rank(G, dropout=0.3, l2=20.0, emphasis=emphasis, overwrite=True).data_ptr() == G.data_ptr()
    assert torch.equal(G, B)


def test_follows_the_order_of_the_items() -> None:
    X, order = interactions(items=12), np.random.default_rng(1).permutation(12)
    expected = solve(X, emphasis=(1, 0.3))[order][:, order]
    np.testing.assert_allclose(solve(X[:, order], emphasis=(1, 0.3)), expected, atol=1e-13)


@pytest.mark.parametrize("emphasis", [(1, 0), (1, 0.4), (1, 1)])
@pytest.mark.parametrize("p, l2", [(0.0, 0.0), (0.3, 0.0), (0.3, 2.0)])
def test_items_of_nobody_have_no_weights(emphasis: tuple[float, float], p: float, l2: float) -> None:
    X = interactions(items=8)
    X[:, [0, 5]] = 0
    used = [1, 2, 3, 4, 6, 7]
    B = solve(X, dropout=p, l2=l2, emphasis=emphasis)
    assert (B[[0, 5]] == 0).all() and (B[:, [0, 5]] == 0).all()
    np.testing.assert_allclose(
        B[np.ix_(used, used)], solve(X[:, used], dropout=p, l2=l2, emphasis=emphasis), atol=1e-12
    )


@pytest.mark.parametrize("p", [0.0, 0.4])
def test_the_dropout_penalty_may_count_users_that_weigh_otherwise(p: float) -> None:
    X, weight = interactions(items=12), np.random.default_rng(1).random(40)
    G = torch.from_numpy(oracles.gram(X, weight))
    counts = torch.from_numpy(X.sum(0).astype(np.int64))
    problem: dict[str, Any] = {"dropout": p, "l2": 2.0, "item_count": counts}
    rows, penalties = np.sqrt(weight)[:, None] * X, 2.0 + p / (1 - p) * X.sum(0)
    expected = oracles.ridge_of_others(rows, rows, penalties)
    np.testing.assert_allclose(full_rank(G, **problem), expected, atol=1e-12)
    np.testing.assert_allclose(
        full_rank(G, emphasis=(1, 1), **problem), oracles.ridge(rows, penalties), atol=1e-12
    )


def test_users_do_not_determine_the_weights() -> None:
    with pytest.raises(ValueError, match="Raise l2 or dropout"):
        solve(interactions(users=4, items=12), dropout=0, l2=0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"dropout": 1.0}, r"dropout must be a probability in \[0, 1\), got 1.0"),
        ({"dropout": -0.1}, "got -0.1"),
        ({"dropout": float("nan")}, "got nan"),
        ({"dropout": "0.3"}, "got '0.3'"),
        ({"l2": -1}, "l2 must be a finite number of at least 0, got -1"),
        ({"l2": float("inf")}, "got inf"),
        (
            {"emphasis": (0.0, 1.0)},
            r"a > 0 \(with a = 0 .* recommend nothing\) and b ≥ 0; got \(0.0, 1.0\)",
        ),
        ({"emphasis": (1.0, -0.5)}, "b ≥ 0; got"),
        ({"emphasis": (0, 0)}, "a > 0"),
        ({"emphasis": (1.0, float("inf"))}, "emphasis must be two numbers"),
        ({"emphasis": 1.0}, "emphasis must be two numbers"),
        ({"item_count": torch.ones(4)}, r"item_count must have shape \(5,\), got \(4,\)"),
        ({"item_count": -torch.ones(5)}, "item_count must be at least 0"),
        ({"item_count": torch.full((5,), torch.nan)}, "item_count must have finite entries"),
        ({"item_count": np.ones(5)}, "item_count must be a torch.Tensor of real numbers, got ndarray"),
    ],
)
def test_errors(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        solve(interactions(), **arguments)


@pytest.mark.parametrize("G", [torch.ones(2, 3), torch.ones(4), torch.ones(2, 2, dtype=torch.int64)])
def test_not_a_gram_matrix(G: Any) -> None:
    with pytest.raises(ValueError, match="G must be"):
        full_rank(G, dropout=0.3, l2=1.0)


def test_penalty() -> None:
    diagonal = np.array([0.0, 1.0, 10.0])
    np.testing.assert_allclose(penalty(diagonal, dropout=0.2, l2=3.0), [3.0, 3.25, 5.5])
    assert penalty(torch.ones(2), dropout=0.5, l2=0.0).tolist() == [1.0, 1.0]
