"""Find the parts of a split that the settings leave empty."""

from collections.abc import Mapping
from typing import Any

PARTS = ("training", "validation", "test")
SEARCH_FILES = "search_filename"  # this package's own setting: the parts that `tune` trains and validates on
_LEFT_OUT = {"valid_only": ("test",), "test_only": ("validation",)}


class EmptyPart(ValueError):
    """A part of the data that is needed has no interactions."""


def empty_parts(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the parts that a split leaves empty, whatever the data are.

    Args:
        settings: all settings, as ``Config`` ends with.

    Examples:
        >>> empty_parts({"eval_args": {"split": {"RS": [0.8, 0.0, 0.2]}}})
        ('validation',)
        >>> empty_parts({"eval_args": {"split": {"LS": "valid_only"}}})
        ('test',)
    """
    split = (settings.get("eval_args") or {}).get("split")
    if settings.get("benchmark_filename") or not isinstance(split, Mapping):
        return ()
    mode = split.get("LS")
    if isinstance(mode, str):
        return _LEFT_OUT.get(mode, ())
    shares = split.get("RS") or split.get("TS")
    if not isinstance(shares, (list, tuple)) or len(shares) != len(PARTS):
        return ()
    return tuple(part for part, share in zip(PARTS, shares) if share == 0)


def validates_on_test(settings: Mapping[str, Any]) -> bool:
    """Return whether the files of a split are the same for validation and for test.

    Args:
        settings: all settings, as ``Config`` ends with.

    Examples:
        >>> validates_on_test({"benchmark_filename": ["train", "test", "test"]})
        True
        >>> validates_on_test({"benchmark_filename": ["train", "valid", "test"]})
        False
    """
    _, *held_out = settings.get("benchmark_filename") or [None]
    half = len(held_out) // 2
    return half > 0 and held_out[:half] == held_out[half:]


def check_parts(settings: Mapping[str, Any], reasons: Mapping[str, str]) -> None:
    """Check that the split leaves no needed part empty.

    Args:
        settings: all settings, as ``Config`` ends with.
        reasons: name of a needed part → what it is needed for, for example ``{"validation": "tune chooses by it"}``.

    Raises:
        EmptyPart: A part is empty; the message has the split and one without empty parts.
    """
    for part in empty_parts(settings):
        if part in reasons:
            split = settings["eval_args"]["split"]
            raise EmptyPart(
                f"eval_args: the split {_text(split)} leaves no {part} part, and {reasons[part]}; set for example "
                f"split: {_text(_without_gaps(split))}"
            )


def _without_gaps(split: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nearest split that has all three parts."""
    if "LS" in split:
        return {"LS": "valid_and_test"}
    return {"RS" if "RS" in split else "TS": [0.8, 0.1, 0.1]}


def _text(split: Mapping[str, Any]) -> str:
    """Return a split as it stands in a YAML file."""
    return "{" + ", ".join(f"{mode}: {value}" for mode, value in split.items()) + "}"
