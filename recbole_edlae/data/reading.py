"""Read RecBole's datasets by the rules of :mod:`recbole_edlae.data.atomic`, and warn of rows that are left out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from recbole.data.dataset import Dataset
from recbole.utils import FeatureSource, FeatureType

from recbole_edlae._warnings import warn
from recbole_edlae.data.atomic import AtomicFileError, Column, read_atomic, read_header


def load_feat(stock: Callable, dataset: Dataset, filepath: str, source: FeatureSource | str) -> pd.DataFrame | None:
    """Load an atomic file as RecBole's ``Dataset._load_feat`` does, by the rules of :mod:`recbole_edlae.data.atomic`.

    It differs in two ways: tokens are read as they stand in the file, and rows of the file without a user or an item
    are left out with a warning that counts them, also where ``benchmark_filename`` names the files; there RecBole makes
    them interactions of its padding.

    Args:
        stock: RecBole's method, which is not called.
        dataset: RecBole's dataset, whose ``field2type``, ``field2source``, ``field2seqlen`` and ``field2bucketnum``
            get the file's columns.
        filepath: of the atomic file.
        source: of its features.

    Returns:
        DataFrame of the columns to load; None where there is none to load.

    Raises:
        AtomicFileError: The file cannot be read; the message names it and, where there is one, the line.
    """
    load_col, unload_col = dataset._get_load_and_unload_col(source)
    if load_col == set():
        return None
    separator = dataset.config["field_separator"]
    encoding = dataset.config["encoding"]
    columns = [
        column
        for column in read_header(filepath, separator, encoding)
        if (load_col is None or column.field in load_col) and (unload_col is None or column.field not in unload_col)
    ]
    if not columns:
        dataset.logger.warning(f"No columns has been loaded from [{source}]")
        return None
    if source != "link":
        for column in columns:
            _enter(dataset, column, source)
    frame = read_atomic(filepath, [column.field for column in columns], separator=separator, encoding=encoding)
    frame = _with_ids(dataset, frame, filepath, source)
    for column in columns:
        if column.type in (FeatureType.TOKEN_SEQ, FeatureType.FLOAT_SEQ):
            _split_sequences(dataset, frame, column, filepath)
    return frame


def filter_inter_by_user_or_item(stock: Callable, dataset: Dataset) -> None:
    """Do as RecBole does, and count the interactions whose user or item is in no file of users or items.

    Warns:
        DataWarning: Interactions are left out.
    """
    before = len(dataset.inter_feat)
    stock(dataset)
    if left_out := before - len(dataset.inter_feat):
        warn(
            f"{left_out} of {before} interactions are left out: their users are not in {dataset.dataset_name}.user "
            f"or their items not in {dataset.dataset_name}.item; filter_inter_by_user_or_item: False keeps them"
        )


def _enter(dataset: Dataset, column: Column, source: FeatureSource | str) -> None:
    """Enter a column into the dataset's tables, as RecBole does."""
    dataset.field2source[column.field] = source
    dataset.field2type[column.field] = column.type
    if not column.type.value.endswith("seq"):
        dataset.field2seqlen[column.field] = 1
    if "float" in column.type.value:
        dataset.field2bucketnum[column.field] = 2


def _with_ids(dataset: Dataset, frame: pd.DataFrame, filepath: str, source: FeatureSource | str) -> pd.DataFrame:
    """Return the rows that have the user and the item that their kind of file is about."""
    id_fields = {
        FeatureSource.INTERACTION: (dataset.uid_field, dataset.iid_field),
        FeatureSource.USER: (dataset.uid_field,),
        FeatureSource.ITEM: (dataset.iid_field,),
    }
    ids = [field for field in id_fields.get(source, ()) if field in frame]
    repeated = frame.duplicated(ids[0]).sum() if len(ids) == 1 else 0
    if repeated:  # RecBole keeps the first one
        warn(f"{filepath}: {repeated} rows repeat a {ids[0]}; its first row counts")
    missing = frame[ids].isna().any(axis=1)
    if not missing.any():
        return frame
    warn(
        f"{filepath}: {missing.sum()} of {len(frame)} rows without {' or '.join(ids)} are left out, "
        f"the first is row {np.flatnonzero(missing)[0] + 1}",
    )
    return frame[~missing].reset_index(drop=True)


def _split_sequences(dataset: Dataset, frame: pd.DataFrame, column: Column, filepath: str) -> None:
    """Split the texts of a sequence column in place, and enter its length, as RecBole does."""
    field = column.field
    separator = dataset.config["seq_separator"]
    parts = [list(filter(None, text.split(separator))) for text in frame[field].fillna("").to_numpy()]
    if column.type == FeatureType.FLOAT_SEQ:
        parts = [_floats(words, f"{filepath}, row {row}: {field}") for row, words in enumerate(parts, 1)]
    sequences = [np.array(words) for words in parts]
    longest = max(map(len, sequences))
    limit = (dataset.config["seq_len"] or {}).get(field)
    frame[field] = sequences if limit is None else [sequence[:limit] for sequence in sequences]
    dataset.field2seqlen[field] = longest if limit is None else min(limit, longest)


def _floats(words: list[str], where: str) -> list[float]:
    """Return the numbers of a sequence; an error names the row."""
    try:
        return list(map(float, words))
    except ValueError as error:
        raise AtomicFileError(f"{where}:float_seq: {error}") from None
