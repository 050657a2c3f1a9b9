"""Decide whether a paper's claims hold in what was measured."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm


class Verdict(NamedTuple):
    """Whether one claim holds, and the numbers that say so.

    Attributes:
        holds: True, False, or None where chance would explain the numbers as well.
        numbers: the numbers as text.
    """

    holds: bool | None
    numbers: str


def standard_error(values: np.ndarray) -> float:
    """Return the standard error of a mean over users.

    Args:
        values: array of shape (n,).

    Examples:
        >>> round(standard_error(np.array([0.1, 0.2, 0.3, 0.4])), 4)
        0.0645
    """
    return float(np.std(values, ddof=1) / math.sqrt(len(values)))


def lead(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[float]:
    """Return the mean difference of two outcomes over the same users, and its standard error.

    Args:
        first: with "values", one per user.
        second: with "values" of the same users.
    """
    difference = first["values"] - second["values"]
    return [float(difference.mean()), standard_error(difference)]


def ahead(difference: Sequence[float], comparisons: int = 1) -> bool | None:
    """Return whether a lead is positive or negative by more than chance; None where it is neither.

    The level is 5 percent on both sides, of all comparisons together (Bonferroni).

    Args:
        difference: a mean difference and its standard error.
        comparisons: number of comparisons that the claim rests on.

    Examples:
        >>> ahead([2.0, 1.0]), ahead([-2.0, 1.0]), ahead([1.9, 1.0])
        (True, False, None)
    """
    mean, deviation = difference
    if abs(mean) <= norm.isf(0.025 / comparisons) * deviation:
        return None
    return mean > 0


def never_behind(differences: Sequence[Sequence[float]]) -> bool | None:
    """Return whether no lead is negative by more than chance.

    Args:
        differences: mean differences with their standard errors.

    Returns:
        False where a lead is negative with all comparisons accounted for; None where it would be if it were the only
        one.

    Examples:
        >>> never_behind([[1.0, 1.0], [-1.9, 1.0]]), never_behind([[1.0, 1.0], [-2.3, 1.0]])
        (True, False)
    """
    if any(ahead(difference, len(differences)) is False for difference in differences):
        return False
    return None if any(ahead(difference) is False for difference in differences) else True


def together(verdicts: Collection[bool | None]) -> bool | None:
    """Return one verdict on a claim of several parts: False where a part fails, None where a part is undecided.

    Args:
        verdicts: of the parts.

    Examples:
        >>> together([True, None]), together([None, False]), together([True, True])
        (None, False, True)
    """
    if False in verdicts:
        return False
    return None if None in verdicts else True


def signed(difference: Sequence[float]) -> str:
    """Return a difference and its standard error as text.

    Args:
        difference: a mean difference and its standard error.

    Examples:
        >>> signed([0.01234, 0.001])
        '+0.0123 ± 0.0010'
    """
    mean, deviation = difference
    return f"{mean:+.4f} ± {deviation:.4f}"


def in_words(holds: Collection[bool | None]) -> str:
    """Return one phrase for all of a paper's claims.

    Args:
        holds: whether each claim holds.

    Examples:
        >>> in_words([True, True]), in_words([True, False]), in_words([None])
        ('holds', 'holds in part', 'not decided here')
    """
    if all(holds):
        return "holds"
    if any(holds):
        return "holds in part"
    return "does not hold here" if False in holds else "not decided here"
