"""Scores of different models on one scale."""

import torch

ROUNDING = 8  # units in the last place that equal scores may differ by


def standardize_(scores: torch.Tensor, left_out: tuple[torch.Tensor, torch.Tensor] | None = None) -> torch.Tensor:
    """Subtract each row's mean and divide by its standard deviation, in place.

    Args:
        scores: shape (batch, width); overwritten.
        left_out: rows and columns, each of shape (entries,), of scores that do not count for the mean and the
            deviation of their row, but are shifted and scaled like the others. No entry stands there twice.

    Returns:
        The same tensor. A row whose scores that count are all equal, but for rounding, is only shifted.

    Notes:
        z_j = (s_j − mean s) / σ, with σ² the mean of (s_j − mean s)². It keeps the order of a row.

        Equivalent to: ``scipy.stats.zscore(scores, axis=1)`` where scores differ and all count.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import standardize_
        >>> standardize_(torch.tensor([[1.0, 3.0], [5.0, 5.0]])).tolist()
        [[-1.0, 1.0], [0.0, 0.0]]
    """
    row, column = (torch.zeros(0, dtype=torch.int64, device=scores.device),) * 2 if left_out is None else left_out
    number = scores.shape[1] - torch.bincount(row, minlength=len(scores))[:, None]
    number = number.clamp_min(1).to(scores.dtype)

    # Scores that do not count are 0 while sums are taken.
    apart = scores[row, column]
    scores[row, column] = 0
    mean = scores.sum(dim=1, keepdim=True) / number
    scores.sub_(mean)
    scores[row, column] = 0
    deviation = torch.linalg.vector_norm(scores, dim=1, keepdim=True) / number.sqrt()
    scores[row, column] = apart - mean[row, 0]

    rounding = ROUNDING * torch.finfo(scores.dtype).eps * mean.abs()
    return scores.div_(torch.where(deviation > rounding, deviation, torch.ones_like(deviation)))
