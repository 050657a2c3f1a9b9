"""Read what RecBole reads: settings as literals, and datasets by the rules of :mod:`recbole_edlae.data.atomic`.

RecBole evaluates the texts of settings as Python, which runs whatever stands in a file or an argument; and it leaves
out rows of a dataset without a word.
"""

import ast
import importlib
import io
import pathlib
import re
from collections.abc import Callable
from logging import getLogger
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.utils import FeatureSource, FeatureType

from recbole_edlae._warnings import warn
from recbole_edlae.data.atomic import AtomicFileError, Column, read_atomic, read_header
from recbole_edlae.integration.fast.rows import is_vectorized
from recbole_edlae.settings import corrections
from recbole_edlae.settings.files import NOT_LITERAL, process_words, value_of
from recbole_edlae.settings.schema import check_choice


def convert_config_dict(stock: Callable, config: Config, values: dict[str, Any]) -> dict[str, Any]:
    """Replace texts by the values that they stand for (:func:`value_of`)."""
    for key, value in values.items():
        if isinstance(value, str):
            values[key] = value_of(value)
    return values


def build_space_from_file(stock: Callable, *arguments: Any) -> dict[str, Any]:
    """Read a search space as RecBole's HyperTuning does, after a check that its choices are literals.

    RecBole evaluates them as Python.

    Raises:
        ValueError: A choice is no literal.
    """
    path = arguments[-1]
    lines = pathlib.Path(path).read_text().splitlines()
    for number, line in enumerate(lines, 1):
        # Other kinds have numbers, which RecBole reads as such.
        key, _, definition = line.strip().partition(" ")
        kind, _, values = definition.partition(" ")
        if kind != "choice":
            continue

        # RecBole splits a line at its blanks and joins the choices without them.
        try:
            ast.literal_eval(values.replace(" ", ""))
        except NOT_LITERAL:
            raise ValueError(
                f"{path}, line {number}: {key} must have a list of literals, got {values}"
            ) from None
    return stock(path)


def check_teacher(stock: Callable, model: Any, config: Config, dataset: Any) -> None:
    """Construct RecBole's KD_DAGFM, after a check that its teacher is a network: RecBole evaluates the name.

    Raises:
        ValueError: RecBole's module has no network of that name.
    """
    module = importlib.import_module("recbole.model.context_aware_recommender.kd_dagfm")
    networks = []
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, torch.nn.Module):
            networks.append(name)
    check_choice("teacher", config["teacher"], networks)
    stock(model, config, dataset)


def load_cmd_line(stock: Callable, config: Config) -> dict[str, Any]:
    """Do as RecBole does, but allow "=" in a value.

    Raises:
        SyntaxError: A key has two values.
    """
    settings: dict[str, Any] = {}
    ignored = []
    for word in process_words():
        # The first "=" ends the key; the value may have others.
        key, equals, text = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not equals:
            ignored.append(word)
        elif settings.setdefault(key, text) != text:
            raise SyntaxError(f"There are duplicate commend arg '{word}' with different value.")
    if ignored:
        getLogger().warning(f"command line args [{' '.join(ignored)}] will not be used in RecBole")
    return config._convert_config_dict(settings)


def load_feat(
    stock: Callable, dataset: Dataset, filepath: str, source: FeatureSource | str
) -> pd.DataFrame | None:
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

    # The columns that the settings leave.
    separator = dataset.config["field_separator"]
    encoding = dataset.config["encoding"]
    columns = []
    for column in read_header(filepath, separator, encoding):
        is_named = load_col is None or column.field in load_col
        if is_named and (unload_col is None or column.field not in unload_col):
            columns.append(column)
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

    # RecBole would have kept such rows, or read other tokens.
    rows = len(frame)
    frame = _with_ids(dataset, frame, filepath, source)
    if len(frame) < rows or _reads_otherwise(frame, columns, separator):
        corrections.note(dataset.config, "tokens")

    for column in columns:
        if column.type in (FeatureType.TOKEN_SEQ, FeatureType.FLOAT_SEQ):
            _split_sequences(dataset, frame, column, filepath)
    return frame


def filter_inter_by_user_or_item(stock: Callable, dataset: Dataset) -> None:
    """Filter as RecBole does, and count the interactions whose user or item is in no file of users or items.

    Warns:
        DataWarning: Interactions are left out.
    """
    before = len(dataset.inter_feat)
    stock(dataset)
    left_out = before - len(dataset.inter_feat)
    if left_out:
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

    # RecBole may sort by the time: as texts, and equal ones in no certain order.
    tokens = [column.field for column in columns if column.type == FeatureType.TOKEN]
    return [field for field in tokens if field != dataset.time_field]


def _reads_otherwise(frame: pd.DataFrame, columns: list[Column], separator: str) -> bool:
    """Return whether pandas, as RecBole calls it, makes something else of a token: nothing of NA, x of "x"."""
    # RecBole's pandas takes a separator of several characters for a pattern.
    if len(separator) > 1 and re.escape(separator) != separator:
        return True
    engine: Literal["c", "python"] = "c" if len(separator) == 1 else "python"

    for column in columns:
        if column.type != FeatureType.TOKEN:
            continue
        tokens = frame[column.field].dropna().unique().tolist()
        lines = io.StringIO("\n".join(["token", *tokens]) + "\n")

        # pandas refuses a quotation mark that opens and does not close.
        try:
            read = pd.read_csv(lines, sep=separator, dtype=str, skip_blank_lines=False, engine=engine)
        except ValueError:
            return True
        if read["token"].tolist() != tokens:
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


def _with_ids(
    dataset: Dataset, frame: pd.DataFrame, filepath: str, source: FeatureSource | str
) -> pd.DataFrame:
    """Return the rows that have the user and the item that their kind of file is about."""
    id_fields = {
        FeatureSource.INTERACTION: (dataset.uid_field, dataset.iid_field),
        FeatureSource.USER: (dataset.uid_field,),
        FeatureSource.ITEM: (dataset.iid_field,),
    }
    ids = [field for field in id_fields.get(source, ()) if field in frame]

    # RecBole takes the first row of a user or an item.
    repeated = 0
    if len(ids) == 1:
        repeated = frame.duplicated(ids[0]).sum()
    if repeated:
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
    sequences = []
    for row, text in enumerate(frame[field].fillna("").to_numpy(), 1):
        words = list(filter(None, text.split(separator)))
        if column.type == FeatureType.FLOAT_SEQ:
            words = _floats(words, f"{filepath}, row {row}: {field}")
        sequences.append(np.array(words))

    # seq_len of the settings cuts them.
    longest = max(map(len, sequences))
    limit = (dataset.config["seq_len"] or {}).get(field)
    if limit is not None:
        sequences = [sequence[:limit] for sequence in sequences]
        longest = min(limit, longest)
    frame[field] = sequences
    dataset.field2seqlen[field] = longest


def _floats(words: list[str], where: str) -> list[float]:
    """Return the numbers of a sequence; an error names the row."""
    try:
        return list(map(float, words))
    except ValueError as error:
        raise AtomicFileError(f"{where}:float_seq: {error}") from None
