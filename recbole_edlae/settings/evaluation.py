"""Check RecBole's settings of the evaluation: metrics, split and candidates, before data are read."""

import math
import re
from collections.abc import Mapping
from numbers import Integral
from typing import Any

from recbole.evaluator import metric_types
from recbole.utils import EvaluatorType

from recbole_edlae._choices import closest_first, invalid, unknown
from recbole_edlae.settings.schema import check_choice, is_of_type, listed
from recbole_edlae.solvers.parameters import is_finite

_EVAL_ARGS = ("split", "group_by", "order", "mode", "fold_in")
_ORDERS = ("RO", "TO")
_SPLITS = ("RS", "LS", "TS", "US")
FOLD_IN = 0.8  # share of a held-out user's items, where the settings do not say
_LEAVE_ONE_OUT = ("valid_and_test", "valid_only", "test_only")


def check_evaluation(settings: Mapping[str, Any]) -> None:
    """Check the metrics and the protocol.

    Args:
        settings: all settings, as for :func:`recbole_edlae.settings.rules.check_rules`.

    Raises:
        ValueError: For the first setting that is not allowed.
    """
    # The other checks look up the kinds of the metrics.
    _check_metrics(settings)
    eval_args = settings.get("eval_args")
    if not isinstance(eval_args, Mapping):
        raise invalid("eval_args", "a dict", eval_args)
    _check_eval_args(eval_args, settings)
    _check_validation(settings)


def splits_users(settings: Mapping[str, Any]) -> bool:
    """Return whether the settings ask for a user split.

    Examples:
        >>> splits_users({"eval_args": {"split": {"US": [0.8, 0.1, 0.1]}}})
        True
        >>> splits_users({"eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}}})
        False
    """
    return "US" in split_of(settings) or len(settings.get("benchmark_filename") or ()) == 5


def check_user_split(settings: Mapping[str, Any]) -> None:
    """Check the settings of a user split, before any data are read.

    Args:
        settings: all settings, as ``Config`` ends with.

    Raises:
        ValueError: A setting of the split is invalid, or one of them is set without the split.
    """
    eval_args = settings.get("eval_args") or {}
    if "US" not in split_of(settings):
        if "fold_in" in eval_args:
            raise ValueError("fold_in in eval_args belongs to the user split: split: {US: [0.8, 0.1, 0.1]}")
        return
    if settings.get("benchmark_filename"):
        raise ValueError(
            "benchmark_filename splits the data already: leave the split US out; files of a user split have five "
            "names, [train, validation_tr, validation_te, test_tr, test_te]"
        )

    _check_users(split_of(settings)["US"])
    fold_in = eval_args.get("fold_in", FOLD_IN)
    if not is_finite(fold_in) or not 0 < fold_in < 1:
        raise ValueError(f"fold_in in eval_args must be float in (0, 1), got {fold_in!r}")
    if eval_args.get("group_by", "user") != "user":
        raise ValueError(
            f"the split US is one of users: group_by must be 'user', got {eval_args['group_by']!r}"
        )
    check_choice("order in eval_args", eval_args.get("order", "RO"), _ORDERS)


def split_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return eval_args' split; an empty one where it is no dict."""
    split_args = (settings.get("eval_args") or {}).get("split")
    return split_args if isinstance(split_args, dict) else {}


def normalized_ratings(settings: Mapping[str, Any]) -> str | None:
    """Return what to say where errors of ratings are measured on ratings that RecBole scales to between 0 and 1."""
    # A threshold turns ratings into labels, which are 0 and 1 anyway.
    errors = [name for name in listed(settings["metrics"]) if name.lower() in ("rmse", "mae")]
    if not errors or settings.get("threshold"):
        return None

    label = settings.get("LABEL_FIELD")
    normalized = settings.get("normalize_field") or []
    if settings.get("normalize_all"):
        reason = "normalize_all: True"
    elif label in normalized:
        reason = f"normalize_field: {list(normalized)}"
    else:
        return None
    return (
        f"{' and '.join(errors)} are measured on {label} scaled to between 0 and 1, "
        f"because of {reason}; normalize_all: False keeps its own units"
    )


def _check_metrics(settings: Mapping[str, Any]) -> None:
    """Check that metrics are known and of one kind."""
    names = listed(settings.get("metrics"))
    if not names or not is_of_type(names, "list of text"):
        raise ValueError(
            f"metrics must name at least one of {', '.join(sorted(metric_types))}; got {names!r}"
        )
    for name in names:
        if name.lower() not in metric_types:
            error = unknown("metric", name, sorted(metric_types))
            raise ValueError(f"metrics: {error}")

    # RecBole collects scores for one kind of evaluation.
    values = [name for name in names if _type(name) == EvaluatorType.VALUE]
    if 0 < len(values) < len(names):
        raise ValueError(
            f"metrics: {', '.join(values)} measure values and the others rankings; take one kind"
        )


def _type(metric: str) -> EvaluatorType:
    """Return whether a metric measures values or rankings."""
    return metric_types[metric.lower()]


def _check_eval_args(eval_args: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Check the protocol of the evaluation."""
    for key in eval_args:
        check_choice("a key of eval_args", key, _EVAL_ARGS)
    check_choice("order in eval_args", eval_args.get("order", "RO"), _ORDERS)
    group_by = eval_args.get("group_by", "user")
    if str(group_by).lower() not in ("user", "none"):
        raise invalid("group_by in eval_args", "one of user, none", group_by)

    # Files of a split need no other one.
    if not settings.get("benchmark_filename"):
        _check_split(eval_args.get("split", {"RS": [0.8, 0.1, 0.1]}))

    # One mode means both phases.
    mode = eval_args.get("mode", "full")
    if not isinstance(mode, Mapping):
        mode = {"valid": mode, "test": mode}
    for phase in mode:
        check_choice("a key of mode in eval_args", phase, ("valid", "test"))
    for candidates in mode.values():
        _check_mode(candidates, listed(settings["metrics"]))


def _check_split(split: Any) -> None:
    """Check how interactions or users are split."""
    if not isinstance(split, Mapping) or len(split) != 1:
        raise invalid("split in eval_args", "one of {RS: …}, {LS: …}, {TS: …}, {US: …}", split)
    ((kind, shares),) = split.items()
    check_choice("split in eval_args", kind, _SPLITS)
    if kind == "LS":
        check_choice("LS in eval_args' split", shares, _LEAVE_ONE_OUT)
    if kind not in ("RS", "TS"):
        return

    # Nothing trains without a first share.
    is_triple = isinstance(shares, (list, tuple)) and len(shares) == 3
    if not is_triple or not all(map(is_finite, shares)) or min(shares) < 0 or shares[0] == 0:
        allowed = "three shares for training, validation and test, the first above 0, [0.8, 0.1, 0.1]"
        raise invalid(f"{kind} in eval_args' split", allowed, shares)


def _check_users(parts: Any) -> None:
    """Check the shares or numbers of users."""
    message = (
        "US in eval_args' split must be three shares of the users that sum to 1, [0.8, 0.1, 0.1], or -1 and two "
        f"numbers of users, [-1, 1000, 1000]; got {parts!r}"
    )
    if not isinstance(parts, (list, tuple)) or len(parts) != 3 or not all(map(is_finite, parts)):
        raise ValueError(message)
    are_numbers = (
        all(isinstance(part, Integral) for part in parts) and parts[0] == -1 and min(parts[1:]) > 0
    )
    are_shares = min(parts) > 0 and math.isclose(sum(parts), 1, abs_tol=1e-6)
    if not are_numbers and not are_shares:
        raise ValueError(message)


def _check_mode(mode: Any, metrics: list[str]) -> None:
    """Check what a target is ranked among, and that the metrics fit it."""
    if not isinstance(mode, str) or not re.fullmatch(r"full|labeled|(uni|pop)[1-9]\d*", mode):
        raise invalid("mode in eval_args", "one of full, uniN, popN (N candidates), labeled", mode)

    # Labeled interactions are not ranked, and a full ranking has items without ratings.
    ranking = [name for name in metrics if _type(name) == EvaluatorType.RANKING]
    if mode == "labeled" and ranking:
        raise ValueError(
            f"mode labeled in eval_args measures values (RMSE, MAE, AUC, LogLoss); {ranking[0]} ranks"
        )
    if mode == "full" and not ranking:
        raise ValueError(
            f"mode full in eval_args ranks items; {metrics[0]} measures values: mode must be labeled"
        )


def _check_validation(settings: Mapping[str, Any]) -> None:
    """Check that the validation metric is evaluated, which RecBole notices after training."""
    topk = listed(settings["topk"])
    names = listed(settings["metrics"])

    # GAUC counts as ranking in RecBole, but has no cutoff.
    evaluated = []
    for name in names:
        if name.lower() == "gauc" or _type(name) == EvaluatorType.VALUE:
            evaluated.append(name)
        else:
            evaluated += [f"{name}@{k}" for k in topk]

    # RecBole compares metrics in lower case.
    metric = settings["valid_metric"]
    if str(metric).lower() not in map(str.lower, evaluated):
        nearest = ", ".join(closest_first(metric, evaluated))
        raise ValueError(
            f"unknown valid_metric {metric!r}; metrics {names} and topk {topk} evaluate {nearest}"
        )
