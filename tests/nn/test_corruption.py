import itertools

import numpy as np
import pytest
import torch

from recbole_edlae.nn import binary_rows, dropout, entry_weights, gaussian, squared

ROWS = binary_rows(torch.tensor([0, 2, 3]), torch.tensor([2, 1]))


def test_dropout_drops_at_its_rate_and_is_right_on_average() -> None:
    rows = binary_rows(torch.zeros(40_000, dtype=torch.long), torch.tensor([40_000]))
    corrupted, dropped = dropout(rows, 0.3, torch.Generator().manual_seed(0))
    assert dropped.float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert corrupted.values.mean().item() == pytest.approx(1, abs=0.02)
    assert (corrupted.values[dropped] == 0).all()
    torch.testing.assert_close(corrupted.values[~dropped], torch.full((int((~dropped).sum()),), 1 / 0.7))


def test_nothing_is_dropped_with_probability_0() -> None:
    corrupted, dropped = dropout(ROWS, 0.0)
    assert not dropped.any() and torch.equal(corrupted.values, ROWS.values)


def test_gaussian_noise_has_its_deviation_on_every_entry() -> None:
    rows = binary_rows(torch.tensor([0]), torch.tensor([1] + [0] * 499))
    noise = gaussian(rows, 0.5, 80, torch.Generator().manual_seed(0)).noise
    assert noise.shape == (500, 80)
    assert noise.mean().item() == pytest.approx(0, abs=0.02) and noise.std().item() == pytest.approx(
        0.5, abs=0.02
    )
    assert gaussian(rows, 0, 80).noise is None


@pytest.mark.parametrize("p, a, b", [(0.3, 1.0, 0.0), (0.5, 1.0, 1.0), (0.4, 2.0, 0.7)])
def test_expected_emphasized_loss_is_the_sum_over_all_masks(p: float, a: float, b: float) -> None:
    """Masks over zeros and ones alike, as the objective is defined; scores are linear in the corrupted input."""
    x, B = np.array([1.0, 0.0, 1.0, 1.0]), np.random.default_rng(0).normal(size=(4, 4))
    by_definition = 0.0
    for mask in itertools.product((0, 1), repeat=4):
        dropped = np.array(mask)
        error = x - (x * (1 - dropped) / (1 - p)) @ B
        chance = np.prod(np.where(dropped, p, 1 - p))
        by_definition += chance * (np.where(dropped, a, b) * error**2).sum()

    rows = binary_rows(torch.tensor([0, 2, 3]).repeat(60_000), torch.full((60_000,), 3))
    corrupted, dropped = dropout(rows, p, torch.Generator().manual_seed(1))
    scores = corrupted.dense(4) @ torch.from_numpy(B).float()
    sampled = squared(scores, rows, *entry_weights(dropped, p, (a, b)))
    assert sampled.mean().item() == pytest.approx(by_definition, rel=0.02)


def test_emphasis_on_dropped_entries_alone_needs_dropout() -> None:
    with pytest.raises(ValueError, match="dropout_prob 0 drops none"):
        entry_weights(torch.zeros(3, dtype=torch.bool), 0.0, (1.0, 0.0))
