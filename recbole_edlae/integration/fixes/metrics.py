"""Compute RecBole's metrics of lists that have empty places: places without a recommended item.

With ``topk: [5, 50]`` and 20 items RecBole fails after the training. Here a list of length 50 has 20 items and 30 empty
places. Metrics keep their names. A metric that counts hits counts none in empty places. A metric of the recommended
items (coverage, popularity, entropy, Gini, long tail) has at 50 its value at 20.

The latter metrics follow the definitions that RecBole's documentation cites, which count recommended items only.
RecBole counts the padding item as one of the catalog, counts masked items where a list is longer than the number of
items left to recommend, and divides the entropy by the number of recommended items. Here 0 (padding) marks an empty
place.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from recbole.evaluator.collector import Collector, DataStruct

from recbole_edlae.integration.compat import stack
from recbole_edlae.settings import corrections

NAME = "beyond_accuracy"


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
    collected = stack.get_data_struct(stock, collector)
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


def remember_config(stock: Callable, metric: Any, config: Any) -> None:
    """Construct a metric as RecBole does, and remember its Config."""
    stock(metric, config)
    metric.config = config


def get_coverage(stock: Callable, metric: Any, item_matrix: np.ndarray, num_items: int) -> float:
    """Return the share of the catalog that is recommended to at least one user (Ge et al. 2010).

    Args:
        stock: RecBole's method, which is not called.
        metric: RecBole's.
        item_matrix: recommended items, of shape (users, k).
        num_items: size of the catalog and 1 for padding.
    """
    corrections.note(metric.config, NAME)
    return len(_counts(item_matrix)) / (num_items - 1)


def get_gini(stock: Callable, metric: Any, item_matrix: np.ndarray, num_items: int) -> float:
    """Return the Gini index of how often each item of the catalog is recommended; 0 where nothing is.

    Args:
        stock: RecBole's method, which is not called.
        metric: RecBole's.
        item_matrix: recommended items, of shape (users, k).
        num_items: size of the catalog and 1 for padding.
    """
    corrections.note(metric.config, NAME)
    counts = np.sort(_counts(item_matrix))
    if not len(counts):
        return 0.0

    # Σ (2 rank − n − 1) count / (n Σ count), ranks ascending by count. Items that nobody gets come first in this order
    # and add nothing to the sum.
    catalog = num_items - 1
    rank = np.arange(catalog - len(counts) + 1, catalog + 1)
    weighted = (2 * rank - catalog - 1) * counts
    return float(weighted.sum() / (catalog * counts.sum()))


def get_entropy(stock: Callable, metric: Any, item_matrix: np.ndarray) -> float:
    """Return the Shannon entropy, in nats, of the distribution of recommendations over items.

    Args:
        stock: RecBole's method, which is not called.
        metric: RecBole's.
        item_matrix: recommended items, of shape (users, k).
    """
    corrections.note(metric.config, NAME)
    counts = _counts(item_matrix)
    shares = counts / max(counts.sum(), 1)
    return float(-(shares * np.log(shares)).sum())


def average_popularity(stock: Callable, metric: Any, dataobject: Any) -> dict[str, float]:
    """Return RecBole's average popularity, taken over each user's filled places only."""
    return _over_filled(stock, metric, dataobject, "averagepopularity", metric.get_pop)


def tail_percentage(stock: Callable, metric: Any, dataobject: Any) -> dict[str, float]:
    """Return RecBole's share of long-tail items, taken over each user's filled places only."""
    return _over_filled(stock, metric, dataobject, "tailpercentage", metric.get_tail)


def _over_filled(
    stock: Callable, metric: Any, dataobject: Any, name: str, values: Callable
) -> dict[str, float]:
    """Return a metric that RecBole averages over all places, averaged over each user's filled places only."""
    items, counts = metric.used_info(dataobject)
    is_filled = items > 0

    # RecBole's average is right where no place is empty.
    if is_filled.all():
        return stock(metric, dataobject)
    corrections.note(metric.config, NAME)

    # The mean over the first k places, for every k; it is 0 as long as a user has no filled place.
    sums = (values(items, counts) * is_filled).cumsum(axis=1)
    filled = np.maximum(is_filled.cumsum(axis=1), 1)
    return metric.topk_result(name, sums / filled)


def _counts(item_matrix: np.ndarray) -> np.ndarray:
    """Return how often each recommended item is recommended."""
    _, counts = np.unique(item_matrix[item_matrix > 0], return_counts=True)
    return counts
