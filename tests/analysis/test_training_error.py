import numpy as np
import pytest
import scipy.sparse as sp
import torch

from recbole_edlae.analysis import squared_error, svd_bound
from recbole_edlae.nn import AutoEncoder, Rows, binary_rows, squared

RANK = 4
X = sp.csr_matrix(
    (np.random.default_rng(0).random((150, 20)) < np.linspace(0.1, 0.6, 20)).astype(np.float64)
)


def rows_of(X: sp.csr_matrix) -> Rows:
    return binary_rows(torch.from_numpy(X.indices).long(), torch.from_numpy(np.diff(X.indptr)).long())


def trained(hidden: list[int], activation: str, bias: bool, steps: int = 1000) -> float:
    """An autoencoder trained on X by squared error; and its squared error."""
    torch.manual_seed(0)
    network = AutoEncoder(20, hidden, RANK, latent_activation=activation, bias=bias)
    optimizer, rows = torch.optim.Adam(network.parameters(), lr=0.03), rows_of(X)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.996)
    for _ in range(steps):
        optimizer.zero_grad()
        squared(network(rows), rows, 1.0, 1.0).mean().backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return squared_error(X, lambda part: network(rows_of(part)).numpy(), batch=64)


def test_bound_is_the_error_of_truncated_svd() -> None:
    U, s, Vt = np.linalg.svd(X.toarray(), full_matrices=False)
    for rank in (0, 1, 5, 20):
        error = ((X.toarray() - (U[:, :rank] * s[:rank]) @ Vt[:rank]) ** 2).sum()
        assert svd_bound(X, rank) == pytest.approx(error, abs=1e-6)
    assert svd_bound(X, [1, 30]) == pytest.approx([(s[1:] ** 2).sum(), 0], abs=1e-6)


def test_squared_error_is_that_of_the_dense_matrix() -> None:
    B = np.random.default_rng(1).normal(size=(20, 20))
    expected = ((X.toarray() - X @ B) ** 2).sum()
    assert squared_error(X, lambda part: part @ B, batch=7) == pytest.approx(expected)


@pytest.mark.slow
def test_a_linear_autoencoder_reaches_the_bound() -> None:
    bound = svd_bound(X, RANK)
    assert bound * (1 - 1e-6) <= trained([], "identity", bias=False) < 1.01 * bound


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh"])
@pytest.mark.parametrize("bias", [False, True])
def test_no_autoencoder_beats_the_bound(activation: str, bias: bool) -> None:
    width = RANK + bias  # a bias of the last layer is one more rank
    assert trained([], activation, bias, steps=200) >= svd_bound(X, width)


def test_nor_does_a_deep_one() -> None:
    # the last layer has the hidden layer's width here
    assert trained([8], "sigmoid", bias=False, steps=200) >= svd_bound(X, 8)
