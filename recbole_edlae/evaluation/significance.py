"""Whether models differ: confidence intervals and paired tests over users, with SciPy's tests."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

TESTS = ("wilcoxon", "permutation")


def interval(values, confidence=0.95):
    """Confidence interval of a mean over users (Student's t).

    Args:
        values: array of shape (n,), one value per user; NaN users are left out.
        confidence: share of such intervals that cover the true mean, in (0, 1).

    Returns:
        tuple of float: low, high. Both are the mean where the values do not vary, NaN where there are fewer than two.
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return float("nan"), float("nan")
    mean, error = values.mean(), stats.sem(values)
    if error == 0:
        return float(mean), float(mean)
    low, high = stats.t.interval(confidence, len(values) - 1, loc=mean, scale=error)
    return float(low), float(high)


def paired_p(first, second, test="wilcoxon"):
    """Two-sided p-value of two models' values for the same users.

    ``wilcoxon`` is the signed-rank test of the differences, those of 0 split between the signs; ``permutation``
    flips the signs of the differences 9,999 times at random, with a fixed seed, and compares their means.

    Args:
        first, second: arrays of shape (n,); users that are NaN in either are left out.
        test: one of TESTS.

    Returns:
        float; 1 where no user differs.

    Raises:
        ValueError: there is no such test.
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
        (difference,), lambda sample, axis: sample.mean(axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=9999, batch=500, random_state=0,
    )  # fmt: skip
    return float(flipped.pvalue)


def holm(p_values):
    """p-values corrected for how many were looked at (Holm 1979): the family-wise error stays below the level.

    Args:
        p_values: array of shape (m,).

    Returns:
        NumPy array of shape (m,): for the i-th smallest, i from 0, the largest of (m − j) p_j over j ≤ i, at most 1.
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values)
    steps = (len(p_values) - np.arange(len(p_values))) * p_values[order]
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def pairwise(values, test="wilcoxon"):
    """Tests every model against every other one on the same users.

    Args:
        values: pandas DataFrame, users × models.
        test: one of TESTS.

    Returns:
        pandas DataFrame, models × models: p-values, Holm-corrected over all pairs; 1 on the diagonal.
    """
    names = list(values.columns)
    pairs = list(itertools.combinations(range(len(names)), 2))
    corrected = holm([paired_p(values.iloc[:, i], values.iloc[:, j], test) for i, j in pairs])
    matrix = np.ones((len(names), len(names)))
    for (i, j), p in zip(pairs, corrected):
        matrix[i, j] = matrix[j, i] = p
    return pd.DataFrame(matrix, index=names, columns=names)
