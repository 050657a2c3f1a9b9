"""Graph filters against the papers' formulas with dense matrices in float64."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import GraphFilter, LowPass, graph_filter, ideal_filter, low_pass, plateau
from recbole_edlae.solvers._graph_filter import LINEAR_FILTER as LINEAR
from tests import oracles


def interactions(users: int = 50, items: int = 12, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((users, items)) < 0.3).astype(float)


def dense(F: GraphFilter) -> np.ndarray:
    """Return the filter as a matrix: the scores of histories of one item each."""
    n = len(F.scale)
    return F.scores(torch.arange(n), torch.ones(n, dtype=torch.int64)).numpy()


def filtered(X: np.ndarray, coefficients: Any, **options: Any) -> GraphFilter:
    return graph_filter(sp.csr_matrix(X), coefficients, dtype=torch.float64, **options)


@pytest.mark.parametrize("power", [0.0, 0.4, -0.5])
@pytest.mark.parametrize("order", [1, 2, 3, 8])
def test_equals_the_polynomial_of_the_spectrum(order: int, power: float) -> None:
    X, coefficients = interactions(), np.random.default_rng(1).normal(size=order + 1)
    found = dense(filtered(X, coefficients, degree_power=power))
    np.testing.assert_allclose(found, oracles.graph_filter(X, coefficients, power), atol=1e-12)


def test_linear_filter_is_the_normalized_graph() -> None:
    X = interactions()
    X[:, 0] = 1  # nobody is without items
    scaled = X / np.sqrt(X.sum(1, keepdims=True)) / np.sqrt(X.sum(0))
    np.testing.assert_allclose(dense(filtered(X, LINEAR)), scaled.T @ scaled, atol=1e-14)


def test_degree_0_is_the_history_itself() -> None:
    np.testing.assert_allclose(
        dense(filtered(interactions(), [2.5], degree_power=0.4)), 2.5 * np.eye(12), atol=1e-14
    )


def test_last_coefficients_of_0_change_nothing() -> None:
    longer = filtered(interactions(), [0.3, 0.2, 0.0, 1e-20])
    assert longer.coefficients.tolist() == [0.3, 0.2]
    assert filtered(interactions(), [0.0, 0.0]).coefficients.tolist() == [0.0]


@pytest.mark.parametrize("order, flatness", [(1, 1.0), (2, 1.5), (3, 10.0), (8, 1.5), (8, 15.0), (7, 0.5)])
def test_plateau_is_the_polynomial_through_its_points(order: int, flatness: float) -> None:
    roots = np.cos((order + 0.5 - np.arange(order + 1)) * np.pi / (order + 1))
    extrema = np.cos((order - np.arange(order + 1)) * np.pi / order)
    heights = [(1 - np.copysign(abs(t) ** flatness, t)) / 2 for t in extrema]
    values = np.polynomial.chebyshev.chebval(roots, plateau(order, flatness))
    np.testing.assert_allclose(values, heights, atol=1e-12)
    assert len(plateau(order, flatness)) == order + 1


def test_plateau_of_degree_1_is_a_line_down() -> None:
    """Its ends are on the roots of T_2: 1 at −√½ and 0 at √½."""
    np.testing.assert_allclose(plateau(1, 3.0), [0.5, -np.sqrt(0.5)])


def test_items_of_nobody_and_users_of_nothing_change_nothing() -> None:
    X = interactions()
    empty = np.insert(np.insert(X, [3, 12], 0, axis=1), 7, 0, axis=0)
    for power in (0.0, 0.4):
        found = dense(filtered(empty, plateau(8, 1.5), degree_power=power))
        assert not found[[3, 13]].any() and not found[:, [3, 13]].any()
        used = np.delete(np.arange(14), [3, 13])
        expected = dense(filtered(X, plateau(8, 1.5), degree_power=power))
        np.testing.assert_allclose(found[np.ix_(used, used)], expected, atol=1e-13)


def test_scores_are_sums_whatever_the_batch() -> None:
    X, generator = interactions(), np.random.default_rng(2)
    F = filtered(X, plateau(8, 1.5), degree_power=0.4)
    histories = [generator.choice(12, size=generator.integers(0, 6), replace=False) for _ in range(70)]
    count = torch.tensor([len(history) for history in histories])
    scores = F.scores(torch.from_numpy(np.concatenate(histories)), count)
    expected = [dense(F)[history].sum(0) for history in histories]
    np.testing.assert_allclose(scores, expected, atol=1e-12)
    assert F.scores(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64)).shape == (0, 12)


def test_follows_the_order_of_items_and_not_that_of_users() -> None:
    X, generator = interactions(), np.random.default_rng(3)
    users, items = generator.permutation(50), generator.permutation(12)
    expected = dense(filtered(X, plateau(5, 2.0), degree_power=0.3))[np.ix_(items, items)]
    found = dense(filtered(X[users][:, items], plateau(5, 2.0), degree_power=0.3))
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_groups_without_a_link_do_not_reach_each_other() -> None:
    X = np.kron(np.eye(3), interactions(20, 4))
    found = dense(filtered(X, plateau(8, 10.0), degree_power=0.4))
    linked = np.kron(np.eye(3), np.ones((4, 4)))
    assert (found[linked == 0] == 0).all() and abs(found[linked == 1]).min() > 0


def test_single_precision_is_close() -> None:
    X = sp.csr_matrix(interactions(400, 80))
    single, double = (
        graph_filter(X, plateau(8, 1.5), degree_power=0.4, dtype=t) for t in (torch.float32, torch.float64)
    )
    assert single.scale.dtype == single.normalized.dtype == torch.float32
    np.testing.assert_allclose(dense(single), dense(double), atol=2e-6)


def test_repeats_are_summed_and_the_matrix_stays_as_it_is() -> None:
    parts = np.ones(3), ([0, 0, 1], [1, 1, 0])
    X = sp.coo_matrix(parts, shape=(2, 2))
    found = graph_filter(X, LINEAR, dtype=torch.float64)
    np.testing.assert_allclose(found.normalized.to_dense(), [[0, 1], [1, 0]], atol=1e-15)
    assert X.nnz == 3


@pytest.mark.parametrize("power", [-0.5, 0.0, 0.4, 0.5])
def test_ideal_filter_is_between_powers_of_popularity(power: float) -> None:
    X = interactions()
    X[:, 4] = 0
    W = low_pass(sp.csr_matrix(X), 3, dtype=torch.float64)
    left, right = ideal_filter(W, torch.from_numpy(X.sum(0)), degree_power=power)
    np.testing.assert_allclose(left @ right.T, oracles.ideal_filter(X, 3, power), atol=1e-12)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"X": np.eye(3)}, "X must be a two-dimensional SciPy sparse matrix"),
        ({"X": -sp.eye(4).tocsr()}, "X must have no negative values"),
        ({"X": sp.csr_matrix([[np.nan]])}, "X must have finite values only"),
        ({"coefficients": []}, r"coefficients must be at least one finite number, got \[\]"),
        ({"coefficients": [1.0, np.inf]}, "coefficients must be .* inf"),
        ({"degree_power": np.nan}, "power must be a finite number, got nan"),
        ({"dtype": torch.float16}, "dtype must be torch.float32 or torch.float64, got torch.float16"),
    ],
)
def test_errors(arguments: dict[str, Any], message: str) -> None:
    arguments = {"X": sp.csr_matrix(interactions()), "coefficients": LINEAR, **arguments}
    with pytest.raises(ValueError, match=message):
        graph_filter(arguments.pop("X"), arguments.pop("coefficients"), **arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0, 1.5), "order must be an integer of at least 1, got 0"),
        ((2.0, 1.5), "order must be an integer"),
        ((8, 0.0), "flatness must be a finite number above 0, got 0.0"),
        ((8, np.inf), "flatness must be a finite number above 0, got inf"),
    ],
)
def test_errors_of_the_plateau(arguments: tuple[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plateau(*arguments)


def test_errors_of_the_ideal_filter() -> None:
    W = LowPass(torch.ones(3, 1), torch.ones(3, 1))
    with pytest.raises(ValueError, match="power must be a finite number, got nan"):
        ideal_filter(W, torch.ones(3), degree_power=np.nan)
