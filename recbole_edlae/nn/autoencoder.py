"""Build autoencoders of any depth over sparse rows."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import nn

from recbole_edlae.nn.activations import activation
from recbole_edlae.nn.rows import Rows, SparseLinear


class Encoder(nn.Module):
    """Map rows to the latent layer before its activation: xW₁ + b₁, and for every further layer f(·)W + b.

    Args:
        width: number of columns of the rows.
        sizes: the layers' sizes; the last is that of the latent layer.
        hidden_activation: f, one of ACTIVATIONS.
        bias: whether layers have biases.

    Attributes:
        first: the first layer, a SparseLinear.
        rest: the deeper layers.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import Encoder, binary_rows
        >>> Encoder(7, [5, 2])(binary_rows(torch.tensor([0, 3, 4]), torch.tensor([2, 1]))).shape
        torch.Size([2, 2])
    """

    def __init__(
        self, width: int, sizes: Sequence[int], *, hidden_activation: str = "tanh", bias: bool = True
    ) -> None:
        super().__init__()
        self.first = SparseLinear(width, sizes[0], bias)

        # The attribute's name is part of every checkpoint's keys.
        self.rest = nn.ModuleList(nn.Linear(before, after, bias) for before, after in pairwise(sizes))
        self.activation = activation(hidden_activation, "hidden_activation")

        # SparseLinear initializes its weights in the same way.
        for layer in self._deeper:
            nn.init.xavier_normal_(layer.weight)

    def forward(self, rows: Rows) -> torch.Tensor:
        """Return the latent layer of a batch of rows before its activation, (batch, sizes[-1])."""
        return self.after_first(self.first(rows))

    def after_first(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the same from the output of the first layer on, (batch, sizes[0])."""
        # Every layer reads the activation of the one before; the last one stays without.
        for layer in self._deeper:
            hidden = layer(self.activation(hidden))
        return hidden

    @property
    def weights(self) -> list[torch.Tensor]:
        """Weights of all layers in torch.nn.Linear's orientation, (out, in)."""
        # The weight of a SparseLinear has the shape (in, out).
        return [self.first.weight.T, *(layer.weight for layer in self._deeper)]

    @property
    def _deeper(self) -> Iterable[nn.Linear]:
        """The layers after the first."""
        return cast(Iterable[nn.Linear], self.rest)


class LastLayer(NamedTuple):
    """Input of a decoder's last layer (batch, size), its weight (width, size) and its bias (width,) or None."""

    hidden: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None


class Decoder(nn.Module):
    """Map codes to scores through hidden layers; the last layer is linear.

    Tied to an encoder, it uses the encoder's weights transposed, in reverse, and has only biases of its own.

    Args:
        sizes: the code's size, then those of the hidden layers.
        width: number of scores.
        hidden_activation: one of ACTIVATIONS.
        bias: whether layers have biases.
        tied_to: the encoder with the weights to use; None for own ones.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import Decoder
        >>> Decoder([2, 5], 7)(torch.zeros(3, 2)).shape
        torch.Size([3, 7])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        width: int,
        *,
        hidden_activation: str = "tanh",
        bias: bool = True,
        tied_to: Encoder | None = None,
    ) -> None:
        super().__init__()
        shapes = [(outputs, inputs) for inputs, outputs in pairwise([*sizes, width])]

        # In a tuple, which hides the encoder from state_dict: its weights are saved once.
        self.tied_to: tuple[Encoder, ...] = ()
        if tied_to is not None:
            self.tied_to = (tied_to,)

        # A tied decoder has biases of its own, and no weights.
        own_weights = []
        if tied_to is None:
            own_weights = [torch.empty(shape) for shape in shapes]
        self.weights = nn.ParameterList(own_weights)
        self.biases: nn.ParameterList | list[None] = [None] * len(shapes)
        if bias:
            self.biases = nn.ParameterList(torch.zeros(outputs) for outputs, _ in shapes)

        self.activation = activation(hidden_activation, "hidden_activation")
        for weight in self.weights:
            nn.init.xavier_normal_(weight)

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        """Return the scores (batch, width) of codes (batch, k)."""
        return F.linear(*self.last_layer(code))

    def at(self, code: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Return the score of one column for each code: of codes (batch, k) and columns (batch,), scores (batch,)."""
        last = self.last_layer(code)

        # One row of the last weight for each code, instead of all scores.
        scores = (last.hidden * last.weight[columns]).sum(1)
        if last.bias is None:
            return scores
        return scores + last.bias[columns]

    @property
    def columns(self) -> torch.Tensor:
        """Weights of the last layer, (width, size): the embedding of each column."""
        # The encoder's first layer is the last one of a tied decoder.
        if self.tied_to:
            return self.tied_to[0].first.weight
        return self.weights[-1]

    def last_layer(self, code: torch.Tensor) -> LastLayer:
        """Return the input of the last layer for codes (batch, k), its weight and its bias."""
        weights: Iterable[torch.Tensor] = self.weights
        if self.tied_to:
            weights = [weight.T for weight in reversed(self.tied_to[0].weights)]

        # All layers but the last have an activation.
        *layers, last = zip(weights, self.biases)
        for weight, bias in layers:
            code = self.activation(F.linear(code, weight, bias))
        return LastLayer(code, *last)


class AutoEncoder(nn.Module):
    """Scores = decoder(f(encoder(x))): layers of ``hidden_sizes`` down to a latent one, and back in reverse.

    Without hidden layers, with f the identity and no bias it is the linear autoencoder xUVᵀ.

    Args:
        width: number of columns of the rows.
        hidden_sizes: sizes of the encoder's hidden layers.
        latent_size: size of the code.
        latent_activation: f, one of ACTIVATIONS.
        hidden_activation: one of ACTIVATIONS.
        tied: whether the decoder uses the encoder's weights.
        bias: whether layers have biases.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import AutoEncoder, binary_rows
        >>> network = AutoEncoder(7, [5], 2, latent_activation="sigmoid")
        >>> rows = binary_rows(torch.tensor([0, 3, 4]), torch.tensor([2, 1]))
        >>> network.encode(rows).shape, network(rows).shape
        (torch.Size([2, 2]), torch.Size([2, 7]))
    """

    def __init__(
        self,
        width: int,
        hidden_sizes: Sequence[int],
        latent_size: int,
        *,
        latent_activation: str = "sigmoid",
        hidden_activation: str = "tanh",
        tied: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        sizes = [*hidden_sizes, latent_size]
        self.encoder = Encoder(width, sizes, hidden_activation=hidden_activation, bias=bias)
        self.latent_activation = activation(latent_activation, "latent_activation")

        # The same sizes in reverse.
        self.decoder = Decoder(
            sizes[::-1],
            width,
            hidden_activation=hidden_activation,
            bias=bias,
            tied_to=self.encoder if tied else None,
        )

    def encode(self, rows: Rows) -> torch.Tensor:
        """Return the codes of a batch of rows, (batch, latent_size)."""
        return self.latent_activation(self.encoder(rows))

    def forward(self, rows: Rows) -> torch.Tensor:
        """Return the scores of a batch of rows, (batch, width)."""
        return self.decoder(self.encode(rows))


def squared_weights(module: nn.Module) -> torch.Tensor:
    """Return Σ ‖W‖² over the weight matrices of a module, without its biases.

    Args:
        module: any module.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import squared_weights
        >>> layer = torch.nn.Linear(3, 2)
        >>> torch.allclose(squared_weights(layer), layer.weight.square().sum())
        True
    """
    # Biases have one dimension.
    squares = [(weight**2).sum() for weight in module.parameters() if weight.ndim > 1]
    return cast(torch.Tensor, sum(squares))
