"""Scores of different models on one scale."""

import torch


def standardize_(scores: torch.Tensor) -> torch.Tensor:
    """Subtract each row's mean and divide by its standard deviation, in place.

    Args:
        scores: shape (batch, width); overwritten.

    Returns:
        The same tensor. A row whose scores are all equal becomes 0.

    Notes:
        z_j = (s_j − mean s) / σ, with σ² the mean of (s_j − mean s)². It keeps the order of a row.

        Equivalent to: ``scipy.stats.zscore(scores, axis=1)`` where σ > 0.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import standardize_
        >>> standardize_(torch.tensor([[1.0, 3.0], [5.0, 5.0]])).tolist()
        [[-1.0, 1.0], [0.0, 0.0]]
    """
    deviation, mean = torch.std_mean(scores, dim=1, correction=0, keepdim=True)
    scale = torch.where(deviation > 0, deviation, torch.ones_like(deviation))
    return scores.sub_(mean).div_(scale)
