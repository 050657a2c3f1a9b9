"""Read a file of defaults, whose comments have the type, range and meaning of each setting. Needs no RecBole.

A line reads ``key: default  # (type) meaning``, and the meaning may end in ``ranging in [0, 1)`` or
``ranging in ['a', 'b']``. What a comment cannot say is checked elsewhere: the two numbers of ``emphasis`` in
:meth:`Setting.check`, settings that exclude each other in a model's ``check_settings`` or ``check_config``.
"""

import dataclasses
import os
import pathlib
import re
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import yaml

from recbole_edlae._choices import not_one_of
from recbole_edlae.solvers.parameters import check_emphasis, is_finite

_LINE = re.compile(r"^(?P<key>\w+):\s*(?P<default>[^#]*?)\s*#\s*\((?P<type>[^)]*)\)\s*(?P<meaning>.*)$")
_INTERVAL = re.compile(r"ranging in (?P<left>[\[(])(?P<low>[-.\w]+), *(?P<high>[-.\w]+)(?P<right>[\])])")
_SEPARATOR = re.compile(r" or |, ?|/")  # between the types of a comment
_CHOICES = re.compile(r"ranging in \[(?P<choices> *'[^\]]*)\]")


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
        if not any(is_of_type(value, kind) for kind in self._types):
            raise ValueError(f"{self.key} must be {self.type}, got {value!r} ({type(value).__name__})")

        # Each number of a list has to be in the range.
        interval = _INTERVAL.search(self.meaning)
        for number in listed(value):
            if interval is not None and not _is_inside(number, interval):
                allowed = interval[0].removeprefix("ranging ")
                raise ValueError(f"{self.key} must be {self.type} {allowed}, got {value!r}")
        if self.choices:
            check_choice(self.key, value, self.choices)

        # A comment has one range, and the two numbers of an emphasis have different ones.
        if self.key in ("emphasis", "linear_emphasis"):
            try:
                check_emphasis(value)
            except ValueError as error:
                raise ValueError(str(error).replace("emphasis", self.key, 1)) from error

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
        match = _CHOICES.search(self.meaning)
        if match is None:
            return []
        return re.findall(r"'([^']*)'", match["choices"])

    @property
    def _types(self) -> list[str]:
        """The types that the comment allows."""
        return [kind.strip() for kind in _SEPARATOR.split(self.type)]


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


def is_of_type(value: Any, kind: str) -> bool:
    """Return whether a value is of a type as a comment names it.

    Args:
        value: of a setting.
        kind: ``int``, ``float``, ``bool``, ``dict``, ``text``, ``path``, ``None`` or ``~``, ``list`` or ``list of``
            one of these, with or without ``nonempty`` before. ``str`` allows anything but None, because YAML reads
            some texts as numbers.

    Examples:
        >>> is_of_type([1, 2], "list of int"), is_of_type([], "nonempty list of int"), is_of_type(True, "int")
        (True, False, False)
    """
    if value is None:
        return kind in ("None", "~")
    if kind.startswith("nonempty "):
        return bool(value) and is_of_type(value, kind.removeprefix("nonempty "))
    if kind.startswith("list"):
        if not isinstance(value, (list, tuple)):
            return False
        element = kind.partition(" of ")[2]
        return not element or all(is_of_type(entry, element) for entry in value)

    # RecBole writes 0 and 1 for bools.
    if kind == "bool":
        return isinstance(value, bool) or value in (0, 1)
    types: dict[str, Any] = {
        "int": Integral,
        "float": Real,
        "dict": dict,
        "text": str,
        "path": (str, os.PathLike),
    }

    # A bool is an integer to Python.
    if kind in types:
        return isinstance(value, types[kind]) and not isinstance(value, bool)
    return kind != "None"


def check_choice(what: str, name: Any, choices: Iterable[Any]) -> None:
    """Check that a name is one of some choices.

    Args:
        what: what the message calls it: the setting's name.
        name: the requested name.
        choices: all that is allowed.

    Raises:
        ValueError: It is not; the message lists all choices, the nearest first.
    """
    # A list, because a file has names of any type, also of some that cannot be hashed.
    choices = list(choices)
    if name not in choices:
        raise not_one_of(what, name, choices)


def listed(value: Any) -> list:
    """Return a value as a list: None as an empty one, and anything that is no list as its only entry."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value]


def _is_inside(number: Any, interval: re.Match[str]) -> bool:
    """Return whether a number is finite and inside an interval."""
    low = float(interval["low"])
    high = float(interval["high"])
    if not is_finite(number) or not low <= number <= high:
        return False

    # A round bracket leaves the end out.
    if number == low and interval["left"] == "(":
        return False
    return number != high or interval["right"] != ")"
