"""Variational autoencoders over sparse rows: Gaussian codes, β-weighted and importance-weighted bounds."""

import math

import torch
from torch import nn

from recbole_edlae.nn.autoencoder import Decoder, Encoder


class VariationalAutoEncoder(nn.Module):
    """Codes z ~ N(μ(x), diag σ²(x)) with prior N(0, I), scores = decoder(z)."""

    def __init__(self, width, hidden_sizes, latent_size, *, hidden_activation="tanh"):
        super().__init__()
        self.encoder = Encoder(width, [*hidden_sizes, 2 * latent_size], hidden_activation=hidden_activation)
        self.decoder = Decoder([latent_size, *hidden_sizes[::-1]], width, hidden_activation=hidden_activation)

    def posterior(self, rows):
        """μ and log σ², each (batch, latent_size)."""
        return self.encoder(rows).chunk(2, dim=1)

    def encode(self, rows):
        """μ, the code that stands for a row outside training."""
        return self.posterior(rows)[0]

    def forward(self, rows):
        return self.decoder(self.encode(rows))


def gaussian_kl(mean, log_variance):
    """KL(N(μ, diag σ²) ‖ N(0, I)) = ½ Σ_k (μ² + σ² − 1 − log σ²), (batch,)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)


def negative_bound(reconstruction, mean, log_variance, *, beta=1.0, samples=1, generator=None):
    """−log of the importance-weighted evidence bound of each row, (batch,).

        −log (1/K) Σ_k exp[ −ℓ(x, z_k) − β (log q(z_k|x) − log p(z_k)) ],  z_k ~ q(z|x)

    (Burda et al. 2016 for K > 1; Higgins et al. 2017 for β). For β = 1 it bounds −log p(x) from above, on average
    the tighter the larger K. For K = 1 the expected log ratio is known, and ℓ(x, z) + β KL(q ‖ p) is taken: with
    β = 1 the plain variational autoencoder. With other β and K > 1 it is no bound, only a tempered objective.

    Args:
        reconstruction: ℓ: function of codes (batch, k) to −log p(x|z), (batch,).
        mean, log_variance: of q(z|x), (batch, k) each.
        beta: β ≥ 0.
        samples: K ≥ 1.
        generator: torch.Generator; None takes torch's own.
    """
    if samples == 1:
        z = _draw(mean, log_variance, generator)[0]
        return reconstruction(z) + beta * gaussian_kl(mean, log_variance)
    log_weights = []
    for _ in range(samples):
        z, noise = _draw(mean, log_variance, generator)
        # log q − log p; the constants ½ log 2π of both cancel
        log_ratio = 0.5 * (z**2 - noise**2 - log_variance).sum(1)
        log_weights.append(-reconstruction(z) - beta * log_ratio)
    return math.log(samples) - torch.logsumexp(torch.stack(log_weights), 0)


def _draw(mean, log_variance, generator):
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
    return mean + (0.5 * log_variance).exp() * noise, noise
