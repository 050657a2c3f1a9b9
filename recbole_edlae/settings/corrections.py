"""The settings that say what is changed in RecBole: its numbers, and whether its data pass through arrays.

``corrections: True`` (the default with this package imported), ``False``, or a list of names from :data:`CORRECTIONS`.
With ``corrections: False`` every number is stock RecBole's, also of a run that saves its loaders. Repairs, without
which RecBole does not run or runs slower with the same digits, are not among them; ``vectorized_data: False`` has the
data read, split and batched by RecBole's own functions.

Each run says in one line of its log which corrections are active and which touched its numbers. Like the table of
patches, this module imports nothing of RecBole, torch or NumPy.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from recbole_edlae._choices import invalid, not_one_of

SETTING = "corrections"
CORRECTIONS: dict[str, str] = {
    "tokens": "Tokens are read as the file has them: `NA`, `null` and quotation marks are text.",
    "time_order": "Times are compared exactly instead of in float32; equal times are ordered by tokens.",
    "candidates": "Sampled candidates (`uniN`, `popN`) depend on the seed and the user, not on the model.",
    "ties": "Equal scores are ordered by the popularity in training, then by token, not by the order of the file.",
    "popularity": "`Pop` counts each interaction of the training part once, not each item once a batch.",
    "beyond_accuracy": "Coverage, entropy, Gini index and popularity leave out padding and masked items.",
}

# Attributes of a Config: names of the corrections that changed the run, and those in the last line of the log.
_TOUCHED = "touched_by_corrections"
_SAID = "said_of_corrections"


def chosen(value: Any) -> tuple[str, ...]:
    """Return the names of the corrections that a value of the setting switches on.

    Args:
        value: True, False, None (as True), a name, or a list of names; also as text, as a command line has it.

    Raises:
        ValueError: The value is something else, or a name is unknown.

    Examples:
        >>> chosen(False), chosen("[ties, candidates]")
        ((), ('candidates', 'ties'))
    """
    if value is None or value is True:
        return tuple(CORRECTIONS)
    if value is False:
        return ()

    # A command line has the list as text, with or without its brackets.
    if isinstance(value, str):
        value = value.strip("[] ").split(",")
    if not isinstance(value, (list, tuple)):
        raise invalid(SETTING, f"True, False or a list of {', '.join(CORRECTIONS)}", value)

    # In the order of the table, so that equal lists are equal records.
    names = [str(name).strip(" '\"") for name in value]
    for name in names:
        if name not in CORRECTIONS:
            raise not_one_of(f"a name in {SETTING}", name, CORRECTIONS)
    return tuple(name for name in CORRECTIONS if name in names)


def is_on(config: Any, name: str) -> bool:
    """Return whether a correction is switched on.

    Args:
        config: RecBole's Config, or None where a call has none: then it is on.
        name: of the correction.
    """
    return config is None or name in chosen(_value(config))


def vectorized(config: Any) -> bool:
    """Return whether :mod:`recbole_edlae.integration.fast` reads, splits and batches the data of a config.

    Otherwise RecBole's own functions do, but for the picking of rows, the collector of results and the import of
    scikit-learn.

    Args:
        config: RecBole's Config. Without the setting ``vectorized_data`` the answer is yes.
    """
    return config["vectorized_data"] is not False


def any_is_on(names: Iterable[str], arguments: Iterable[Any]) -> bool:
    """Return whether one of some corrections is switched on.

    Args:
        names: of the corrections.
        arguments: of a call, which lead to a Config as in :func:`config_of`.
    """
    config = config_of(arguments)
    return any(is_on(config, name) for name in names)


def config_of(arguments: Iterable[Any]) -> Any:
    """Return the Config that the arguments of a call lead to; None where none does.

    It is an argument itself, or that of a dataset, loader, sampler, trainer, evaluator or metric.
    """
    for argument in arguments:
        if hasattr(argument, "final_config_dict"):
            return argument

        # A loader or sampler may have it only by its dataset; attributes that are computed are not looked up.
        attributes = getattr(argument, "__dict__", {})
        datasets = attributes.get("datasets") or ()
        for holder in (argument, attributes.get("dataset"), *datasets):
            config = getattr(holder, "__dict__", {}).get("config")
            if config is not None:
                return config
    return None


def note(config: Any, *names: str) -> None:
    """Note that corrections changed numbers of a run.

    Args:
        config: of the run; anything else than a Config of RecBole's notes nothing.
        names: of the corrections.
    """
    if hasattr(config, "final_config_dict"):
        vars(config)[_TOUCHED] = touched(config) | set(names)


def touched(config: Any) -> set[str]:
    """Return the names of the corrections that changed numbers of a run so far."""
    return set(vars(config).get(_TOUCHED) or ())


def record(config: Any) -> dict[str, list[str]]:
    """Return what the record of a run keeps: the corrections that were active, and those that touched its numbers."""
    changed = touched(config)
    return {
        "active": list(chosen(_value(config))),
        "touched": [name for name in CORRECTIONS if name in changed],
    }


def sentence(active: Sequence[str], changed: Sequence[str]) -> str:
    """Return the line that a log or a report has.

    Args:
        active: names of the active corrections.
        changed: those that touched a number.
    """
    if not active:
        return f"no correction of RecBole's numbers is active ({SETTING}: False)"
    return (
        f"{len(active)} of {len(CORRECTIONS)} corrections of RecBole's numbers are active ({', '.join(active)}); "
        f"touched here: {', '.join(changed) or 'none'}; {SETTING}: False switches them off"
    )


def say(config: Any) -> None:
    """Log once per run which corrections are active and touched it; again only if another one has since.

    Args:
        config: of the run; anything else than a Config of RecBole's logs nothing.
    """
    if not hasattr(config, "final_config_dict"):
        return

    # A run is evaluated often; its line is said again only with other contents.
    state = record(config)
    if vars(config).get(_SAID) != state["touched"]:
        vars(config)[_SAID] = state["touched"]
        logging.getLogger().info("recbole_edlae: " + sentence(state["active"], state["touched"]))


def _value(config: Any) -> Any:
    """Return the value of the setting; None if the config lacks it."""
    # A Config returns None for a missing key, a dict raises.
    if isinstance(config, dict):
        return config.get(SETTING)
    return config[SETTING]
