"""ChebyCF against the paper's formula with dense matrices in float64."""

import numpy as np
import pytest
from recbole.config import Config

from tests import oracles
from tests.model.graph_filters import check_scores


def chebycf(X, order, flatness, alpha, rank, beta):
    """D^−β (p(I − 2 R̃ᵀR̃) + α V Vᵀ) D^β, p the polynomial through plateau heights at the roots of T_order+1."""
    steps = np.arange(order + 1)
    roots = np.cos((2 * (order - steps) + 1) * np.pi / (2 * order + 2))
    extrema = np.cos((order - steps) * np.pi / order)
    heights = np.where(
        extrema < 0, 0.5 + 0.5 * abs(extrema) ** flatness, 0.5 - 0.5 * abs(extrema) ** flatness
    )
    basis = np.cos(np.arange(order + 1) * np.arccos(roots)[:, None])
    coefficients = np.linalg.solve(basis, heights)
    return oracles.graph_filter(X, coefficients, beta) + alpha * oracles.ideal_filter(X, rank, beta)


@pytest.mark.parametrize("alpha, beta, order", [(0.3, 0.4, 6), (0.0, 0.0, 1), (0.2, 0.0, 7)])
def test_it_is_the_papers(alpha, beta, order, fit_filter):
    chosen = {
        "low_pass_rank": 5,
        "order": order,
        "flatness": 2.0,
        "low_pass_weight": alpha,
        "degree_power": beta,
    }
    model, X = fit_filter("ChebyCF", **chosen)
    check_scores(model, X, chebycf(X, order, 2.0, alpha, 5, beta))


def test_defaults_are_those_of_the_authors_on_gowalla():
    config = Config("ChebyCF", "no such dataset")
    expected = {
        "order": 8,
        "flatness": 1.5,
        "low_pass_weight": 0.2,
        "low_pass_rank": 512,
        "degree_power": 0.4,
    }
    assert {key: config[key] for key in expected} == expected


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"order": 0}, r"order must be int in \[1, inf\), got 0"),
        ({"order": 2.5}, "order must be int, got 2.5"),
        ({"flatness": 0.0}, r"flatness must be float in \(0, inf\), got 0.0"),
        ({"degree_power": -0.4}, r"degree_power must be float in \[0, inf\), got -0.4"),
    ],
)
def test_errors_name_the_setting(wrong, message):
    with pytest.raises(ValueError, match=message):
        Config("ChebyCF", "no such dataset", config_dict=wrong)
