"""Describe one setting that a search varies, and the values it may take."""

import dataclasses
import math
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

_BOUNDS = ("low", "high")
NUMBERS = {"uniform": _BOUNDS, "quniform": (*_BOUNDS, "step"), "loguniform": _BOUNDS}  # what a type takes
TYPES = ("choice", *NUMBERS)
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

    def check(self, text: str) -> None:
        """Check that a range has finite bounds in their order, has a value, and fits in single precision.

        Raises:
            ValueError: the range is wrong; the message has the text and says what the type takes.
        """
        names = NUMBERS[self.type]
        wrong = ValueError(f"{self.type} takes {','.join(names)}, got {text}")

        # True is an int by isinstance, an integer can be larger than every float, and NaN compares as False.
        for value in self.values:
            if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:
                raise wrong
        if len(self.values) != len(names):
            raise wrong

        # Generators of random numbers need a finite difference.
        low, high, *step = self.values
        if not 0 <= high - low <= sys.float_info.max or min(step, default=1) <= 0:
            raise wrong

        if step:
            first, last = self._multiples()
            if first > last:
                raise ValueError(
                    f"{self.type} {text} has no multiple of its step {step[0]} from {low} to {high}"
                )

        # The user may have meant values instead of logarithms. Only a positive value has a logarithm.
        if self.type == "loguniform" and max(abs(low), abs(high)) > _LARGEST_LOGARITHM:
            reason = "is out of range, because its bounds are natural logarithms"
            if low > 0:
                reason += (
                    f"; for values from {low} to {high} write {math.log(low):.4g},{math.log(high):.4g}"
                )
            raise ValueError(f"{self.type} {text} {reason}")

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
        raise ValueError(
            f"algo exhaustive needs choice or quniform; {self.key} is {self.type}: take random or bayes"
        )

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
        """Return the value that an Optuna trial draws: the number, or the choice at the drawn index."""
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
