"""Check the bounds of a dimension of a search space."""

import math
import sys

_LARGEST_LOGARITHM = 87.0  # e⁸⁷ and e⁻⁸⁷ are in the range of single precision


def are_bounds(values: tuple, length: int) -> bool:
    """Return whether values are finite numbers: low and high, and a positive step if there is a third.

    Args:
        values: of any type.
        length: how many there have to be.

    Examples:
        >>> are_bounds((0.1, 0.6), 2), are_bounds((0.6, 0.1), 2), are_bounds((1, 9, 0), 3)
        (True, False, False)
    """
    # NaN is not less than the largest float, and an integer can be larger than it.
    for value in values:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        if not abs(value) <= sys.float_info.max:
            return False

    if len(values) != length or values[0] > values[1]:
        return False
    return length < 3 or values[2] > 0


def check_logarithms(low: float, high: float, where: str) -> None:
    """Check that single precision holds the exponentials of two bounds.

    Args:
        low: natural logarithm of the lower bound.
        high: natural logarithm of the upper bound.
        where: beginning of the message.

    Raises:
        ValueError: a bound is too large; the message says which bounds to write if it was meant as a value.
    """
    if max(abs(low), abs(high)) <= _LARGEST_LOGARITHM:
        return

    # Only a positive value has a logarithm.
    reason = "is out of range, because its bounds are natural logarithms"
    if low > 0:
        reason += f"; for values from {low} to {high} write {math.log(low):.4g},{math.log(high):.4g}"
    raise ValueError(f"{where} {reason}")
