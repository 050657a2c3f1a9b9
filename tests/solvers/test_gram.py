import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import activity_weight, gram
from recbole_edlae.solvers._finite import checked_matrix
from recbole_edlae.solvers.scale import gram as gram_module
from tests import oracles


@pytest.fixture(params=["SciPy's product", "compiled"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test by both ways to a Gram matrix."""
    monkeypatch.setattr(gram_module, "_FEW", 0 if request.param == "compiled" else 2**25)
    return request.param


def random_matrix(users: int = 83, items: int = 150, seed: int = 0, values: bool = False) -> np.ndarray:
    generator = np.random.default_rng(seed)
    dense = (generator.random((users, items)) < 0.1).astype(float)
    dense[:, [0, 77]] = 0  # items of nobody
    dense[5] = 0  # a user without items
    return dense * generator.normal(size=dense.shape) if values else dense


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-13)])
@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_sum_over_users(
    dtype: torch.dtype, tolerance: float, values: bool, weighted: bool
) -> None:
    X = random_matrix(values=values)
    weight = np.random.default_rng(1).random(len(X)) if weighted else None
    G = gram(sp.csr_matrix(X), weight, dtype=dtype)
    assert G.dtype == dtype
    np.testing.assert_allclose(G.numpy(), oracles.gram(X, weight), atol=tolerance * 10, rtol=tolerance)
    assert torch.equal(G, G.T)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_both_ways_have_the_same_bits(
    way: str, dtype: torch.dtype, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = sp.csr_matrix(random_matrix(users=400))
    weight = np.random.default_rng(1).random(X.shape[0]) if weighted else None
    limit = gram_module._FEW
    G = gram(X, weight, dtype=dtype)
    monkeypatch.setattr(gram_module, "_FEW", 2**25 - limit)
    assert torch.equal(gram(X, weight, dtype=dtype), G)


@pytest.mark.parametrize("limit", [149, 150, 150**2 - 1, 150**2, 40_000, 2**25])
def test_matrices_are_compiled_for_by_their_size(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    module = gram_module
    dense = np.zeros((2, 150))
    dense[0, :150], dense[1, :140] = 1, 1  # 42,100 additions, 22,500 entries
    monkeypatch.setattr(module, "_FEW", limit)
    assert module.is_compiled(sp.csr_matrix(dense)) is (limit < 42_100)
    assert module.is_compiled(sp.csr_matrix(dense[:, :140])) is (limit < 39_200)
    assert module.is_compiled(sp.csr_matrix(np.eye(1, 150))) is (limit < 150**2)
    assert module.is_compiled(sp.csr_matrix(2 * dense))


@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_compiled_before_is_what_is_needed(weighted: bool) -> None:
    program = (
        "import sys, numpy as np, scipy.sparse as sp, recbole_edlae.solvers as s\n"
        "from recbole_edlae.solvers.scale import gram as module\n"
        "X = sp.random(20, 9, 0.3, format='csr')\n"
        "X.data[:] = 1\n"
        f"module.compile_gram(X, {weighted}, False)\n"
        "assert 'numba' not in sys.modules\n"
        "module._FEW = 0\n"
        f"module.compile_gram(X, {weighted}, False)\n"
        "from recbole_edlae.solvers.scale.gram_loops import fill\n"
        "compiled = fill._compiled().signatures\n"
        f"s.gram(X, np.arange(20) if {weighted} else None)\n"
        "assert fill._compiled().signatures == compiled and len(compiled) == 1\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_fit_on_small_data_does_not_import_numba() -> None:
    program = (
        "import sys, scipy.sparse as sp, recbole_edlae.solvers as s\n"
        "s.full_rank(s.gram(sp.eye(3).tocsr()), dropout=0.5, l2=1.0)\n"
        "assert 'numba' not in sys.modules\n"
        "s.gram(2 * sp.eye(3).tocsr())\n"
        "assert 'numba' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("convert", [sp.csr_matrix, sp.csc_matrix, sp.coo_matrix, sp.csr_array])
def test_takes_every_sparse_format_and_leaves_it_alone(convert: Callable[..., Any]) -> None:
    X = convert(random_matrix())
    before = X.copy()
    G = gram(X)
    assert (before != X).nnz == 0
    np.testing.assert_array_equal(G.numpy(), (X.T @ X).toarray())


def test_indices_in_any_order() -> None:
    X = sp.csr_matrix(random_matrix())
    shuffled = sp.csr_matrix((X.data, X.indices.copy(), X.indptr), shape=X.shape)
    for start, end in zip(X.indptr, X.indptr[1:]):
        shuffled.indices[start:end] = shuffled.indices[start:end][::-1]
    shuffled.has_sorted_indices = False
    assert torch.equal(gram(shuffled), gram(X))


def test_order_of_users_does_not_matter() -> None:
    X = random_matrix()
    assert torch.equal(gram(sp.csr_matrix(X)), gram(sp.csr_matrix(X[::-1])))


def test_order_of_items_is_that_of_the_result() -> None:
    X, order = random_matrix(values=True), np.random.default_rng(2).permutation(150)
    np.testing.assert_allclose(
        gram(sp.csr_matrix(X[:, order])), gram(sp.csr_matrix(X))[order][:, order], rtol=1e-6
    )


def test_more_items_than_short_indices_can_name(monkeypatch: pytest.MonkeyPatch) -> None:
    X = sp.csr_matrix(random_matrix(items=300))
    expected = gram(X)
    monkeypatch.setattr(gram_module, "_SHORT", 149)
    assert torch.equal(gram(X), expected)


def test_result_does_not_depend_on_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    X = sp.csr_matrix(random_matrix(values=True))
    weight = np.random.default_rng(1).random(X.shape[0])
    expected = gram(X, weight)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert torch.equal(gram(X, weight), expected)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (1, 1), (3, 65)])
def test_small_and_empty(shape: tuple[int, int]) -> None:
    X = np.ones(shape)
    np.testing.assert_array_equal(gram(sp.csr_matrix(X)).numpy(), X.T @ X)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"X": np.ones((2, 2))}, "X must be a two-dimensional SciPy sparse matrix"),
        ({"user_weight": np.ones(3)}, r"user_weight must have shape \(2,\)"),
        ({"user_weight": np.array([1, -1])}, "finite and at least 0"),
        ({"user_weight": np.array([1, np.nan])}, "finite and at least 0"),
        ({"dtype": torch.float16}, "dtype must be torch.float32 or torch.float64, got torch.float16"),
    ],
)
def test_errors(arguments: dict[str, Any], message: str) -> None:
    arguments = {"X": sp.csr_matrix(np.eye(2)), **arguments}
    with pytest.raises(ValueError, match=message):
        gram(arguments.pop("X"), **arguments)


def test_activity_weight() -> None:
    count = np.array([0, 2, 4, 6])
    np.testing.assert_array_equal(activity_weight(count, 0.0), 1)
    np.testing.assert_allclose(activity_weight(count, 0.5)[1:], (count[1:] / 4) ** -0.5)
    np.testing.assert_allclose((activity_weight(count, 1.0) * count)[1:], 4)
    assert activity_weight(count, 2.0)[0] == 1


@pytest.mark.parametrize("packed", [False, True])
def test_two_items_of_more_users_than_16_bits_count(packed: bool) -> None:
    X = sp.csr_matrix(np.ones((40_000, 2), dtype=np.float32))
    G = gram(X, packed=packed)
    assert (G.dense() if packed else G).tolist() == [[40_000.0, 40_000.0], [40_000.0, 40_000.0]]


@pytest.mark.parametrize("column", [-1, 3, 2**30])
def test_a_column_outside_of_the_matrix(column: int) -> None:
    X = sp.csr_matrix(np.ones((2, 3)))
    X.indices[4] = column
    with pytest.raises(ValueError, match=r"X is damaged: its indices lie outside of shape \(2, 3\)"):
        checked_matrix(X)


@pytest.mark.parametrize("form", [sp.coo_matrix, sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
def test_duplicates_sum_to_more_than_their_type_holds(form: type, dtype: type) -> None:
    largest = np.iinfo(dtype).max
    X = form(
        (np.array([largest, largest], dtype=dtype), (np.array([0, 0]), np.array([1, 1]))), shape=(1, 2)
    )
    if form is not sp.coo_matrix:  # the constructor has summed them in that type
        parts = np.array([largest, largest], dtype=dtype), np.array([1, 1]), np.array([0, 2])
        X = form(
            parts if form is sp.csr_matrix else (parts[0], np.array([0, 0]), np.array([0, 0, 2])),
            shape=(1, 2),
        )
    assert gram(X, dtype=torch.float64)[1, 1] == (2.0 * largest) ** 2


def test_stored_zeros_and_sums_of_zero_are_no_items() -> None:
    X = sp.coo_matrix((np.array([1.0, -1, 0, 1, 1]), ([0, 0, 0, 0, 1], [0, 0, 1, 2, 2])), shape=(2, 3))
    assert gram(X).tolist() == [[0.0, 0, 0], [0, 0, 0], [0, 0, 2]]
    assert X.nnz == 5
