"""Build variational autoencoders over sparse rows, with β-weighted and importance-weighted bounds."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from recbole_edlae.nn.autoencoder import Decoder, Encoder
from recbole_edlae.nn.rows import Rows


class VariationalAutoEncoder(nn.Module):
    """Codes z ~ N(μ(x), diag σ²(x)) with prior N(0, I), scores = decoder(z).

    Args:
        width: number of columns of the rows.
        hidden_sizes: sizes of the encoder's hidden layers; the decoder has them in reverse.
        latent_size: size of the code.
        hidden_activation: one of ACTIVATIONS.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import VariationalAutoEncoder, binary_rows
        >>> network = VariationalAutoEncoder(7, [5], 2)
        >>> rows = binary_rows(torch.tensor([0, 3, 4]), torch.tensor([2, 1]))
        >>> network.encode(rows).shape, network(rows).shape
        (torch.Size([2, 2]), torch.Size([2, 7]))
    """

    def __init__(
        self, width: int, hidden_sizes: Sequence[int], latent_size: int, *, hidden_activation: str = "tanh"
    ) -> None:
        super().__init__()

        # The encoder's outputs are μ and log σ², side by side.
        encoder_sizes = [*hidden_sizes, 2 * latent_size]
        self.encoder = Encoder(width, encoder_sizes, hidden_activation=hidden_activation)

        # The same hidden layers in reverse.
        decoder_sizes = [latent_size, *hidden_sizes[::-1]]
        self.decoder = Decoder(decoder_sizes, width, hidden_activation=hidden_activation)

    def posterior(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Return μ and log σ² of the codes of a batch of rows, each (batch, latent_size)."""
        mean, log_variance = self.encoder(rows).chunk(2, dim=1)
        return mean, log_variance

    def encode(self, rows: Rows) -> torch.Tensor:
        """Return μ, the code of a row outside training, for a batch of rows: (batch, latent_size)."""
        # Outside training nothing is drawn, so that scores are reproducible.
        return self.posterior(rows)[0]

    def forward(self, rows: Rows) -> torch.Tensor:
        """Return the scores of the mean codes of a batch of rows, (batch, width)."""
        return self.decoder(self.encode(rows))


def gaussian_kl(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Return KL(N(μ, diag σ²) ‖ N(0, I)) = ½ Σ_k (μ² + σ² − 1 − log σ²).

    Args:
        mean: μ, (batch, k).
        log_variance: log σ², (batch, k).

    Returns:
        torch.Tensor of shape (batch,).

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import gaussian_kl
        >>> gaussian_kl(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2)).tolist()
        [2.0]
    """
    # σ² = exp(log σ²), which is positive whatever the encoder returns.
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)


def negative_bound(
    reconstruction: Callable[[torch.Tensor], torch.Tensor],
    mean: torch.Tensor,
    log_variance: torch.Tensor,
    *,
    beta: float = 1.0,
    samples: int = 1,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Return −log of the importance-weighted evidence bound of each row.

    Args:
        reconstruction: ℓ: function of codes (batch, k) to −log p(x|z), (batch,).
        mean: μ of q(z|x), (batch, k).
        log_variance: log σ² of q(z|x), (batch, k).
        beta: β ≥ 0.
        samples: K ≥ 1.
        generator: torch.Generator; None uses torch's own.

    Returns:
        torch.Tensor of shape (batch,).

    Notes:
        The bound (Burda et al. 2016 for K > 1; Higgins et al. 2017 for β) is

            −log (1/K) Σ_k exp[ −ℓ(x, z_k) − β (log q(z_k|x) − log p(z_k)) ],  z_k ~ q(z|x).

        For β = 1 it bounds −log p(x) from above, on average the tighter the larger K. For K = 1 the expected log ratio
        is known, and the bound is ℓ(x, z) + β KL(q ‖ p): with β = 1 the plain variational autoencoder. With other β and
        K > 1 it is no bound, only a tempered objective.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import negative_bound
        >>> mean, log_variance = torch.zeros(3, 2), torch.zeros(3, 2)  # the prior itself: no divergence
        >>> negative_bound(lambda z: torch.ones(3), mean, log_variance).tolist()
        [1.0, 1.0, 1.0]
    """
    # K = 1: the expected log ratio is known, ℓ(x, z) + β KL(q ‖ p).
    if samples == 1:
        z = _draw(mean, log_variance, generator)[0]
        return reconstruction(z) + beta * gaussian_kl(mean, log_variance)

    log_weights = []
    for _ in range(samples):
        z, noise = _draw(mean, log_variance, generator)

        # log q − log p; the constants ½ log 2π of both cancel.
        log_ratio = 0.5 * (z**2 - noise**2 - log_variance).sum(1)
        log_weights.append(-reconstruction(z) - beta * log_ratio)

    # −log (1/K) Σ_k exp(…), without overflow.
    return math.log(samples) - torch.logsumexp(torch.stack(log_weights), 0)


def _draw(
    mean: torch.Tensor, log_variance: torch.Tensor, generator: torch.Generator | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return codes z ~ N(μ, diag σ²), and the standard normal noise in them."""
    # The noise is drawn apart, so that gradients reach μ and σ.
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
    z = mean + (0.5 * log_variance).exp() * noise
    return z, noise
