"""Check RecBole's settings where their comments do not say what is allowed, before data are read."""

import pathlib
import re
from collections.abc import Mapping
from typing import Any

from recbole_edlae._choices import invalid
from recbole_edlae.settings.evaluation import check_evaluation
from recbole_edlae.settings.schema import check_choice, is_of_type, read_schema
from recbole_edlae.solvers.parameters import is_finite

# This package's own: the switch of `integration.fast`, and the files that `tune` trains and validates on.
VECTORIZED_DATA = "vectorized_data"
SEARCH_FILES = "search_filename"

# Of the settings that need no rule of their own the file says what they may be, like those of the models.
_SCHEMA = read_schema(pathlib.Path(__file__).with_name("recbole.yaml"))
_CHOICES = {
    "state": ("debug", "info", "warning", "error", "critical"),
    "transform": ("mask_itemseq", "inverse_itemseq", "crop_itemseq", "reorder_itemseq", "user_defined"),
}
_NEGATIVES = ("distribution", "sample_num", "alpha", "dynamic", "candidate_num")
_CLIPPING = ("max_norm", "norm_type", "error_if_nonfinite", "foreach")
_COLUMN_LISTS = ("load_col", "unload_col", "unused_col")
_INTERVALS = (
    "user_inter_num_interval",
    "item_inter_num_interval",
    "entity_kg_num_interval",
    "relation_kg_num_interval",
)
_INTERVAL = re.compile(r"\s*[\[(]\s*([^,;]+?)\s*,\s*([^,;]+?)\s*[\])]\s*")


def check_rules(settings: Mapping[str, Any]) -> None:
    """Check the settings of data, split and evaluation that RecBole itself checks late, wrongly or not at all.

    Args:
        settings: all settings, merged, before or after ``Config`` fills in the parts of ``eval_args``.

    Raises:
        ValueError: For the first setting that is not allowed; the message has it, its value and what is allowed.
    """
    # Settings that depend on no other.
    for key, setting in _SCHEMA.items():
        if key in settings:
            setting.check(settings[key])
    for key, choices in _CHOICES.items():
        # RecBole compares these in lower case.
        value = settings.get(key)
        if isinstance(value, str):
            value = value.lower()
        if value is not None:
            check_choice(key, value, choices)
    check_vectorized_data(settings)
    _check_negatives(settings.get("train_neg_sample_args"))
    _check_clipping(settings.get("clip_grad_norm"))

    # What is read of the data, and how it is evaluated.
    _check_files(settings)
    _check_search_files(settings)
    _check_columns(settings)
    _check_intervals(settings)
    check_evaluation(settings)


def check_vectorized_data(settings: Mapping[str, Any]) -> None:
    """Check the switch of the vectorized data path.

    Args:
        settings: all settings; without the switch it is on.

    Raises:
        ValueError: It is no bool.
    """
    value = settings.get(VECTORIZED_DATA, True)
    if not isinstance(value, bool):
        raise invalid(VECTORIZED_DATA, "True or False", value)


def _check_negatives(negatives: Any) -> None:
    """Check the negative items of training."""
    # RecBole writes None as text in places.
    name = "train_neg_sample_args"
    if negatives in (None, "None"):
        return
    if not isinstance(negatives, Mapping):
        raise invalid(name, "a dict or None", negatives)
    for key in negatives:
        check_choice(f"a key of {name}", key, _NEGATIVES)

    # Without a distribution nothing is sampled, and the other keys are not read.
    distribution = negatives.get("distribution", "uniform")
    if distribution in (None, "None", "none"):
        return
    check_choice(f"distribution in {name}", distribution, ("uniform", "popularity"))

    dynamic = negatives.get("dynamic", False)
    if not isinstance(dynamic, bool):
        raise invalid(f"dynamic in {name}", "True or False", dynamic)
    if not is_finite(negatives.get("alpha", 1.0)):
        raise invalid(f"alpha in {name}", "a number", negatives["alpha"])

    # Dynamic sampling takes the best of its candidates, so it needs one.
    least_candidates = int(dynamic)
    for key, default, least in (("sample_num", 1, 1), ("candidate_num", 0, least_candidates)):
        count = negatives.get(key, default)
        if not is_of_type(count, "int") or count < least:
            raise invalid(f"{key} in {name}", f"an integer of at least {least}", count)


def _check_clipping(clipping: Any) -> None:
    """Check the arguments of ``torch.nn.utils.clip_grad_norm_``."""
    if clipping is None:
        return
    if not isinstance(clipping, Mapping) or not is_finite(clipping.get("max_norm")):
        raise invalid("clip_grad_norm", "a dict with a number max_norm, {max_norm: 5}", clipping)
    for key in clipping:
        check_choice("a key of clip_grad_norm", key, _CLIPPING)


def _check_files(settings: Mapping[str, Any]) -> None:
    """Check the settings that say which files are read."""
    names = settings.get("benchmark_filename")
    if names is not None and not (is_of_type(names, "list of text") and len(names) in (3, 5)):
        allowed = (
            "three names [train, valid, test], or five for a user split, [train, validation_tr, validation_te, "
            "test_tr, test_te]; [train, test, test] does without a validation part"
        )
        raise invalid("benchmark_filename", allowed, names)


def _check_search_files(settings: Mapping[str, Any]) -> None:
    """Check the names of the files that settings are searched on, if the split has no validation file."""
    names = settings.get(SEARCH_FILES)
    if names is None:
        return
    if not is_of_type(names, "list of text") or len(names) != 2:
        allowed = "two names [fit, valid], of the files that a search trains and validates on"
        raise invalid(SEARCH_FILES, allowed, names)

    from recbole_edlae.settings.parts import validates_on_test  # asked for a search alone

    # A split with a validation file of its own needs no others.
    files = settings.get("benchmark_filename")
    if files is None or len(files) != 3 or not validates_on_test(settings):
        raise ValueError(
            f"{SEARCH_FILES} goes with benchmark_filename [train, test, test], of the files that the settings found "
            f"are refitted and tested on; got {files!r}"
        )


def _check_columns(settings: Mapping[str, Any]) -> None:
    """Check the settings that say which columns and rows are read, and how."""
    for key in _COLUMN_LISTS:
        columns = settings.get(key)
        if columns is not None:
            _check_column_lists(key, columns)

    # RecBole drops these columns after the split.
    for suffix, fields in (settings.get("unused_col") or {}).items():
        for key in ("USER_ID_FIELD", "ITEM_ID_FIELD"):
            if settings[key] in fields:
                raise ValueError(
                    f"unused_col: {suffix} has {settings[key]}, the {key}, which every model needs"
                )

    repeats = settings.get("rm_dup_inter")
    if repeats not in (None, "first", "last", False):
        raise invalid("rm_dup_inter", "one of first, last, None", repeats)

    # RecBole ignores the second if the first is set.
    normalized = settings.get("normalize_field")
    if settings.get("normalize_all") and normalized is not None:
        raise ValueError(f"normalize_field {normalized!r} needs normalize_all: False")


def _check_column_lists(key: str, columns: Any) -> None:
    """Check a setting that maps suffixes of files to columns."""
    if not isinstance(columns, Mapping):
        raise ValueError(f"{key} must map suffixes of files to lists of columns, got {columns!r}")
    for suffix, fields in columns.items():
        loads_all = key == "load_col" and fields == "*"
        if not loads_all and not is_of_type(fields, "list of text"):
            raise invalid(f"{key}: {suffix}", "a list of columns, [user_id, item_id]", fields)


def _check_intervals(settings: Mapping[str, Any]) -> None:
    """Check the settings that filter by intervals of numbers."""
    for key in _INTERVALS:
        if settings.get(key) is not None:
            _check_interval(key, settings[key])

    # A list names tokens to keep.
    filters = settings.get("val_interval")
    if filters is None:
        filters = {}
    if not isinstance(filters, Mapping):
        raise ValueError(
            f"val_interval must map columns to intervals, {{rating: '[3,inf)'}}; got {filters!r}"
        )
    for field, interval in filters.items():
        if not isinstance(interval, (list, tuple)):
            _check_interval(f"val_interval: {field}", interval)

    threshold = settings.get("threshold")
    if threshold is None:
        return
    is_single = isinstance(threshold, Mapping) and len(threshold) == 1
    if not is_single or not all(map(is_finite, threshold.values())):
        raise ValueError(f"threshold must map one column to a number, {{rating: 4}}; got {threshold!r}")


def _check_interval(key: str, text: Any) -> None:
    """Check an interval, or several with ";" between; where it is none RecBole filters nothing."""
    if not isinstance(text, str) or not all(map(_is_interval, text.split(";"))):
        raise invalid(key, "an interval such as '[5,inf)', '(0,10]' or '[1,2];[5,9)'", text)


def _is_interval(text: str) -> bool:
    """Return whether a text is an interval of two numbers in order."""
    ends = _INTERVAL.fullmatch(text)
    if ends is None:
        return False
    try:
        return float(ends[1]) <= float(ends[2])
    except ValueError:
        return False
