"""Check from the first lines of a dataset's files that they have the columns that settings name."""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from recbole.utils import FeatureType

from recbole_edlae._warnings import warn
from recbole_edlae.data.atomic import Column, has_rows, read_header


def check_columns(settings: Mapping[str, Any]) -> None:
    """Check the first line of each file that RecBole would read against the settings.

    Args:
        settings: all settings, as ``Config`` ends with. Files that are missing, because RecBole downloads them, are
            passed over.

    Raises:
        ValueError: A file is no atomic file, has no rows, or lacks a column that a setting names or needs; the message
            has the file, the setting and the columns of the file.

    Warns:
        DataWarning: A column not to be loaded, or the file of columns to be loaded, does not exist.
    """
    folder = pathlib.Path(settings["data_path"])
    name = settings["dataset"]
    parts = [f"{name}.{part}.inter" for part in settings.get("benchmark_filename") or ()] or [f"{name}.inter"]
    loaded: dict[str, FeatureType] = {}
    for file in dict.fromkeys(parts):
        if not (folder / file).is_file():
            return
        columns = _to_load(folder / file, "inter", settings)
        if not has_rows(folder / file):
            raise ValueError(f"{folder / file} has a header and no rows")
        _check_interactions(folder / file, columns, settings)
        loaded |= columns
    for suffix in ("user", "item", *(settings.get("additional_feat_suffix") or ())):
        if (folder / f"{name}.{suffix}").is_file():
            loaded |= _to_load(folder / f"{name}.{suffix}", suffix, settings)
        elif suffix in (settings.get("load_col") or {}):
            warn(f"load_col: {folder} has no {name}.{suffix}, so nothing is loaded of it")
    _check_filters(loaded, settings)


def _to_load(path: pathlib.Path, suffix: str, settings: Mapping[str, Any]) -> dict[str, FeatureType]:
    """Return the columns of a file that ``load_col`` and ``unload_col`` leave; raise ValueError for a missing one."""
    columns = read_header(path, settings["field_separator"], settings.get("encoding"))
    types = {column.field: column.type for column in columns}
    load_col = settings.get("load_col")
    included = types if load_col is None else load_col.get(suffix, [])
    excluded = (settings.get("unload_col") or {}).get(suffix, [])
    if load_col is not None and included and included != "*" and excluded:
        raise ValueError(f"load_col and unload_col both name columns of {path}: leave one of them out")
    included = types if included == "*" else included
    for field in included:
        if field not in types:
            raise ValueError(f"load_col: {path} has no column {field}; it has {_named(columns)}")
    for field in excluded:
        if field not in types:
            warn(f"unload_col: {path} has no column {field}; it has {_named(columns)}")
    return {field: kind for field, kind in types.items() if field in included and field not in excluded}


def _check_interactions(path: pathlib.Path, columns: dict[str, FeatureType], settings: Mapping[str, Any]) -> None:
    """Check that a file of interactions has the columns that every run needs."""
    for key, kind, why in _needed(settings):
        field = settings[key]
        if field not in columns:
            raise ValueError(
                f"{key}: {why} needs the column {field} of {path}, and {', '.join(columns) or 'no column'} "
                f"are loaded of it; name it in load_col: {{inter: [{', '.join([*columns, field])}]}}"
            )
        if columns[field] != kind:
            raise ValueError(f"{key}: {field} in {path} must be of type {kind.value}, got {columns[field].value}")


def _needed(settings: Mapping[str, Any]) -> Iterator[tuple[str, FeatureType, str]]:
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


def _check_filters(loaded: dict[str, FeatureType], settings: Mapping[str, Any]) -> None:
    """Check that the columns of value filters are loaded, and that a filter fits its column."""
    for key in ("val_interval", "threshold"):
        for field, value in (settings.get(key) or {}).items():
            if field not in loaded:
                raise ValueError(f"{key}: the column {field} is not loaded; load_col names {', '.join(loaded)}")
            is_number = loaded[field] in (FeatureType.FLOAT, FeatureType.FLOAT_SEQ)
            if key == "val_interval" and is_number != isinstance(value, str):
                allowed = "an interval such as '[3,inf)'" if is_number else "a list of tokens"
                raise ValueError(
                    f"val_interval: {field} is of type {loaded[field].value} and takes {allowed}, got {value!r}"
                )


def _named(columns: list[Column]) -> str:
    """Return the names of columns for a message."""
    return ", ".join(column.field for column in columns)
