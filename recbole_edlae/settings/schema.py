"""Read a file of defaults, whose comments have the type, range and meaning of each setting. Needs no RecBole.

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

from recbole_edlae._choices import check_choice
from recbole_edlae.settings.values import listed
from recbole_edlae.solvers.parameters import check_emphasis

_LINE = re.compile(r"^(?P<key>\w+):\s*(?P<default>[^#]*?)\s*#\s*\((?P<type>[^)]*)\)\s*(?P<meaning>.*)$")
_INTERVAL = re.compile(r"ranging in (?P<left>[\[(])(?P<low>[-.\w]+), *(?P<high>[-.\w]+)(?P<right>[\])])")
_SEPARATOR = re.compile(r" or |, ?|/")  # between the types of a comment
_CHOICES = re.compile(r"ranging in \[(?P<choices> *'[^\]]*)\]")

# Settings with a range that depends on the type: setting → its argument's name in the check, and the check.
_FURTHER_CHECKS: dict[str, tuple[str, Callable[[Any], Any]]] = {
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
        if not any(_is_of_type(value, kind) for kind in self._types):
            raise ValueError(f"{self.key} must be {self.type}, got {value!r} ({type(value).__name__})")
        self._check_interval(value)
        if self.choices:
            check_choice(self.key, value, self.choices)

        # The solver's check calls its argument otherwise.
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
        return yaml.safe_load(self.default) is not None and {"int", "float"}.issuperset(self._types)

    @property
    def choices(self) -> list[str]:
        """The texts that the comment lists; empty if it lists none."""
        listed = _CHOICES.search(self.meaning)
        if listed is None:
            return []
        return re.findall(r"'([^']*)'", listed["choices"])

    @property
    def _types(self) -> list[str]:
        """The types that the comment allows."""
        return [kind.strip() for kind in _SEPARATOR.split(self.type)]

    def _check_interval(self, value: Any) -> None:
        """Check that a number, or each of a list, is in the range of the comment."""
        interval = _INTERVAL.search(self.meaning)
        if interval is None:
            return
        for number in listed(value):
            if number is not None and not _is_inside(number, interval):
                allowed = interval[0].removeprefix("ranging in ")
                raise ValueError(f"{self.key} must be {self.type} in {allowed}, got {value!r}")


def read_schema(path: str | os.PathLike) -> dict[str, Setting]:
    """Return key → Setting of one YAML file of defaults, without nested and uncommented keys."""
    settings = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if match := _LINE.match(line):
            settings[match["key"]] = Setting(**match.groupdict())
    return settings


def check_model_settings(schema: Mapping[str, Setting], values: Mapping[str, Any]) -> None:
    """Check that every setting of a model is set, of its type and in its range.

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
    """Return whether a value is of a type as a comment names it."""
    if value is None:
        return kind in ("None", "~")
    if kind.startswith("list"):
        if not isinstance(value, (list, tuple)):
            return False
        element = kind.partition(" of ")[2]
        return not element or all(_is_of_type(entry, element) for entry in value)

    # A bool is an integer to Python, and RecBole writes 0 and 1 for bools.
    is_bool = isinstance(value, bool)
    if kind == "int":
        return isinstance(value, Integral) and not is_bool
    if kind == "float":
        return isinstance(value, Real) and not is_bool
    if kind == "bool":
        return is_bool or value in (0, 1)
    if kind == "dict":
        return isinstance(value, dict)

    # Anything may be a text, because YAML may have read it as a number.
    return kind != "None"


def _is_inside(number: Any, interval: re.Match[str]) -> bool:
    """Return whether a number is finite and inside an interval."""
    low = float(interval["low"])
    high = float(interval["high"])
    try:
        is_finite = math.isfinite(number)
    except OverflowError:
        # An integer may be too large for a float.
        return False
    if not is_finite or not low <= number <= high:
        return False

    # A round bracket leaves the end out.
    if number == low and interval["left"] == "(":
        return False
    return number != high or interval["right"] != ")"
