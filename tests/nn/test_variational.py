import math
from itertools import pairwise

import pytest
import torch

from recbole_edlae.nn import VariationalAutoEncoder, binary_rows, gaussian_kl, negative_bound

torch.manual_seed(3)
X, W = torch.randn(5, 4), torch.randn(3, 4)
MEAN, LOG_VARIANCE = 0.3 * torch.randn(5, 3), torch.full((5, 3), -0.5)  # a posterior, and not the right one


def gaussian_loss(z: torch.Tensor) -> torch.Tensor:
    """−log N(x; zW, I)."""
    return 0.5 * ((X - z @ W) ** 2 + math.log(2 * math.pi)).sum(1)


def log_evidence() -> torch.Tensor:
    """log N(x; 0, WᵀW + I)."""
    normal = torch.distributions.MultivariateNormal(torch.zeros(4), W.T @ W + torch.eye(4))
    return normal.log_prob(X)


def mean_bound(samples: int, draws: int = 1000) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    bounds = [
        -negative_bound(gaussian_loss, MEAN, LOG_VARIANCE, samples=samples, generator=generator)
        for _ in range(draws)
    ]
    return torch.stack(bounds).mean(0)


def test_kl_is_that_of_torchs_normal() -> None:
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(
        normal(MEAN, (0.5 * LOG_VARIANCE).exp()), normal(0.0, 1.0)
    ).sum(1)
    torch.testing.assert_close(gaussian_kl(MEAN, LOG_VARIANCE), expected)


def test_bound_rises_with_the_number_of_samples_and_stays_below_the_evidence() -> None:
    bounds = [mean_bound(samples) for samples in (1, 2, 5, 20)]
    assert all((more > fewer).all() for fewer, more in pairwise(bounds))
    assert (bounds[-1] < log_evidence() + 0.05).all()
    torch.testing.assert_close(mean_bound(500, draws=50), log_evidence(), atol=0.1, rtol=0)


def test_one_sample_and_beta_1_is_the_plain_bound() -> None:
    generator = torch.Generator().manual_seed(0)
    loss = negative_bound(gaussian_loss, MEAN, LOG_VARIANCE, generator=generator)
    noise = torch.randn(MEAN.shape, generator=torch.Generator().manual_seed(0))
    z = MEAN + (0.5 * LOG_VARIANCE).exp() * noise
    torch.testing.assert_close(loss, gaussian_loss(z) + gaussian_kl(MEAN, LOG_VARIANCE))


def test_beta_weighs_the_divergence() -> None:
    without, half = (
        negative_bound(
            gaussian_loss, MEAN, LOG_VARIANCE, beta=beta, generator=torch.Generator().manual_seed(0)
        )
        for beta in (0.0, 0.5)
    )
    torch.testing.assert_close(half - without, 0.5 * gaussian_kl(MEAN, LOG_VARIANCE))


@pytest.mark.parametrize("hidden", [[], [6]])
def test_network_scores_by_the_mean_code(hidden: list[int]) -> None:
    network, rows = (
        VariationalAutoEncoder(7, hidden, 4),
        binary_rows(torch.tensor([0, 3, 4]), torch.tensor([2, 1])),
    )
    mean, log_variance = network.posterior(rows)
    assert mean.shape == log_variance.shape == (2, 4)
    torch.testing.assert_close(network(rows), network.decoder(mean))
