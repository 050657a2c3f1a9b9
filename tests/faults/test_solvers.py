"""Inputs on which the solvers, and models that call them, once failed: rows 21, 26 and 37 of the table of faults."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.quick_start import run_recbole
from recbole.utils import get_model, init_seed

import recbole_edlae.solvers as solvers
from recbole_edlae._warnings import DataWarning
from recbole_edlae.solvers import SymmetricTiles
from recbole_edlae.solvers.steps import inverse
from tests.faults.conftest import shop_rows, shop_text

PROBLEM = {"dropout": 0.3, "l2": 2.0}
METHODS = ["admm", "als", "eigen", "zero_diagonal", "free_diagonal", "weight_decay"]
BAD = [float("nan"), float("inf"), -float("inf")]


def matrix(value: Any = 1.0, dtype: type = float) -> sp.csr_matrix:
    """Return 12 users × 6 items with one entry of some value."""
    X = (np.random.default_rng(0).random((12, 6)) < 0.6).astype(dtype)
    X[3, 2] = value
    return sp.csr_matrix(X)


def gram_matrix(value: Any = None, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    G = torch.from_numpy((matrix().T @ matrix()).toarray()).to(dtype)
    if value is not None:
        G[1, 2] = G[2, 1] = value
    return G


OF_X = {
    "gram": solvers.gram,
    "gram_of_shards": lambda X: solvers.gram_of_shards([X]),
    "StoredGram.of": solvers.StoredGram.of,
    "StoredGram.add": lambda X: solvers.StoredGram.of(matrix()).add(X),
    "neighbors": lambda X: solvers.neighbors(X, 3, **PROBLEM),
}


def low_rank(method: str) -> Callable[..., Any]:
    dropout = 0.0 if method == "weight_decay" else 0.3
    return lambda G: solvers.low_rank(G, 2, method=method, dropout=dropout, l2=2.0)


def factors(value: Any = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    pair = torch.full((6, 2), 0.1), torch.full((6, 2), 0.2)
    pair[0][4, 1] = value
    return pair


OF_G = {
    "full_rank": lambda G: solvers.full_rank(G, **PROBLEM),
    "inverse_gram": lambda G: solvers.inverse_gram(G, **PROBLEM),
    "objective": lambda G: solvers.objective(G, *factors(), **PROBLEM),
    "stationarity": lambda G: solvers.stationarity(G, *factors(), **PROBLEM),
    **{method: low_rank(method) for method in METHODS},
}
every_x = pytest.mark.parametrize("solve", OF_X.values(), ids=OF_X)
every_g = pytest.mark.parametrize("solve", OF_G.values(), ids=OF_G)


def fit(name: str, **settings: Any) -> Any:
    config = Config(name, "shop", config_dict={"state": "ERROR", "show_progress": False, **settings})
    init_seed(config["seed"], config["reproducibility"])
    train, _, _ = data_preparation(config, create_dataset(config))
    model = get_model(name)(config, train.dataset)
    model.fit()
    return model


@pytest.fixture
def few_users(write_shop: Callable[..., Any]) -> None:
    write_shop(shop_text([row for row in shop_rows() if int(row[0][1:]) < 10]))


@pytest.mark.parametrize("name, settings", [("EDLAE", {}), ("DLAE", {}), ("LowRankEDLAE", {"rank": 5})])
def test_row_21_too_few_users_without_regularization(few_users: None, name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as raised:
        fit(name, reg_weight=0.0, dropout_prob=0.0, **settings)
    assert "reg_weight 0.0 and dropout_prob 0.0 leave the weights" in str(raised.value)
    assert "by 10 users: raise reg_weight or dropout_prob" in str(raised.value)
    assert "l2" not in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("value", BAD)
@every_x
def test_row_26_x_with_nan_or_infinity(solve: Callable[..., Any], value: Any) -> None:
    with pytest.raises(ValueError, match=r"\bX\b.* must have finite values only"):
        solve(matrix(value))


@every_x
def test_row_26_complex_x(solve: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"\bX\b.* must hold real numbers, got complex128"):
        solve(matrix(1 + 2j, complex))


@pytest.mark.parametrize("solve", [OF_X["gram"], OF_X["gram_of_shards"], OF_X["neighbors"]])
def test_row_26_x_whose_products_overflow(solve: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"not be finite at .*float32.*\bX\b"):
        solve(matrix(1e30))


@pytest.mark.parametrize("value", BAD)
@every_g
def test_row_26_g_with_nan_or_infinity(solve: Callable[..., Any], value: Any) -> None:
    with pytest.raises(ValueError, match=r"G must have finite entries only, G\[1, 2\] is"):
        solve(gram_matrix(value))


@every_g
def test_row_26_complex_g(solve: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"G must be float32 or float64, got torch\.complex64"):
        solve(gram_matrix(dtype=torch.complex64))


@every_g
def test_row_26_g_as_a_numpy_array(solve: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"G must be a torch.Tensor.*torch.from_numpy\(G\)"):
        solve(gram_matrix().numpy())


@every_g
def test_row_26_huge_g_gives_finite_numbers_or_an_error(solve: Callable[..., Any]) -> None:
    for scale in (1e15, 1e25, 1e30, 2e37):
        try:
            result = solve(gram_matrix() * scale)
        except ValueError as error:
            assert "finite" in str(error) or "positive definite" in str(error) or "fails" in str(error)
            continue
        numbers = [result] if isinstance(result, (float, torch.Tensor)) else result[:2]
        assert all(torch.as_tensor(number).isfinite().all() for number in numbers)


def test_row_37_no_factorization_sees_more_than_a_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The crash itself needs 30,000 rows: tests/solvers/test_inverse_large.py."""
    rows, factor = [], scipy.linalg.get_lapack_funcs

    def watched(names: tuple[str, ...], dtype: np.dtype) -> list:
        potrf, *others = factor(names, dtype=dtype)
        return [lambda tile, **options: (rows.append(len(tile)), potrf(tile, **options))[1], *others]

    # A dense matrix of more rows than LAPACK may see is torch's.
    monkeypatch.setattr("recbole_edlae.solvers._inverse.LAPACK_ROWS", 50)
    for module in ("_inverse", "scale.inverse"):
        monkeypatch.setattr(f"recbole_edlae.solvers.{module}.get_lapack_funcs", watched)
    inverse(torch.eye(60))
    inverse(SymmetricTiles.of(torch.eye(5000)))
    assert rows and max(rows) <= 832


@pytest.mark.parametrize("rows", [[1.0, float("nan")], [float("inf"), 1.0]])
def test_more_nan_factors_and_weights(rows: list[float]) -> None:
    G = gram_matrix()
    for check in (solvers.objective, solvers.stationarity):
        with pytest.raises(ValueError, match="u must have finite entries only"):
            check(G, *factors(rows[0] if rows[0] != 1.0 else rows[1]), **PROBLEM)
    C, Lambda = solvers.inverse_gram(G, **PROBLEM)
    C[0, 1] = float("nan")
    with pytest.raises(ValueError, match="C must have finite entries only"):
        solvers.weights(C, Lambda, dropout=0.3)
    with pytest.raises(ValueError, match="start must have finite entries only"):
        solvers.low_rank(G, 2, method="als", start=factors(float("nan")), **PROBLEM)


def test_more_nan_popularity_and_powers_beyond_the_numbers() -> None:
    B, popularity = torch.ones(3, 3), torch.tensor([1, 20, 300])
    with pytest.raises(ValueError, match="popularity must have finite"):
        solvers.item_scale(torch.tensor([1.0, float("nan")]), power=0.5)
    for power in (1000, -1000, 1000.0):
        with pytest.raises(ValueError, match=r"power .* is beyond the numbers"):
            solvers.normalize_items(B, popularity, power=power)
    with pytest.raises(ValueError, match="B must have finite"):
        solvers.normalize_items(torch.full((3, 3), float("nan")), popularity, power=0.5)
    with pytest.raises(ValueError, match="B must have finite"):
        solvers.normalize_items(sp.csr_matrix([[float("inf")] * 3] * 3), popularity, power=0.5)


def test_more_nan_penalties_beyond_the_numbers() -> None:
    with pytest.raises(ValueError, match="gram_diagonal must have finite"):
        solvers.penalty(torch.tensor([1.0, float("nan")]), dropout=0.3, l2=1.0)
    with pytest.raises(ValueError, match="l2 1e\\+300"):
        solvers.full_rank(gram_matrix(), dropout=0.3, l2=1e300)
    with pytest.raises(ValueError, match="user_weight must hold real numbers"):
        solvers.gram(matrix(), np.full(12, 1 + 1j))


def test_more_nan_indices_outside_of_x_do_not_end_the_process() -> None:
    X = matrix()
    X.indices[4] = 600
    with pytest.raises(ValueError, match="X is damaged"):
        solvers.gram(X)


def test_more_nan_integers_are_summed_without_overflow() -> None:
    X = sp.csr_matrix(np.array([[100, 100], [100, 0]], dtype=np.int8))
    assert solvers.gram(X).tolist() == [[20000, 10000], [10000, 10000]]
    with pytest.raises(ValueError, match=r"not be finite at torch.float32.*\bX\b"):
        solvers.gram(sp.csr_matrix(np.full((60, 2), 2**62)) * 8.0)


def test_more_nan_duplicates_are_summed_as_scipy_does() -> None:
    X = sp.csr_matrix((np.ones(3), np.array([1, 0, 1]), np.array([0, 3])), shape=(1, 2))
    assert solvers.gram(X).tolist() == [[1, 2], [2, 4]] and X.nnz == 3


def test_more_singular_is_an_error_of_its_own() -> None:
    X = matrix()[:2]
    with pytest.raises(solvers.SingularError, match="l2 or dropout"):
        solvers.full_rank(solvers.gram(X), dropout=0, l2=0)
    with pytest.raises(solvers.SingularError, match="l2 or dropout"):
        solvers.neighbors(X, 5, dropout=0, l2=0)


def test_more_words_neighbors_without_regularization(few_users: None) -> None:
    with pytest.raises(ValueError, match=r"reg_weight 0.0 and dropout_prob 0.0 leave .*: raise reg_weight"):
        fit("EDLAE", reg_weight=0.0, dropout_prob=0.0, neighbors=19)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"reg_weight": 1e300}, r"reg_weight 1e\+300 .*too large"),
        ({"user_weight_power": 1e4}, "user_weight_power 10000.0 gives weights"),
        ({"item_weight_power": 1e4}, "item_weight_power 10000.0 is beyond"),
        ({"item_weight_power": 1e4, "neighbors": 5}, "item_weight_power 10000.0 is beyond"),
    ],
)
def test_more_words_settings_beyond_the_numbers(
    write_shop: Callable[..., Any], settings: dict[str, Any], words: str
) -> None:
    write_shop(shop_text(shop_rows()[5:]))  # the first user has fewer items than others
    with pytest.raises(ValueError, match=words):
        fit("EDLAE", **settings)


@pytest.mark.parametrize("name", ["DLAE", "LowRankEDLAE"])
def test_more_words_rank_above_the_items(write_shop: Callable[..., Any], name: str) -> None:
    write_shop()
    with pytest.warns(DataWarning, match="rank 50 is more than the 20 items of the data: 20 is taken"):
        assert fit(name, rank=50).item_embedding().shape == (21, 20)


def test_more_words_weight_decay_and_dropout(write_shop: Callable[..., Any]) -> None:
    write_shop()
    with pytest.raises(ValueError, match="solver 'weight_decay' has no dropout_prob"):
        fit("DLAE", rank=5, solver="weight_decay")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["DeepAE", "DeepVAE", "AutoRec"])
def test_more_words_training_that_diverges(write_shop: Callable[..., Any], name: str) -> None:
    write_shop()
    settings = {"state": "ERROR", "show_progress": False, "epochs": 20, "learning_rate": 1e30}
    with pytest.raises(ValueError, match=f"training of {name} diverged.*learning_rate"):
        run_recbole(name, "shop", config_dict=settings)
