"""Decide whether a paper's claims hold in what was measured.

A difference is a mean difference over users, followed by its standard error.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm


class Verdict(NamedTuple):
    """Whether one claim holds, and the numbers that say so.

    Attributes:
        holds: True, False, or None if chance would explain the numbers as well.
        numbers: the numbers as text.
        within_chance: whether a claim holds although a number is against it, by no more than chance would explain.
    """

    holds: bool | None
    numbers: str
    within_chance: bool = False


def standard_error(values: np.ndarray) -> float:
    """Return the standard error of a mean over users.

    Examples:
        >>> round(standard_error(np.array([0.1, 0.2, 0.3, 0.4])), 4)
        0.0645
    """
    # The deviation of a sample, whose mean is estimated from it too.
    deviation = np.std(values, ddof=1)
    return float(deviation / math.sqrt(len(values)))


def lead(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[float]:
    """Return the mean difference of two outcomes over the same users, and its standard error."""
    # Paired: what differs between users is in both values, and leaves with the difference.
    difference = first["values"] - second["values"]
    return [float(difference.mean()), standard_error(difference)]


def ahead(difference: Sequence[float], comparisons: int = 1) -> bool | None:
    """Return True for a lead above zero by more than chance, False for one below, and None for neither.

    The level is 5 percent for both sides and all comparisons together (Bonferroni). A lead that :func:`signed` shows as
    zero is no lead.

    Examples:
        >>> ahead([2.0, 1.0]), ahead([-2.0, 1.0]), ahead([1.9, 1.0])
        (True, False, None)
    """
    # Means over many users are close to normal.
    mean, deviation = difference
    critical = norm.isf(0.025 / comparisons) * deviation
    if not shown(mean) or abs(mean) <= critical:
        return None
    return mean > 0


def never_behind(differences: Sequence[Sequence[float]], numbers: str) -> Verdict:
    """Return the verdict on a claim that no lead is negative.

    The claim fails if a lead is below zero by more than chance, corrected for all comparisons. It is undecided if a
    lead is so without the correction. It holds within chance if a lead is below zero by less than that.

    Examples:
        >>> in_words([never_behind([[1.0, 1.0], [0.5, 1.0]], "+1.0, +0.5")])
        'holds'
        >>> in_words([never_behind([[1.0, 1.0], [-1.9, 1.0]], "+1.0, -1.9")])
        'holds within chance'
        >>> in_words([never_behind([[1.0, 1.0], [-2.3, 1.0]], "+1.0, -2.3")])
        'does not hold here'
    """
    # Corrected for all comparisons, without the correction, and by the sign alone.
    is_behind = False
    may_be_behind = False
    is_below_zero = False
    for difference in differences:
        is_behind |= ahead(difference, len(differences)) is False
        may_be_behind |= ahead(difference) is False
        is_below_zero |= shown(difference[0]) < 0

    if is_behind:
        return Verdict(False, numbers)
    if may_be_behind:
        return Verdict(None, numbers)
    return Verdict(True, numbers, within_chance=is_below_zero)


def together(verdicts: Collection[bool | None]) -> bool | None:
    """Return the verdict on a claim with several conditions: False if one fails, None if one is undecided.

    Examples:
        >>> together([True, None]), together([None, False]), together([True, True])
        (None, False, True)
    """
    # A condition that fails decides, whatever the others are.
    if False in verdicts:
        return False
    if None in verdicts:
        return None
    return True


def signed(difference: Sequence[float]) -> str:
    """Return a difference and its standard error as text.

    Examples:
        >>> signed([0.01234, 0.001])
        '+0.0123 ± 0.0010'
    """
    mean, deviation = difference
    return f"{mean:+.4f} ± {deviation:.4f}"


def in_words(verdicts: Collection[Verdict]) -> str:
    """Return one phrase for one or all of a paper's claims.

    Examples:
        >>> in_words([Verdict(True, ""), Verdict(False, "")]), in_words([Verdict(None, "")])
        ('holds in part', 'not decided here')
    """
    holds = [verdict.holds for verdict in verdicts]
    if all(holds):
        if any(verdict.within_chance for verdict in verdicts):
            return "holds within chance"
        return "holds"

    # Undecided claims count like failed ones as long as another one holds.
    if any(holds):
        return "holds in part"
    if False in holds:
        return "does not hold here"
    return "not decided here"


def shown(mean: float) -> float:
    """Return a mean difference rounded as :func:`signed` shows it, so that no verdict depends on hidden digits."""
    return round(mean, 4)
