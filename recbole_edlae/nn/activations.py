"""Look up activation functions by name."""

from collections.abc import Callable

from torch import nn

from recbole_edlae._choices import choose

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
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


def activation(name: str, setting: str = "activation") -> nn.Module:
    """Return the torch module of an activation function, which works element by element.

    Args:
        name: one of ACTIVATIONS.
        setting: what the error message calls it.

    Raises:
        ValueError: the name is unknown; the message lists all names, the nearest first.

    Notes:
        Susman 2024 requires of an encoder that no user with a history gets the zero code, and that the order of dot
        products is kept. Sigmoid and softplus are positive everywhere; relu, hard_sigmoid and hard_tanh are constant on
        half-lines and can fail both, as can the functions with a zero at 0.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import activation
        >>> activation("sigmoid")(torch.zeros(1)).item()
        0.5
    """
    return choose(setting, name, ACTIVATIONS)()
