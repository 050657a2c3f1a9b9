import numpy as np
import pytest
import torch

from recbole_edlae.nn import LOSSES, Rows, loss

RANDOM = np.random.default_rng(0)
SCORES = RANDOM.normal(size=(3, 5))
ROWS = Rows(
    torch.tensor([0, 3, 4, 1]),
    torch.tensor([3, 0, 1]),
    torch.tensor([1.0, 2.0, 0.5, 1.0], dtype=torch.double),
)
X = ROWS.dense(5).numpy()
STORED = X != 0
WEIGHT, REST = torch.tensor([1.5, 0.2, 3.0, 1.0], dtype=torch.double), 0.4


def dense_weights() -> np.ndarray:
    W = np.full(X.shape, REST)
    W[STORED] = WEIGHT.numpy()
    return W


def log_softmax(scores: np.ndarray) -> np.ndarray:
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))


DENSE = {
    "squared": lambda W: (W * (X - SCORES) ** 2).sum(1),
    "multinomial": lambda W: -(W * X * log_softmax(SCORES)).sum(1),
    "cross_entropy": lambda W: (
        -(W * (X * np.log(1 / (1 + np.exp(-SCORES))) + (1 - X) * np.log(1 / (1 + np.exp(SCORES))))).sum(1)
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_its_dense_formula(name: str) -> None:
    value = loss(name)(torch.from_numpy(SCORES), ROWS, WEIGHT, REST)
    np.testing.assert_allclose(value.numpy(), DENSE[name](dense_weights()), atol=1e-12)


def test_without_weight_outside_only_observed_entries_count() -> None:
    error = np.where(STORED, X - SCORES, 0)
    value = loss("squared")(torch.from_numpy(SCORES), ROWS, 1.0, 0.0)
    np.testing.assert_allclose(value.numpy(), (error**2).sum(1), atol=1e-12)


def test_unknown_loss_lists_the_choices() -> None:
    with pytest.raises(ValueError, match="loss_type must be one of multinomial, squared, cross_entropy"):
        loss("multinomal")
