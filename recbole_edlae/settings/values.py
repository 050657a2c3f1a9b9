"""Check RecBole's settings that are one number or one text, or say how negatives are drawn and gradients clipped."""

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, TypeGuard

from recbole_edlae._choices import choose

_INTEGERS = {  # setting → the least value; None where every integer means something
    "epochs": 0,
    "train_batch_size": 1,
    "eval_batch_size": 1,
    "worker": 0,
    "stopping_step": 0,
    "eval_step": None,
    "loss_decimal_place": 0,
    "metric_decimal_place": 0,
    "MAX_ITEM_LIST_LENGTH": 1,
}
_NUMBERS = ("learning_rate", "weight_decay")
_TEXTS = (
    *("data_path", "checkpoint_dir", "field_separator", "seq_separator", "learner"),
    *("USER_ID_FIELD", "ITEM_ID_FIELD", "NEG_PREFIX", "LIST_SUFFIX", "POSITION_FIELD", "ITEM_LIST_LENGTH_FIELD"),
)
_TEXTS_OR_NONE = (
    *("TIME_FIELD", "RATING_FIELD", "LABEL_FIELD"),
    *("encoding", "dataset_save_path", "dataloaders_save_path"),
)
_CHOICES = {
    "state": ("debug", "info", "warning", "error", "critical"),
    "transform": ("mask_itemseq", "inverse_itemseq", "crop_itemseq", "reorder_itemseq", "user_defined"),
}
_NEGATIVES = dict.fromkeys(("distribution", "sample_num", "alpha", "dynamic", "candidate_num"))
_CLIPPING = dict.fromkeys(("max_norm", "norm_type", "error_if_nonfinite", "foreach"))


def check_numbers(settings: Mapping[str, Any]) -> None:
    """Check the settings that are numbers.

    Args:
        settings: all settings, as ``Config`` ends with.

    Raises:
        ValueError: For the first that is none, or out of its range.
    """
    seed = settings.get("seed")
    if not is_int(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be an integer from 0 to 4294967295, got {seed!r}")
    for key, least in _INTEGERS.items():
        if key in settings:
            check_integer(key, settings[key], least)
    for key in _NUMBERS:
        value = settings.get(key, 0)
        if not is_finite(value) or value < 0:
            raise ValueError(f"{key} must be a number of at least 0, got {value!r}")
    topk = settings.get("topk")
    if not topk or not all(is_int(k) and k >= 1 for k in listed(topk)):
        raise ValueError(f"topk must be an integer of at least 1 or a list of such, got {topk!r}")


def check_integer(name: str, value: Any, least: int | None) -> None:
    """Raise ValueError for a value that is no integer, or below the least one."""
    if not is_int(value) or (least is not None and value < least):
        allowed = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name} must be an integer{allowed}, got {value!r}")


def check_texts(settings: Mapping[str, Any]) -> None:
    """Check the settings that are text: names, paths and columns.

    Args:
        settings: all settings, as ``Config`` ends with.

    Raises:
        ValueError: For the first that is none, or empty.
    """
    for key in (*_TEXTS, *_TEXTS_OR_NONE):
        value = settings.get(key)
        if key not in settings or (value is None and key in _TEXTS_OR_NONE):
            continue
        if not isinstance(value, (str, os.PathLike)) or not str(value):
            raise ValueError(f"{key} must be text of at least one character, got {value!r}")
    for key, choices in _CHOICES.items():
        value = settings.get(key)
        if value is not None:
            choose(key, value.lower() if isinstance(value, str) else value, dict.fromkeys(choices))


def check_negatives(negatives: Any) -> None:
    """Check the negative items of training.

    Args:
        negatives: the setting ``train_neg_sample_args``.

    Raises:
        ValueError: It has a key or a value that is not allowed.
    """
    if negatives is None or negatives == "None":
        return
    if not isinstance(negatives, Mapping):
        raise ValueError(f"train_neg_sample_args must be a dict or None, got {negatives!r}")
    for key in negatives:
        choose("a key of train_neg_sample_args", key, _NEGATIVES)
    distribution = negatives.get("distribution", "uniform")
    if distribution in (None, "None", "none"):
        return
    choose("distribution in train_neg_sample_args", distribution, dict.fromkeys(("uniform", "popularity")))
    dynamic = negatives.get("dynamic", False)
    if not isinstance(dynamic, bool):
        raise ValueError(f"dynamic in train_neg_sample_args must be True or False, got {dynamic!r}")
    if not is_finite(negatives.get("alpha", 1.0)):
        raise ValueError(f"alpha in train_neg_sample_args must be a number, got {negatives['alpha']!r}")
    check_integer("sample_num in train_neg_sample_args", negatives.get("sample_num", 1), 1)
    check_integer("candidate_num in train_neg_sample_args", negatives.get("candidate_num", 0), int(dynamic))


def check_clipping(clipping: Any) -> None:
    """Check the arguments of ``torch.nn.utils.clip_grad_norm_``.

    Args:
        clipping: the setting ``clip_grad_norm``.

    Raises:
        ValueError: It has a key or a value that is not allowed.
    """
    if clipping is None:
        return
    if not isinstance(clipping, Mapping) or not is_finite(clipping.get("max_norm")):
        raise ValueError(f"clip_grad_norm must be a dict with a number max_norm, {{max_norm: 5}}; got {clipping!r}")
    for key in clipping:
        choose("a key of clip_grad_norm", key, _CLIPPING)


def listed(value: Any) -> list:
    """Return a value as a list: None as an empty one, and anything that is no list as its only entry."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def are_texts(values: Any) -> bool:
    """Return whether a value is a list of texts."""
    return isinstance(values, (list, tuple)) and all(isinstance(value, str) for value in values)


def is_int(value: Any) -> TypeGuard[int]:
    """Return whether a value is an integer and no bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite(*values: Any) -> bool:
    """Return whether all values are finite numbers."""
    return all(isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) for value in values)
