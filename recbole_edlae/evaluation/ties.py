"""Order equally good items by a rule: first the more popular in training, then the smaller token as text.

RecBole leaves equal scores in the order in which ``torch.topk`` finds them, which follows from the ids, and these from
the lines of the file. A user without training data, for whom a linear model scores every item 0, then gets the first
items of the file. In a file sorted by time these are the items that are tested.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from recbole_edlae.data.time_order import token_rank
from recbole_edlae.data.training_counts import item_counts

_CHUNK = 2**24  # scores that are put into order at a time


def preference(dataset: Any) -> torch.Tensor:
    """Return the ids of all items, the preferred one first; padding comes last.

    Args:
        dataset: a part of a split, or the whole; where nothing was split yet, tokens alone decide.

    Returns:
        Permutation of the ids, of shape (items,).
    """
    field = dataset.iid_field
    counts = item_counts(dataset)
    order = np.lexsort((token_rank(dataset, field), -counts))
    return torch.from_numpy(np.concatenate((order[order != 0], [0])))


class Best(NamedTuple):
    """The best items of some users.

    Attributes:
        items: their ids, the best one first, of shape (users, k).
        scores: of these items, of the same shape.
        is_reordered: whether the rule changed what ``torch.topk`` returns.
    """

    items: torch.Tensor
    scores: torch.Tensor
    is_reordered: bool


def best_items(scores: torch.Tensor, k: int, order: torch.Tensor | None) -> Best:
    """Return the k best items of each user.

    Args:
        scores: of shape (users, items).
        k: at most the number of items.
        order: ids of all items by preference, which decides between equal scores; None leaves that to ``torch.topk``.

    Notes:
        Cost: that of ``torch.topk``, and for users with equal scores among their best k + 1 a few passes over all
        items.
    """
    values, items = scores.topk(min(k + 1, scores.shape[1]), dim=-1)
    return settled(scores, values, items, k, order)


def settled(
    scores: torch.Tensor, values: torch.Tensor, items: torch.Tensor, k: int, order: torch.Tensor | None
) -> Best:
    """Return the k best items of each user, where more than k are known but not yet in order among equals.

    Args:
        scores: of shape (users, items).
        values: the best k + 1 or more of each user's scores, or all, descending.
        items: where they stand, of the same shape.
        k: at most the number of items.
        order: as in :func:`best_items`.
    """
    of_interest = values[:, : k + 1]
    is_clear = (of_interest[:, :-1] > of_interest[:, 1:]).all(1)
    values = values[:, :k]
    items = items[:, :k]
    if is_clear.all():
        return Best(items, values, False)

    # torch.topk orders equal scores, and those that are no numbers, in another way for another length.
    unclear = (~is_clear).nonzero()[:, 0]
    items = items.index_put((unclear,), scores[unclear].topk(k, dim=-1).indices)
    tied = unclear[~values[unclear, 0].isnan()]
    if order is None or not len(tied):
        return Best(items, values, False)

    order = order.to(scores.device)
    users_at_once = max(1, _CHUNK // scores.shape[1])
    preferred = torch.cat(
        [_by_preference(scores[users][:, order], k, values[users, -1:], order) for users in tied.split(users_at_once)]
    )
    is_moved = (preferred != items[tied]) & (values[tied] > -torch.inf)  # masked items are no recommendation
    return Best(items.index_put((tied,), preferred), values, bool(is_moved.any()))


def _by_preference(scores: torch.Tensor, k: int, least: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Return the k best items where equal scores keep their order.

    Args:
        scores: with the items by preference, of shape (users, items).
        k: number of items.
        least: the k-th best score of each user, of shape (users, 1).
        order: ids of the items by preference.
    """
    # All better items, and as many of those that are just as good as the k-th as there is room for.
    is_better = scores > least
    is_equal = scores == least
    room = k - is_better.sum(1, keepdim=True)
    chosen = is_better | (is_equal & (is_equal.cumsum(1, dtype=torch.int32) <= room))
    position = chosen.nonzero()[:, 1].view(-1, k)

    # They stand by preference; a stable sort by the scores keeps that order among equal ones.
    best_first = scores.gather(1, position).sort(dim=1, descending=True, stable=True).indices
    return order[position.gather(1, best_first)]


def evaluate(stock: Callable, trainer: Any, eval_data: Any, *arguments: Any, **options: Any) -> Any:
    """Evaluate as RecBole does, with the order of equal scores known to the collector."""
    if eval_data:
        trainer.eval_collector.order = preference(eval_data._dataset)
    return stock(trainer, eval_data, *arguments, **options)
