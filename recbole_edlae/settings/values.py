"""Check RecBole's settings that are one number or one text, or say how negatives are drawn and gradients clipped."""

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, TypeGuard

from recbole_edlae._choices import check_choice, invalid

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
    *(
        "USER_ID_FIELD",
        "ITEM_ID_FIELD",
        "NEG_PREFIX",
        "LIST_SUFFIX",
        "POSITION_FIELD",
        "ITEM_LIST_LENGTH_FIELD",
    ),
)
_TEXTS_OR_NONE = (
    *("TIME_FIELD", "RATING_FIELD", "LABEL_FIELD"),
    *("encoding", "dataset_save_path", "dataloaders_save_path"),
)
_CHOICES = {
    "state": ("debug", "info", "warning", "error", "critical"),
    "transform": ("mask_itemseq", "inverse_itemseq", "crop_itemseq", "reorder_itemseq", "user_defined"),
}
_NEGATIVES = ("distribution", "sample_num", "alpha", "dynamic", "candidate_num")
_CLIPPING = ("max_norm", "norm_type", "error_if_nonfinite", "foreach")


def check_numbers(settings: Mapping[str, Any]) -> None:
    """Check the settings that are numbers.

    Args:
        settings: all settings, as ``Config`` ends with.

    Raises:
        ValueError: For the first that is none, or out of its range.
    """
    # NumPy seeds with 32 bits.
    seed = settings.get("seed")
    if not is_int(seed) or not 0 <= seed < 2**32:
        raise invalid("seed", "an integer from 0 to 4294967295", seed)

    # RecBole's own checks let text and negative numbers pass.
    for key, least in _INTEGERS.items():
        if key in settings:
            check_integer(key, settings[key], least)
    for key in _NUMBERS:
        value = settings.get(key, 0)
        if not is_finite(value) or value < 0:
            raise invalid(key, "a number of at least 0", value)

    topk = settings.get("topk")
    if not topk or not all(is_int(k) and k >= 1 for k in listed(topk)):
        raise invalid("topk", "an integer of at least 1 or a list of such", topk)


def check_integer(name: str, value: Any, least: int | None) -> None:
    """Raise ValueError for a value that is no integer, or below the least one."""
    if least is None:
        if not is_int(value):
            raise invalid(name, "an integer", value)
    elif not is_int(value) or value < least:
        raise invalid(name, f"an integer of at least {least}", value)


def check_texts(settings: Mapping[str, Any]) -> None:
    """Check the settings that are text: names, paths and columns.

    Args:
        settings: all settings, as ``Config`` ends with.

    Raises:
        ValueError: For the first that is none, or empty.
    """
    # A setting of another kind of model may be missing altogether.
    for key in (*_TEXTS, *_TEXTS_OR_NONE):
        value = settings.get(key)
        if key not in settings or (value is None and key in _TEXTS_OR_NONE):
            continue
        if not isinstance(value, (str, os.PathLike)) or not str(value):
            raise invalid(key, "text of at least one character", value)

    # RecBole compares these in lower case.
    for key, choices in _CHOICES.items():
        value = settings.get(key)
        if isinstance(value, str):
            value = value.lower()
        if value is not None:
            check_choice(key, value, choices)


def check_negatives(negatives: Any) -> None:
    """Check the negative items of training.

    Args:
        negatives: the setting ``train_neg_sample_args``.

    Raises:
        ValueError: It has a key or a value that is not allowed.
    """
    # RecBole writes None as text in places.
    if negatives is None or negatives == "None":
        return
    if not isinstance(negatives, Mapping):
        raise invalid("train_neg_sample_args", "a dict or None", negatives)
    for key in negatives:
        check_choice("a key of train_neg_sample_args", key, _NEGATIVES)

    # Without a distribution nothing is sampled, and the other keys are not read.
    distribution = negatives.get("distribution", "uniform")
    if distribution in (None, "None", "none"):
        return
    check_choice("distribution in train_neg_sample_args", distribution, ("uniform", "popularity"))

    dynamic = negatives.get("dynamic", False)
    if not isinstance(dynamic, bool):
        raise invalid("dynamic in train_neg_sample_args", "True or False", dynamic)
    if not is_finite(negatives.get("alpha", 1.0)):
        raise invalid("alpha in train_neg_sample_args", "a number", negatives["alpha"])

    # Dynamic sampling takes the best of its candidates, so it needs one.
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
        raise invalid("clip_grad_norm", "a dict with a number max_norm, {max_norm: 5}", clipping)
    for key in clipping:
        check_choice("a key of clip_grad_norm", key, _CLIPPING)


def listed(value: Any) -> list:
    """Return a value as a list: None as an empty one, and anything that is no list as its only entry."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value]


def are_texts(values: Any) -> bool:
    """Return whether a value is a list of texts."""
    return isinstance(values, (list, tuple)) and all(isinstance(value, str) for value in values)


def is_int(value: Any) -> TypeGuard[int]:
    """Return whether a value is an integer and no bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite(*values: Any) -> bool:
    """Return whether all values are finite numbers."""
    for value in values:
        if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
            return False
    return True
