"""Intervals and tests against brute force."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recbole_edlae.evaluation.significance import holm, interval, paired_p, pairwise


def test_interval_covers_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = [
        low <= 3 <= high for low, high in (interval(generator.normal(3, 2, 30)) for _ in range(2000))
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_interval_of_what_does_not_vary():
    assert interval([2.0, 2.0, np.nan]) == (2.0, 2.0)
    assert np.isnan(interval([2.0])).all()


def test_permutation_test_is_the_share_of_sign_flips():
    difference = np.array([0.5, -0.1, 0.3, 0.4, -0.2, 0.25, 0.05, 0.6])
    flips = np.array(list(itertools.product([-1, 1], repeat=8)))
    share = np.mean(np.abs(flips @ difference) >= np.abs(difference.sum()) - 1e-12)
    assert paired_p(difference, 0 * difference, "permutation") == pytest.approx(share)  # 2⁸ flips: exact


def share_of_signs(difference):
    """Wilcoxon's p-value by definition: the share of all signs of the ranks with a sum at least as far from 0."""
    ranks = stats.rankdata(np.abs(difference))[difference != 0]
    observed = abs((ranks * np.sign(difference[difference != 0])).sum())
    sums = np.array(list(itertools.product([-1, 1], repeat=len(ranks)))) @ ranks
    return np.mean(np.abs(sums) >= observed - 1e-9)


@pytest.mark.parametrize(
    "values", [[-1, 0, 1, 2], np.linspace(-2, 3, 997), [0, 0, 0, 1]], ids=["ties", "none", "zeros"]
)
@pytest.mark.parametrize("users", [2, 5, 9, 13])
@pytest.mark.filterwarnings("error")
def test_wilcoxon_of_few_users_is_the_share_of_signs(values, users):
    for seed in range(5):
        difference = np.random.default_rng(seed).choice(values, users)
        assert paired_p(difference, 0 * difference) == pytest.approx(share_of_signs(difference), abs=1e-12)


@pytest.mark.parametrize("users", [14, 51, 300])
def test_wilcoxon_of_more_users_with_ties_is_the_normal_approximation_with_zeros_split(users):
    generator = np.random.default_rng(users)
    first, second = generator.integers(0, 5, users) / 4, generator.integers(0, 4, users) / 4
    ranks = stats.rankdata(np.abs(first - second))
    to_the_first = ranks[first > second].sum() + ranks[first == second].sum() / 2
    z = (to_the_first - ranks.sum() / 2) / (np.sqrt((ranks**2).sum()) / 2)
    assert (first == second).any()
    assert paired_p(first, second) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert paired_p(first, second) == paired_p(second, first)
    if users > 50:  # every version of SciPy approximates there
        assert paired_p(first, second) == pytest.approx(
            stats.wilcoxon(first - second, zero_method="zsplit").pvalue
        )
        assert paired_p(first, second) != pytest.approx(
            stats.wilcoxon(first - second, zero_method="wilcox").pvalue
        )


@pytest.mark.parametrize("users", [20, 50, 51])
def test_wilcoxon_without_ties_is_scipys(users):
    difference = np.random.default_rng(users).normal(0.2, 1, users)
    assert paired_p(difference, 0 * difference) == pytest.approx(
        stats.wilcoxon(difference).pvalue, rel=1e-9
    )


@pytest.mark.filterwarnings("error")
def test_p_values_are_the_same_on_every_version_of_scipy():
    """Numbers of SciPy 1.12 and 1.17; its own Wilcoxon test has .505 and 1 for the first."""
    one_differs = np.array([0.5, 0, 0, 0, 0, 0])
    assert paired_p(one_differs, 0 * one_differs) == 1
    with_zeros = np.array([1.0, 2, 3, 0, 0])
    assert paired_p(with_zeros, 0 * with_zeros) == 0.25
    one_zero = np.arange(20) * np.where(
        np.arange(20) % 3, 1.0, -1.0
    )  # zeros end the exact test, as ties do
    assert paired_p(one_zero, 0 * one_zero) == pytest.approx(0.1850684290365544, rel=1e-9)
    many = np.arange(-12, 18) / 10
    assert paired_p(many, 0 * many) == pytest.approx(0.1497992823802887, rel=1e-9)
    assert paired_p(many, 0 * many, "permutation") == 0.1274


@pytest.mark.parametrize("test", ["wilcoxon", "permutation"])
def test_one_user_decides_nothing(test):
    assert paired_p([0.5], [0.2], test) == 1
    assert paired_p([0.5, np.nan], [0.2, 0.1], test) == 1
    assert paired_p([np.nan], [0.2], test) == 1


@pytest.mark.parametrize("test", ["wilcoxon", "permutation"])
def test_tests_see_what_is_there_and_nothing_else(test):
    generator = np.random.default_rng(2)
    users = generator.random(400)
    assert paired_p(users + 0.02 + 0.05 * generator.standard_normal(400), users, test) < 1e-3
    assert paired_p(users + 0.05 * generator.standard_normal(400), users, test) > 0.01
    assert paired_p(users, users, test) == 1


def test_users_that_one_model_lacks_do_not_count():
    first, second = np.array([1.0, 2.0, 5.0, 3.0]), np.array([0.5, 1.0, np.nan, 2.0])
    assert paired_p(first, second) == paired_p(first[[0, 1, 3]], second[[0, 1, 3]])


def test_unknown_test():
    with pytest.raises(ValueError, match="test must be one of wilcoxon, permutation; got 'sign'"):
        paired_p([1], [0], "sign")


def test_holm_rejects_what_its_procedure_rejects():
    generator = np.random.default_rng(3)
    for _ in range(50):
        p = generator.random(7) ** 3
        for level in (0.01, 0.05, 0.2):
            rejected, order = np.zeros(7, bool), np.argsort(p)
            for step, i in enumerate(order):  # step down, stopping at the first that is not small enough
                if p[i] > level / (7 - step):
                    break
                rejected[i] = True
            assert np.array_equal(holm(p) <= level, rejected)


def test_every_pair_is_tested_once():
    generator = np.random.default_rng(4)
    values = pd.DataFrame(generator.random((100, 3)), columns=list("abc"))
    values["c"] += 0.5
    table = pairwise(values)
    assert (table.values == table.values.T).all() and (np.diag(table) == 1).all()
    alone = [paired_p(values[a], values[b]) for a, b in ("ab", "ac", "bc")]
    assert [table.loc[a, b] for a, b in ("ab", "ac", "bc")] == pytest.approx(holm(alone))
