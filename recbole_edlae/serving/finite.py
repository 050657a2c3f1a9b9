"""Check that weights and scores are finite."""

from collections.abc import Mapping
from typing import Any

import torch


def largest(values: torch.Tensor) -> float:
    """Return the largest magnitude among some numbers, NaN where one of them is, without a copy of them."""
    if values.numel() == 0:
        return 0.0
    low, high = torch.aminmax(values.detach())
    if low.isnan():
        return float("nan")
    return max(-low.item(), high.item())


def is_finite(values: torch.Tensor) -> bool:
    """Return whether all of some numbers are finite, without a copy of them."""
    # No comparison with NaN is true.
    return largest(values) < float("inf")


def check_finite(tensors: Mapping[str, Any], source: str) -> None:
    """Check that the weights among named values are finite; an error names their source."""
    for name, value in tensors.items():
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            continue
        if not is_finite(value):
            raise ValueError(f"{source}: its weights {name} have values that are NaN or infinite")
