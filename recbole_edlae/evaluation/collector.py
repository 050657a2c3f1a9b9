"""RecBole's collector, lean, and for lists that are longer than the catalog.

With ``topk: [5, 50]`` and 20 items RecBole fails after the training. Here a list has as many places as there are
items; the places beyond are empty. Metrics keep their names: what counts hits finds none beyond, and what looks at the
recommended items (coverage, popularity, entropy, Gini, long tail) has at 50 the value of the list that there is.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset
from recbole.evaluator.collector import Collector, DataStruct
from recbole.utils import EvaluatorType

from recbole_edlae._warnings import warn


class LeanCollector(Collector):
    """Collects the same numbers without RecBole's users × items matrix of integers and its sum.

    Cost: O(positives + users · k) in time and memory beside the scores, instead of 8 bytes · users · items.
    """

    def __init__(self, config):
        super().__init__(config)
        self.ranking = self.register.need("rec.topk")
        setattr(self.register, "rec.topk", False)  # the rest is RecBole's

    def eval_batch_collect(self, scores_tensor, interaction, positive_u, positive_i):
        """As RecBole's."""
        if self.ranking:
            users, items = scores_tensor.shape
            _, topk = torch.topk(scores_tensor, min(max(self.topk), items), dim=-1)
            row = torch.arange(users, device=topk.device)[:, None]
            pairs = (positive_u.to(topk.device) * items + positive_i.to(topk.device)).unique()
            hits = torch.isin(row * items + topk, pairs, assume_unique=True)
            positives = torch.bincount(pairs // items, minlength=users)[:, None]
            self.data_struct.update_tensor("rec.topk", torch.cat((hits.to(positives.dtype), positives), dim=1))
        super().eval_batch_collect(scores_tensor, interaction, positive_u, positive_i)


def eval_batch_collect(
    stock: Callable, collector: Collector, scores_tensor: torch.Tensor, *batch: Any, **options: Any
) -> None:
    """As RecBole's; a list has as many places as there are scores."""
    longest, topk = scores_tensor.shape[-1], collector.topk
    ranks = collector.register.need("rec.topk") or collector.register.need("rec.items")
    if ranks and max(topk) > longest:
        collector.topk = [longest]
    try:
        stock(collector, scores_tensor, *batch, **options)
    finally:
        collector.topk = topk


def get_data_struct(stock: Callable, collector: Collector) -> DataStruct:
    """As RecBole's; lists of hits are as long as ``topk`` says, without hits beyond the catalog."""
    collected = stock(collector)
    if "rec.topk" in collected:
        hits, positives = collected.get("rec.topk").split([collected.get("rec.topk").shape[1] - 1, 1], dim=1)
        empty = hits.new_zeros(len(hits), max(max(collector.topk) - hits.shape[1], 0))
        collected.set("rec.topk", torch.cat((hits, empty, positives), dim=1))
    return collected


def topk_result(stock: Callable, metric: Any, name: str, values: np.ndarray) -> dict[str, float]:
    """As RecBole's; beyond the catalog the mean is that of the whole list."""
    beyond = max(max(metric.topk) - values.shape[1], 0)
    return stock(metric, name, np.pad(values, ((0, 0), (0, beyond)), mode="edge"))


def create_samplers(stock: Callable, config: Any, dataset: Dataset, built_datasets: list[Dataset]) -> tuple:
    """As RecBole's; said once before the training: lists are longer than the catalog.

    Warns:
        DataWarning: they are.
    """
    items = dataset.item_num - 1
    if config["eval_type"] == EvaluatorType.RANKING and max(config["topk"]) > items:
        longer = ", ".join(str(k) for k in config["topk"] if k > items)
        warn(f"topk {longer} exceeds the {items:,} items of {config['dataset']}; the places beyond stay empty")
    return stock(config, dataset, built_datasets)
