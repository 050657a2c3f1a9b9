"""Full-rank models on the lower block triangle: the same weights and scores as on the whole matrix."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import (
    SingularError,
    SymmetricTiles,
    full_rank,
    gram,
    inverse_gram,
    local_regression,
    low_pass,
    low_rank,
    normalize_items,
    objective,
    stationarity,
    weights,
)
from recbole_edlae.solvers.scale.row_sums import row_sums
from recbole_edlae.solvers.scale.tiles import size
from recbole_edlae.solvers.steps import inverse
from tests import oracles

SIDE = 50  # so that 130 items are three parts of different sizes


def interactions(users: int = 400, items: int = 130, seed: int = 0, density: float = 0.1) -> sp.csr_matrix:
    X = sp.random(users, items, density, format="csr", random_state=seed)
    X.data[:] = 1
    return X


def symmetric(n: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    A = torch.from_numpy(np.random.default_rng(n).normal(size=(n, n))).to(dtype)
    return A + A.T


@pytest.mark.parametrize("n", [1, 2, 49, 50, 51, 130])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tiles_are_the_matrix(n: int, dtype: torch.dtype) -> None:
    M = symmetric(n, dtype)
    tiles = SymmetricTiles.of(M, SIDE)
    assert torch.equal(tiles.dense(), M) and torch.equal(tiles.diagonal(), M.diagonal())
    assert (len(tiles), tiles.shape, tiles.dtype) == (n, M.shape, dtype)
    assert len(tiles.values) == size(n, SIDE) <= n * (n + SIDE) / 2
    row, column = torch.cartesian_prod(torch.arange(n), torch.arange(n)).T
    assert torch.equal(tiles.entries(row, column), M.flatten())
    U = torch.ones(n, 3, dtype=dtype).cumsum(1)
    torch.testing.assert_close(tiles @ U, M @ U)


def test_a_copy_shares_nothing() -> None:
    M = symmetric(130)
    tiles = SymmetricTiles.of(M, SIDE)
    tiles.clone().set_diagonal(torch.zeros(130))
    assert torch.equal(tiles.dense(), M)


def test_values_that_do_not_fill_the_tiles() -> None:
    with pytest.raises(ValueError, match=r"5 values do not fill the tiles of a matrix cut at \[0, 2\]"):
        SymmetricTiles(torch.zeros(5), torch.tensor([0, 2]))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_packed_gram(weighted: bool, dtype: torch.dtype) -> None:
    X = interactions(items=1100, density=0.02)  # more than a tile has rows
    user_weight = np.random.default_rng(0).random(400) if weighted else None
    packed = gram(X, user_weight, dtype=dtype, packed=True)
    assert packed.parts > 1 and torch.equal(packed.dense(), gram(X, user_weight, dtype=dtype))


@pytest.mark.parametrize("n", [1, 50, 130, 199])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_packed_inverse(n: int, dtype: torch.dtype, tolerance: float) -> None:
    A = np.random.default_rng(n).normal(size=(n, n + 5))
    M = A @ A.T / n + np.eye(n)
    tiles = SymmetricTiles.of(torch.from_numpy(M).to(dtype), SIDE)
    before = tiles.values.clone()
    C = inverse(tiles)
    assert torch.equal(tiles.values, before)
    np.testing.assert_allclose(C.dense(), np.linalg.inv(M), atol=tolerance)
    assert inverse(tiles, overwrite=True) is tiles and torch.equal(tiles.values, C.values)


def test_packed_inverse_of_a_singular_matrix() -> None:
    with pytest.raises(SingularError, match="Raise l2"):
        full_rank(SymmetricTiles.of(torch.ones(130, 130), SIDE), dropout=0.0, l2=0.0)


@pytest.mark.parametrize("emphasis", [(1.0, 0.0), (1.0, 1.0), (2.0, 0.5)])
@pytest.mark.parametrize("bound", [None, 0.1])
@pytest.mark.parametrize("power", [0.0, 0.4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 2e-6), (torch.float64, 1e-14)])
def test_every_model_equals_its_dense_form(
    emphasis: Any, bound: Any, power: float, weighted: bool, dtype: torch.dtype, tolerance: float
) -> None:
    X = interactions()
    user_weight = np.random.default_rng(0).random(400) if weighted else None
    G = gram(X, user_weight, dtype=dtype)
    problem: dict[str, Any] = {"dropout": 0.3, "l2": 5.0, "emphasis": emphasis, "diagonal_bound": bound}
    popularity = torch.from_numpy(np.asarray(X.sum(0)).ravel())
    tiles = SymmetricTiles.of(G, SIDE)
    packed = normalize_items(full_rank(tiles, **problem), popularity, power=power)
    dense = normalize_items(full_rank(G, **problem), popularity, power=power)
    assert torch.equal(tiles.dense(), G)  # not overwritten
    torch.testing.assert_close(packed.dense(), dense, rtol=0, atol=tolerance)
    torch.testing.assert_close(packed.balanced().dense(), dense, rtol=0, atol=tolerance)
    row, column = torch.cartesian_prod(torch.arange(130), torch.arange(130)).T
    torch.testing.assert_close(
        packed.entries(row, column), packed.dense().flatten(), rtol=0, atol=tolerance
    )

    items = torch.from_numpy(X.indices.astype(np.int64))
    count = torch.from_numpy(np.diff(X.indptr).astype(np.int64))
    expected = torch.from_numpy(X.toarray()).to(dtype) @ dense
    torch.testing.assert_close(packed.scores(items, count), expected, rtol=0, atol=20 * tolerance)
    few = packed.scores(items[: count[:2].sum()], count[:2])  # so few items are summed in another way
    torch.testing.assert_close(few, expected[:2], rtol=0, atol=20 * tolerance)


def test_weights_of_a_packed_inverse_are_those_of_full_rank() -> None:
    G = SymmetricTiles.of(gram(interactions()), SIDE)
    C, Lambda = inverse_gram(G, dropout=0.3, l2=5.0)
    assert torch.equal(weights(C, Lambda, dropout=0.3).dense(), full_rank(G, dropout=0.3, l2=5.0).dense())


def test_packed_ease_is_the_column_wise_ridge() -> None:
    X = interactions(users=60, items=20, density=0.3)
    B = full_rank(SymmetricTiles.of(gram(X, dtype=torch.float64), 7), dropout=0.0, l2=3.0)
    np.testing.assert_allclose(B.dense(), oracles.ease(X.toarray(), 3.0), atol=1e-12)


def test_items_that_nobody_used_have_no_weights() -> None:
    X = interactions().tolil()
    X[:, [3, 60, 129]] = 0
    B = full_rank(
        SymmetricTiles.of(gram(X.tocsr()), SIDE), dropout=0.3, l2=0.0, emphasis=(1.0, 1.0)
    ).dense()
    for unused in (3, 60, 129):
        assert (B[unused] == 0).all() and (B[:, unused] == 0).all()


@pytest.mark.parametrize("users", [1, 2, 30, 400])
def test_sums_depend_on_their_history_alone(users: int) -> None:
    X = interactions()[:users]
    M = SymmetricTiles.of(symmetric(130, torch.float32), SIDE)
    items = torch.from_numpy(X.indices.astype(np.int64))
    count = torch.from_numpy(np.diff(X.indptr).astype(np.int64))
    together = row_sums(M, items, count)
    one_by_one = [
        row_sums(M, history, torch.tensor([len(history)]))[0] for history in items.split(count.tolist())
    ]
    assert torch.equal(together, torch.stack(one_by_one))
    expected = torch.nn.functional.embedding_bag(items, M.dense(), count.cumsum(0) - count, mode="sum")
    assert torch.equal(together, expected)


@pytest.mark.parametrize("users", [2, 400])  # few rows, and all
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sums_of_scaled_rows_are_those_of_double_precision(dtype: torch.dtype, users: int) -> None:
    X = interactions()[:users]
    M = symmetric(130, dtype)
    left, right = torch.rand(2, 130, dtype=dtype)
    items, count = (
        torch.from_numpy(X.indices.astype(np.int64)),
        torch.from_numpy(np.diff(X.indptr).astype(np.int64)),
    )
    sums = row_sums(SymmetricTiles.of(M, SIDE), items, count, left, right)
    assert sums.dtype == dtype
    expected = (X.toarray() * left.double().numpy()) @ M.double().numpy() * right.double().numpy()
    size = (X.toarray() * left.double().numpy()) @ M.double().abs().numpy() * right.double().numpy()
    assert (abs(sums.double().numpy() - expected) <= 130 * torch.finfo(dtype).eps * size).all()


def test_sums_in_memory_of_more_users_leave_the_rest_alone() -> None:
    M = SymmetricTiles.of(symmetric(130, torch.float32), SIDE)
    items, count = torch.tensor([5, 7, 129]), torch.tensor([2, 0, 1])
    room = torch.full((5, 130), 3.0)
    sums = row_sums(M, items, count, out=room)
    assert torch.equal(sums, row_sums(M, items, count)) and sums.data_ptr() == room.data_ptr()
    assert (room[3:] == 3).all()


@pytest.mark.parametrize("room", [torch.zeros(1, 130), torch.zeros(2, 129), torch.zeros(2, 130).double()])
def test_memory_that_does_not_fit_is_refused(room: torch.Tensor) -> None:
    M = SymmetricTiles.of(symmetric(130, torch.float32), SIDE)
    with pytest.raises(ValueError, match=r"out must be torch\.float32 of shape \(2 or more, 130\)"):
        row_sums(M, torch.tensor([5, 7]), torch.tensor([1, 1]), out=room)


@pytest.mark.parametrize("users", [0, 2])
def test_sums_of_empty_histories_are_0(users: int) -> None:
    M = SymmetricTiles.of(symmetric(130, torch.float32), SIDE)
    sums = row_sums(M, torch.zeros(0, dtype=torch.int64), torch.zeros(users, dtype=torch.int64))
    assert sums.shape == (users, 130) and not sums.any()


@pytest.mark.parametrize("users", [30, 400])
def test_sums_do_not_depend_on_threads(users: int) -> None:
    X = interactions()[:users]
    M = SymmetricTiles.of(symmetric(130, torch.float32), SIDE)
    items, count = (
        torch.from_numpy(X.indices.astype(np.int64)),
        torch.from_numpy(np.diff(X.indptr).astype(np.int64)),
    )
    threads = torch.get_num_threads()
    sums = []
    try:
        for number in (1, 3):
            torch.set_num_threads(number)
            sums.append(row_sums(M, items, count))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*sums)


def test_histories_with_repeats_and_without_items() -> None:
    M = symmetric(130)
    items, count = torch.tensor([5, 5, 129, 0]), torch.tensor([0, 3, 0, 1, 0])
    sums = row_sums(SymmetricTiles.of(M, SIDE), items, count)
    torch.testing.assert_close(sums[1], 2 * M[5] + M[129])
    assert torch.equal(sums[3], M[0]) and not sums[[0, 2, 4]].any()
    B = full_rank(SymmetricTiles.of(gram(interactions()), SIDE), dropout=0.3, l2=5.0, emphasis=(1.0, 1.0))
    torch.testing.assert_close(B.scores(items, count)[1], 2 * B.dense()[5] + B.dense()[129])


def test_weights_beyond_the_largest_number() -> None:
    B = full_rank(SymmetricTiles.of(gram(interactions()), SIDE), dropout=0.3, l2=5.0)
    popularity = torch.ones(130).index_fill_(0, torch.tensor([7]), 1e10)
    with pytest.raises(ValueError, match="would not be finite"):
        normalize_items(B._replace(right=1e10 * B.right), popularity, power=3.0)


METHODS = ["eigen", "admm", "als", "zero_diagonal", "free_diagonal", "weight_decay"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rank", [5, 20, 100])
def test_low_rank_solvers_take_a_packed_gram(method: str, rank: int) -> None:
    G = gram(interactions(), dtype=torch.float64)
    packed = SymmetricTiles.of(G, SIDE)
    problem: dict[str, Any] = {"dropout": 0.0 if method == "weight_decay" else 0.3, "l2": 5.0}
    settings = {} if method in ("eigen", "free_diagonal", "weight_decay") else {"max_iter": 3, "tol": 1e9}
    expected = low_rank(G, rank, method=method, **settings, **problem)
    found = low_rank(packed, rank, method=method, **settings, **problem)
    torch.testing.assert_close(found.u @ found.v.T, expected.u @ expected.v.T, rtol=0, atol=1e-8)
    for measure in (objective, stationarity):
        assert measure(packed, found.u, found.v, **problem) == pytest.approx(
            measure(G, found.u, found.v, **problem), rel=1e-6, abs=1e-8
        )


@pytest.mark.parametrize("packed", [False, True])
def test_a_filter_that_makes_weights_beyond_the_largest_number(packed: bool) -> None:
    X = interactions()
    W = low_pass(X, 3)
    with pytest.raises(ValueError, match=r"B would not be finite at torch\.float32"):
        local_regression(gram(X, packed=packed), W, low_pass_weight=1e38, dropout=0.3, l2=1e5)


BAD_HISTORIES = {
    "a row beyond the last": (([0, 130], [2]), "items must be numbers from 0 to 129, got 0 to 130"),
    "a row far beyond": (([2**40], [1]), "items must be numbers from 0 to 129"),
    "a negative row": (([-1, 3], [2]), "items must be numbers from 0 to 129, got -1 to 3"),
    "counts of more rows": (([1, 2], [3]), "count must add up to the number of items, 2, got a sum of 3"),
    "counts of less rows": (([1, 2], [1]), "count must add up to the number of items, 2, got a sum of 1"),
    "a negative count": (([1, 2], [3, -1]), "count must add up to the number of items, 2"),
}


@pytest.mark.parametrize("kind", BAD_HISTORIES)
def test_nothing_beyond_the_matrix_is_read(kind: str) -> None:
    (items, count), message = BAD_HISTORIES[kind]
    with pytest.raises(ValueError, match=message):
        row_sums(SymmetricTiles.of(symmetric(130), SIDE), torch.tensor(items), torch.tensor(count))


def test_a_scale_of_another_length_is_refused() -> None:
    items = torch.tensor([100])
    with pytest.raises(ValueError, match=r"left must have shape \(130,\), got \(2,\)"):
        row_sums(SymmetricTiles.of(symmetric(130), SIDE), items, torch.tensor([1]), torch.ones(2))


BAD_TILES = {
    "one bound": (torch.zeros(0), torch.tensor([0]), "bounds must rise from 0"),
    "bounds that fall": (torch.zeros(4), torch.tensor([0, 3, 2]), "bounds must rise from 0"),
    "bounds of floats": (torch.zeros(4), torch.tensor([0.0, 2.0]), "bounds must be a vector of int64"),
    "areas that overflow": (torch.zeros(0), torch.tensor([0, 2**32]), "0 values do not fill the tiles"),
    "values of integers": (
        torch.zeros(4, dtype=torch.int64),
        torch.tensor([0, 2]),
        "values must be a vector of float",
    ),
    "values in rows": (torch.zeros(2, 2), torch.tensor([0, 2]), "values must be a vector of float"),
}


@pytest.mark.parametrize("kind", BAD_TILES)
def test_tiles_that_are_none(kind: str) -> None:
    values, bounds, message = BAD_TILES[kind]
    with pytest.raises(ValueError, match=message):
        SymmetricTiles(values, bounds)


@pytest.mark.parametrize("name", ["SymmetricTiles", "PackedWeights", "gram", "SparseGram", "full_rank"])
def test_tiles_are_known_to_the_formulas_whatever_is_imported_first(name: str) -> None:
    program = (
        f"from recbole_edlae.solvers import {name}\n"
        "import torch, scipy.sparse as sp, recbole_edlae.solvers as s\n"
        "B = s.full_rank(s.gram(sp.eye(3).tocsr(), packed=True), dropout=0.5, l2=1.0)\n"
        "print(type(s.normalize_items(B, torch.ones(3), power=0.5)).__name__)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "PackedWeights"
