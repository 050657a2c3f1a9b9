import numpy as np
import pytest
import scipy.stats
import torch

from recbole_edlae.nn import standardize_

RANDOM = np.random.default_rng(0)


def test_rows_get_mean_zero_and_deviation_one() -> None:
    scores = RANDOM.normal(3.0, 20.0, (4, 50)) * [[1.0], [1e-6], [1e6], [1.0]]
    given = torch.from_numpy(scores.copy())
    found = standardize_(given)
    assert found is given
    np.testing.assert_allclose(found.numpy(), scipy.stats.zscore(scores, axis=1), rtol=1e-9)


def test_scale_and_shift_of_a_row_do_not_matter() -> None:
    scores = torch.from_numpy(RANDOM.normal(size=(3, 20)))
    moved = scores * torch.tensor([[2.0], [0.1], [5.0]]) + torch.tensor([[1.0], [-3.0], [0.0]])
    torch.testing.assert_close(standardize_(moved), standardize_(scores.clone()))


@pytest.mark.parametrize("power", [-100, -80, 80, 110])
def test_scores_whose_squares_are_beyond_float32_keep_every_digit(power) -> None:
    scores = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 20))).float()
    left_out = torch.tensor([0, 0, 2]), torch.tensor([1, 4, 19])
    moved = scores.clone()
    moved[:2] *= 2.0**power  # a row of another scale beside
    assert torch.equal(standardize_(moved, left_out), standardize_(scores.clone(), left_out))


def test_equal_scores_become_zero() -> None:
    for value in (0.0, 0.1, -1e-30, 1e6 / 3):
        zeros = standardize_(torch.full((2, 3001), value))
        assert zeros.abs().max() <= 1e-6 * abs(value)
    assert standardize_(torch.zeros(0, 5)).shape == (0, 5)


def test_entries_left_out_do_not_count_but_are_scaled_like_the_others() -> None:
    scores = RANDOM.normal(3.0, 20.0, (5, 40))
    left_out = RANDOM.random(scores.shape) < [[0.0], [0.1], [0.5], [0.9], [1.0]]
    found = standardize_(
        torch.from_numpy(scores.copy()), tuple(map(torch.from_numpy, left_out.nonzero()))
    ).numpy()
    for row in range(4):
        counts = scores[row, ~left_out[row]]
        np.testing.assert_allclose(found[row], (scores[row] - counts.mean()) / counts.std(), rtol=1e-9)
    np.testing.assert_allclose(found[4], scores[4])  # nothing counts
