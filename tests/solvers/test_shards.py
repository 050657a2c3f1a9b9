"""The Gram matrix of shards is that of the whole."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import gram, gram_of_shards
from recbole_edlae.solvers.shards import PartialGram
from tests import oracles


def matrix(users=400, items=150, density=0.2):
    generator = np.random.default_rng(0)
    X = (generator.random((users, items)) < density * generator.random((users, 1))).astype(np.float32)
    X[7] = 0  # a user without items counts in no mean
    return sp.csr_matrix(X)


def split(X, parts=10):
    bounds = np.sort(np.random.default_rng(1).choice(X.shape[0], parts - 1, replace=False))
    return [X[start:end] for start, end in zip([0, *bounds], [*bounds, X.shape[0]])]


def weights(X, power):
    count = X.toarray().astype(float).sum(1)
    return np.where(count > 0, (np.maximum(count, 1) / count[count > 0].mean()) ** -power, 0)


def files(shards, folder):
    for number, shard in enumerate(shards):
        sp.save_npz(folder / f"{number}.npz", shard)
        yield folder / f"{number}.npz"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ten_shards_are_the_whole(dtype, tmp_path):
    X = matrix()
    whole = gram(X, dtype=dtype)
    assert torch.equal(gram_of_shards(split(X), dtype=dtype), whole)
    assert torch.equal(gram_of_shards(iter(split(X)), dtype=dtype), whole)
    assert torch.equal(gram_of_shards(files(split(X), tmp_path), dtype=dtype), whole)
    assert torch.equal(gram_of_shards(map(str, files(split(X), tmp_path)), dtype=dtype), whole)


@pytest.mark.parametrize("power", [0.5, 1.0, -0.5])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_users_weigh_relative_to_the_mean_over_all_shards(power, dtype, tolerance):
    X = matrix()
    G = gram_of_shards(split(X), user_weight_power=power, dtype=dtype)
    assert G.dtype == dtype
    np.testing.assert_allclose(G, oracles.gram(X.toarray(), weights(X, power)), rtol=tolerance)


def test_sums_of_sums():
    X, parts = matrix(), [PartialGram(user_weight_power=0.5, dtype=torch.float64) for _ in range(3)]
    for number, shard in enumerate(split(X)):
        parts[number % 2].add(shard)
    parts[1].merge(parts[2])  # one that got none
    parts[0].merge(parts[1])
    expected = gram_of_shards([X], user_weight_power=0.5, dtype=torch.float64)
    torch.testing.assert_close(parts[0].finish(), expected, rtol=1e-13, atol=0)


def test_progress_and_inputs_left_alone():
    shards, done = split(matrix()), []
    before = [shard.copy() for shard in shards]
    gram_of_shards(shards, user_weight_power=0.5, progress=lambda *step: done.append(step))
    assert done == [(number, None) for number in range(1, 11)]
    assert all((shard != old).nnz == 0 for shard, old in zip(shards, before))


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
def test_errors(shards, options, message):
    with pytest.raises(ValueError, match=message):
        gram_of_shards(shards, **options)
