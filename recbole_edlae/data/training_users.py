"""Ask a dataset for the users to train on, the histories to score from, and the popularity in training.

The users are all users and the histories the dataset itself, unless the dataset is the training part of a split by
user: that has the fold-in of the held-out users as ``with_fold_in()``.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from recbole.data.dataset import Dataset

_COUNTS = "interactions_in_training"  # attribute of the datasets that a split returns


def with_fold_in(dataset: "Dataset") -> "Dataset":
    """Return the dataset that histories are read from."""
    return dataset.with_fold_in() if hasattr(dataset, "with_fold_in") else dataset


def training_users(dataset: "Dataset") -> torch.Tensor:
    """Return the ids of the users that a loader of users iterates in training."""
    if not hasattr(dataset, "with_fold_in"):
        return torch.arange(dataset.user_num)
    return dataset.inter_feat[dataset.uid_field].unique()


def note_item_counts(parts: "Sequence[Dataset]") -> None:
    """Tell the datasets that a split returned how often each item occurs in training.

    Args:
        parts: of the split, training first.
    """
    train = parts[0]
    items = np.asarray(train.inter_feat[train.iid_field])
    counts = np.bincount(items, minlength=train.item_num)
    for part in parts:
        vars(part)[_COUNTS] = counts


def item_counts(dataset: "Dataset") -> np.ndarray:
    """Return the number of interactions of each item id in training; zeros where nothing was split.

    Args:
        dataset: one of those that a split returned.
    """
    counts = vars(dataset).get(_COUNTS)
    if counts is None:
        return np.zeros(dataset.item_num, dtype=np.int64)
    return counts
