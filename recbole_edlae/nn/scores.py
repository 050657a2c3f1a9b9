"""Put the scores of different models on one scale."""

import torch

ROUNDING = 8  # units in the last place that equal scores may differ by
# Of two; the squares of numbers up to there, and down to its inverse, are far from overflow and 0.
EXPONENT = 40


def standardize_(
    scores: torch.Tensor, left_out: tuple[torch.Tensor, torch.Tensor] | None = None
) -> torch.Tensor:
    """Subtract each row's mean and divide by its standard deviation, in place.

    Args:
        scores: shape (batch, width); overwritten.
        left_out: rows and columns, each of shape (entries,), of scores that do not count for the mean and the
            deviation of their row, but are shifted and scaled like the others. No entry is named twice.

    Returns:
        The same tensor. A row whose counted scores are all equal, but for rounding, is only shifted.

    Notes:
        z_j = (s_j − mean s) / σ, with σ² the mean of (s_j − mean s)². It keeps the order of a row.

        Equivalent to: ``scipy.stats.zscore(scores, axis=1)`` where scores differ and all count.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import standardize_
        >>> standardize_(torch.tensor([[1.0, 3.0], [5.0, 5.0]])).tolist()
        [[-1.0, 1.0], [0.0, 0.0]]
    """
    row = torch.zeros(0, dtype=torch.int64, device=scores.device)
    column = row
    if left_out is not None:
        row, column = left_out

    # How many scores of each row count; a row without any is only shifted.
    counted = scores.shape[1] - torch.bincount(row, minlength=len(scores))[:, None]
    counted = counted.clamp_min(1).to(scores.dtype)

    # Scores that do not count are 0 while sums are taken.
    excluded = scores[row, column]
    scores[row, column] = 0

    # Squares of very large or small scores would overflow or become 0.
    factor = _power_of_two(scores)
    if (factor != 1).any():
        scores.mul_(factor)
        excluded.mul_(factor[row, 0])

    mean = scores.sum(dim=1, keepdim=True) / counted
    scores.sub_(mean)
    scores[row, column] = 0
    deviation = torch.linalg.vector_norm(scores, dim=1, keepdim=True) / counted.sqrt()
    scores[row, column] = excluded - mean[row, 0]

    # A deviation within rounding would turn noise into scores: such a row is shifted, and gets its scale back.
    rounding = ROUNDING * torch.finfo(scores.dtype).eps * mean.abs()
    divisor = torch.where(deviation > rounding, deviation, factor)
    return scores.div_(divisor)


def _power_of_two(scores: torch.Tensor) -> torch.Tensor:
    """Return the powers of two by which rows are multiplied so that they can be squared, shape (batch, 1).

    A power of two changes no digit, and standardized scores do not depend on it. Most rows have 1.
    """
    if scores.shape[1] == 0:
        return scores.new_ones(len(scores), 1)
    low, high = scores.aminmax(dim=1, keepdim=True)
    exponent = torch.frexp(torch.maximum(low.abs(), high.abs())).exponent
    exponent = torch.where(exponent.abs() > EXPONENT, -exponent, 0)

    # Beyond these exponents the power itself would be 0 or infinite.
    exponent.clamp_(-126, 126)
    return torch.ldexp(torch.ones_like(high), exponent)
