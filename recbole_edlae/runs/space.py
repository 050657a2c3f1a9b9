"""Search spaces in the format of RecBole's hyper.test, and the order in which their points are tried.

A line names a setting, a type and its values, as in RecBole's HyperTuning:

    reg_weight choice [100.0,300.0,1000.0]
    dropout_prob uniform 0.1,0.6
    rank quniform 50,500,50
    learning_rate loguniform -8,0

``loguniform`` takes the natural logarithms of its ends. Numbers of a ``quniform`` without a point make it integers.
A choice in quotes is what RecBole makes of the text in them: ``'[600,200]'`` is a list and ``'5e2'`` a number.
Empty lines and lines that begin with # are left out.
"""

import ast
import dataclasses
import itertools
import math
import pathlib

import numpy as np

from recbole_edlae.settings.files import value_of

TYPES = {"choice": None, "uniform": 2, "quniform": 3, "loguniform": 2}  # how many numbers


@dataclasses.dataclass(frozen=True)
class Dimension:
    """One setting and the values it may take."""

    key: str
    type: str
    values: tuple  # the choices, or low, high and for quniform the step

    def points(self):
        """Every value, where there are finitely many.

        Raises:
            ValueError: there are not.
        """
        if self.type == "choice":
            return list(self.values)
        if self.type == "quniform":
            low, high, step = self.values
            return [self._rounded(low + i * step) for i in range(math.floor((high - low) / step + 1e-9) + 1)]
        raise ValueError(f"algo exhaustive needs choice or quniform; {self.key} is {self.type}: take random or bayes")

    def ends(self):
        """Values that a setting's own check has to allow: all choices, or the two ends."""
        if self.type == "choice":
            return list(self.values)
        if self.type == "loguniform":
            return [math.exp(end) for end in self.values]
        return [self._rounded(end) for end in self.values[:2]]

    def sample(self, generator):
        """A value drawn as hyperopt would."""
        if self.type == "choice":
            return self.values[generator.integers(len(self.values))]
        drawn = float(generator.uniform(*self.values[:2]))
        return math.exp(drawn) if self.type == "loguniform" else self._rounded(drawn)

    def hyperopt(self, hp):
        """The same as a node of hyperopt's, with the places of the choices: their lists would come back as tuples."""
        values = [range(len(self.values))] if self.type == "choice" else self.values
        return getattr(hp, self.type)(self.key, *values)

    def from_hyperopt(self, drawn):
        """The value for what such a node yields."""
        return self.values[drawn] if self.type == "choice" else self._rounded(float(drawn))

    def _rounded(self, value):
        if self.type != "quniform":
            return value
        low, _, step = self.values
        value = round(value / step) * step
        return int(value) if isinstance(step, int) and isinstance(low, int) else float(f"{value:.12g}")


def read(path):
    """Dimensions of a file.

    Raises:
        ValueError: a line is none of the format; it names the line, what it has and what there is.
    """
    try:
        lines = pathlib.Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ValueError(f"space: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"space: {path} is not UTF-8: {error.reason} at byte {error.start}") from None
    dimensions = [_dimension(path, number, line) for number, line in enumerate(lines, 1) if _counts(line)]
    if not dimensions:
        raise ValueError(f"space: {path} holds no line `setting type values`")
    keys = [each.key for each in dimensions]
    if doubled := [key for key in keys if keys.count(key) > 1]:
        raise ValueError(f"space: {path} has {doubled[0]} twice")
    return dimensions


def exhaustive(space, max_evals=None):
    """Every point, the last setting varying fastest."""
    points = itertools.product(*(dimension.points() for dimension in space))
    return [dict(zip((each.key for each in space), point)) for point in itertools.islice(points, max_evals)]


def random(space, max_evals, seed):
    """``max_evals`` points drawn independently; the first ones are the same for every ``max_evals``."""
    generator = np.random.default_rng(seed)
    return [{each.key: each.sample(generator) for each in space} for _ in range(max_evals)]


def _counts(line):
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _dimension(path, number, line):
    where = f"space: {path}, line {number}"
    key, kind, text = [*line.split(maxsplit=2), "", ""][:3]
    if kind not in TYPES:
        raise ValueError(f"{where}: there is no type {kind!r}; there are {', '.join(TYPES)}")
    try:
        values = ast.literal_eval(text)
        values = tuple(values) if isinstance(values, (list, tuple)) else (values,)
    except (ValueError, SyntaxError):
        raise ValueError(f"{where}: {text!r} is no list of values") from None
    if kind == "choice":
        if not values:
            raise ValueError(f"{where}: {key} has nothing to choose from")
        return Dimension(key, kind, tuple(value_of(each) if isinstance(each, str) else each for each in values))
    numbers = all(isinstance(each, (int, float)) and math.isfinite(each) for each in values)
    if not numbers or len(values) != TYPES[kind] or values[0] > values[1] or (kind == "quniform" and values[2] <= 0):
        wanted = "low,high,step" if kind == "quniform" else "low,high"
        raise ValueError(f"{where}: {kind} takes {wanted}, got {text}")
    return Dimension(key, kind, values)
