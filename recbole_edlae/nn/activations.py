"""Activation functions by name."""

from torch import nn

from recbole_edlae._choices import choose

ACTIVATIONS = {
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "softplus": nn.Softplus,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "hard_tanh": nn.Hardtanh,
    "softsign": nn.Softsign,
    "identity": nn.Identity,
}
RATES = ("sigmoid", "hard_sigmoid")  # values in [0, 1], which can be read as the rate at which a unit is on


def activation(name, setting="activation"):
    """The torch module of an activation, element by element.

    Susman 2024 asks of an encoder that no user with a history gets the zero code, and that the order of dot products
    is kept. Sigmoid and softplus are positive everywhere; relu, hard_sigmoid and hard_tanh are constant on half-lines
    and can fail both, as can the functions with a zero at 0.

    Raises:
        ValueError: there is none of that name; the message calls it by ``setting`` and lists those there are.
    """
    return choose(setting, name, ACTIVATIONS)()
