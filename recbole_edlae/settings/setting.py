"""Read one file of defaults: the type, range and meaning of each setting stand in its comments. Needs no RecBole.

A line reads ``key: default  # (type) meaning``, and the meaning may end in ``ranging in [0, 1)`` or
``ranging in ['a', 'b']``. Nothing else says what a setting may be.
"""

import dataclasses
import math
import os
import pathlib
import re
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import yaml

from recbole_edlae._choices import closest_first
from recbole_edlae.solvers.checks import check_emphasis

_LINE = re.compile(r"^(?P<key>\w+):\s*(?P<default>[^#]*?)\s*#\s*\((?P<type>[^)]*)\)\s*(?P<meaning>.*)$")
_INTERVAL = re.compile(r"ranging in (?P<left>[\[(])(?P<low>[-.\w]+), *(?P<high>[-.\w]+)(?P<right>[\])])")
_KINDS = re.compile(r" or |, ?|/")  # between the types of a comment
_CHOICES = re.compile(r"ranging in \[(?P<choices> *'[^\]]*)\]")
_FURTHER_CHECKS: dict[str, tuple[str, Callable[[Any], Any]]] = {  # beyond a type and an interval: argument, check
    "emphasis": ("emphasis", check_emphasis),
    "linear_emphasis": ("emphasis", check_emphasis),
}


@dataclasses.dataclass(frozen=True)
class Setting:
    """One key of a YAML file of defaults.

    Attributes:
        key: its name.
        default: the text of its default value.
        type: what the comment allows, for example ``float or None``.
        meaning: the comment, with the range at its end.

    Examples:
        >>> setting = Setting("dropout_prob", "0.33", "float", "Probability of a drop, ranging in [0, 1).")
        >>> setting.check(0.5)
        >>> setting.check(1.0)
        Traceback (most recent call last):
            ...
        ValueError: dropout_prob must be float in [0, 1), got 1.0
    """

    key: str
    default: str
    type: str
    meaning: str

    def check(self, value: Any) -> None:
        """Check a value against type, interval and choices.

        Raises:
            ValueError: The value is not allowed; the message has the key, the value and what is allowed.
        """
        if not any(_is_of_type(value, kind.strip()) for kind in re.split(_KINDS, self.type)):
            raise ValueError(f"{self.key} must be {self.type}, got {value!r} ({type(value).__name__})")
        if interval := _INTERVAL.search(self.meaning):
            for number in value if isinstance(value, (list, tuple)) else [value]:
                if number is not None and not _is_inside(number, interval):
                    raise ValueError(f"{self.key} must be {self.type} in {interval[0][11:]}, got {value!r}")
        if self.choices and value not in self.choices:
            choices = ", ".join(closest_first(value, self.choices))
            raise ValueError(f"{self.key} must be one of {choices}; got {value!r}")
        if self.key in _FURTHER_CHECKS:
            argument, check = _FURTHER_CHECKS[self.key]
            try:
                check(value)
            except ValueError as error:
                raise ValueError(re.sub(rf"\b{argument}\b", self.key, str(error))) from error

    @property
    def default_is_valid(self) -> bool:
        """Whether the default is what the comment beside it allows."""
        default = yaml.safe_load(self.default)
        if default is None:
            return True
        try:
            self.check(default)
        except ValueError:
            return False
        return True

    @property
    def is_number(self) -> bool:
        """Whether the setting is a number, and neither its default nor its comment lets it be None."""
        kinds = [kind.strip() for kind in re.split(_KINDS, self.type)]
        return yaml.safe_load(self.default) is not None and all(kind in ("int", "float") for kind in kinds)

    @property
    def choices(self) -> list[str]:
        """The texts that the comment lists; empty where it lists none."""
        listed = _CHOICES.search(self.meaning)
        return re.findall(r"'([^']*)'", listed["choices"]) if listed else []


def read_schema(path: str | os.PathLike) -> dict[str, Setting]:
    """Return key → Setting of one YAML file of defaults, without nested and uncommented keys."""
    lines = map(_LINE.match, pathlib.Path(path).read_text(encoding="utf-8").splitlines())
    return {line["key"]: Setting(**line.groupdict()) for line in lines if line}


def check_model_settings(schema: Mapping[str, Setting], values: Mapping[str, Any]) -> None:
    """Check that every setting of a model is there, of its type and in its range.

    Args:
        schema: key → Setting of the model.
        values: all settings, as ``Config`` ends with.

    Raises:
        ValueError: For the first setting that is not.
    """
    for key, setting in schema.items():
        if key not in values:
            raise ValueError(f"{key} is missing; it is {setting.type}: {setting.meaning}")
        setting.check(values[key])


def _is_of_type(value: Any, kind: str) -> bool:
    """Return whether a value is of a type as a comment names it; unknown words allow everything."""
    if value is None:
        return kind in ("None", "~")
    if kind.startswith("list"):
        element = kind.partition(" of ")[2]
        return isinstance(value, (list, tuple)) and all(not element or _is_of_type(part, element) for part in value)
    return {
        "int": isinstance(value, Integral) and not isinstance(value, bool),
        "float": isinstance(value, Real) and not isinstance(value, bool),
        "bool": isinstance(value, bool) or value in (0, 1),
        "dict": isinstance(value, dict),
        "None": False,
    }.get(kind, True)  # a str may have been read as a number


def _is_inside(number: Any, interval: re.Match[str]) -> bool:
    """Return whether a number is finite and inside an interval."""
    low = float(interval["low"])
    high = float(interval["high"])
    above = number >= low if interval["left"] == "[" else number > low
    below = number <= high if interval["right"] == "]" else number < high
    return math.isfinite(number) and above and below
