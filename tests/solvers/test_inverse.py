import numpy as np
import pytest
import torch

from recbole_edlae.solvers.inverse import inverse


def positive_definite(n, seed=0, dtype=torch.float64):
    A = torch.from_numpy(np.random.default_rng(seed).normal(size=(n, n + 5)))
    return (A @ A.T / n + torch.eye(n)).to(dtype)


@pytest.mark.parametrize("n", [1, 2, 511, 512, 513, 1500])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_equals_numpy(n, dtype, tolerance):
    M = positive_definite(n, dtype=dtype)
    before = M.clone()
    C = inverse(M)
    assert C.dtype == dtype and torch.equal(M, before)
    np.testing.assert_allclose(C.numpy(), np.linalg.inv(before.double().numpy()), atol=tolerance)


def test_overwrite_is_in_place():
    M = positive_definite(700)
    expected = inverse(M)
    assert inverse(M, overwrite=True) is M
    assert torch.equal(M, expected)


def test_progress_ends_at_the_total():
    seen = []
    inverse(positive_definite(1300), progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (1300**3, 1300**3) and len(seen) > 3


@pytest.mark.parametrize("n", [3, 900])
def test_not_positive_definite(n):
    M = positive_definite(n)
    M[-1, -1] = -1
    with pytest.raises(torch.linalg.LinAlgError, match="not positive definite"):
        inverse(M)


def test_not_square():
    with pytest.raises(ValueError, match="square"):
        inverse(torch.ones(2, 3))
