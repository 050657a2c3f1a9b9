"""The Gram matrix of shards is that of the whole."""

import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import PartialGram, activity_weight, gram, gram_of_shards
from tests import oracles
from tests.conftest import ROOT


def matrix(users: int = 400, items: int = 150, density: float = 0.2) -> sp.csr_matrix:
    generator = np.random.default_rng(0)
    X = (generator.random((users, items)) < density * generator.random((users, 1))).astype(np.float32)
    X[7] = 0  # a user without items counts in no mean
    return sp.csr_matrix(X)


def split(X: sp.csr_matrix, parts: int = 10) -> list[sp.csr_matrix]:
    bounds = np.sort(np.random.default_rng(1).choice(X.shape[0], parts - 1, replace=False))
    return [X[start:end] for start, end in zip([0, *bounds], [*bounds, X.shape[0]])]


def weights(X: sp.csr_matrix, power: float) -> np.ndarray:
    count = X.toarray().astype(float).sum(1)
    return np.where(count > 0, (np.maximum(count, 1) / count[count > 0].mean()) ** -power, 0)


def files(shards: Any, folder: pathlib.Path) -> Iterator[pathlib.Path]:
    for number, shard in enumerate(shards):
        sp.save_npz(folder / f"{number}.npz", shard)
        yield folder / f"{number}.npz"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ten_shards_are_the_whole(dtype: torch.dtype, tmp_path: pathlib.Path) -> None:
    X = matrix()
    whole = gram(X, dtype=dtype)
    assert torch.equal(gram_of_shards(split(X), dtype=dtype), whole)
    assert torch.equal(gram_of_shards(iter(split(X)), dtype=dtype), whole)
    assert torch.equal(gram_of_shards(files(split(X), tmp_path), dtype=dtype), whole)
    assert torch.equal(gram_of_shards(map(str, files(split(X), tmp_path)), dtype=dtype), whole)


@pytest.mark.parametrize("power", [0.5, 1.0, -0.5])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_users_weigh_relative_to_the_mean_over_all_shards(
    power: float, dtype: torch.dtype, tolerance: float
) -> None:
    X = matrix()
    G = gram_of_shards(split(X), user_weight_power=power, dtype=dtype)
    assert G.dtype == dtype
    np.testing.assert_allclose(
        G, oracles.gram(X.toarray().astype(float), weights(X, power)), rtol=tolerance
    )


def test_sums_of_sums() -> None:
    X, parts = matrix(), [PartialGram(user_weight_power=0.5, dtype=torch.float64) for _ in range(3)]
    for number, shard in enumerate(split(X)):
        parts[number % 2].add(shard)
    parts[1].merge(parts[2])  # one that got none
    parts[0].merge(parts[1])
    expected = gram_of_shards([X], user_weight_power=0.5, dtype=torch.float64)
    torch.testing.assert_close(parts[0].finish(), expected, rtol=1e-13, atol=0)


def test_progress_and_inputs_left_alone() -> None:
    shards, done = split(matrix()), []
    before = [shard.copy() for shard in shards]
    gram_of_shards(shards, user_weight_power=0.5, progress=lambda *step: done.append(step))
    assert done == [(number, None) for number in range(1, 11)]
    assert all((shard != old).nnz == 0 for shard, old in zip(shards, before))


@pytest.mark.slow
@pytest.mark.skipif(
    not pathlib.Path("/proc/self/status").is_file(), reason="reads the peak of memory from /proc"
)
def test_memory_does_not_grow_with_the_users(tmp_path: pathlib.Path) -> None:
    """Ten and a hundred times a shard of 2 MB, in a process each."""
    generator = np.random.default_rng(0)
    indices = generator.integers(500, size=(20_000, 10)).astype(np.int32)
    indptr = np.arange(0, indices.size + 1, 10, dtype=np.int32)
    X = sp.csr_matrix((np.ones(indices.size, np.float32), indices.ravel(), indptr), shape=(20_000, 500))
    X.sum_duplicates()
    sp.save_npz(tmp_path / "shard.npz", X, compressed=False)
    program = (
        "import re, sys; from recbole_edlae.solvers import gram_of_shards\n"
        "G = gram_of_shards([sys.argv[1]] * int(sys.argv[2]), user_weight_power=0.5)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], G.diagonal().sum().item())\n"
    )
    command, there = (
        [sys.executable, "-c", program, str(tmp_path / "shard.npz")],
        {"cwd": ROOT, "text": True},
    )
    few, many = (subprocess.check_output([*command, times], **there).split() for times in ("10", "100"))
    assert np.isclose(float(many[1]), 10 * float(few[1]), rtol=1e-3)
    assert (
        int(many[0]) < int(few[0]) + 45 * 2 * X.data.nbytes // 1024
    )  # kilobytes: half of what 90 shards take


@pytest.mark.parametrize(
    "shards, options, message",
    [
        ([], {}, "there is no shard"),
        ([sp.eye(3), sp.eye(4)], {}, "all shards must have the same items, got 3 and 4"),
        ([np.eye(3)], {}, "a shard must be a SciPy sparse matrix or the path of one, got ndarray"),
        ([sp.eye(3)], {"user_weight_power": np.inf}, "power must be a finite number"),
        ([sp.eye(3)], {"dtype": torch.float16}, "dtype must be"),
    ],
)
def test_errors(shards: list[Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gram_of_shards(shards, **options)


def with_stored_zeros() -> sp.csr_matrix:
    X = matrix()
    X.data[::3] = 0
    return X


@pytest.mark.parametrize("power", [0.0, 0.5, -1.0])
def test_stored_zeros_are_no_items_of_a_user(power: float) -> None:
    X = with_stored_zeros()
    whole = X.copy()
    whole.eliminate_zeros()
    expected = gram(whole, activity_weight(np.diff(whole.indptr), power), dtype=torch.float64)
    G = gram_of_shards(split(X), user_weight_power=power, dtype=torch.float64)
    torch.testing.assert_close(G, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("settings", [{"user_weight_power": 0.5}, {"dtype": torch.float64}])
def test_sums_of_other_powers_and_types_are_not_added(settings: dict[str, Any]) -> None:
    here, elsewhere = PartialGram(), PartialGram(**settings)
    here.add(matrix())
    elsewhere.add(matrix())
    name = "power" if "user_weight_power" in settings else "dtype"
    with pytest.raises(ValueError, match=f"both sums must have one {name}, got "):
        here.merge(elsewhere)
