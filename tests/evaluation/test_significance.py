"""Intervals and tests against brute force."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recbole_edlae.evaluation.significance import holm, interval, paired_p, pairwise


def test_interval_covers_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = [low <= 3 <= high for low, high in (interval(generator.normal(3, 2, 30)) for _ in range(2000))]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_interval_of_what_does_not_vary():
    assert interval([2.0, 2.0, np.nan]) == (2.0, 2.0)
    assert np.isnan(interval([2.0])).all()


def test_permutation_test_is_the_share_of_sign_flips():
    difference = np.array([0.5, -0.1, 0.3, 0.4, -0.2, 0.25, 0.05, 0.6])
    flips = np.array(list(itertools.product([-1, 1], repeat=8)))
    share = np.mean(np.abs(flips @ difference) >= np.abs(difference.sum()) - 1e-12)
    assert paired_p(difference, 0 * difference, "permutation") == pytest.approx(share)  # 2⁸ flips: exact


def test_wilcoxon_splits_the_ties_at_zero():
    generator = np.random.default_rng(1)
    first, second = generator.integers(0, 4, 300) / 4, generator.integers(0, 4, 300) / 4
    ranks = stats.rankdata(np.abs(first - second))
    signs = np.sign(first - second)
    statistic = min((ranks * (signs > 0)).sum(), (ranks * (signs < 0)).sum()) + (ranks * (signs == 0)).sum() / 2
    assert stats.wilcoxon(first - second, zero_method="zsplit").statistic == pytest.approx(statistic)
    assert paired_p(first, second) == paired_p(second, first)


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
