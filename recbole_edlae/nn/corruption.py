"""Corruption of the input: the noise of denoising autoencoders, and the weights of emphasised ones."""

import torch


def dropout(rows, probability, generator=None):
    """Entries set to zero with probability p in [0, 1), the rest divided by 1 − p; and a mask of those dropped.

    The division makes the corrupted row right on average, so that weights learnt on it serve the whole row.

    Returns:
        Rows, and a boolean mask of shape (total,).
    """
    dropped = torch.rand(rows.values.shape, generator=generator, device=rows.values.device) < probability
    return rows.replace(values=rows.values * ~dropped / (1 - probability)), dropped


def gaussian(rows, deviation, width, generator=None):
    """Normal noise of a standard deviation on all ``width`` entries of a row, those outside the history too.

    The noise is dense, (batch, width), and there is none for deviation 0.
    """
    if deviation == 0:
        return rows
    shape, like = (len(rows.count), width), rows.values
    noise = torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)
    return rows.replace(noise=deviation * noise)


def entry_weights(dropped, probability, emphasis):
    """Weights of the errors under emphasis (a, b) (Vincent et al. 2010): a where dropout took an entry, b elsewhere.

    An entry outside the history is zero whether a mask drops it or not, so that nothing is learnt from drawing the
    mask: it gets the mean weight ap + bq, and the sampled loss has the expectation of Steck 2020, Eq. 6.

    Args:
        dropped: boolean mask of the history's entries, (total,).
        probability: p, with which they were dropped; q = 1 − p.
        emphasis: (a, b), a ≥ b ≥ 0.

    Returns:
        weight of each history entry, (total,), and that of every other entry, a number.

    Raises:
        ValueError: p = 0 and b = 0, where every error would weigh nothing.
    """
    a, b = emphasis
    if probability == 0 and b == 0:
        raise ValueError("emphasis [a, 0] is on dropped entries alone, and dropout_prob 0 drops none")
    weight = torch.full(dropped.shape, float(b), device=dropped.device)
    return weight.masked_fill_(dropped, a), a * probability + b * (1 - probability)
