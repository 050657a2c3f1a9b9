"""Check from the first lines of a dataset's files that they have the columns that settings name."""

import itertools
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from recbole.utils import FeatureType

from recbole_edlae._choices import closest_first
from recbole_edlae._warnings import warn
from recbole_edlae.data.atomic import has_rows, read_header
from recbole_edlae.data.fingerprint import interaction_files

# The setting that names a column, the type of the column, and what needs it.
Need = tuple[str, FeatureType, str]
_NAMING_COLUMNS = (
    *("val_interval", "threshold", "normalize_field", "discretization", "numerical_features"),
    *("alias_of_user_id", "alias_of_item_id"),
)
_GRAPH = ("kg", "link")  # suffixes of files that only models of knowledge graphs read


def check_columns(settings: Mapping[str, Any]) -> None:
    """Check the first line of each file that RecBole would read against all settings, as ``Config`` ends with.

    A file that is no atomic file, has no rows, or lacks a column that a setting names or needs is refused. Files that
    are missing, because RecBole downloads them, are passed over.
    """
    folder = pathlib.Path(settings["data_path"])
    name = settings["dataset"]

    # The files of interactions.
    loaded: dict[str, dict[str, FeatureType]] = {"inter": {}}
    for file in interaction_files(name, settings):
        path = folder / file
        if not path.is_file():
            return
        _check_interactions(path, _needed(settings), settings)
        if not has_rows(path):
            raise ValueError(f"{path} has a header and no rows")
        loaded["inter"] |= _to_load(path, "inter", settings)

    # Those of users, items and whatever else is named; RecBole passes over the first two where they are missing.
    additional = settings.get("additional_feat_suffix") or ()
    for suffix in ("user", "item", *additional):
        path = folder / f"{name}.{suffix}"
        if path.is_file():
            loaded[suffix] = _to_load(path, suffix, settings)
        elif suffix in additional:
            raise ValueError(f"additional_feat_suffix: {folder} has no {path.name}")
        elif suffix in (settings.get("load_col") or {}):
            warn(f"load_col: {folder} has no {path.name}, so nothing is loaded of it")

    # What the settings name of them.
    _check_unused(loaded, settings)
    of_all_files: dict[str, FeatureType] = {}
    for columns in loaded.values():
        of_all_files |= columns
    _check_named(of_all_files, settings)
    _check_filters(of_all_files, settings)


def check_labels(settings: Mapping[str, Any]) -> None:
    """Check that the files of interactions have the labels that mode labeled measures on, if that is the mode."""
    needed = [row for row in _needed(settings) if row[0] == "LABEL_FIELD"]
    if not needed:
        return
    for file in interaction_files(settings["dataset"], settings):
        path = pathlib.Path(settings["data_path"], file)
        if path.is_file():
            _check_interactions(path, needed, settings)


def _to_load(path: pathlib.Path, suffix: str, settings: Mapping[str, Any]) -> dict[str, FeatureType]:
    """Return the columns of a file that ``load_col`` and ``unload_col`` leave; raise ValueError for a missing one."""
    columns = _header(path, settings)
    included = (settings.get("load_col") or {}).get(suffix)
    excluded = (settings.get("unload_col") or {}).get(suffix, [])
    if included not in (None, [], "*") and excluded:
        raise ValueError(f"load_col and unload_col both name columns of {path}: leave one of them out")

    # A column to load has to be in the file; one to leave out need not.
    if included != "*":
        for field in included or ():
            if field not in columns:
                raise ValueError(f"load_col: {path} has no column {field}; it has {', '.join(columns)}")
    for field in excluded:
        if field not in columns:
            warn(f"unload_col: {path} has no column {field}; it has {', '.join(columns)}")
    return _loaded(columns, suffix, settings)


def _header(path: pathlib.Path, settings: Mapping[str, Any]) -> dict[str, FeatureType]:
    """Return column → type of a file."""
    columns = read_header(path, settings["field_separator"], settings.get("encoding"))
    return {column.field: column.type for column in columns}


def _loaded(
    columns: dict[str, FeatureType], suffix: str, settings: Mapping[str, Any]
) -> dict[str, FeatureType]:
    """Return those of a file's columns that ``load_col`` and ``unload_col`` leave."""
    # Without load_col all columns are loaded, and with it none of a file that it does not name.
    load_col = settings.get("load_col")
    included: Any = "*"
    if load_col is not None:
        included = load_col.get(suffix) or []
    excluded = (settings.get("unload_col") or {}).get(suffix, [])
    loaded = {}
    for field, kind in columns.items():
        if field not in excluded and (included == "*" or field in included):
            loaded[field] = kind
    return loaded


def _check_interactions(path: pathlib.Path, needed: Iterable[Need], settings: Mapping[str, Any]) -> None:
    """Check that a file of interactions has columns that are needed, that they are loaded and of the right type."""
    columns = _header(path, settings)
    loaded = _loaded(columns, "inter", settings)

    # In this order, so that the message names what to change first.
    for key, kind, why in needed:
        field = settings[key]
        if field not in columns:
            raise ValueError(
                f"{key}: {why} needs it, and {path} has no column {field}; it has "
                f"{', '.join(closest_first(field, columns))}: set {key} to one of them, and name it in load_col"
            )
        if field not in loaded:
            raise ValueError(
                f"{key}: {why} needs the column {field} of {path}, and {', '.join(loaded) or 'no column'} "
                f"are loaded of it; name it in load_col: {{inter: [{', '.join([*loaded, field])}]}}"
            )
        if columns[field] != kind:
            raise ValueError(
                f"{key}: {field} in {path} must be of type {kind.value}, got {columns[field].value}"
            )


def _needed(settings: Mapping[str, Any]) -> Iterator[Need]:
    """Yield the setting that names a column, the type that the column must have, and what needs it."""
    eval_args = settings["eval_args"]
    yield "USER_ID_FIELD", FeatureType.TOKEN, "every model"
    yield "ITEM_ID_FIELD", FeatureType.TOKEN, "every model"
    if not settings.get("benchmark_filename"):
        if eval_args["order"] == "TO":
            yield "TIME_FIELD", FeatureType.FLOAT, "order TO in eval_args"
        elif "TS" in eval_args["split"]:
            yield "TIME_FIELD", FeatureType.FLOAT, "split TS in eval_args"
    if "labeled" in eval_args["mode"].values() and not settings.get("threshold"):
        yield "LABEL_FIELD", FeatureType.FLOAT, "mode labeled in eval_args"


def _check_unused(loaded: dict[str, dict[str, FeatureType]], settings: Mapping[str, Any]) -> None:
    """Check that the columns that are dropped after the split are there."""
    for suffix, fields in (settings.get("unused_col") or {}).items():
        if suffix in _GRAPH:
            continue
        columns = loaded.get(suffix, {})
        for field in fields:
            if field not in columns:
                names = ", ".join(columns) or "none"
                raise ValueError(
                    f"unused_col: no column {field} is loaded of {suffix}; its columns are {names}"
                )


def _check_named(loaded: dict[str, FeatureType], settings: Mapping[str, Any]) -> None:
    """Check that the columns that settings filter by, change or number together are loaded."""
    named = {key: list(settings.get(key) or ()) for key in _NAMING_COLUMNS}
    named["preload_weight"] = list(itertools.chain(*(settings.get("preload_weight") or {}).items()))
    for key, fields in named.items():
        for field in fields:
            if field not in loaded:
                raise ValueError(
                    f"{key}: the column {field} is not loaded; load_col names {', '.join(loaded)}"
                )


def _check_filters(loaded: dict[str, FeatureType], settings: Mapping[str, Any]) -> None:
    """Check that the value filters fit their columns."""
    for field, value in (settings.get("val_interval") or {}).items():
        is_number = loaded[field] in (FeatureType.FLOAT, FeatureType.FLOAT_SEQ)
        if is_number != isinstance(value, str):
            allowed = "a list of tokens"
            if is_number:
                allowed = "an interval such as '[3,inf)'"
            raise ValueError(
                f"val_interval: {field} is of type {loaded[field].value} and takes {allowed}, got {value!r}"
            )
