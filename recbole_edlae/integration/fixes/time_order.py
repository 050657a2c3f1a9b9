"""Keep the times of the file beside RecBole's columns, and sort and split by them.

RecBole keeps columns in float32, in which seconds since 1970 come in steps of 128, and normalizes or discretizes them
before it sorts. Here the times of the file go along in float64 wherever rows are moved or picked; models still see the
columns that RecBole gives them. Equal times are ordered as :mod:`recbole_edlae.data.time_order` says.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.utils import FeatureType

from recbole_edlae.data.time_order import FileTimes, check_time, order_by_time
from recbole_edlae.integration.fast import rows
from recbole_edlae.settings import corrections

_EXACT = "\0exact time"  # these two are columns during one call only
_STOCK = "\0stock time"


def file_times(dataset: Dataset) -> np.ndarray | None:
    """Return the file's times of the rows of ``dataset.inter_feat`` while that is a DataFrame; None without times."""
    field = dataset.time_field
    frame = dataset.inter_feat
    if field not in frame or dataset.field2type[field] != FeatureType.FLOAT:
        return None

    # The column itself, unless RecBole has altered it since.
    times = vars(dataset).get("file_times")
    times = frame[field] if times is None else times.reindex(frame.index)
    return times.to_numpy(np.float64, copy=True)


def normalize(stock: Callable, dataset: Dataset) -> None:
    """Normalize as RecBole does, after keeping the times that it or the discretization alters."""
    config = dataset.config
    dataset.file_times = None
    if config["normalize_field"] or config["normalize_all"] or config["numerical_features"]:
        times = file_times(dataset)
        if times is not None:
            dataset.file_times = pd.Series(times, index=dataset.inter_feat.index)
    stock(dataset)


def dataframe_to_interaction(stock: Callable, dataset: Dataset, data: pd.DataFrame) -> Interaction:
    """Convert a table as RecBole does, and give interactions their ``file_times``."""
    converted = stock(dataset, data)
    if data is not dataset.inter_feat:
        return converted
    times = file_times(dataset)
    if times is not None:
        converted.file_times = FileTimes(dataset.time_field, torch.from_numpy(times))
        dataset.file_times = None
    return converted


def reindex(stock: Callable, interaction: Interaction, index: Any) -> None:
    """Order rows as RecBole does; the ``file_times`` go along."""
    stock(interaction, index)
    times = vars(interaction).get("file_times")
    if times is not None:
        interaction.file_times = times._replace(values=times.values[index])


def sort_interaction(
    stock: Callable, interaction: Interaction, by: str | Sequence[str], ascending: Any = True
) -> None:
    """Sort rows as RecBole does, but by the file's times; equal ones stay in their order."""
    times = vars(interaction).get("file_times")
    names = [by] if isinstance(by, str) else by
    if times is None or times.field not in names:
        stock(interaction, by, ascending)
        return

    # The times of the file stand in for the column during this call.
    interaction[_EXACT] = times.values
    names = [_EXACT if name == times.field else name for name in names]
    try:
        stock(interaction, names, ascending)
    finally:
        del interaction[_EXACT]


def sort_dataset(stock: Callable, dataset: Dataset, by: str | Sequence[str], ascending: Any = True) -> None:
    """Sort as RecBole does, but where the last key is the time, by the file's times, and equal ones by tokens.

    Raises:
        ValueError: There are no times, see :func:`check_time`.
    """
    names = [by] if isinstance(by, str) else list(by)
    if dataset.time_field is None or dataset.time_field not in names:
        stock(dataset, by, ascending)
        return
    check_time(dataset)
    directions = ascending if isinstance(ascending, (list, tuple)) else [ascending]
    if names[-1] != dataset.time_field or not all(directions):
        stock(dataset, by, ascending)
        return

    # It is a correction where RecBole's times, in the order of the lines, give another order.
    order = order_by_time(dataset, first=names[:-1])
    feat = dataset.inter_feat
    stable = np.lexsort([feat[name].numpy() for name in reversed(names)])
    if not np.array_equal(order, stable):
        corrections.note(dataset.config, "time_order")
    feat._reindex(torch.from_numpy(order))


def time_based_split(
    stock: Callable, dataset: Dataset, ratios: Sequence[float], group_by: str
) -> list[Dataset]:
    """Split by time as RecBole does, on rows in order of the file's times.

    RecBole finds the cut in sorted rows and applies it to unsorted ones, which is right under ``order: TO`` alone.

    Raises:
        ValueError: There are no times, see :func:`recbole_edlae.data.time_order.check_time`.
    """
    # The times of the file stand in for the column during the split.
    dataset.sort(by=dataset.time_field)
    feat = dataset.inter_feat
    field = dataset.time_field
    feat[_STOCK] = feat[field]
    feat[field] = feat.file_times.values
    parts = rows.time_based_split(stock, dataset, ratios, group_by)

    # unused_col may have dropped the column.
    for interaction in (feat, *(part.inter_feat for part in parts)):
        column = interaction[_STOCK]
        del interaction[_STOCK]
        if field in interaction:
            interaction[field] = column
    return parts
