"""Order interactions by the times of the file; equal ones by the item's token and then the user's, as text.

Then neither the order of lines in the file nor RecBole's ids of users and items, which follow it, decide anything.
:mod:`recbole_edlae.integration.fixes.time_order` keeps the times of the file beside RecBole's columns.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from recbole.data.dataset import Dataset
from recbole.utils import FeatureType

from recbole_edlae.data.training_data import token_rank


class FileTimes(NamedTuple):
    """Times of an Interaction's rows, kept as its attribute ``file_times``."""

    field: str
    values: torch.Tensor  # float64, one a row


def check_time(dataset: Dataset) -> None:
    """Check that a dataset's interactions have times to order by.

    Raises:
        ValueError: The column is not loaded, or holds tokens.
    """
    field = dataset.time_field
    if field not in dataset.inter_feat:
        raise ValueError(
            f"order TO in eval_args needs the field {field} of the interactions: name it in load_col and "
            f"TIME_FIELD; there are {', '.join(dataset.inter_feat)}"
        )
    kind = dataset.field2type[field]
    if kind != FeatureType.FLOAT:
        raise ValueError(
            f"TIME_FIELD: order by time needs numbers, {field}:float; the file has {field}:{kind.value}"
        )


def order_by_time(
    dataset: Dataset, rows: np.ndarray | None = None, first: Sequence[str] = ()
) -> np.ndarray:
    """Return the order of interactions by the file's times; equal ones by item token, then user token.

    Args:
        dataset: whose interactions have been converted to an Interaction.
        rows: which of them, as row numbers; None takes all.
        first: columns to sort by before the time.

    Returns:
        Array of positions in ``rows``.

    Raises:
        ValueError: There are no times, see :func:`check_time`.
    """
    check_time(dataset)
    feat = dataset.inter_feat
    chosen = slice(None) if rows is None else rows
    keys = [feat[field].numpy()[chosen] for field in first]
    keys.append(feat.file_times.values.numpy()[chosen])

    # Tokens decide between equal times.
    for field in (dataset.iid_field, dataset.uid_field):
        if field in feat:
            keys.append(token_rank(dataset, field)[feat[field].numpy()[chosen]])

    # lexsort's last key is its first criterion.
    return np.lexsort(keys[::-1])
