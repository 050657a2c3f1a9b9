"""Give tokens RecBole's ids: those that come as categories by their numbers, without a text for each row.

RecBole puts the tokens of all columns that share ids behind each other and counts them up in the order in which they
come first. That order is also the one in which the different tokens of each column come first, column after column.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from recbole.data.dataset import Dataset
from recbole.utils import FeatureType

from recbole_edlae.data import reading


class _Column(NamedTuple):
    """One column of tokens."""

    tokens: np.ndarray  # the different ones, as they come first
    codes: np.ndarray  # one a row, -1 if missing
    positions: np.ndarray  # of each code in ``tokens``, and -1 as the last


def remap(stock: Callable, dataset: Dataset, remap_list: list[tuple[pd.DataFrame, str, FeatureType]]) -> None:
    """Replace tokens by their ids as RecBole's ``Dataset._remap`` does.

    Args:
        stock: RecBole's method, called where no column has categories or sequences, and where a class replaces a step.
        dataset: RecBole's dataset, whose ``field2id_token`` and ``field2token_id`` get the tokens.
        remap_list: table, field and type of the columns that share ids.
    """
    kinds = {kind for _, _, kind in remap_list}
    has_categories = any(_is_category(feat[field]) for feat, field, _ in remap_list)
    has_sequences = FeatureType.TOKEN_SEQ in kinds and reading.is_vectorized(dataset)
    if not (has_categories or has_sequences) or not kinds <= {FeatureType.TOKEN, FeatureType.TOKEN_SEQ}:
        for feat, field, _ in remap_list:
            _make_texts(feat, field)
        stock(dataset, remap_list)
        return
    columns = [_column(*entry) for entry in remap_list]
    ids, tokens = pd.factorize(np.concatenate([column.tokens for column in columns]))
    id_token = np.array(["[PAD]", *tokens])
    token_id = {token: number for number, token in enumerate(id_token)}
    first = 0
    for (feat, field, kind), column in zip(remap_list, columns):
        if field not in dataset.field2id_token:
            dataset.field2id_token[field] = id_token
            dataset.field2token_id[field] = token_id
        ids_of_column = np.append(ids[first : first + len(column.tokens)] + 1, 0)  # a missing token, -1, gets the last
        ids_of_rows = ids_of_column[column.positions][column.codes]
        first += len(column.tokens)
        if kind == FeatureType.TOKEN:
            feat[field] = ids_of_rows
        else:
            stops = np.cumsum([len(sequence) for sequence in feat[field].to_numpy()]).tolist()
            feat[field] = [ids_of_rows[start:stop] for start, stop in zip([0, *stops], stops)]


def remap_all(stock: Callable, dataset: Dataset) -> None:
    """Do as RecBole does; what is left of categories, which RecBole gives no ids, becomes texts again."""
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
