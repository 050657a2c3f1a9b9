"""Know the popularity in training in every part of a split, and count the users whom training does not know."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from recbole.data.dataset import Dataset

from recbole_edlae._warnings import warn
from recbole_edlae.data.training_users import with_fold_in

_COUNTS = "interactions_in_training"  # attribute of a part


def item_counts(dataset: Dataset) -> np.ndarray:
    """Return the number of interactions of each item id in the training part; zeros where nothing was split.

    Args:
        dataset: one of the parts that ``Dataset.build`` returned.
    """
    counts = vars(dataset).get(_COUNTS)
    return np.zeros(dataset.item_num, dtype=np.int64) if counts is None else counts


def build(stock: Callable, dataset: Dataset) -> list[Dataset]:
    """Split as RecBole does; every part learns how often each item occurs in training.

    Warns:
        DataWarning: Users of the validation or test part have no interactions in training.
    """
    parts = stock(dataset)
    if dataset.uid_field is None or dataset.iid_field is None:
        return parts
    counts = np.bincount(_ids(parts[0], dataset.iid_field), minlength=dataset.item_num)
    for part in parts:
        vars(part)[_COUNTS] = counts
    _warn_of_unknown_users(parts, dataset.uid_field)
    return parts


def _warn_of_unknown_users(parts: Sequence[Dataset], field: str) -> None:
    """Count the users of each held-out part that have neither training interactions nor a fold-in."""
    known = np.unique(_ids(with_fold_in(parts[0]), field))
    for part, name in zip(parts[1:], ("validation", "test")):
        users = np.unique(_ids(part, field))
        if unknown := int((~np.isin(users, known)).sum()):
            warn(
                f"{unknown:,} of {len(users):,} users of the {name} part have no interactions in training: a model "
                "that scores a history gives them equal scores, which are ordered by the popularity in training"
            )


def _ids(part: Dataset, field: str) -> Any:
    """Return the ids of a field in a part's interactions."""
    return np.asarray(part.inter_feat[field])
