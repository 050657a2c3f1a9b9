"""Confidence intervals and paired tests over users, the same numbers on every version of SciPy."""

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

    ``wilcoxon`` is the signed-rank test of the differences, those of 0 split between the signs. ``permutation`` flips
    the signs of the differences 9,999 times at random, with a fixed seed, and compares their means; where all flips
    are fewer than that, it takes each once.

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
    if len(difference) < 2 or not difference.any():
        return 1.0
    if test == "wilcoxon":
        return _signed_rank_p(difference)
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


def _signed_rank_p(difference: np.ndarray) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test, with zeros split between the signs (zsplit).

    Args:
        difference: array of shape (n,), n at least 2, not all 0.

    Notes:
        The ranks r are those of the absolute differences, zeros and ties included. With random signs their signed sum
        has mean 0 and variance Σ r². Few users are tested exactly, more by the normal approximation, where SciPy draws
        the line since 1.13: at 50 users, or at 13 where there are ties or zeros. Earlier versions approximate any ties
        or zeros, so the same users had another p-value there.
    """
    ranks = stats.rankdata(np.abs(difference))
    signed_sum = float(np.sum(ranks * np.sign(difference)))
    tied = len(np.unique(ranks)) < len(ranks) or not difference.all()
    if len(difference) <= (_EXACT_WITH_TIES if tied else _EXACT):
        return _exact_p(ranks[difference != 0], signed_sum)
    return float(2 * stats.norm.sf(abs(signed_sum) / np.sqrt(np.sum(ranks**2))))


def _exact_p(ranks: np.ndarray, signed_sum: float) -> float:
    """Return the share of all choices of signs whose signed sum of ranks is at least as far from 0.

    Args:
        ranks: multiples of one half, of shape (n,).
        signed_sum: the observed sum.
    """
    # Convolve the distributions of the doubled ranks' signed sums, which are integers from −total to total.
    doubled = np.rint(2 * ranks).astype(int)
    share = np.ones(1)
    for rank in doubled:
        step = np.zeros(2 * rank + 1)
        step[[0, -1]] = 0.5
        share = np.convolve(share, step)

    total = doubled.sum()
    sums = np.arange(-total, total + 1)
    far = np.abs(sums) >= round(abs(2 * signed_sum))
    return min(float(share[far].sum()), 1.0)


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
