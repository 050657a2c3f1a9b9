"""Read RecBole's datasets by the rules of :mod:`recbole_edlae.data.atomic`, and warn of rows that are left out."""

import io
import os
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals
from recbole.data.dataset import Dataset
from recbole.utils import FeatureSource, FeatureType

from recbole_edlae._warnings import warn
from recbole_edlae.data.atomic import AtomicFileError, Column, read_atomic, read_header
from recbole_edlae.settings import corrections, vectorized

# What RecBole does with a dataset's tokens from the file to their ids. It understands categories as well as texts.
_STEPS = (
    *("_from_scratch", "_load_data", "_load_inter_feat", "_load_feat", "_load_user_or_item_feat"),
    *("_load_additional_feat", "_load_kg", "_load_link", "_init_alias", "_set_alias", "_data_processing"),
    *("_build_feat_name_list", "_data_filtering", "_filter_nan_user_or_item", "_remove_duplication"),
    *("_filter_by_field_value", "_filter_inter_by_user_or_item", "_filter_by_inter_num"),
    *("_get_illegal_ids_by_inter_num", "_parse_intervals_str", "_within_intervals", "_reset_index"),
    *("_filter_kg_by_triple_num", "_filter_link", "_get_rec_item_token", "_get_entity_token"),
    *("_remap_ID_all", "_get_remap_list", "_concat_remaped_tokens", "_remap", "field2feats"),
)


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
    frame = read_atomic(
        filepath,
        [column.field for column in columns],
        separator=separator,
        encoding=encoding,
        categories=_categories(dataset, columns, source),
    )
    rows = len(frame)
    frame = _with_ids(dataset, frame, filepath, source)
    if len(frame) < rows or _reads_otherwise(frame, columns, separator):
        corrections.note(dataset.config, "tokens")
    for column in columns:
        if column.type in (FeatureType.TOKEN_SEQ, FeatureType.FLOAT_SEQ):
            _split_sequences(dataset, frame, column, filepath)
    return frame


def load_inter_feat(stock: Callable, dataset: Dataset, token: str, dataset_path: str) -> None:
    """Do as RecBole does; the categories of several files are joined without making texts of them.

    Args:
        stock: RecBole's method, called where there is one file.
        dataset: RecBole's dataset.
        token: name of the dataset.
        dataset_path: folder of its files.

    Raises:
        ValueError: A file of ``benchmark_filename`` does not exist.
    """
    if dataset.benchmark_filename_list is None or not vectorized.is_on(dataset.config):
        stock(dataset, token, dataset_path)
        return
    frames = []
    longest: defaultdict[str, int] = defaultdict(int)
    for name in dataset.benchmark_filename_list:
        path = os.path.join(dataset_path, f"{token}.{name}.inter")
        if not os.path.isfile(path):
            raise ValueError(f"File {path} not exist.")
        frames.append(dataset._load_feat(path, FeatureSource.INTERACTION))
        for field, length in dataset.field2seqlen.items():
            longest[field] = max(longest[field], length)
    dataset.file_size_list = [len(frame) for frame in frames]
    dataset.inter_feat = _concatenated(frames)
    dataset.field2seqlen = longest


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


def _categories(dataset: Dataset, columns: list[Column], source: FeatureSource | str) -> list[str]:
    """Return the columns to read as categories: tokens of interactions, where all that comes next is RecBole's."""
    if source != FeatureSource.INTERACTION or "inter_feat" in vars(dataset):
        return []
    if not is_vectorized(dataset):
        return []
    tokens = [column.field for column in columns if column.type == FeatureType.TOKEN]
    # RecBole may sort by the time: as texts, and equal ones in no certain order.
    return [field for field in tokens if field != dataset.time_field]


def is_vectorized(dataset: Dataset) -> bool:
    """Return whether tokens may be read as categories: by the setting, and as no step between file and ids is a user's.

    Args:
        dataset: RecBole's dataset, or one of a class of the user's.
    """
    if not vectorized.is_on(dataset.config):
        return False
    dataset_class = type(dataset)
    steps = [getattr(dataset_class, name) for name in _STEPS if hasattr(dataset_class, name)]
    return all((getattr(step, "__module__", None) or "").partition(".")[0] == "recbole" for step in steps)


def _concatenated(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all frames; a column of categories stays one if it is one in every frame."""
    for field in dict.fromkeys(field for frame in frames for field in frame):
        columns = [frame.get(field) for frame in frames]
        is_category = [column is not None and isinstance(column.dtype, pd.CategoricalDtype) for column in columns]
        if all(is_category):
            categories = union_categoricals(columns).categories
            for frame in frames:
                frame[field] = frame[field].cat.set_categories(categories)
        else:
            for frame in (frame for frame, has in zip(frames, is_category) if has):
                frame[field] = frame[field].astype(object)
    return pd.concat(frames, ignore_index=True)


def _reads_otherwise(frame: pd.DataFrame, columns: list[Column], separator: str) -> bool:
    """Return whether pandas, as RecBole calls it, makes something else of a token: nothing of NA, x of "x"."""
    for column in columns:
        if column.type != FeatureType.TOKEN:
            continue
        tokens = frame[column.field].dropna().unique().tolist()
        lines = io.StringIO("\n".join(["token", *tokens]) + "\n")
        try:
            read = pd.read_csv(lines, sep=separator, dtype=str, skip_blank_lines=False)["token"].tolist()
        except ValueError:  # a quotation mark that opens and does not close
            return True
        if read != tokens:
            return True
    return False


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
