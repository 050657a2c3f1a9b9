"""Penalize the latent code, by one number a batch: sparsity by L1 or towards a rate, and contraction."""

from typing import Any

import torch

from recbole_edlae._choices import choose
from recbole_edlae.nn.activations import RATES
from recbole_edlae.nn.autoencoder import AutoEncoder
from recbole_edlae.nn.rows import Rows


def l1(code: torch.Tensor) -> torch.Tensor:
    """Return the mean over the batch of Σ_k |z_k|, which favors codes with few large entries.

    Args:
        code: z, (batch, k).

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import l1
        >>> l1(torch.tensor([[1.0, -2.0], [0.0, 1.0]])).item()
        2.0
    """
    # A mean over the batch, as the reconstruction losses are.
    return code.abs().sum(1).mean()


def kl_sparsity(code: torch.Tensor, rate: float) -> torch.Tensor:
    """Return Σ_k KL(ρ ‖ ρ̂_k) between Bernoulli rates, ρ̂_k the batch mean of z_k (Ng 2011).

    Args:
        code: z in [0, 1], (batch, k).
        rate: ρ in (0, 1), the share of users for whom a unit should be on; there the penalty is zero.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import kl_sparsity
        >>> abs(round(kl_sparsity(torch.tensor([[0.0], [0.5]]), 0.25).item(), 4))
        0.0
    """
    # ρ̂, away from 0 and 1, where the logarithms end.
    mean = code.mean(0).clamp(1e-6, 1 - 1e-6)

    # KL(ρ ‖ ρ̂) = ρ log(ρ/ρ̂) + (1 − ρ) log((1 − ρ)/(1 − ρ̂))
    return (rate * torch.log(rate / mean) + (1 - rate) * torch.log((1 - rate) / (1 - mean))).sum()


def contractive(
    code: torch.Tensor,
    first: torch.Tensor,
    weight: torch.Tensor,
    *,
    samples: int | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Return the mean over the batch of ‖∂z/∂x‖_F², which favors codes that do not react to small changes of the input.

    Args:
        code: z, (batch, k), computed from ``first`` with gradients on.
        first: a, (batch, size).
        weight: W, (width, size).
        samples: how many v; None for one layer.
        generator: torch.Generator of the signs; None uses torch's own.

    Notes:
        Notation: x input, a = xW + b the output of the first layer, z code, J = ∂z/∂a, so ∂z/∂x = J Wᵀ. The input
        stays sparse: only ‖·‖² through W is needed, and that is a product with WᵀW.

        * One layer, z = f(a): J is diagonal, and the norm Σ_k f'(a_k)² ‖W_k‖² is exact.
        * Deeper: Hutchinson's estimator, the mean of ‖(vᵀJ) Wᵀ‖² over v of random signs; exact in expectation.

    References:
        Rifai et al. "Contractive Auto-Encoders" in ICML 2011.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import contractive
        >>> weight = torch.tensor([[1.0], [2.0]])
        >>> first = (torch.ones(3, 2) @ weight).requires_grad_()
        >>> contractive(3 * first, first, weight).item()  # ‖3 W‖²
        45.0
    """
    # One layer: J is diagonal, and its entries f'(a_k) are the gradient of the sum of codes.
    if samples is None:
        (slope,) = torch.autograd.grad(code.sum(), first, create_graph=True)
        return (slope**2 @ (weight**2).sum(0)).mean()

    # Deeper: the mean of ‖vᵀJ Wᵀ‖² over random signs v is the norm.
    WtW = weight.T @ weight
    total: Any = 0
    for _ in range(samples):
        bits = torch.randint(2, code.shape, generator=generator, device=code.device)
        v = bits.to(code.dtype) * 2 - 1
        (vJ,) = torch.autograd.grad((code * v).sum(), first, create_graph=True)
        total = total + ((vJ @ WtW) * vJ).sum(1).mean()
    return total / samples


PENALTIES = ("none", "l1", "kl", "contractive")


def check_penalty(name: str, latent_activation: str) -> None:
    """Check that a penalty exists and that the latent activation suits it.

    Args:
        name: one of PENALTIES.
        latent_activation: one of ACTIVATIONS.

    Raises:
        ValueError: the penalty is unknown, or compares rates where codes are not rates.

    Examples:
        >>> from recbole_edlae.nn import check_penalty
        >>> check_penalty("kl", "sigmoid")
    """
    choose("latent_penalty", name, dict.fromkeys(PENALTIES))

    # KL compares rates, and only some activations end between 0 and 1.
    if name == "kl" and latent_activation not in RATES:
        allowed = ", ".join(RATES)
        raise ValueError(
            f"latent_penalty kl compares rates: latent_activation must be one of {allowed}; got {latent_activation!r}"
        )


def latent_penalty(
    name: str, network: AutoEncoder, rows: Rows, *, rate: float = 0.05, samples: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the codes of some rows and a penalty on them.

    Args:
        name: one of PENALTIES.
        network: AutoEncoder.
        rows: Rows, corrupted as the network reads them.
        rate: ρ of ``kl``.
        samples: of ``contractive`` where the encoder has hidden layers.

    Returns:
        Codes (batch, k), and the penalty, a tensor without dimensions.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import AutoEncoder, binary_rows, l1, latent_penalty
        >>> network, rows = AutoEncoder(3, [], 2), binary_rows(torch.tensor([0, 2]), torch.tensor([1, 1]))
        >>> code, penalty = latent_penalty("l1", network, rows)
        >>> torch.equal(code, network.encode(rows)) and torch.equal(penalty, l1(code))
        True
    """
    # The first layer's output apart: the contractive penalty takes gradients for it.
    first = network.encoder.first(rows)
    code = network.latent_activation(network.encoder.after_first(first))
    if name == "l1":
        return code, l1(code)
    if name == "kl":
        return code, kl_sparsity(code, rate)

    # A single layer has an exact norm, and takes no samples.
    if name == "contractive":
        is_deep = len(network.encoder.rest) > 0
        weight = network.encoder.first.weight
        return code, contractive(code, first, weight, samples=samples if is_deep else None)
    return code, code.new_zeros(())
