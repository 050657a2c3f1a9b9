"""Corrupt the input: the noise of denoising autoencoders, and the weights of emphasized ones."""

import torch

from recbole_edlae.nn.rows import Rows


def dropout(
    rows: Rows, probability: float, generator: torch.Generator | None = None
) -> tuple[Rows, torch.Tensor]:
    """Set entries to zero with a probability, and divide the others by 1 − p.

    Args:
        rows: a batch of rows.
        probability: p in [0, 1).
        generator: torch.Generator on the rows' device; None uses torch's own.

    Returns:
        Rows, and a boolean mask of the dropped entries, shape (total,).

    Notes:
        The division keeps the expected row, so that weights learned on corrupted rows serve complete ones.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import binary_rows, dropout
        >>> corrupted, dropped = dropout(binary_rows(torch.arange(100), torch.tensor([100])), 0.5)
        >>> set(corrupted.values.tolist()) == {0.0, 2.0} and torch.equal(dropped, corrupted.values == 0)
        True
    """
    values = rows.values
    drawn = torch.rand(values.shape, generator=generator, device=values.device)

    # Only stored entries are drawn for: a zero stays zero.
    dropped = drawn < probability
    return rows.replace(values=values * ~dropped / (1 - probability)), dropped


def gaussian(rows: Rows, deviation: float, width: int, generator: torch.Generator | None = None) -> Rows:
    """Add normal noise to all entries of the rows, unobserved ones too.

    Args:
        rows: a batch of rows.
        deviation: the standard deviation; with 0 the rows stay without noise.
        width: number of columns.
        generator: torch.Generator on the rows' device; None uses torch's own.

    Returns:
        Rows with dense noise, (batch, width).

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import binary_rows, gaussian
        >>> gaussian(binary_rows(torch.tensor([0, 2]), torch.tensor([2])), 0.1, 3).noise.shape
        torch.Size([1, 3])
    """
    # Without noise the rows stay sparse.
    if deviation == 0:
        return rows

    shape = len(rows.lengths), width
    like = rows.values
    noise = torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)
    return rows.replace(noise=deviation * noise)


def entry_weights(
    dropped: torch.Tensor, probability: float, emphasis: tuple[float, float]
) -> tuple[torch.Tensor, float]:
    """Return the weights of the errors under emphasis (a, b): a where dropout took an entry, b elsewhere.

    Args:
        dropped: boolean mask of the stored entries, (total,).
        probability: p, with which they were dropped.
        emphasis: (a, b), a > 0 and b ≥ 0.

    Returns:
        The weight of each stored entry, (total,), and that of every unobserved entry, a number.

    Raises:
        ValueError: p = 0 and b = 0, where every error would weigh nothing.

    Notes:
        Notation: p dropout probability, q = 1 − p; emphasis as in Vincent et al. 2010.

        An unobserved entry is zero whether a mask drops it or not, so that nothing is learned from drawing the mask: it
        gets the mean weight ap + bq, and the sampled loss has the expectation of Steck 2020, Eq. 6.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import entry_weights
        >>> weight, unobserved_weight = entry_weights(torch.tensor([True, False]), 0.5, (1.0, 0.0))
        >>> weight.tolist(), unobserved_weight
        ([1.0, 0.0], 0.5)
    """
    a, b = emphasis
    if probability == 0 and b == 0:
        raise ValueError("emphasis [a, 0] is on dropped entries alone, and dropout_prob 0 drops none")

    # a where dropout took an entry, b where it was kept.
    weight = torch.full(dropped.shape, float(b), device=dropped.device)
    weight.masked_fill_(dropped, a)

    # ap + bq, the mean over the masks.
    unobserved_weight = a * probability + b * (1 - probability)
    return weight, unobserved_weight
