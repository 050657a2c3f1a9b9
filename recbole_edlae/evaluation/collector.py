"""Collect what RecBole's metrics need, in less memory, and for lists that are longer than the catalog.

With ``topk: [5, 50]`` and 20 items RecBole fails after the training. Here a list has as many places as there are
items; the places beyond are empty. Metrics keep their names: a metric that counts hits finds none beyond, and a metric
of the recommended items (coverage, popularity, entropy, Gini, long tail) has at 50 the value of the whole list.
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
    """Stand in for the scores of a batch, of which only each user's best items are wanted.

    Attributes:
        items: of shape (users, K), the best one first.
        is_masked: whether a place holds a masked item, because nothing else was left, of the same shape.
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
        for name in ("rec.topk", "rec.items"):
            setattr(self.register, name, False)  # RecBole collects everything else

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
        if self.ranking or self.recommended:
            top = scores_tensor if isinstance(scores_tensor, TopItems) else self.top_items(scores_tensor)
            if self.recommended:
                self.data_struct.update_tensor("rec.items", self._recommended(top))
            if self.ranking:
                self.data_struct.update_tensor("rec.topk", _hits_and_positives(top.items, positive_u, positive_i))
        if not isinstance(scores_tensor, TopItems):
            super().eval_batch_collect(scores_tensor, interaction, positive_u, positive_i)

    def top_items(self, scores: torch.Tensor) -> TopItems:
        """Return each user's best items, as many as the longest list has.

        Args:
            scores: of shape (users, items), -inf for masked items.
        """
        return self.noted(best_items(scores, min(max(self.topk), scores.shape[-1]), self.order))

    def noted(self, best: Best) -> TopItems:
        """Return each user's best items, and note where the rule for equal scores changed them."""
        if best.is_reordered:
            corrections.note(self.config, "ties")
        return TopItems(best.items, best.scores == -torch.inf)

    def _recommended(self, top: TopItems) -> torch.Tensor:
        """Return the recommended items; 0 in a place that holds none, where that is not counted as a recommendation."""
        if not corrections.is_on(self.config, "beyond_accuracy"):
            return top.items
        return top.items.masked_fill(top.is_masked, 0)


def _hits_and_positives(topk: torch.Tensor, positive_u: torch.Tensor, positive_i: torch.Tensor) -> torch.Tensor:
    """Return whether each recommended item is to be found, and in the last column how many items are."""
    row = torch.arange(len(topk), device=topk.device)[:, None]
    user, item = positive_u.to(topk.device), positive_i.to(topk.device)
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
    if ranks and max(topk) > longest:
        collector.topk = [longest]
    try:
        stock(collector, scores_tensor, *batch, **options)
    finally:
        collector.topk = topk


def get_data_struct(stock: Callable, collector: Collector) -> DataStruct:
    """Return what RecBole does, with lists of hits as long as ``topk`` says and no hits beyond the catalog."""
    collected = stock(collector)
    if "rec.topk" in collected:
        hits, positives = collected.get("rec.topk").split([collected.get("rec.topk").shape[1] - 1, 1], dim=1)
        empty = hits.new_zeros(len(hits), max(max(collector.topk) - hits.shape[1], 0))
        collected.set("rec.topk", torch.cat((hits, empty, positives), dim=1))
    return collected


def topk_result(stock: Callable, metric: Any, name: str, values: np.ndarray) -> dict[str, float]:
    """Return what RecBole does, with the mean of the whole list beyond the catalog."""
    beyond = max(max(metric.topk) - values.shape[1], 0)
    return stock(metric, name, np.pad(values, ((0, 0), (0, beyond)), mode="edge"))


def create_samplers(stock: Callable, config: Any, dataset: Dataset, built_datasets: list[Dataset]) -> tuple:
    """Create RecBole's samplers, and warn once before the training of lists that are longer than the catalog.

    Warns:
        DataWarning: ``topk`` exceeds the number of items.
    """
    items = dataset.item_num - 1
    if config["eval_type"] == EvaluatorType.RANKING and max(config["topk"]) > items:
        longer = ", ".join(str(k) for k in config["topk"] if k > items)
        warn(f"topk {longer} exceeds the {items:,} items of {config['dataset']}; the places beyond stay empty")
    return stock(config, dataset, built_datasets)
