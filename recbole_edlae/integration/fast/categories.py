"""Read tokens as categories, and give them RecBole's ids by their numbers, without a text for each row.

RecBole puts the tokens of all columns that share ids behind each other and counts them up in the order in which they
come first. That order is also the one in which the different tokens of each column come first, column after column.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals
from recbole.data.dataset import Dataset
from recbole.utils import FeatureSource, FeatureType

from recbole_edlae.settings.corrections import vectorized

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


def is_vectorized(dataset: Dataset) -> bool:
    """Return whether tokens may be read as categories: by the setting, and as no step between file and ids is a user's.

    Args:
        dataset: RecBole's dataset, or one of a class of the user's.
    """
    if not vectorized(dataset.config):
        return False
    dataset_class = type(dataset)
    for name in _STEPS:
        if not hasattr(dataset_class, name):
            continue
        module = getattr(getattr(dataset_class, name), "__module__", None) or ""
        if module.partition(".")[0] != "recbole":
            return False
    return True


def load_inter_feat(stock: Callable, dataset: Dataset, token: str, dataset_path: str) -> None:
    """Load interactions as RecBole does; the categories of several files are joined without making texts of them.

    Args:
        stock: RecBole's method, called where there is one file.
        dataset: RecBole's dataset.
        token: name of the dataset.
        dataset_path: folder of its files.

    Raises:
        ValueError: A file of ``benchmark_filename`` does not exist.
    """
    if dataset.benchmark_filename_list is None or not vectorized(dataset.config):
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


def _concatenated(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all frames; a column of categories stays one if it is one in every frame."""
    fields: dict[str, None] = {}
    for frame in frames:
        fields |= dict.fromkeys(frame)

    for field in fields:
        with_categories = [frame for frame in frames if field in frame and _is_category(frame[field])]
        if len(with_categories) == len(frames):
            categories = union_categoricals([frame[field] for frame in frames]).categories
            for frame in frames:
                frame[field] = frame[field].cat.set_categories(categories)
        else:
            for frame in with_categories:
                _make_texts(frame, field)
    return pd.concat(frames, ignore_index=True)


class _Column(NamedTuple):
    """One column of tokens."""

    tokens: np.ndarray  # the different ones, as they come first
    codes: np.ndarray  # one a row, -1 if missing
    positions: np.ndarray  # of each code in ``tokens``, and -1 as the last


def remap(stock: Callable, dataset: Dataset, remap_list: list[tuple[pd.DataFrame, str, FeatureType]]) -> None:
    """Replace tokens by their ids as RecBole's ``Dataset._remap`` does.

    Args:
        stock: RecBole's method, called where no column has categories or sequences, and where a class overrides a step.
        dataset: RecBole's dataset, whose ``field2id_token`` and ``field2token_id`` get the tokens.
        remap_list: table, field and type of the columns that share ids.
    """
    kinds = {kind for _, _, kind in remap_list}
    has_categories = any(_is_category(feat[field]) for feat, field, _ in remap_list)
    has_sequences = FeatureType.TOKEN_SEQ in kinds and is_vectorized(dataset)
    are_tokens = kinds <= {FeatureType.TOKEN, FeatureType.TOKEN_SEQ}
    if not are_tokens or not (has_categories or has_sequences):
        for feat, field, _ in remap_list:
            _make_texts(feat, field)
        stock(dataset, remap_list)
        return

    # The ids of all tokens, those of padding first.
    columns = [_column(*entry) for entry in remap_list]
    ids, tokens = pd.factorize(np.concatenate([column.tokens for column in columns]))
    id_token = np.array(["[PAD]", *tokens])
    token_id = {token: number for number, token in enumerate(id_token)}
    first = 0
    for (feat, field, kind), column in zip(remap_list, columns):
        if field not in dataset.field2id_token:
            dataset.field2id_token[field] = id_token
            dataset.field2token_id[field] = token_id

        # 0 is padding. A missing token has the code -1, which picks the 0 at the end.
        ids_of_column = np.append(ids[first : first + len(column.tokens)] + 1, 0)
        ids_of_rows = ids_of_column[column.positions][column.codes]
        first += len(column.tokens)

        if kind == FeatureType.TOKEN:
            feat[field] = ids_of_rows
        else:
            stops = np.cumsum([len(sequence) for sequence in feat[field].to_numpy()]).tolist()
            feat[field] = [ids_of_rows[start:stop] for start, stop in zip([0, *stops], stops)]


def remap_all(stock: Callable, dataset: Dataset) -> None:
    """Give all tokens ids as RecBole does; columns of categories that get none become texts again."""
    stock(dataset)
    for field in dataset.inter_feat:
        _make_texts(dataset.inter_feat, field)


def _column(feat: pd.DataFrame, field: str, kind: FeatureType) -> _Column:
    """Return the tokens of a column."""
    if not _is_category(feat[field]):
        tokens = feat[field].to_numpy()
        if kind == FeatureType.TOKEN_SEQ:
            tokens = np.concatenate(tokens)
        codes, different = pd.factorize(tokens.astype(object))
        return _Column(different, codes, np.append(np.arange(len(different)), -1))

    # Filters may have left out tokens and moved others to the front.
    codes = feat[field].cat.codes.to_numpy()
    tokens = feat[field].cat.categories.to_numpy()
    order = pd.unique(codes)
    order = order[order >= 0]
    positions = np.full(len(tokens) + 1, -1)
    positions[order] = np.arange(len(order))
    return _Column(tokens[order], codes, positions)


def _is_category(column: pd.Series) -> bool:
    """Return whether a column has categories."""
    return isinstance(column.dtype, pd.CategoricalDtype)


def _make_texts(feat: pd.DataFrame, field: str) -> None:
    """Turn a column of categories into one of texts."""
    if _is_category(feat[field]):
        feat[field] = feat[field].astype(object)
