"""Rank items, those of equal score by a rule: the more popular in training first, then the smaller token as text.

RecBole leaves equal scores in the order in which ``torch.topk`` returns them. This order follows from the ids, and ids
follow from the lines of the file. A linear model scores every item 0 for a user without training data, and such a user
then gets the first items of the file. Where a file is sorted by time, these can be the very items that are tested.

With ``topk: [5, 50]`` and 20 items RecBole fails after the training. Here a list of length 50 has 20 items and 30 empty
places, in which metrics count no hit (:mod:`recbole_edlae.integration.fixes.metrics`).
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.config import Config
from recbole.data.interaction import Interaction
from recbole.evaluator.collector import Collector, DataStruct

from recbole_edlae.data.training_data import item_counts, token_rank
from recbole_edlae.integration.fast import loaders
from recbole_edlae.settings import corrections

_CHUNK = 2**24  # number of scores that are sorted at a time


def preference(dataset: Any) -> torch.Tensor:
    """Return the ids of all items, the preferred one first; padding comes last.

    Args:
        dataset: a part of a split, or all data; before a split tokens alone decide.

    Returns:
        Permutation of the ids, of shape (items,).
    """
    # lexsort's last key is its first criterion.
    counts = item_counts(dataset)
    order = np.lexsort((token_rank(dataset, dataset.iid_field), -counts))

    # Padding has id 0.
    items = order[order != 0]
    return torch.from_numpy(np.concatenate((items, [0])))


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
    # The item after the k best shows whether the last of them has an equal.
    values, items = scores.topk(min(k + 1, scores.shape[1]), dim=-1)
    return settled(scores, values, items, k, order)


def settled(
    scores: torch.Tensor, values: torch.Tensor, items: torch.Tensor, k: int, order: torch.Tensor | None
) -> Best:
    """Return the k best items of each user from a longer list in which equal scores have any order.

    Args:
        scores: of shape (users, items).
        values: the best k + 1 or more of each user's scores, or all, descending.
        items: ids of their items, of the same shape.
        k: at most the number of items.
        order: as in :func:`best_items`.
    """
    # Where every score is larger than the next one, there is nothing to decide.
    compared = values[:, : k + 1]
    is_clear = (compared[:, :-1] > compared[:, 1:]).all(1)
    values = values[:, :k]
    items = items[:, :k]
    if is_clear.all():
        return Best(items, values, False)

    # torch.topk orders equal scores and NaN differently for another k, so ask it for the order at this one.
    unclear = (~is_clear).nonzero()[:, 0]
    items = items.index_put((unclear,), scores[unclear].topk(k, dim=-1).indices)

    # NaN comes first in topk, and has no order that the rule could refine.
    tied = unclear[~values[unclear, 0].isnan()]
    if order is None or not len(tied):
        return Best(items, values, False)

    # The copies of the scores below bound the number of users at once.
    order = order.to(scores.device)
    preferred = []
    for users in tied.split(max(1, _CHUNK // scores.shape[1])):
        by_preference = scores[users][:, order]
        preferred.append(_by_preference(by_preference, k, values[users, -1:], order))
    preferred_items = torch.cat(preferred)

    # Masked items are no recommendation, so their order does not count as a change.
    is_moved = (preferred_items != items[tied]) & (values[tied] > -torch.inf)
    return Best(items.index_put((tied,), preferred_items), values, bool(is_moved.any()))


def _by_preference(scores: torch.Tensor, k: int, least: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Return the k best items where equal scores keep their order.

    Args:
        scores: with the items by preference, of shape (users, items).
        k: number of items.
        least: the k-th best score of each user, of shape (users, 1).
        order: ids of the items by preference.
    """
    # All better items, and then as many of those equal to the k-th as fill the list.
    is_better = scores > least
    is_equal = scores == least
    room = k - is_better.sum(1, keepdim=True)
    chosen = is_better | (is_equal & (is_equal.cumsum(1, dtype=torch.int32) <= room))
    position = chosen.nonzero()[:, 1].view(-1, k)

    # The chosen items are in order of preference, which a stable sort by the scores keeps among equal ones.
    best_first = scores.gather(1, position).sort(dim=1, descending=True, stable=True).indices
    return order[position.gather(1, best_first)]


@dataclasses.dataclass(frozen=True)
class TopItems:
    """Stand in for the scores of a batch where metrics need only each user's best items.

    Attributes:
        items: of shape (users, K), the best one first.
        is_masked: whether an item is masked, and in the list because no other was left, of the same shape.
    """

    items: torch.Tensor
    is_masked: torch.Tensor


class LeanCollector(Collector):
    """Collect the same numbers without RecBole's users × items matrix of integers and its sum.

    Attributes:
        order: ids of all items by preference, which decides between equal scores; None leaves that to torch.topk.

    Notes:
        Cost: O(positives + users · k) in time and memory beside the scores, instead of 8 bytes · users · items.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.order: torch.Tensor | None = None
        self.ranking = self.register.need("rec.topk")
        self.recommended = self.register.need("rec.items")

        # RecBole's collector no longer needs these two, and collects everything else.
        for name in ("rec.topk", "rec.items"):
            setattr(self.register, name, False)

    @property
    def needs_scores(self) -> bool:
        """Whether a metric needs more of a batch than each user's best items."""
        return any(map(self.register.need, ("rec.meanrank", "rec.score", "data.label")))

    def eval_batch_collect(
        self,
        scores_tensor: torch.Tensor | TopItems,
        interaction: Interaction,
        positive_u: torch.Tensor,
        positive_i: torch.Tensor,
    ) -> None:
        """Collect one batch as RecBole does.

        Args:
            scores_tensor: scores of shape (users, items); the best items alone where nothing else is needed.
            interaction: the users of the batch.
            positive_u: row of each positive in the scores.
            positive_i: item of each positive.
        """
        # What follows from each user's best items alone.
        if self.ranking or self.recommended:
            top = scores_tensor
            if not isinstance(top, TopItems):
                top = self.top_items(top)
            if self.recommended:
                self.data_struct.update_tensor("rec.items", self._recommended(top))
            if self.ranking:
                self.data_struct.update_tensor(
                    "rec.topk", _hits_and_positives(top.items, positive_u, positive_i)
                )

        # All else is RecBole's to collect, from the scores of all items.
        if not isinstance(scores_tensor, TopItems):
            # RecBole's Random has a number in place of the scores of a single row.
            scores_tensor = torch.atleast_1d(scores_tensor)
            super().eval_batch_collect(scores_tensor, interaction, positive_u, positive_i)

    def top_items(self, scores: torch.Tensor) -> TopItems:
        """Return each user's best items, up to the length of the longest list.

        Args:
            scores: of shape (users, items), -inf for masked items.
        """
        length = min(max(self.topk), scores.shape[-1])
        return self.noted(best_items(scores, length, self.order))

    def noted(self, best: Best) -> TopItems:
        """Return each user's best items, and log once that the rule for equal scores changed them."""
        if best.is_reordered:
            corrections.note(self.config, "ties")
        return TopItems(best.items, best.scores == -torch.inf)

    def get_data_struct(self) -> DataStruct:
        """Return what RecBole collected, with lists of hits padded to the longest ``topk`` by places without a hit."""
        # RecBole moves all to the CPU, also counts, which are no tensors.
        collected = self.data_struct._data_dict
        names = [name for name, value in collected.items() if not isinstance(value, torch.Tensor)]
        counts = {name: collected.pop(name) for name in names}
        returned = super().get_data_struct()
        collected.update(counts)
        returned._data_dict.update(counts)
        if "rec.topk" not in returned:
            return returned

        # The last column holds the numbers of positives; empty places go before it.
        matrix = returned.get("rec.topk")
        hits = matrix[:, :-1]
        empty = hits.new_zeros(len(hits), max(max(self.topk) - hits.shape[1], 0))
        returned.set("rec.topk", torch.cat((hits, empty, matrix[:, -1:]), dim=1))
        return returned

    def _recommended(self, top: TopItems) -> torch.Tensor:
        """Return the recommended items, with 0 in empty places unless the correction for them is switched off."""
        if not corrections.is_on(self.config, "beyond_accuracy"):
            return top.items
        return top.items.masked_fill(top.is_masked, 0)


def _hits_and_positives(
    topk: torch.Tensor, positive_u: torch.Tensor, positive_i: torch.Tensor
) -> torch.Tensor:
    """Return whether each recommended item is a positive of its user, and in the last column each user's positives."""
    row = torch.arange(len(topk), device=topk.device)[:, None]
    user = positive_u.to(topk.device)
    item = positive_i.to(topk.device)

    # One integer for a pair of user and item, so that a repeated positive counts once, as in RecBole's matrix.
    items = int(max(topk.max(), item.max())) + 1
    pairs = (user * items + item).unique()

    hits = torch.isin(row * items + topk, pairs, assume_unique=True)
    positives = torch.bincount(pairs // items, minlength=len(topk))[:, None]
    return torch.cat((hits.to(positives.dtype), positives), dim=1)


def collector(stock: Callable, config: Config) -> LeanCollector:
    """Return the collector of a trainer, in the place of RecBole's."""
    return LeanCollector(config)


def evaluate(stock: Callable, trainer: Any, eval_data: Any, *arguments: Any, **options: Any) -> Any:
    """Evaluate as RecBole does, in large batches, and tell the collector the order of equal scores."""
    if eval_data and corrections.is_on(trainer.config, "ties"):
        trainer.eval_collector.order = preference(eval_data._dataset)
    return loaders.evaluate(stock, trainer, eval_data, *arguments, **options)


def remember_config(stock: Callable, metric: Any, config: Any) -> None:
    """Construct a metric as RecBole does, and remember its Config, which says what is corrected."""
    stock(metric, config)
    metric.config = config
