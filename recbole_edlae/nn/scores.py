"""Scores of different models on one scale."""

import torch

ROUNDING = 8  # units in the last place that equal scores may differ by


def standardize_(scores: torch.Tensor) -> torch.Tensor:
    """Subtract each row's mean and divide by its standard deviation, in place.

    Args:
        scores: shape (batch, width); overwritten.

    Returns:
        The same tensor. A row whose scores are all equal, but for rounding, becomes 0.

    Notes:
        z_j = (s_j − mean s) / σ, with σ² the mean of (s_j − mean s)². It keeps the order of a row.

        Equivalent to: ``scipy.stats.zscore(scores, axis=1)`` where scores differ.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import standardize_
        >>> standardize_(torch.tensor([[1.0, 3.0], [5.0, 5.0]])).tolist()
        [[-1.0, 1.0], [0.0, 0.0]]
    """
    mean = scores.mean(dim=1, keepdim=True)
    norm = torch.linalg.vector_norm(scores.sub_(mean), dim=1, keepdim=True)
    deviation = norm / scores.shape[1] ** 0.5
    rounding = ROUNDING * torch.finfo(scores.dtype).eps * mean.abs()
    return scores.div_(torch.where(deviation > rounding, deviation, torch.ones_like(deviation)))
