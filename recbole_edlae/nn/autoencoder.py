"""Autoencoders of any depth over sparse rows."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from recbole_edlae.nn.activations import activation
from recbole_edlae.nn.rows import SparseLinear


class Encoder(nn.Module):
    """Rows ↦ the latent layer before its activation: xW₁ + b₁, and for every further layer f(·)W + b."""

    def __init__(self, width, sizes, *, hidden_activation="tanh", bias=True):
        super().__init__()
        self.first = SparseLinear(width, sizes[0], bias)
        self.rest = nn.ModuleList(nn.Linear(before, after, bias) for before, after in pairwise(sizes))
        self.activation = activation(hidden_activation, "hidden_activation")
        for layer in self.rest:
            nn.init.xavier_normal_(layer.weight)

    def forward(self, rows):
        return self.after_first(self.first(rows))

    def after_first(self, first):
        """The same, from the output of the first layer on: (batch, sizes[0]) → (batch, sizes[-1])."""
        for layer in self.rest:
            first = layer(self.activation(first))
        return first

    @property
    def weights(self):
        """Weights of all layers in torch.nn.Linear's orientation, (out, in)."""
        return [self.first.weight.T, *(layer.weight for layer in self.rest)]


class Decoder(nn.Module):
    """Codes ↦ scores, through hidden layers; the last layer is linear.

    Tied to an encoder, it uses the encoder's weights transposed, in reverse, and has only biases of its own.
    """

    def __init__(self, sizes, width, *, hidden_activation="tanh", bias=True, tied_to=None):
        super().__init__()
        shapes = list(pairwise([*sizes, width]))
        self.tied_to = () if tied_to is None else (tied_to,)  # in a tuple, which hides it from state_dict
        self.weights = nn.ParameterList() if tied_to else nn.ParameterList(torch.empty(n, m) for m, n in shapes)
        self.biases = nn.ParameterList(torch.zeros(n) for _, n in shapes) if bias else [None] * len(shapes)
        self.activation = activation(hidden_activation, "hidden_activation")
        for weight in self.weights:
            nn.init.xavier_normal_(weight)

    def forward(self, code):
        """Scores of all columns: (batch, k) → (batch, width)."""
        hidden, weight, bias = self.last_layer(code)
        return F.linear(hidden, weight, bias)

    def at(self, code, columns):
        """Scores of one column a code: (batch, k), (batch,) → (batch,)."""
        hidden, weight, bias = self.last_layer(code)
        scores = (hidden * weight[columns]).sum(1)
        return scores if bias is None else scores + bias[columns]

    @property
    def columns(self):
        """Weights of the last layer, (width, size): what stands for each column."""
        return self.tied_to[0].first.weight if self.tied_to else self.weights[-1]

    def last_layer(self, code):
        """Input of the last layer, its weight (width, size) and its bias."""
        weights = [weight.T for weight in reversed(self.tied_to[0].weights)] if self.tied_to else self.weights
        *layers, last = zip(weights, self.biases)
        for weight, bias in layers:
            code = self.activation(F.linear(code, weight, bias))
        return code, *last


class AutoEncoder(nn.Module):
    """Scores = decoder(f(encoder(x))): layers of ``hidden_sizes`` down to a latent one, and back in reverse.

    Without hidden layers, with f the identity and no bias it is the linear autoencoder xUVᵀ.
    """

    def __init__(self, width, hidden_sizes, latent_size, *, latent_activation="sigmoid", hidden_activation="tanh",
                 tied=False, bias=True):  # fmt: skip
        super().__init__()
        sizes = [*hidden_sizes, latent_size]
        settings = {"hidden_activation": hidden_activation, "bias": bias}
        self.encoder = Encoder(width, sizes, **settings)
        self.latent_activation = activation(latent_activation, "latent_activation")
        self.decoder = Decoder(sizes[::-1], width, **settings, tied_to=self.encoder if tied else None)

    def encode(self, rows):
        """Codes, (batch, latent_size)."""
        return self.latent_activation(self.encoder(rows))

    def forward(self, rows):
        """Scores, (batch, width)."""
        return self.decoder(self.encode(rows))


def squared_weights(module):
    """Σ ‖W‖² over the weight matrices of a module, biases left out."""
    return sum((weight**2).sum() for weight in module.parameters() if weight.ndim > 1)
