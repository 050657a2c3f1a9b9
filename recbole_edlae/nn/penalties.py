"""Penalties of the latent code, one number a batch: sparsity by L1 or towards a rate, and contraction."""

import torch

from recbole_edlae._choices import choose
from recbole_edlae.nn.activations import RATES


def l1(code):
    """Mean over the batch of Σ_k |z_k|: codes with few large entries."""
    return code.abs().sum(1).mean()


def kl_sparsity(code, rate):
    """Σ_k KL(ρ ‖ ρ̂_k) between Bernoulli rates, ρ̂_k the batch mean of z_k in [0, 1] (Ng 2011).

    ρ = ``rate`` in (0, 1) is the share of users for whom a unit should be on; there the penalty is zero.
    """
    mean = code.mean(0).clamp(1e-6, 1 - 1e-6)
    return (rate * torch.log(rate / mean) + (1 - rate) * torch.log((1 - rate) / (1 - mean))).sum()


def contractive(code, first, weight, *, samples=None, generator=None):
    """Mean over the batch of ‖∂z/∂x‖_F²: codes that small changes of the input leave alone (Rifai et al. 2011).

    Notation: x input, a = xW + b the output of the first layer, z code, J = ∂z/∂a, so ∂z/∂x = J Wᵀ. The input stays
    sparse: only ‖·‖² through W is needed, and that is a product with WᵀW.

    * One layer, z = f(a): J is diagonal, and the norm Σ_k f'(a_k)² ‖W_k‖² is exact.
    * Deeper: Hutchinson's estimator, the mean of ‖(vᵀJ) Wᵀ‖² over v of random signs; exact in expectation.

    Args:
        code: z, (batch, k), computed from ``first`` with gradients on.
        first: a, (batch, size).
        weight: W, (width, size).
        samples: how many v; None for one layer.
        generator: torch.Generator of the signs; None takes torch's own.
    """
    if samples is None:
        (slope,) = torch.autograd.grad(code.sum(), first, create_graph=True)
        return (slope**2 @ (weight**2).sum(0)).mean()
    WtW = weight.T @ weight
    total = 0
    for _ in range(samples):
        v = torch.randint(2, code.shape, generator=generator, device=code.device).to(code.dtype) * 2 - 1
        (vJ,) = torch.autograd.grad((code * v).sum(), first, create_graph=True)
        total = total + ((vJ @ WtW) * vJ).sum(1).mean()
    return total / samples


PENALTIES = ("none", "l1", "kl", "contractive")


def check_penalty(name, latent_activation):
    """Raises ValueError for a penalty there is none of, and for rates of codes that are not rates."""
    choose("latent_penalty", name, dict.fromkeys(PENALTIES))
    if name == "kl" and latent_activation not in RATES:
        raise ValueError(
            f"latent_penalty kl compares rates: latent_activation must be one of {', '.join(RATES)}; "
            f"got {latent_activation!r}"
        )


def latent_penalty(name, network, rows, *, rate=0.05, samples=1):
    """Codes of some rows, (batch, k), and the penalty of that name on them.

    Args:
        name: one of PENALTIES.
        network: AutoEncoder.
        rows: Rows, corrupted as the network reads them.
        rate: ρ of ``kl``.
        samples: of ``contractive`` where the encoder has hidden layers.
    """
    first = network.encoder.first(rows)
    code = network.latent_activation(network.encoder.after_first(first))
    if name == "l1":
        return code, l1(code)
    if name == "kl":
        return code, kl_sparsity(code, rate)
    if name == "contractive":
        deep = len(network.encoder.rest) > 0
        return code, contractive(code, first, network.encoder.first.weight, samples=samples if deep else None)
    return code, code.new_zeros(())
