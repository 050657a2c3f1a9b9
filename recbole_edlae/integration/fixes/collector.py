"""Collect what RecBole's metrics need in less memory, with a rule for equal scores."""

import dataclasses
from collections.abc import Callable

import torch
from recbole.config import Config
from recbole.data.interaction import Interaction
from recbole.evaluator.collector import Collector

from recbole_edlae.integration.fixes.ties import Best, best_items
from recbole_edlae.settings import corrections


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
                self.data_struct.update_tensor("rec.topk", _hits_and_positives(top.items, positive_u, positive_i))

        # All else is RecBole's to collect, from the scores of all items.
        if not isinstance(scores_tensor, TopItems):
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

    def _recommended(self, top: TopItems) -> torch.Tensor:
        """Return the recommended items, with 0 in empty places unless the correction for them is switched off."""
        if not corrections.is_on(self.config, "beyond_accuracy"):
            return top.items
        return top.items.masked_fill(top.is_masked, 0)


def _hits_and_positives(topk: torch.Tensor, positive_u: torch.Tensor, positive_i: torch.Tensor) -> torch.Tensor:
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
