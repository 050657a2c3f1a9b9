"""Reconstruction losses: dense scores ŷ against sparse rows x, one number a row.

Every function takes scores (batch, width), the Rows to reconstruct, the weight of each stored entry, a number or
(total,), and the weight of all entries outside, a number; x = 0 there. No dense target is ever built.
"""

import torch
import torch.nn.functional as F

from recbole_edlae._choices import choose


def squared(scores, rows, weight, rest):
    """Σ_j w_j (x_j − ŷ_j)²."""
    at = scores[rows.number, rows.columns]
    stored = rows.sum(weight * (rows.values - at) ** 2 - rest * at**2)
    return stored if rest == 0 else rest * (scores**2).sum(1) + stored


def cross_entropy(scores, rows, weight, rest):
    """−Σ_j w_j [x_j log σ(ŷ_j) + (1 − x_j) log(1 − σ(ŷ_j))] = Σ_j w_j [softplus(ŷ_j) − x_j ŷ_j]."""
    at = scores[rows.number, rows.columns]
    return rest * F.softplus(scores).sum(1) + rows.sum((weight - rest) * F.softplus(at) - weight * rows.values * at)


def multinomial(scores, rows, weight, rest):
    """−Σ_j w_j x_j log softmax(ŷ)_j (Liang et al. 2018). All entries count in the softmax."""
    at = scores[rows.number, rows.columns]
    return rows.sum(weight * rows.values * (torch.logsumexp(scores, 1)[rows.number] - at))


LOSSES = {"squared": squared, "multinomial": multinomial, "cross_entropy": cross_entropy}


def loss(name):
    """A reconstruction loss by its name.

    Raises:
        ValueError: there is none of that name; the message lists those there are.
    """
    return choose("loss_type", name, LOSSES)
