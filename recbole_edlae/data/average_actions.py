"""Count the average number of interactions of users and items with arrays, in the place of Python counters.

RecBole's module of datasets is not complete while this one is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_edlae.settings import vectorized

if TYPE_CHECKING:
    from recbole.data.dataset import Dataset


def average_of_users(stock: property) -> property:
    """Return RecBole's ``Dataset.avg_actions_of_users``, which counts without Python's counters."""
    return property(lambda dataset: _average(stock, dataset, dataset.uid_field), doc=stock.__doc__)


def average_of_items(stock: property) -> property:
    """Return RecBole's ``Dataset.avg_actions_of_items``, which counts without Python's counters."""
    return property(lambda dataset: _average(stock, dataset, dataset.iid_field), doc=stock.__doc__)


def _average(stock: property, dataset: Dataset, field: str) -> Any:
    """Return the average number of interactions of the ids that have any."""
    if field is None or not vectorized.is_on(dataset.config):
        return stock.__get__(dataset)
    ids = np.asarray(dataset.inter_feat[field])
    if len(ids) == 0 or ids.dtype != np.int64 or ids.min() < 0:
        return stock.__get__(dataset)
    counts = np.bincount(ids)
    return np.mean(counts[counts > 0])
