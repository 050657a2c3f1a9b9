"""Order interactions by the times of the file.

RecBole keeps columns in float32, in which seconds since 1970 come in steps of 128, and normalizes or discretizes them
before it sorts. Here the times of the file are kept beside the columns, in float64, wherever rows are moved or picked;
models still see the columns that RecBole gives them.

Equal times are ordered by the item's token and then the user's, as text, so that neither the order of lines in the file
nor RecBole's ids of users and items, which follow it, decide anything.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.utils import FeatureType

from recbole_edlae.data.indexing import pick, row_index
from recbole_edlae.settings import corrections

_EXACT = "\0exact time"  # these two are columns during one call only
_STOCK = "\0stock time"


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
        raise ValueError(f"TIME_FIELD: order by time needs numbers, {field}:float; the file has {field}:{kind.value}")


def token_rank(dataset: Dataset, field: str) -> np.ndarray:
    """Return the rank of each id of a field when its tokens are sorted as text."""
    tokens = dataset.field2id_token[field]
    rank = np.empty(len(tokens), dtype=np.int64)
    rank[np.argsort(tokens, kind="stable")] = np.arange(len(tokens))
    return rank


def order_by_time(dataset: Dataset, rows: np.ndarray | None = None, first: Sequence[str] = ()) -> np.ndarray:
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
    for field in (dataset.iid_field, dataset.uid_field):
        if field in feat:
            keys.append(token_rank(dataset, field)[feat[field].numpy()[chosen]])
    return np.lexsort(keys[::-1])


def file_times(dataset: Dataset) -> np.ndarray | None:
    """Return the file's times of the rows of ``dataset.inter_feat`` while that is a DataFrame; None without times."""
    field = dataset.time_field
    frame = dataset.inter_feat
    if field not in frame or dataset.field2type[field] != FeatureType.FLOAT:
        return None
    kept = vars(dataset).get("file_times")
    return (frame[field] if kept is None else kept.reindex(frame.index)).to_numpy(np.float64, copy=True)


def normalize(stock: Callable, dataset: Dataset) -> None:
    """Do as RecBole does, after keeping the times that it or the discretization alters."""
    config = dataset.config
    dataset.file_times = None
    altered = config["normalize_field"] or config["normalize_all"] or config["numerical_features"]
    if altered and (times := file_times(dataset)) is not None:
        dataset.file_times = pd.Series(times, index=dataset.inter_feat.index)
    stock(dataset)


def dataframe_to_interaction(stock: Callable, dataset: Dataset, data: pd.DataFrame) -> Interaction:
    """Do as RecBole does, and give interactions their ``file_times``."""
    converted = stock(dataset, data)
    if data is dataset.inter_feat and (times := file_times(dataset)) is not None:
        converted.file_times = FileTimes(dataset.time_field, torch.from_numpy(times))
        dataset.file_times = None
    return converted


def getitem(stock: Callable, interaction: Interaction, index: Any) -> Interaction | torch.Tensor:
    """Do as RecBole does; the picked rows keep their ``file_times``."""
    picked = stock(interaction, index)
    times = vars(interaction).get("file_times")
    if times is not None and isinstance(picked, Interaction):
        picked.file_times = times._replace(values=pick(times.values, row_index(index)))
    return picked


def reindex(stock: Callable, interaction: Interaction, index: Any) -> None:
    """Do as RecBole does; rows keep their ``file_times``."""
    stock(interaction, index)
    if (times := vars(interaction).get("file_times")) is not None:
        interaction.file_times = times._replace(values=pick(times.values, index))


def sort_interaction(stock: Callable, interaction: Interaction, by: str | Sequence[str], ascending: Any = True) -> None:
    """Do as RecBole does, but by the file's times; equal ones stay in their order."""
    times = vars(interaction).get("file_times")
    names = [by] if isinstance(by, str) else by
    if times is None or times.field not in names:
        stock(interaction, by, ascending)
        return
    interaction[_EXACT] = times.values
    try:
        stock(interaction, [_EXACT if name == times.field else name for name in names], ascending)
    finally:
        del interaction[_EXACT]


def sort_dataset(stock: Callable, dataset: Dataset, by: str | Sequence[str], ascending: Any = True) -> None:
    """Do as RecBole does, but where the last key is the time, sort by the file's times, and equal ones by tokens.

    Raises:
        ValueError: There are no times, see :func:`check_time`.
    """
    names = [by] if isinstance(by, str) else list(by)
    if dataset.time_field is None or dataset.time_field not in names:
        stock(dataset, by, ascending)
        return
    check_time(dataset)
    upward = ascending is True or all(ascending if isinstance(ascending, (list, tuple)) else [ascending])
    if names[-1] != dataset.time_field or not upward:
        stock(dataset, by, ascending)
        return
    order = order_by_time(dataset, first=names[:-1])
    feat = dataset.inter_feat
    stable = np.lexsort([feat[name].numpy() for name in reversed(names)])
    if not np.array_equal(order, stable):
        corrections.note(dataset.config, "time_order")
    feat._reindex(torch.from_numpy(order))


def time_based_split(stock: Callable, dataset: Dataset, ratios: Sequence[float], group_by: str) -> list[Dataset]:
    """Do as RecBole does, on rows in order of the file's times, whatever order eval_args ask for.

    RecBole finds the cut in sorted rows and applies it to unsorted ones, which is right under ``order: TO`` alone.

    Raises:
        ValueError: There are no times, see :func:`check_time`.
    """
    dataset.sort(by=dataset.time_field)
    feat = dataset.inter_feat
    field = dataset.time_field
    feat[_STOCK] = feat[field]
    feat[field] = feat.file_times.values
    parts = stock(dataset, ratios, group_by)
    for interaction in (feat, *(part.inter_feat for part in parts)):
        column = interaction[_STOCK]
        del interaction[_STOCK]
        if field in interaction:  # unused_col may have dropped it
            interaction[field] = column
    return parts
