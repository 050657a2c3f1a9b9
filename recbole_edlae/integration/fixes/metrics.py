"""Compute RecBole's metrics of recommended items (coverage, popularity, entropy, Gini, long tail).

A list may have empty places, which 0 (padding) marks: with 20 items, the value at 50 is that at 20. The metrics follow
the definitions that RecBole's documentation cites, which count recommended items only. RecBole counts the padding item
as one of the catalog, counts masked items where a list is longer than the number of items left to recommend, and
divides the entropy by the number of recommended items.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from recbole_edlae.settings import corrections

NAME = "beyond_accuracy"


def topk_result(stock: Callable, metric: Any, name: str, values: np.ndarray) -> dict[str, float]:
    """Return RecBole's result, where k beyond the catalog has the value of the longest list that is possible."""
    beyond = max(max(metric.topk) - values.shape[1], 0)
    padded = np.pad(values, ((0, 0), (0, beyond)), mode="edge")
    return stock(metric, name, padded)


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
