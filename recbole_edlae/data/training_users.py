"""Ask a dataset for the users to train on, and for the histories to score from.

They are all users and the dataset itself, unless the dataset is the training part of a split by user: that has the
fold-in of the held-out users as ``with_fold_in()``.
"""

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from recbole.data.dataset import Dataset


def with_fold_in(dataset: "Dataset") -> "Dataset":
    """Return the dataset that histories are read from."""
    return dataset.with_fold_in() if hasattr(dataset, "with_fold_in") else dataset


def training_users(dataset: "Dataset") -> torch.Tensor:
    """Return the ids of the users that a loader of users iterates in training."""
    if not hasattr(dataset, "with_fold_in"):
        return torch.arange(dataset.user_num)
    return dataset.inter_feat[dataset.uid_field].unique()
