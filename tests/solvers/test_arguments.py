"""Arguments that are no Gram matrix or no number: one ValueError, whichever function gets them."""

import decimal
import fractions
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae import solvers
from recbole_edlae.solvers import SymmetricTiles

PROBLEM = {"dropout": 0.3, "l2": 1.0}
X = sp.csr_matrix((np.random.default_rng(0).random((60, 8)) < 0.4).astype(float))
U = torch.full((8, 1), 0.1, dtype=torch.float64)


def low_rank(method: str) -> Callable[..., Any]:
    dropout = 0.0 if method == "weight_decay" else 0.3
    return lambda G: solvers.low_rank(G, 1, method=method, dropout=dropout, l2=1.0)


def local_regression(G: torch.Tensor) -> Any:
    W = solvers.low_pass(X, 1, dtype=torch.float64)
    return solvers.local_regression(G, W, low_pass_weight=0.2, **PROBLEM)


OF_G: dict[str, Callable[..., Any]] = {
    "full_rank": lambda G: solvers.full_rank(G, **PROBLEM),
    "inverse_gram": lambda G: solvers.inverse_gram(G, **PROBLEM),
    "local_regression": local_regression,
    "objective": lambda G: solvers.objective(G, U, U, **PROBLEM),
    "stationarity": lambda G: solvers.stationarity(G, U, U, **PROBLEM),
    **{
        name: low_rank(name)
        for name in ("admm", "als", "eigen", "zero_diagonal", "free_diagonal", "weight_decay")
    },
}
every_function = pytest.mark.parametrize("solve", OF_G.values(), ids=OF_G)


def gram_matrix(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return solvers.gram(X, dtype=dtype)


@every_function
@pytest.mark.parametrize("i, j", [(0, 1), (7, 2)])
def test_an_asymmetric_matrix(solve: Callable[..., Any], i: int, j: int) -> None:
    G = gram_matrix()
    G[i, j] += 0.5
    with pytest.raises(ValueError, match=rf"G must be symmetric, G\[({i}, {j}|{j}, {i})\] is "):
        solve(G)


@every_function
def test_an_asymmetric_tile(solve: Callable[..., Any]) -> None:
    tiles = SymmetricTiles.of(gram_matrix(), 5)
    tiles.tile(1, 1)[1, 0] += 0.5
    with pytest.raises(ValueError, match=r"G must be symmetric, G\[\d, \d\] is "):
        solve(tiles)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [3, 1500])
def test_rounding_is_no_asymmetry(dtype: torch.dtype, n: int) -> None:
    A = torch.rand(n + 100, n, generator=torch.Generator().manual_seed(0)) * torch.logspace(-3, 3, n)
    G = (A.T @ A).to(dtype)
    G[0, n - 1] *= 1 + 8 * torch.finfo(dtype).eps
    assert solvers.full_rank(G, dropout=0.3, l2=1e3).isfinite().all()


def test_an_asymmetric_entry_far_from_the_diagonal() -> None:
    G = torch.eye(1500) * 1e6
    G[3, 1400] = 5e4
    with pytest.raises(ValueError, match=r"G\[1400, 3\] is 0.0 and G\[3, 1400\] 50000.0"):
        solvers.full_rank(G, **PROBLEM)


@every_function
def test_a_matrix_of_no_items(solve: Callable[..., Any]) -> None:
    with pytest.raises(
        ValueError, match=r"must be a square items × items matrix, got shape \(0, 0\)|W.left|u and v"
    ):
        solve(torch.zeros(0, 0, dtype=torch.float64))


@every_function
def test_a_matrix_that_asks_for_a_gradient(solve: Callable[..., Any]) -> None:
    with pytest.raises(
        ValueError, match=r"G requires a gradient, and the solvers return none: give G.detach\(\)"
    ):
        solve(gram_matrix().requires_grad_())


def test_other_tensors_that_ask_for_a_gradient() -> None:
    G, u, count = gram_matrix(), U.clone().requires_grad_(), torch.ones(8).requires_grad_()
    for call in (
        lambda: solvers.objective(G, u, u, **PROBLEM),
        lambda: solvers.full_rank(G, item_count=count, **PROBLEM),
        lambda: solvers.normalize_items(G, count, power=0.5),
    ):
        with pytest.raises(ValueError, match="requires a gradient"):
            call()


NUMBERS = [
    fractions.Fraction(1, 3),
    decimal.Decimal("0.3"),
    True,
    "0.3",
    None,
    1j,
    10**400,
    float("nan"),
    np.array(0.3),
    torch.tensor(0.3),
]
OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "dropout": lambda value: solvers.full_rank(gram_matrix(), dropout=value, l2=1.0),
    "l2": lambda value: solvers.penalty(np.ones(2), dropout=0.3, l2=value),
    "emphasis": lambda value: solvers.full_rank(gram_matrix(), emphasis=(1, value), **PROBLEM),
    "power": lambda value: solvers.activity_weight(np.array([1, 2]), value),
    "user_weight_power": lambda value: solvers.gram_of_shards([X], user_weight_power=value),
    "omega": lambda value: solvers.low_rank(gram_matrix(), 1, omega=value, **PROBLEM),
    "tol": lambda value: solvers.low_rank(gram_matrix(), 1, tol=value, **PROBLEM),
    "flatness": lambda value: solvers.plateau(3, value),
    "coefficients": lambda value: solvers.graph_filter(X, (value, 1.0)),
    "degree_power": lambda value: solvers.graph_filter(X, (1.0, 1.0), degree_power=value),
}


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
@pytest.mark.parametrize("solve", OF_NUMBERS.values(), ids=OF_NUMBERS)
def test_what_is_no_finite_number(solve: Callable[..., Any], value: Any) -> None:
    with pytest.raises(ValueError, match=r"number|probability"):
        solve(value)


@pytest.mark.parametrize("number", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("solve", OF_NUMBERS.values(), ids=OF_NUMBERS)
def test_numbers_of_numpy_give_what_those_of_python_give(solve: Callable[..., Any], number: Any) -> None:
    torch.testing.assert_close(outcome(solve, number(0.25)), outcome(solve, 0.25), rtol=0, atol=0)


def outcome(solve: Callable[..., Any], value: Any) -> Any:
    """The tensors, arrays or numbers that a solver returns for a value."""
    result = solve(value)
    if isinstance(result, solvers.GraphFilter):
        return [result.coefficients, result.scale]
    return [result.u, result.v] if isinstance(result, solvers.LowRank) else result
