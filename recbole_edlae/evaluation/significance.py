"""Compute confidence intervals and paired tests over users, with the same numbers on every version of SciPy."""

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

TESTS = ("wilcoxon", "permutation")
_EXACT = 50  # users up to which Wilcoxon's test enumerates the signs
_EXACT_WITH_TIES = 13  # the same where differences are tied or 0


def interval(values: npt.ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of a mean over users (Student's t).

    Args:
        values: array of shape (n,), one value per user; users with NaN are left out.
        confidence: share of such intervals that cover the true mean, in (0, 1).

    Returns:
        The low and the high end. Both are the mean where all values are equal, and NaN for fewer than two values.

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

    # SciPy returns NaN for a scale of 0.
    mean = sample.mean()
    standard_error = stats.sem(sample)
    if standard_error == 0:
        return float(mean), float(mean)

    low, high = stats.t.interval(confidence, len(sample) - 1, loc=mean, scale=standard_error)
    return float(low), float(high)


def paired_p(first: npt.ArrayLike, second: npt.ArrayLike, test: str = "wilcoxon") -> float:
    """Return the two-sided p-value of two models' values for the same users.

    ``wilcoxon`` is the signed-rank test of the differences, with zeros split between the signs. ``permutation`` flips
    the signs of the differences 9,999 times at random, with a fixed seed, and compares their means. Where fewer flips
    are possible, it takes each once.

    Args:
        first: values of one model, array of shape (n,); users that are NaN in either array are left out.
        second: values of the other model, array of shape (n,).
        test: one of TESTS.

    Returns:
        The p-value; 1 where no user differs, and where there is only one user.

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

    # One user, or none that differs, is no evidence.
    if len(difference) < 2 or not difference.any():
        return 1.0

    if test == "wilcoxon":
        return _signed_rank_p(difference)

    # Flipping the sign of a difference exchanges the two models for that user.
    flipped = stats.permutation_test(
        (difference,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=9999,
        batch=500,
        random_state=0,
    )
    return float(flipped.pvalue)


def _signed_rank_p(difference: np.ndarray) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test, with zeros split between the signs (zsplit).

    Notes:
        The ranks r are those of the absolute differences, zeros and ties included. With random signs their signed sum
        has mean 0 and variance Σ r². The test is exact for up to 50 users, or 13 where there are ties or zeros, and
        otherwise uses the normal approximation. SciPy has had these limits since 1.13; earlier versions approximate
        wherever there are ties or zeros, and return other p-values.
    """
    ranks = stats.rankdata(np.abs(difference))
    signed_sum = float(np.sum(ranks * np.sign(difference)))

    # Enumerate the signs of few users.
    limit = _EXACT
    if len(np.unique(ranks)) < len(ranks) or not difference.all():
        limit = _EXACT_WITH_TIES
    if len(difference) <= limit:
        return _exact_p(ranks[difference != 0], signed_sum)

    # The signed sum of many is close to normal.
    standard_deviation = np.sqrt(np.sum(ranks**2))
    return float(2 * stats.norm.sf(abs(signed_sum) / standard_deviation))


def _exact_p(ranks: np.ndarray, signed_sum: float) -> float:
    """Return the share of all choices of signs of ranks whose sum is at least as far from 0 as the observed one."""
    # Tied differences share the mean of their ranks, a multiple of 1/2; twice the ranks are integers.
    doubled = np.rint(2 * ranks).astype(int)

    # A rank adds its value or its negative, each with probability 1/2; the distribution of the sum is the convolution.
    share = np.ones(1)
    for rank in doubled:
        step = np.zeros(2 * rank + 1)
        step[[0, -1]] = 0.5
        share = np.convolve(share, step)

    # The entries of the distribution belong to the sums from −total to total.
    total = doubled.sum()
    sums = np.arange(-total, total + 1)
    far = np.abs(sums) >= round(abs(2 * signed_sum))
    return min(float(share[far].sum()), 1.0)


def holm(p_values: npt.ArrayLike) -> np.ndarray:
    """Correct p-values for the number of tests, so that the family-wise error stays below the level (Holm 1979).

    Args:
        p_values: array of shape (m,).

    Returns:
        Array of shape (m,): for the i-th smallest, i from 0, the largest of (m − j) p_j over j ≤ i, at most 1.

    Examples:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    # (m − j) p_j, in ascending order of p.
    raw = np.asarray(p_values, dtype=float)
    order = np.argsort(raw)
    factors = len(raw) - np.arange(len(raw))
    steps = factors * raw[order]

    # A larger p-value never gets a smaller corrected one.
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

    # Holm's correction needs the p-values of all pairs at once.
    p_values = [paired_p(values.iloc[:, i], values.iloc[:, j], test) for i, j in pairs]
    corrected = holm(p_values)

    # Tests are two-sided, so the matrix is symmetric.
    matrix = np.ones((len(names), len(names)))
    for (i, j), p in zip(pairs, corrected):
        matrix[i, j] = p
        matrix[j, i] = p
    return pd.DataFrame(matrix, index=names, columns=names)
