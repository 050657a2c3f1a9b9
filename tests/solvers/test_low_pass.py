"""The low-pass filter, and the regression of what it leaves, against their definitions in float64."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import (
    LocalWeights,
    LowPass,
    PackedWeights,
    SymmetricTiles,
    full_rank,
    gram,
    inverse_gram,
    local_regression,
    local_weights,
    low_pass,
    normalize_items,
)
from tests import oracles
from tests.model.test_by_gram import resident

PROBLEM: dict[str, Any] = {"dropout": 0.3, "l2": 2.5}


def interactions(users: int = 60, items: int = 12, seed: int = 0, density: float = 0.4) -> np.ndarray:
    return (np.random.default_rng(seed).random((users, items)) < density).astype(float)


def filtered(X: np.ndarray, rank: int) -> LowPass:
    return low_pass(sp.csr_matrix(X), rank, dtype=torch.float64)


def solve(
    X: np.ndarray, rank: int, weight: float, user_weight: np.ndarray | None = None, **arguments: Any
) -> LocalWeights:
    G = gram(sp.csr_matrix(X), user_weight, dtype=torch.float64)
    return local_regression(G, filtered(X, rank), low_pass_weight=weight, **{**PROBLEM, **arguments})


def of_definition(X: np.ndarray, rank: int, weight: float, p: float, l2: float) -> np.ndarray:
    W = weight * oracles.low_pass(X, rank)
    return W + oracles.ridge_of_others(X, X - X @ W, l2 + p / (1 - p) * X.sum(0))


@pytest.mark.parametrize("rank", [1, 3, 11, 12])
def test_filter_is_that_of_the_singular_vectors(rank: int) -> None:
    X = interactions()
    W = filtered(X, rank)
    np.testing.assert_allclose(W.left @ W.right.T, oracles.low_pass(X, rank), atol=1e-12)
    assert W.left.shape == W.right.shape == (12, rank)


def test_filter_of_many_items_comes_from_a_krylov_space() -> None:
    X = interactions(900, 700, density=0.05)
    W = filtered(X, 8)
    np.testing.assert_allclose(W.left @ W.right.T, oracles.low_pass(X, 8), atol=1e-9)
    single = low_pass(sp.csr_matrix(X), 8)
    assert single.left.dtype == torch.float32
    torch.testing.assert_close(
        single.left @ single.right.T, (W.left @ W.right.T).float(), rtol=0, atol=1e-6
    )


def test_a_krylov_space_takes_no_memory_before_it_grows() -> None:
    generator = np.random.default_rng(0)
    users = np.arange(3000).repeat(20)
    items = generator.integers(0, 6000, len(users)) + 6000 * (
        users % 2
    )  # two tastes, and some of everything
    items[::25] = generator.integers(0, 12_000, len(items[::25]))
    X = sp.csr_matrix((np.ones(len(users)), (users, items)), shape=(3000, 12_000))
    before = resident("VmRSS", reset=True)
    low_pass(X, 2)
    assert resident("VmHWM") - before < 100_000_000  # half the items in every direction would be 288 MB


def test_filter_of_real_values() -> None:
    X = interactions() * (0.5 + np.random.default_rng(1).random((60, 12)))
    W = filtered(X, 4)
    np.testing.assert_allclose(W.left @ W.right.T, oracles.low_pass(X, 4), atol=1e-12)


def test_filter_has_no_directions_that_the_users_do_not_determine() -> None:
    X = interactions(users=5)
    assert filtered(X, 12).left.shape == (12, 5)
    np.testing.assert_allclose(
        filtered(X, 12).left @ filtered(X, 12).right.T, oracles.low_pass(X, 5), atol=1e-12
    )


@pytest.mark.parametrize("rank", [1, 4, 12])
@pytest.mark.parametrize("weight", [0.2, 1.0])
@pytest.mark.parametrize("p, l2", [(0.0, 3.0), (0.4, 0.0), (0.4, 2.5)])
def test_equals_the_ridge_of_every_column(rank: int, weight: float, p: float, l2: float) -> None:
    X = interactions()
    B = solve(X, rank, weight, dropout=p, l2=l2)
    np.testing.assert_allclose(B.dense(), of_definition(X, rank, weight, p, l2), atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    "p, emphasis", [(0.3, (1, 0)), (0.3, (1, 0.2)), (0.5, (1, 1)), (0.4, (0.7, 2)), (0.2, (1, 9))]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_enumeration_of_all_masks(
    p: float, emphasis: tuple[float, float], weighted: bool
) -> None:
    X = interactions(40, 5, density=0.5)
    user_weight = np.random.default_rng(1).random(40) + 0.1 if weighted else np.ones(40)
    W = 0.4 * oracles.low_pass(X, 2)
    rows = np.sqrt(user_weight)[:, None] * X
    expected = W + oracles.all_masks(rows, p, emphasis, 2.5, target=rows - rows @ W)
    B = solve(X, 2, 0.4, user_weight, dropout=p, emphasis=emphasis)
    np.testing.assert_allclose(B.dense(), expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("emphasis", [(1.0, 0.3), (1.0, 1.0), (0.5, 1.0)])
def test_bound_holds_the_diagonal_and_is_the_best_below_it(emphasis: tuple[float, float]) -> None:
    X = interactions(40, 5, density=0.5)
    W = 0.4 * oracles.low_pass(X, 2)
    free = np.diag(solve(X, 2, 0.4, emphasis=emphasis).dense().numpy() - W)
    bound = float(np.median(free))
    S = solve(X, 2, 0.4, emphasis=emphasis, diagonal_bound=bound).dense().numpy() - W
    np.testing.assert_allclose(np.diag(S), np.minimum(free, bound), atol=1e-12)
    # Given its diagonal, a column is the ridge of what that leaves of the target.
    a, b = emphasis
    s = b / (a * 0.3 + b * 0.7)
    target = X - X @ W - X * (s * np.diag(S))
    expected = oracles.ridge_of_others(X, target, 2.5 + 0.3 / 0.7 * X.sum(0))
    np.testing.assert_allclose(S - np.diag(np.diag(S)), expected, atol=1e-12)


@pytest.mark.parametrize("emphasis", [(1.0, 0.0), (1.0, 0.4)])
@pytest.mark.parametrize("packed", [False, True])
def test_weight_0_is_the_model_without_a_filter(emphasis: tuple[float, float], packed: bool) -> None:
    X = sp.csr_matrix(interactions())
    G = SymmetricTiles.of(gram(X), 5) if packed else gram(X)
    B = local_regression(G, low_pass(X, 4), low_pass_weight=0.0, emphasis=emphasis, **PROBLEM)
    expected = full_rank(G, emphasis=emphasis, **PROBLEM)
    assert isinstance(expected, PackedWeights) == packed
    assert torch.equal(B.dense(), expected.dense() if isinstance(expected, PackedWeights) else expected)


@pytest.mark.parametrize("emphasis", [(1.0, 0.0), (1.0, 1.0), (1.0, 3.0)])
def test_all_directions_make_the_filter_the_identity(emphasis: tuple[float, float]) -> None:
    X = interactions()
    plain = full_rank(gram(sp.csr_matrix(X), dtype=torch.float64), emphasis=emphasis, **PROBLEM).numpy()
    B = solve(X, 12, 0.3, emphasis=emphasis)
    np.testing.assert_allclose(B.dense(), 0.3 * np.eye(12) + 0.7 * plain, atol=1e-12)


def test_a_local_weight_has_never_seen_its_target() -> None:
    """For another target column, S changes in that column alone; its diagonal is 0."""
    X, n = interactions(), 12
    W = filtered(X, 3)
    G = gram(sp.csr_matrix(X), dtype=torch.float64)
    S = local_regression(G, W, low_pass_weight=0.4, **PROBLEM).dense() - 0.4 * W.left @ W.right.T
    torch.testing.assert_close(S.diagonal(), torch.zeros(n, dtype=torch.float64), rtol=0, atol=1e-12)
    other = W.right.clone()
    other[5] = torch.randn(3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    B = local_regression(G, LowPass(W.left, other), low_pass_weight=0.4, **PROBLEM)
    changed = (B.dense() - 0.4 * W.left @ other.T - S).abs().amax(0) > 1e-12
    assert changed.nonzero().flatten().tolist() == [5]


def test_permuted_users_of_a_target_leave_nothing_to_learn() -> None:
    X = interactions(20_000, 6, density=0.5)
    X[:, 0] = X[:, 1]
    X[:, 2] = np.random.default_rng(5).permutation(X[:, 1])
    B = solve(X, 2, 0.3, dropout=0.0, l2=1.0).dense().numpy() - 0.3 * oracles.low_pass(X, 2)
    assert (
        B[1, 0] > 0.5 and abs(B[[0, 1, 3, 4, 5], 2]).max() < 0.2 and B[2, 2] == pytest.approx(0, abs=1e-10)
    )


@pytest.mark.parametrize("emphasis", [(1.0, 0.0), (1.0, 1.0)])
def test_items_of_nobody_have_no_weights(emphasis: tuple[float, float]) -> None:
    X = interactions()
    X[:, [0, 5]] = 0
    used = np.delete(np.arange(12), [0, 5])
    for rank in (3, 12):
        B = solve(X, rank, 0.4, l2=0.0, emphasis=emphasis).dense().numpy()
        assert not B[[0, 5]].any() and not B[:, [0, 5]].any()
        expected = solve(X[:, used], min(rank, 10), 0.4, l2=0.0, emphasis=emphasis).dense()
        np.testing.assert_allclose(B[np.ix_(used, used)], expected, atol=1e-12)


def test_follows_the_order_of_items_and_not_that_of_users() -> None:
    X, generator = interactions(), np.random.default_rng(3)
    users, items = generator.permutation(60), generator.permutation(12)
    expected = solve(X, 3, 0.4).dense()[items][:, items]
    np.testing.assert_allclose(solve(X[users][:, items], 3, 0.4).dense(), expected, atol=1e-12)


@pytest.mark.parametrize("emphasis, bound", [((1.0, 0.0), None), ((1.0, 1.0), 0.1), ((0.5, 2.0), None)])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 5e-6), (torch.float64, 1e-13)])
def test_packed_equals_dense_and_items_are_normalized(
    emphasis: Any, bound: Any, dtype: torch.dtype, tolerance: float
) -> None:
    X = sp.csr_matrix(interactions(400, 130, density=0.1))
    G, W = gram(X, dtype=dtype), low_pass(X, 10, dtype=dtype)
    tiles = SymmetricTiles.of(G, 50)
    problem: dict[str, Any] = {
        "low_pass_weight": 0.4,
        "emphasis": emphasis,
        "diagonal_bound": bound,
        **PROBLEM,
    }
    dense, packed = local_regression(G, W, **problem), local_regression(tiles, W, **problem)
    assert torch.equal(tiles.dense(), G)
    torch.testing.assert_close(packed.dense(), dense.dense(), rtol=0, atol=tolerance)
    popularity = torch.from_numpy(np.asarray(X.sum(0)).ravel())
    expected = normalize_items(dense.dense(), popularity, power=0.4)
    for weights in (dense, packed):
        found = normalize_items(weights, popularity, power=0.4)
        torch.testing.assert_close(found.dense(), expected, rtol=0, atol=10 * tolerance)


def test_one_inverse_serves_every_weight_and_rank() -> None:
    X = sp.csr_matrix(interactions())
    G = gram(X, dtype=torch.float64)
    C, Lambda = inverse_gram(G, **PROBLEM)
    before = C.clone()
    for rank, weight in ((2, 0.3), (5, 0.8)):
        W = low_pass(X, rank, dtype=torch.float64)
        found = local_weights(C, Lambda, W, low_pass_weight=weight, dropout=0.3).dense()
        assert torch.equal(found, local_regression(G, W, low_pass_weight=weight, **PROBLEM).dense())
    assert torch.equal(C, before)
    overwritten = local_weights(C, Lambda, W, low_pass_weight=0.8, dropout=0.3, overwrite=True)
    assert overwritten.matrix.data_ptr() == C.data_ptr() and torch.equal(overwritten.dense(), found)


def test_groups_without_a_link_are_no_more_than_the_rank() -> None:
    X = np.kron(np.eye(3), np.ones((4, 2)))
    W = filtered(X, 3)
    np.testing.assert_allclose(W.left @ W.right.T, np.kron(np.eye(3), np.full((2, 2), 0.5)), atol=1e-12)
    with pytest.raises(ValueError, match=r"X falls into 3 groups .* no more than rank, 2"):
        filtered(X, 2)
    with pytest.raises(ValueError, match=r"X falls into 40 groups .* no more than 32"):
        filtered(np.eye(40), 40)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"rank": 0}, "rank must be an integer from 1 to the number of items, 12; got 0"),
        ({"rank": 13}, "got 13"),
        ({"X": -sp.eye(4).tocsr()}, "X must have no negative values"),
        ({"X": np.eye(3)}, "X must be a two-dimensional SciPy sparse matrix"),
        ({"dtype": torch.float16}, "dtype must be torch.float32 or torch.float64"),
    ],
)
def test_errors_of_the_filter(arguments: dict[str, Any], message: str) -> None:
    arguments = {"X": sp.csr_matrix(interactions()), "rank": 2, **arguments}
    with pytest.raises(ValueError, match=message):
        low_pass(arguments.pop("X"), arguments.pop("rank"), **arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"low_pass_weight": -0.1}, "low_pass_weight must be a finite number of at least 0, got -0.1"),
        ({"low_pass_weight": float("nan")}, "got nan"),
        ({"low_pass_weight": True}, "got True"),
        ({"emphasis": (0, 1)}, "a > 0"),
        ({"diagonal_bound": -1}, "diagonal_bound must be"),
        ({"l2": -1}, "l2 must be"),
        (
            {"W": LowPass(torch.ones(3, 2), torch.ones(3, 2))},
            r"W.left must have shape \(12, rank\) .* \(3, 2\)",
        ),
        ({"W": LowPass(torch.ones(12, 2), torch.ones(12, 3))}, r"W.right must have shape .* \(12, 3\)"),
        (
            {"W": LowPass(*torch.ones(2, 12, 2).double())},
            "W.left must be torch.float32 on cpu, got torch.float64",
        ),
        ({"W": LowPass(*torch.full((2, 12, 2), torch.inf))}, "W.left must have finite entries"),
        ({"W": LowPass(*torch.full((2, 12, 2), 1e30))}, "B would not be finite"),
    ],
)
def test_errors_of_the_regression(arguments: dict[str, Any], message: str) -> None:
    X = sp.csr_matrix(interactions())
    arguments = {"G": gram(X), "W": low_pass(X, 2), "low_pass_weight": 0.4, **PROBLEM, **arguments}
    with pytest.raises(ValueError, match=message):
        local_regression(arguments.pop("G"), arguments.pop("W"), **arguments)
