import math

import numpy as np
import pytest
import torch

from recbole_edlae.nn import ACTIVATIONS, RATES, activation

X = np.linspace(-6, 6, 49)
FORMULA = {
    "sigmoid": 1 / (1 + np.exp(-X)),
    "hard_sigmoid": np.clip(X / 6 + 0.5, 0, 1),
    "softplus": np.log1p(np.exp(X)),
    "relu": np.maximum(X, 0),
    "leaky_relu": np.where(X > 0, X, 0.01 * X),
    "elu": np.where(X > 0, X, np.expm1(X)),
    "selu": 1.0507009873554805 * np.where(X > 0, X, 1.6732632423543772 * np.expm1(X)),
    "gelu": X * 0.5 * (1 + np.vectorize(math.erf)(X / math.sqrt(2))),
    "silu": X / (1 + np.exp(-X)),
    "tanh": np.tanh(X),
    "hard_tanh": np.clip(X, -1, 1),
    "softsign": X / (1 + np.abs(X)),
    "identity": X,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_is_its_formula(name: str) -> None:
    np.testing.assert_allclose(activation(name)(torch.from_numpy(X)).numpy(), FORMULA[name], atol=1e-12)


def test_rates_are_rates() -> None:
    for name in ACTIVATIONS:
        inside = bool((FORMULA[name] >= 0).all() and (FORMULA[name] <= 1).all())
        assert inside == (name in RATES)


def test_unknown_activation_lists_the_choices_close_ones_first() -> None:
    with pytest.raises(
        ValueError, match=r"latent_activation must be one of sigmoid, .*identity; got 'sigmod'"
    ):
        activation("sigmod", "latent_activation")
