"""Read search spaces in the format of RecBole's hyper.test, and order their points for a search.

A line names a setting, a type and its values, as in RecBole's HyperTuning:

    reg_weight choice [100.0,300.0,1000.0]
    dropout_prob uniform 0.1,0.6
    rank quniform 50,500,50
    learning_rate loguniform -8,0

``loguniform`` takes the natural logarithms of its ends. ``quniform`` takes the multiples of its step between its ends,
as integers where its numbers have no decimal point. A choice in quotes is read as on the command line: ``'[600,200]'``
is a list and ``'5e2'`` a number. Only literals are evaluated. Empty lines and lines that begin with # are skipped.
"""

import ast
import dataclasses
import itertools
import math
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from recbole_edlae.settings.files import NOT_LITERAL, value_of

if TYPE_CHECKING:
    import optuna

NUMBERS = {"uniform": 2, "quniform": 3, "loguniform": 2}  # how many numbers a type takes
TYPES = ("choice", *NUMBERS)
Point = dict[str, Any]  # setting → value
_LARGEST_LOGARITHM = 87.0  # single precision holds e⁸⁷ and e⁻⁸⁷


@dataclasses.dataclass(frozen=True)
class Dimension:
    """One setting and the values it may take.

    Attributes:
        key: name of the setting.
        type: one of TYPES.
        values: the choices, or low, high and for quniform the step.
    """

    key: str
    type: str
    values: tuple

    def points(self) -> list[Any]:
        """Return every value of a dimension with finitely many.

        Raises:
            ValueError: there are infinitely many.

        Examples:
            >>> Dimension("rank", "quniform", (50, 200, 50)).points()
            [50, 100, 150, 200]
        """
        if self.type == "choice":
            return list(self.values)
        if self.type == "quniform":
            first, last = self._multiples()
            return [self._multiple(factor) for factor in range(first, last + 1)]
        raise ValueError(f"algo exhaustive needs choice or quniform; {self.key} is {self.type}: take random or bayes")

    def ends(self) -> list[Any]:
        """Return the values that the check of the setting has to allow: all choices, or the two ends.

        Examples:
            >>> Dimension("learning_rate", "loguniform", (0, 0)).ends()
            [1.0, 1.0]
        """
        if self.type == "loguniform":
            return [math.exp(end) for end in self.values]
        if self.type == "quniform":
            return [self._multiple(factor) for factor in self._multiples()]
        return list(self.values)

    def remark(self) -> str | None:
        """Return a sentence on the range of a loguniform, whose bounds are easily taken for values; else None.

        Examples:
            >>> Dimension("learning_rate", "loguniform", (-8, 0)).remark()
            'learning_rate: loguniform -8,0 draws from 0.000335463 to 1: its bounds are natural logarithms'
        """
        if self.type != "loguniform":
            return None
        low, high = self.ends()
        bounds = ",".join(f"{bound:g}" for bound in self.values)
        return f"{self.key}: loguniform {bounds} draws from {low:g} to {high:g}: its bounds are natural logarithms"

    def suggest(self, trial: "optuna.Trial") -> Any:
        """Return the value that Optuna draws.

        Args:
            trial: asked for the number or, of a choice, for the index.
        """
        # By its index, because a choice can be a list, which Optuna does not take.
        if self.type == "choice":
            return self.values[trial.suggest_categorical(self.key, range(len(self.values)))]

        # By its factor, so that a draw has the digits of an exhaustive search.
        if self.type == "quniform":
            return self._multiple(trial.suggest_int(self.key, *self._multiples()))

        low, high = self.ends()
        return trial.suggest_float(self.key, low, high, log=self.type == "loguniform")

    def _multiples(self) -> tuple[int, int]:
        """Return the smallest and the largest factor whose multiple of the step lies between a quniform's ends."""
        low, high, step = self.values

        # 0.3 is a multiple of 0.1, although 3 * 0.1 differs from it in the last digit.
        first = round(low / step)
        last = round(high / step)
        if not math.isclose(first * step, low, rel_tol=1e-9):
            first = math.ceil(low / step)
        if not math.isclose(last * step, high, rel_tol=1e-9):
            last = math.floor(high / step)
        return first, last

    def _multiple(self, factor: int) -> Any:
        """Return a multiple of a quniform's step, an integer where low and step are."""
        low, _, step = self.values
        value = factor * step
        if isinstance(step, int) and isinstance(low, int):
            return value
        return float(f"{value:.12g}")  # 0.3, not 0.30000000000000004


def read(path: str | os.PathLike) -> list[Dimension]:
    """Return the dimensions of a file.

    Args:
        path: path of the file.

    Raises:
        ValueError: the file cannot be read, or a line is not in the format; the message names the line, what it has
            and what is allowed.

    Examples:
        >>> folder = getfixture("tmp_path")
        >>> _ = (folder / "hyper.test").write_text("dropout_prob uniform 0.1,0.6")
        >>> read(folder / "hyper.test")
        [Dimension(key='dropout_prob', type='uniform', values=(0.1, 0.6))]
    """
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"space: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"space: {path} is not UTF-8: {error.reason} at byte {error.start}") from None
    return parse(text, path)


def parse(text: str, source: str | os.PathLike) -> list[Dimension]:
    """Return the dimensions of a text.

    Args:
        text: lines of the format.
        source: name of the text in messages.

    Raises:
        ValueError: a line is not in the format; the message names the line, what it has and what is allowed.

    Examples:
        >>> parse("reg_weight choice [1.0,10.0]", "the example")
        [Dimension(key='reg_weight', type='choice', values=(1.0, 10.0))]
    """
    dimensions: dict[str, Dimension] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        dimension = _dimension(line, f"space: {source}, line {number}")
        if dimension.key in dimensions:
            raise ValueError(f"space: {source} has {dimension.key} twice")
        dimensions[dimension.key] = dimension

    if not dimensions:
        raise ValueError(f"space: {source} holds no line `setting type values`")
    return list(dimensions.values())


def exhaustive(space: Sequence[Dimension], max_evals: int | None = None) -> list[Point]:
    """Return every point, the last setting varying fastest.

    Args:
        space: dimensions of type choice or quniform.
        max_evals: largest number of points to return; None returns all.

    Raises:
        ValueError: a dimension has infinitely many values.

    Examples:
        >>> exhaustive([Dimension("a", "choice", (1, 2)), Dimension("b", "choice", ("x", "y"))], max_evals=3)
        [{'a': 1, 'b': 'x'}, {'a': 1, 'b': 'y'}, {'a': 2, 'b': 'x'}]
    """
    keys = [dimension.key for dimension in space]
    values = [dimension.points() for dimension in space]

    # A grid can be far larger than what is asked for, so its points are made one by one.
    points = itertools.islice(itertools.product(*values), max_evals)
    return [dict(zip(keys, point)) for point in points]


def random(space: Sequence[Dimension], max_evals: int, seed: int) -> list[Point]:
    """Return points drawn independently; the first ones are the same for every ``max_evals``.

    Args:
        space: dimensions of any type.
        max_evals: number of points.
        seed: seed of the random numbers.

    Examples:
        >>> space = [Dimension("a", "choice", (1, 2, 3))]
        >>> random(space, 5, seed=0)[:2] == random(space, 2, seed=0)
        True
    """
    draws = study("random", seed)
    return [point(space, draws.ask()) for _ in range(max_evals)]


def point(space: Sequence[Dimension], trial: "optuna.Trial") -> Point:
    """Return the point that Optuna draws.

    Args:
        space: dimensions of any type.
        trial: as ``study.ask()`` returns it.
    """
    return {dimension.key: dimension.suggest(trial) for dimension in space}


def study(algorithm: str, seed: int) -> "optuna.Study":
    """Return an Optuna study, kept in memory, which minimizes.

    Args:
        algorithm: "random", or "bayes" for the tree of Parzen estimators.
        seed: the same seed and the same results give the same points.
    """
    # Imported when a search needs it, for it takes .3 seconds.
    import optuna

    # Optuna logs every new study. Its level belongs to the user, who gets it back.
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        if algorithm == "random":
            return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
        return optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    finally:
        optuna.logging.set_verbosity(level)


def _dimension(line: str, where: str) -> Dimension:
    """Return the dimension that a line describes."""
    # A line that is too short lacks its type or its values.
    key, kind, text = [*line.split(maxsplit=2), "", ""][:3]
    if kind not in TYPES:
        raise ValueError(f"{where}: there is no type {kind!r}; there are {', '.join(TYPES)}")
    try:
        values = ast.literal_eval(text)
    except NOT_LITERAL:
        raise ValueError(f"{where}: {text!r} is no list of values") from None
    if not isinstance(values, (list, tuple)):
        values = [values]

    if kind == "choice":
        if not values:
            raise ValueError(f"{where}: {key} has nothing to choose from")
        choices = tuple(value_of(value) if isinstance(value, str) else value for value in values)
        return Dimension(key, kind, choices)

    values = tuple(values)
    if not _are_bounds(values, NUMBERS[kind]):
        bounds = "low,high,step" if kind == "quniform" else "low,high"
        raise ValueError(f"{where}: {kind} takes {bounds}, got {text}")
    dimension = Dimension(key, kind, values)
    _check_range(dimension, f"{where}: {kind} {text}")
    return dimension


def _are_bounds(values: tuple, length: int) -> bool:
    """Return whether values are finite numbers: low and high, and a positive step if there is a third."""
    # True is an int by isinstance, an integer can be larger than every float, and NaN compares as False.
    for value in values:
        if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:
            return False
    if len(values) != length or min(values[2:], default=1) <= 0:
        return False

    # A generator of random numbers takes no difference that is infinite.
    return 0 <= values[1] - values[0] <= sys.float_info.max


def _check_range(dimension: Dimension, where: str) -> None:
    """Check that there are values between the ends, and that single precision holds them."""
    low, high = dimension.values[:2]
    if dimension.type == "quniform":
        first, last = dimension._multiples()
        if first > last:
            raise ValueError(f"{where} has no multiple of its step {dimension.values[2]} from {low} to {high}")

    if dimension.type == "loguniform" and max(abs(low), abs(high)) > _LARGEST_LOGARITHM:
        reason = "is out of range, because its bounds are natural logarithms"

        # The user may have meant values. Only a positive one has a logarithm.
        if low > 0:
            reason += f"; for values from {low} to {high} write {math.log(low):.4g},{math.log(high):.4g}"
        raise ValueError(f"{where} {reason}")
