"""DLAE against what it must equal."""

import numpy as np
import pytest
import torch

from recbole_edlae.model import closed_form
from tests import oracles
from tests.model.linear import fit, matrix, total


def test_weights(tiny):
    model, train, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, dropout_prob=0.25)
    X = matrix(train)
    np.testing.assert_allclose(model.weights.encoder, oracles.ridge(X, 3.0 + X.sum(0) / 3), atol=1e-5)


def test_user_weights(tiny):
    model, train, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, dropout_prob=0.0, user_weight_power=0.5)
    X = matrix(train)
    count = X.sum(1)
    weight = np.where(count > 0, (np.maximum(count, 1) / count[count > 0].mean()) ** -0.5, 0)
    expected = oracles.ridge(X * np.sqrt(weight)[:, None], np.full(X.shape[1], 3.0))
    np.testing.assert_allclose(model.weights.encoder, expected, atol=1e-5)


def test_bounded_diagonal(tiny):
    free, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0)
    bound = free.weights.encoder.diagonal().median().item()
    model, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, diagonal_bound=bound)
    held = free.weights.encoder.diagonal() > bound
    assert held.any() and not held.all()
    torch.testing.assert_close(
        model.weights.encoder.diagonal(), free.weights.encoder.diagonal().clamp(max=bound)
    )
    torch.testing.assert_close(model.weights.encoder[:, ~held], free.weights.encoder[:, ~held])
    zero, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, diagonal_bound=0.0)
    torch.testing.assert_close(
        zero.weights.encoder, fit("EDLAE", data_path=tiny, reg_weight=3.0)[0].weights.encoder
    )


def authors_dan(X, l2, p, powers, bound):
    """DAN around RDLAE as its authors publish it: users weigh n^-power, the dropout counts them as one each."""
    users, items = np.maximum(X.sum(1), 1), X.sum(0)
    G = X.T @ (X / users[:, None] ** powers[0])
    Lambda = l2 + p / (1 - p) * items
    C = np.linalg.inv(G + np.diag(Lambda))
    c = np.diag(C)
    mu = np.where(1 - Lambda * c > bound, (1 - bound) / c, Lambda)
    B = np.eye(len(C)) - C * mu
    np.fill_diagonal(B, 0)
    scale = np.maximum(items, 1) ** powers[1]
    return scale[:, None] * B / scale


@pytest.mark.parametrize("name, settings", [("DLAE", {}), ("EDLAE", {"emphasis": [1.0, 1.0]})])
@pytest.mark.parametrize("packed", [False, True])
def test_dan_as_its_authors_run_it(name, settings, packed, tiny, monkeypatch):
    monkeypatch.setattr(closed_form, "DENSE_ITEMS", 0 if packed else 4096)
    _, train, _ = fit("EDLAE", data_path=tiny)
    X = matrix(train)
    count = X.sum(1)
    # Their users weigh n^-power, ours (n / mean n)^-power: both terms of the penalty grow by the factor between them.
    factor = count[count > 0].mean() ** 0.3
    odds = 0.6 / 0.4 * factor
    model, _, _ = fit(
        name,
        data_path=tiny,
        reg_weight=2.0 * factor,
        dropout_prob=odds / (1 + odds),
        user_weight_power=0.3,
        item_weight_power=0.2,
        dropout_penalty="unweighted",
        diagonal_bound=0.1,
        zero_diagonal=True,
        **settings,
    )
    expected = authors_dan(X, 2.0, 0.6, (0.3, 0.2), 0.1)
    np.testing.assert_allclose(total(model.weights), expected, atol=1e-5)
    assert not total(model.weights).diagonal().any()
    weighted, _, _ = fit(name, data_path=tiny, reg_weight=2.0 * factor, user_weight_power=0.3, **settings)
    assert abs(total(weighted.weights) - expected).max() > 1e-2


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"zero_diagonal": "perhaps"}, "zero_diagonal must be bool, got 'perhaps'"),
        ({"zero_diagonal": True, "rank": 4}, "zero_diagonal must be False with a rank.*; got True"),
        ({"dropout_penalty": "unweighted", "rank": 4}, "dropout_penalty must be 'weighted' with a rank"),
        ({"rank": 5, "solver": "weight_decay"}, "solver 'weight_decay' has no dropout_prob"),
    ],
)
def test_settings_that_cannot_be(tiny, settings, message):
    with pytest.raises(ValueError, match=message):
        fit("DLAE", data_path=tiny, **settings)


def test_the_full_rank_as_a_product(tiny):
    full, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0)
    low, _, _ = fit("DLAE", data_path=tiny, reg_weight=3.0, rank=30)
    torch.testing.assert_close(
        low.weights.encoder @ low.weights.decoder.T, full.weights.encoder, rtol=0, atol=1e-5
    )
