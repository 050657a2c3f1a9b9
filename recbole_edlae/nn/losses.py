"""Compute reconstruction losses: dense scores ŷ against sparse rows x, one number a row.

Every function takes scores (batch, width), the Rows to reconstruct, the weight of each stored entry, a number or
(total,), and the weight of all unobserved entries, a number; x = 0 there. No dense target is ever built.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from recbole_edlae._choices import choose
from recbole_edlae.nn.rows import Rows

Loss = Callable[[torch.Tensor, Rows, "torch.Tensor | float", float], torch.Tensor]


def squared(
    scores: torch.Tensor, rows: Rows, weight: torch.Tensor | float, unobserved_weight: float
) -> torch.Tensor:
    """Return the squared error Σ_j w_j (x_j − ŷ_j)² of each row.

    Args:
        scores: ŷ, (batch, width).
        rows: x.
        weight: w of the stored entries, a number or (total,).
        unobserved_weight: w of all other entries.

    Returns:
        torch.Tensor of shape (batch,).

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import binary_rows, squared
        >>> rows = binary_rows(torch.tensor([0]), torch.tensor([1]))
        >>> squared(torch.tensor([[0.5, 2.0]]), rows, 1.0, 0.5).tolist()  # 0.5² + 0.5 · 2²
        [2.25]
    """
    stored_scores = scores[rows.row_of_entry, rows.columns]

    # The errors of the stored entries, without what the sum over all entries below counts for them.
    errors = weight * (rows.values - stored_scores) ** 2
    stored = rows.sum(errors - unobserved_weight * stored_scores**2)

    # Where unobserved entries weigh nothing, the pass over all scores is saved.
    if unobserved_weight == 0:
        return stored
    return unobserved_weight * (scores**2).sum(1) + stored


def cross_entropy(
    scores: torch.Tensor, rows: Rows, weight: torch.Tensor | float, unobserved_weight: float
) -> torch.Tensor:
    """Return the binary cross-entropy of each row; the arguments are those of :func:`squared`, ŷ before the sigmoid.

    Notes:
        −Σ_j w_j [x_j log σ(ŷ_j) + (1 − x_j) log(1 − σ(ŷ_j))] = Σ_j w_j [softplus(ŷ_j) − x_j ŷ_j].

    Examples:
        >>> import math
        >>> import torch
        >>> from recbole_edlae.nn import binary_rows, cross_entropy
        >>> rows = binary_rows(torch.tensor([0]), torch.tensor([1]))
        >>> value = cross_entropy(torch.zeros(1, 2), rows, 1.0, 1.0).item()
        >>> math.isclose(value, 2 * math.log(2), rel_tol=1e-5)
        True
    """
    stored_scores = scores[rows.row_of_entry, rows.columns]

    # w [softplus(ŷ) − x ŷ] of the stored entries, without what the sum over all entries counts for them.
    stored = (weight - unobserved_weight) * F.softplus(stored_scores) - weight * rows.values * stored_scores
    return unobserved_weight * F.softplus(scores).sum(1) + rows.sum(stored)


def multinomial(
    scores: torch.Tensor, rows: Rows, weight: torch.Tensor | float, unobserved_weight: float
) -> torch.Tensor:
    """Return the multinomial loss −Σ_j w_j x_j log softmax(ŷ)_j of each row (Liang et al. 2018).

    The arguments are those of :func:`squared`, ŷ before the softmax, in which all entries count. The weight of
    unobserved entries is not used, as x = 0 there.

    Examples:
        >>> import math
        >>> import torch
        >>> from recbole_edlae.nn import binary_rows, multinomial
        >>> rows = binary_rows(torch.tensor([0]), torch.tensor([1]))
        >>> math.isclose(multinomial(torch.zeros(1, 4), rows, 1.0, 1.0).item(), math.log(4), rel_tol=1e-5)
        True
    """
    stored_scores = scores[rows.row_of_entry, rows.columns]

    # −log softmax(ŷ)_j = log Σ exp ŷ − ŷ_j, needed at the stored entries alone.
    log_sums = torch.logsumexp(scores, 1)[rows.row_of_entry]
    return rows.sum(weight * rows.values * (log_sums - stored_scores))


LOSSES: dict[str, Loss] = {
    "squared": squared,
    "multinomial": multinomial,
    "cross_entropy": cross_entropy,
}


def loss(name: str) -> Loss:
    """Return a reconstruction loss by its name.

    Args:
        name: one of LOSSES.

    Raises:
        ValueError: the name is unknown; the message lists all names, the nearest first.

    Examples:
        >>> from recbole_edlae.nn import loss, squared
        >>> loss("squared") is squared
        True
    """
    return choose("loss_type", name, LOSSES)
