"""Check RecBole's settings where their comments do not say what is allowed, before data are read."""

import re
from collections.abc import Mapping
from typing import Any

from recbole.evaluator import metric_types
from recbole.utils import EvaluatorType

from recbole_edlae._choices import choose, closest_first
from recbole_edlae.settings import vectorized
from recbole_edlae.settings.parts import SEARCH_FILES, validates_on_test
from recbole_edlae.settings.values import (
    are_texts,
    check_clipping,
    check_negatives,
    check_numbers,
    check_texts,
    is_finite,
    listed,
)

INTERVALS = (
    "user_inter_num_interval",
    "item_inter_num_interval",
    "entity_kg_num_interval",
    "relation_kg_num_interval",
)
_INTERVAL = re.compile(r"\s*[\[(]\s*([^,;]+?)\s*,\s*([^,;]+?)\s*[\])]\s*")
_SPLITS = dict.fromkeys(("RS", "LS", "TS", "US"))
_LEAVE_ONE = dict.fromkeys(("valid_and_test", "valid_only", "test_only"))
_EVAL_ARGS = dict.fromkeys(("split", "group_by", "order", "mode", "fold_in"))


def check_rules(settings: Mapping[str, Any]) -> None:
    """Check the settings of data, split and evaluation that RecBole itself checks late, wrongly or not at all.

    Args:
        settings: all settings, merged, before or after ``Config`` fills in the parts of ``eval_args``.

    Raises:
        ValueError: For the first setting that is not allowed; the message has it, its value and what is allowed.
    """
    check_numbers(settings)
    check_texts(settings)
    check_vectorized_data(settings)
    _check_files(settings)
    _check_intervals(settings)
    check_negatives(settings.get("train_neg_sample_args"))
    check_clipping(settings.get("clip_grad_norm"))
    _check_metrics(settings)
    eval_args = settings.get("eval_args")
    if not isinstance(eval_args, Mapping):
        raise ValueError(f"eval_args must be a dict, got {eval_args!r}")
    _check_eval_args(eval_args, settings)
    check_validation(settings)


def check_vectorized_data(settings: Mapping[str, Any]) -> None:
    """Check the switch of the vectorized data path.

    Args:
        settings: all settings; without the switch it is on.

    Raises:
        ValueError: It is no bool.
    """
    value = settings.get(vectorized.SETTING, True)
    if not isinstance(value, bool):
        raise ValueError(f"{vectorized.SETTING} must be True or False, got {value!r}")


def check_validation(settings: Mapping[str, Any]) -> None:
    """Check that the validation metric is one of those that are evaluated, which RecBole notices after training.

    Args:
        settings: all settings.

    Raises:
        ValueError: A metric is unknown, or the validation metric is not evaluated.
    """
    topk = listed(settings["topk"] or [])
    names = listed(settings["metrics"])
    _check_metric_names(names)
    evaluated = []
    for name in names:
        has_no_k = name.lower() == "gauc" or metric_types[name.lower()] == EvaluatorType.VALUE
        evaluated += [name] if has_no_k else [f"{name}@{k}" for k in topk]
    valid_metric = settings["valid_metric"]
    if str(valid_metric).lower() not in [name.lower() for name in evaluated]:
        raise ValueError(
            f"valid_metric {valid_metric} is none of what metrics {names} and topk {topk} evaluate: "
            f"{', '.join(closest_first(valid_metric, evaluated))}"
        )


def normalized_ratings(settings: Mapping[str, Any]) -> str | None:
    """Return what to say where errors of ratings are measured on ratings that RecBole scales to between 0 and 1."""
    label = settings.get("LABEL_FIELD")
    normalized = settings.get("normalize_field") or []
    errors = [name for name in listed(settings["metrics"]) if name.lower() in ("rmse", "mae")]
    if not errors or settings.get("threshold") or not (settings.get("normalize_all") or label in normalized):
        return None
    setting = "normalize_all: True" if settings.get("normalize_all") else f"normalize_field: {list(normalized)}"
    return (
        f"{' and '.join(errors)} are measured on {label} scaled to between 0 and 1, because of {setting}; "
        f"normalize_all: False keeps its own units"
    )


def _check_files(settings: Mapping[str, Any]) -> None:
    """Check the settings that say which files are read, and how."""
    names = settings.get("benchmark_filename")
    if names is not None and not (are_texts(names) and len(names) in (3, 5)):
        raise ValueError(
            "benchmark_filename must be three names [train, valid, test], or five for a user split, [train, "
            "validation_tr, validation_te, test_tr, test_te]; [train, test, test] does without a validation part; "
            f"got {names!r}"
        )
    _check_search_files(settings)
    for key in ("load_col", "unload_col", "unused_col"):
        _check_columns(key, settings.get(key))
    _check_unused(settings)
    if settings.get("rm_dup_inter") not in (None, "first", "last", False):
        raise ValueError(f"rm_dup_inter must be one of first, last, None; got {settings['rm_dup_inter']!r}")
    if not are_texts(settings.get("numerical_features", [])):
        raise ValueError(f"numerical_features must be a list of columns, got {settings['numerical_features']!r}")
    if settings.get("normalize_all") and settings.get("normalize_field") is not None:
        raise ValueError(f"normalize_field {settings['normalize_field']!r} needs normalize_all: False")


def _check_search_files(settings: Mapping[str, Any]) -> None:
    """Check the names of the files that settings are searched on, where the test has no validation file."""
    names = settings.get(SEARCH_FILES)
    if names is None:
        return
    if not (are_texts(names) and len(names) == 2):
        raise ValueError(
            f"{SEARCH_FILES} must be two names [fit, valid], of the files that a search trains and validates on; "
            f"got {names!r}"
        )
    files = settings.get("benchmark_filename")
    if files is None or len(files) != 3 or not validates_on_test(settings):
        raise ValueError(
            f"{SEARCH_FILES} goes with benchmark_filename [train, test, test], of the files that the settings found "
            f"are refitted and tested on; got {files!r}"
        )


def _check_columns(key: str, columns: Any) -> None:
    """Check a setting that maps suffixes of files to columns."""
    if columns is None:
        return
    if not isinstance(columns, Mapping):
        raise ValueError(f"{key} must map suffixes of files to lists of columns, got {columns!r}")
    for suffix, fields in columns.items():
        if not are_texts(fields) and not (key == "load_col" and fields == "*"):
            raise ValueError(f"{key}: {suffix} must be a list of columns, [user_id, item_id]; got {fields!r}")


def _check_unused(settings: Mapping[str, Any]) -> None:
    """Check that neither users nor items are dropped after the split."""
    for suffix, fields in (settings.get("unused_col") or {}).items():
        for key in ("USER_ID_FIELD", "ITEM_ID_FIELD"):
            if settings[key] in fields:
                raise ValueError(f"unused_col: {suffix} has {settings[key]}, the {key}, which every model needs")


def _check_intervals(settings: Mapping[str, Any]) -> None:
    """Check the settings that filter by intervals of numbers."""
    for key in INTERVALS:
        if settings.get(key) is not None:
            check_interval(key, settings[key])
    filters = settings.get("val_interval")
    if filters is not None and not isinstance(filters, Mapping):
        raise ValueError(f"val_interval must map columns to intervals, {{rating: '[3,inf)'}}; got {filters!r}")
    for field, interval in (filters or {}).items():
        if not isinstance(interval, (list, tuple)):  # a list names tokens
            check_interval(f"val_interval: {field}", interval)
    threshold = settings.get("threshold")
    if threshold is not None and not (
        isinstance(threshold, Mapping) and len(threshold) == 1 and is_finite(*threshold.values())
    ):
        raise ValueError(f"threshold must map one column to a number, {{rating: 4}}; got {threshold!r}")


def check_interval(key: str, text: Any) -> None:
    """Check an interval, or several with ";" between, as RecBole's settings have them.

    Args:
        key: the setting, for the message.
        text: its value.

    Raises:
        ValueError: It is no interval; RecBole would filter nothing and only write a line into its log.

    Examples:
        >>> check_interval("user_inter_num_interval", "[5,inf)")
        >>> check_interval("val_interval: rating", "[1,2];[5,9)")
        >>> check_interval("user_inter_num_interval", "5")
        Traceback (most recent call last):
            ...
        ValueError: user_inter_num_interval must be an interval such as '[5,inf)', '(0,10]' or '[1,2];[5,9)', got '5'
    """
    for part in text.split(";") if isinstance(text, str) else [""]:
        if not _is_interval(part):
            raise ValueError(f"{key} must be an interval such as '[5,inf)', '(0,10]' or '[1,2];[5,9)', got {text!r}")


def _is_interval(text: str) -> bool:
    """Return whether a text is an interval of two numbers in order."""
    ends = _INTERVAL.fullmatch(text)
    if ends is None:
        return False
    try:
        return float(ends[1]) <= float(ends[2])
    except ValueError:
        return False


def _check_metrics(settings: Mapping[str, Any]) -> None:
    """Check that metrics are known and of one kind."""
    names = listed(settings.get("metrics"))
    if not names or not are_texts(names):
        raise ValueError(f"metrics must name at least one of {', '.join(sorted(metric_types))}; got {names!r}")
    _check_metric_names(names)
    if len({metric_types[name.lower()] for name in names}) > 1:
        values = [name for name in names if metric_types[name.lower()] == EvaluatorType.VALUE]
        raise ValueError(f"metrics: {', '.join(values)} measure values and the others rankings; take one kind")


def _check_metric_names(names: list[str]) -> None:
    """Check that RecBole has every metric."""
    for name in names:
        if name.lower() not in metric_types:
            choices = ", ".join(closest_first(name, sorted(metric_types)))
            raise ValueError(f"metrics: there is no {name}; there are {choices}")


def _check_eval_args(eval_args: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Check the protocol of the evaluation."""
    for key in eval_args:
        choose("a key of eval_args", key, _EVAL_ARGS)
    choose("order in eval_args", eval_args.get("order", "RO"), dict.fromkeys(("RO", "TO")))
    group_by = eval_args.get("group_by", "user")
    if group_by is not None and str(group_by).lower() not in ("user", "none"):
        raise ValueError(f"group_by in eval_args must be one of user, none; got {group_by!r}")
    if not settings.get("benchmark_filename"):
        _check_split(eval_args.get("split", {"RS": [0.8, 0.1, 0.1]}))
    mode = eval_args.get("mode", "full")
    modes = mode if isinstance(mode, Mapping) else {"valid": mode, "test": mode}
    for phase in modes:
        choose("a key of mode in eval_args", phase, dict.fromkeys(("valid", "test")))
    for mode in modes.values():
        _check_mode(mode, listed(settings["metrics"]))


def _check_split(split: Any) -> None:
    """Check how interactions or users are split."""
    if not isinstance(split, Mapping) or len(split) != 1:
        raise ValueError(f"split in eval_args must be one of {{RS: …}}, {{LS: …}}, {{TS: …}}, {{US: …}}; got {split!r}")
    ((kind, parts),) = split.items()
    choose("split in eval_args", kind, _SPLITS)
    if kind == "LS":
        choose("LS in eval_args' split", parts, _LEAVE_ONE)
    if kind in ("RS", "TS") and not (
        isinstance(parts, (list, tuple)) and len(parts) == 3 and is_finite(*parts) and min(parts) >= 0 < parts[0]
    ):
        raise ValueError(
            f"{kind} in eval_args' split must be three shares for training, validation and test, the first above 0, "
            f"[0.8, 0.1, 0.1]; got {parts!r}"
        )


def _check_mode(mode: Any, metrics: list[str]) -> None:
    """Check what a target is ranked among, and that the metrics fit it."""
    sampled = re.fullmatch(r"(?:uni|pop)([1-9]\d*)", str(mode))
    if not isinstance(mode, str) or not (sampled or mode in ("full", "labeled")):
        raise ValueError(f"mode in eval_args must be one of full, uniN, popN (N candidates), labeled; got {mode!r}")
    ranking = [name for name in metrics if metric_types[name.lower()] == EvaluatorType.RANKING]
    if mode == "labeled" and ranking:
        raise ValueError(f"mode labeled in eval_args measures values (RMSE, MAE, AUC, LogLoss); {ranking[0]} ranks")
    if mode == "full" and not ranking:
        raise ValueError(f"mode full in eval_args ranks items; {metrics[0]} measures values: mode must be labeled")
