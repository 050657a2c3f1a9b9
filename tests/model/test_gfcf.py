"""GF-CF against the paper's formula with dense matrices in float64."""

import numpy as np
import pytest
from recbole.config import Config

from tests import oracles
from tests.model.graph_filters import GFCF, check_scores


def gfcf(X, rank, alpha):
    """R̃ᵀR̃ + α D^−½ V Vᵀ D^½."""
    scaled = X / np.sqrt(np.maximum(X.sum(1), 1))[:, None] / np.sqrt(np.maximum(X.sum(0), 1))
    return scaled.T @ scaled + alpha * oracles.ideal_filter(X, rank, 0.5)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_it_is_the_papers(alpha, fit_filter):
    model, X = fit_filter("GFCF", low_pass_weight=alpha, **GFCF)
    check_scores(model, X, gfcf(X, 5, alpha))


def test_defaults_are_those_of_the_authors_on_gowalla():
    config = Config("GFCF", "no such dataset")
    expected = {"low_pass_weight": 0.3, "low_pass_rank": 256}
    assert {key: config[key] for key in expected} == expected
