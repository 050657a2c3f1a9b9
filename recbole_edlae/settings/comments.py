"""What a setting may be, read from the one place that says it: the comments of RecBole's and our own YAML files.

A line reads ``key: default  # (type) meaning``, and the meaning may end in ``ranging in [0, 1)`` or
``ranging in ['a', 'b']``.
"""

import dataclasses
import importlib.util
import math
import pathlib
import re
from numbers import Integral, Real

import yaml
from recbole.evaluator import metric_types

from recbole_edlae._choices import closest_first
from recbole_edlae.solvers._parameters import check_emphasis

RECBOLE_PROPERTIES = pathlib.Path(importlib.util.find_spec("recbole").origin).parent / "properties"

_LINE = re.compile(r"^(?P<key>\w+):\s*(?P<default>[^#]*?)\s*#\s*\((?P<type>[^)]*)\)\s*(?P<meaning>.*)$")
_INTERVAL = re.compile(r"ranging in (?P<left>[\[(])(?P<low>[-.\w]+), *(?P<high>[-.\w]+)(?P<right>[\])])")
_CHOICES = re.compile(r"ranging in \[(?P<choices> *'[^\]]*)\]")
_RULES = {"emphasis": check_emphasis}  # what neither a type nor an interval can say


@dataclasses.dataclass(frozen=True)
class Setting:
    """One key of a YAML file of defaults."""

    key: str
    default: str
    type: str
    meaning: str

    def check(self, value):
        """Raises ValueError, naming the key, the value and what it may be."""
        if not any(_is(value, kind.strip()) for kind in re.split(r" or |, ?|/", self.type)):
            raise ValueError(f"{self.key} must be {self.type}, got {value!r} ({type(value).__name__})")
        if interval := _INTERVAL.search(self.meaning):
            for number in value if isinstance(value, (list, tuple)) else [value]:
                if number is not None and not _inside(number, interval):
                    raise ValueError(f"{self.key} must be {self.type} in {interval[0][11:]}, got {value!r}")
        if self.choices and value not in self.choices:
            choices = ", ".join(closest_first(value, self.choices))
            raise ValueError(f"{self.key} must be one of {choices}; got {value!r}")
        if self.key in _RULES:
            _RULES[self.key](value)

    @property
    def believable(self):
        """Whether the default is what the comment beside it allows."""
        default = yaml.safe_load(self.default)
        try:
            return default is None or self.check(default) is None
        except ValueError:
            return False

    @property
    def choices(self):
        found = _CHOICES.search(self.meaning)
        return re.findall(r"'([^']*)'", found["choices"]) if found else []


def read(path):
    """Key → Setting of one YAML file of defaults; nested and uncommented keys are left out."""
    lines = map(_LINE.match, pathlib.Path(path).read_text(encoding="utf-8").splitlines())
    return {line["key"]: Setting(**line.groupdict()) for line in lines if line}


def recbole_settings(model=None):
    """Key → Setting of RecBole's general files and of one of its models.

    Some of RecBole's comments contradict the default beside them; those are not believed, and left out.
    """
    files = ["overall.yaml", "dataset/sample.yaml", f"model/{model}.yaml"]
    found = [read(RECBOLE_PROPERTIES / file) for file in files if (RECBOLE_PROPERTIES / file).is_file()]
    return {key: setting for settings in found for key, setting in settings.items() if setting.believable}


def check_model_settings(defaults, values):
    """Raises ValueError for the first setting of a model that is missing, of the wrong type or out of range.

    Args:
        defaults: path of the model's YAML file.
        values: mapping of all settings, as ``Config`` ends with.
    """
    for key, setting in read(defaults).items():
        if key not in values:
            raise ValueError(f"{key} is missing; it is {setting.type}: {setting.meaning}")
        setting.check(values[key])


def check_validation(values):
    """Raises ValueError for a metric there is none of, and for a validation metric that is none of those evaluated.

    RecBole notices the second after training.

    Args:
        values: mapping of all settings, as ``Config`` ends with.
    """
    at = [values["topk"]] if isinstance(values["topk"], int) else values["topk"] or []
    names = [values["metrics"]] if isinstance(values["metrics"], str) else values["metrics"]
    for name in names:
        if name.lower() not in metric_types:
            there = ", ".join(closest_first(name, sorted(metric_types)))
            raise ValueError(f"metrics: there is no {name}; there are {there}")
    known = [f"{name}@{k}" for name in names for k in at] + list(names)
    if values["valid_metric"].lower() not in [name.lower() for name in known]:
        raise ValueError(
            f"valid_metric {values['valid_metric']} is none of what metrics {names} and topk {at} evaluate: "
            f"{', '.join(closest_first(values['valid_metric'], known[: len(names) * len(at)] or known))}"
        )


def _is(value, kind):
    if value is None:
        return kind in ("None", "~")
    if kind.startswith("list"):
        element = kind.partition(" of ")[2]
        return isinstance(value, (list, tuple)) and all(not element or _is(part, element) for part in value)
    return {
        "int": isinstance(value, Integral) and not isinstance(value, bool),
        "float": isinstance(value, Real) and not isinstance(value, bool),
        "bool": isinstance(value, bool) or value in (0, 1),
        "dict": isinstance(value, dict),
        "None": False,
    }.get(kind, True)  # a str may have been read as a number, and of other words nothing is known


def _inside(number, interval):
    low, high = float(interval["low"]), float(interval["high"])
    above = number >= low if interval["left"] == "[" else number > low
    below = number <= high if interval["right"] == "]" else number < high
    return math.isfinite(number) and above and below
