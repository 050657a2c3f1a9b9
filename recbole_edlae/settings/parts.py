"""Find the parts of a split that the settings, or the data, leave empty."""

from collections.abc import Mapping, Sequence
from typing import Any

PARTS = ("training", "validation", "test")
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
    # With files of a split its settings have no effect.
    split = (settings.get("eval_args") or {}).get("split")
    if settings.get("benchmark_filename") or not isinstance(split, Mapping):
        return ()

    # Leave-one-out names the parts that it fills.
    mode = split.get("LS")
    if isinstance(mode, str):
        return _LEFT_OUT.get(mode, ())

    # The check of the rules has the message for malformed shares.
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
    # A user split has two held-out files for each part: histories and targets.
    held_out = (settings.get("benchmark_filename") or [])[1:]
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
        if part not in reasons:
            continue

        # The nearest split without gaps is of the same kind.
        split = settings["eval_args"]["split"]
        (kind,) = split
        example: Any = [0.8, 0.1, 0.1]
        if kind == "LS":
            example = "valid_and_test"
        raise EmptyPart(
            f"eval_args: the split {_text(split)} leaves no {part} part, "
            f"and {reasons[part]}; set for example split: {_text({kind: example})}"
        )


def check_loaders(loaders: Sequence, needed: Sequence[str]) -> None:
    """Check that no needed part turned out empty when the data were split.

    Args:
        loaders: RecBole's loaders of training, validation and test.
        needed: names of parts.

    Raises:
        EmptyPart: A part is empty.
    """
    for part, loader in zip(PARTS, loaders):
        if part in needed and len(loader) == 0:
            raise EmptyPart(
                f"the {part} part is empty: eval_args' split leaves it no interaction of these data"
            )


def _text(split: Mapping[str, Any]) -> str:
    """Return a split as a YAML file has it."""
    content = ", ".join(f"{kind}: {value}" for kind, value in split.items())
    return "{" + content + "}"
