"""Collect what RecBole's metrics need, in less memory, and for lists that are longer than the catalog.

With ``topk: [5, 50]`` and 20 items RecBole fails after the training. Here a list of length 50 holds 20 items and 30
empty places. Metrics keep their names. A metric that counts hits finds none in the empty places. A metric of the
recommended items (coverage, popularity, entropy, Gini, long tail) has at 50 its value at 20.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.evaluator.collector import Collector, DataStruct
from recbole.utils import EvaluatorType

from recbole_edlae._warnings import warn
from recbole_edlae.evaluation.ties import Best, best_items
from recbole_edlae.settings import corrections


@dataclasses.dataclass(frozen=True)
class TopItems:
    """Stand in for the scores of a batch where metrics need only each user's best items.

    Attributes:
        items: of shape (users, K), the best one first.
        is_masked: whether a place holds a masked item because no other was left, of the same shape.
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


def eval_batch_collect(
    stock: Callable, collector: Collector, scores_tensor: torch.Tensor, *batch: Any, **options: Any
) -> None:
    """Collect one batch as RecBole does, with lists of at most as many places as there are scores."""
    longest = scores_tensor.shape[-1]
    topk = collector.topk
    ranks = collector.register.need("rec.topk") or collector.register.need("rec.items")

    # torch.topk fails where k exceeds the number of scores.
    if ranks and max(topk) > longest:
        collector.topk = [longest]

    # Metrics read the collector's setting later on, so it is restored.
    try:
        stock(collector, scores_tensor, *batch, **options)
    finally:
        collector.topk = topk


def get_data_struct(stock: Callable, collector: Collector) -> DataStruct:
    """Return what RecBole collected, with lists of hits padded to the longest ``topk`` by places without a hit."""
    collected = stock(collector)
    if "rec.topk" not in collected:
        return collected

    # The last column holds the numbers of positives; empty places go before it.
    matrix = collected.get("rec.topk")
    hits = matrix[:, :-1]
    positives = matrix[:, -1:]
    missing = max(max(collector.topk) - hits.shape[1], 0)
    empty = hits.new_zeros(len(hits), missing)
    collected.set("rec.topk", torch.cat((hits, empty, positives), dim=1))
    return collected


def topk_result(stock: Callable, metric: Any, name: str, values: np.ndarray) -> dict[str, float]:
    """Return RecBole's result, where k beyond the catalog has the value of the longest list that is possible."""
    beyond = max(max(metric.topk) - values.shape[1], 0)
    padded = np.pad(values, ((0, 0), (0, beyond)), mode="edge")
    return stock(metric, name, padded)


def create_samplers(stock: Callable, config: Any, dataset: Dataset, built_datasets: list[Dataset]) -> tuple:
    """Create RecBole's samplers, and warn once, before the training, of lists that are longer than the catalog.

    Warns:
        DataWarning: ``topk`` exceeds the number of items.
    """
    items = dataset.item_num - 1
    if config["eval_type"] == EvaluatorType.RANKING and max(config["topk"]) > items:
        longer = ", ".join(str(k) for k in config["topk"] if k > items)
        warn(f"topk {longer} exceeds the {items:,} items of {config['dataset']}; the places beyond stay empty")
    return stock(config, dataset, built_datasets)
