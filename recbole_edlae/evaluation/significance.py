"""Confidence intervals and paired tests over users, with SciPy's tests."""

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

TESTS = ("wilcoxon", "permutation")


def interval(values: npt.ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of a mean over users (Student's t).

    Args:
        values: array of shape (n,), one value per user; NaN users are left out.
        confidence: share of such intervals that cover the true mean, in (0, 1).

    Returns:
        The low and the high end. Both are the mean where the values do not vary, NaN where there are fewer than two.

    Examples:
        >>> low, high = interval([0.1, 0.2, 0.3])
        >>> round(low, 4), round(high, 4)
        (-0.0484, 0.4484)
        >>> interval([0.5, 0.5])
        (0.5, 0.5)
    """
    sample = np.asarray(values, dtype=float)
    sample = sample[~np.isnan(sample)]
    if len(sample) < 2:
        return float("nan"), float("nan")
    mean = sample.mean()
    standard_error = stats.sem(sample)
    if standard_error == 0:
        return float(mean), float(mean)
    low, high = stats.t.interval(confidence, len(sample) - 1, loc=mean, scale=standard_error)
    return float(low), float(high)


def paired_p(first: npt.ArrayLike, second: npt.ArrayLike, test: str = "wilcoxon") -> float:
    """Return the two-sided p-value of two models' values for the same users.

    ``wilcoxon`` is the signed-rank test of the differences, those of 0 split between the signs; ``permutation``
    flips the signs of the differences 9,999 times at random, with a fixed seed, and compares their means.

    Args:
        first: values of one model, array of shape (n,); users that are NaN in either array are left out.
        second: values of the other model, array of shape (n,).
        test: one of TESTS.

    Returns:
        The p-value; 1 where no user differs.

    Raises:
        ValueError: the test is unknown.

    Examples:
        >>> paired_p([0.3, 0.4, 0.5, 0.6], [0.1, 0.2, 0.2, 0.1])
        0.125
        >>> paired_p([0.3, 0.4], [0.3, 0.4])
        1.0
    """
    if test not in TESTS:
        raise ValueError(f"test must be one of {', '.join(TESTS)}; got {test!r}")
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    difference = difference[~np.isnan(difference)]
    if not difference.any():
        return 1.0
    if test == "wilcoxon":
        return float(stats.wilcoxon(difference, zero_method="zsplit").pvalue)
    flipped = stats.permutation_test(
        (difference,),
        _mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=9999,
        batch=500,
        random_state=0,
    )
    return float(flipped.pvalue)


def _mean(sample: np.ndarray, axis: int) -> np.ndarray:
    """Return the statistic of the permutation test."""
    return sample.mean(axis=axis)


def holm(p_values: npt.ArrayLike) -> np.ndarray:
    """Correct p-values for the number of tests (Holm 1979): the family-wise error stays below the level.

    Args:
        p_values: array of shape (m,).

    Returns:
        Array of shape (m,): for the i-th smallest, i from 0, the largest of (m − j) p_j over j ≤ i, at most 1.

    Examples:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p_values, dtype=float)
    order = np.argsort(raw)
    steps = (len(raw) - np.arange(len(raw))) * raw[order]
    corrected = np.empty_like(raw)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def pairwise(values: pd.DataFrame, test: str = "wilcoxon") -> pd.DataFrame:
    """Test every model against every other one on the same users.

    Args:
        values: users × models.
        test: one of TESTS.

    Returns:
        Models × models: p-values, Holm-corrected over all pairs; 1 on the diagonal.

    Examples:
        >>> users = pd.DataFrame({"A": [0.3, 0.4, 0.5, 0.6], "B": [0.1, 0.2, 0.2, 0.1]})
        >>> pairwise(users)
               A      B
        A  1.000  0.125
        B  0.125  1.000
    """
    names = list(values.columns)
    pairs = list(itertools.combinations(range(len(names)), 2))
    corrected = holm([paired_p(values.iloc[:, i], values.iloc[:, j], test) for i, j in pairs])
    matrix = np.ones((len(names), len(names)))
    for (i, j), p in zip(pairs, corrected):
        matrix[i, j] = matrix[j, i] = p
    return pd.DataFrame(matrix, index=names, columns=names)
