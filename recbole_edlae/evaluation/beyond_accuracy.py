"""Compute RecBole's metrics of recommended items by the definitions that its documentation cites.

They are about the places of a list that hold a recommended item. RecBole counts the padding item as one of the catalog,
and counts masked items where a list is longer than what is left to recommend. It also divides the entropy by the number
of recommended items. In a list here, 0 (padding) marks a place without a recommended item.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from recbole_edlae.settings import corrections

NAME = "beyond_accuracy"


def remember_config(stock: Callable, metric: Any, config: Any) -> None:
    """Construct a metric as RecBole does, and remember its Config."""
    stock(metric, config)
    metric.config = config


def get_coverage(stock: Callable, metric: Any, item_matrix: np.ndarray, num_items: int) -> float:
    """Return the share of the catalog that is recommended to somebody (Ge et al. 2010).

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
    catalog = num_items - 1
    if not len(counts):
        return 0.0
    # Items that nobody gets come first in the order, and add nothing to the sum.
    rank = np.arange(catalog - len(counts) + 1, catalog + 1)
    return float(((2 * rank - catalog - 1) * counts).sum() / (catalog * counts.sum()))


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
    """Return RecBole's average popularity, each user's over the places that hold an item."""
    return _over_filled_places(stock, metric, dataobject, "averagepopularity", metric.get_pop)


def tail_percentage(stock: Callable, metric: Any, dataobject: Any) -> dict[str, float]:
    """Return RecBole's share of long-tail items, each user's over the places that hold an item."""
    return _over_filled_places(stock, metric, dataobject, "tailpercentage", metric.get_tail)


def _over_filled_places(stock: Callable, metric: Any, dataobject: Any, name: str, values: Callable) -> dict[str, float]:
    """Return a metric that RecBole averages over all places, each user's over the places that hold an item."""
    items, counts = metric.used_info(dataobject)
    is_filled = items > 0
    if is_filled.all():
        return stock(metric, dataobject)
    corrections.note(metric.config, NAME)
    means = (values(items, counts) * is_filled).cumsum(axis=1) / np.maximum(is_filled.cumsum(axis=1), 1)
    return metric.topk_result(name, means)  # 0 where a user has no such place


def _counts(item_matrix: np.ndarray) -> np.ndarray:
    """Return how often each recommended item is recommended."""
    return np.unique(item_matrix[item_matrix > 0], return_counts=True)[1]
