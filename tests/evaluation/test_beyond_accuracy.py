"""Coverage, entropy, Gini index and popularity follow the formulas that RecBole's documentation cites."""

import collections
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.config import Config
from recbole.evaluator.register import metrics_dict
from recbole.quick_start import run_recbole

METRICS = ["ItemCoverage", "GiniIndex", "ShannonEntropy", "AveragePopularity", "TailPercentage", "NDCG"]


def metric(name, k):
    return metrics_dict[name]({"topk": [k], "metric_decimal_place": 12, "tail_ratio": 0.3})


@given(st.integers(1, 12), st.data())
def test_formulas(catalog, data):
    k = data.draw(st.integers(1, catalog))
    lists = data.draw(st.lists(st.permutations(range(1, catalog + 1)), min_size=1, max_size=8))
    recommended = np.array([items[:k] for items in lists])
    times = collections.Counter(recommended.ravel().tolist())
    shares = [count / recommended.size for count in times.values()]
    collected = {"rec.items": recommended, "data.num_items": catalog + 1}

    coverage = metric("itemcoverage", k).get_coverage(recommended, collected["data.num_items"])
    assert coverage == len(times) / catalog

    entropy = metric("shannonentropy", k).get_entropy(recommended)
    assert math.isclose(entropy, -sum(share * math.log(share) for share in shares), abs_tol=1e-12)

    # The mean absolute difference of all pairs of items, half of it relative to the mean.
    counts = [times.get(item, 0) for item in range(1, catalog + 1)]
    difference = sum(abs(one - other) for one in counts for other in counts)
    gini = metric("giniindex", k).get_gini(recommended, collected["data.num_items"])
    assert math.isclose(gini, difference / (2 * catalog * sum(counts)), abs_tol=1e-12)


def test_places_without_an_item_do_not_count():
    lists = np.array([[3, 1, 0, 0], [2, 1, 3, 0], [0, 0, 0, 0]])
    without = np.array([3, 1, 2, 1, 3])
    assert metric("itemcoverage", 4).get_coverage(lists, 6) == 3 / 5
    shares = np.array([2, 1, 2]) / len(without)
    assert math.isclose(metric("shannonentropy", 4).get_entropy(lists), -(shares * np.log(shares)).sum())


def test_popularity_and_tail_are_those_of_the_places_with_an_item():
    collected = {
        "rec.items": torch.tensor([[3, 1, 0, 0], [2, 1, 3, 0]]),
        "data.count_items": {1: 10, 2: 4, 3: 1},
    }
    popularity = metric("averagepopularity", 4).calculate_metric(collected)
    assert popularity == {"averagepopularity@4": (11 / 2 + 15 / 3) / 2}
    tail = metric("tailpercentage", 4).calculate_metric(collected)  # item 3 is the tail
    assert tail["tailpercentage@4"] == pytest.approx((1 / 2 + 1 / 3) / 2)


@pytest.mark.slow
def test_every_item_recommended_is_full_coverage(tmp_path):
    """Lists as long as the catalog: RecBole counts padding, and the items that users have already."""
    (tmp_path / "few").mkdir()
    lines = [f"u{user}\ti{item}" for user in range(30) for item in range(8) if (user + item) % 3]
    header = "user_id:token\titem_id:token"
    (tmp_path / "few" / "few.inter").write_text("\n".join([header, *lines]) + "\n")
    settings = {
        "data_path": str(tmp_path),
        "state": "ERROR",
        "show_progress": False,
        "load_col": None,
        "metrics": METRICS,
        "topk": [8],
        "valid_metric": "NDCG@8",
        "metric_decimal_place": 6,
    }
    settings["eval_args"] = {
        "split": {"RS": [0.6, 0.2, 0.2]},
        "order": "RO",
        "group_by": "user",
        "mode": "full",
    }
    results = {
        model: run_recbole(model, "few", config_dict=settings)["test_result"] for model in ("EDLAE", "EASE")
    }
    config = Config("EDLAE", "few", config_dict=settings)
    assert config["corrections"] is True
    for result in results.values():
        assert result["itemcoverage@8"] == 1.0
        assert 0 < result["shannonentropy@8"] <= math.log(8) + 1e-6
    same = {name: value for name, value in results["EDLAE"].items() if name not in ("ndcg@8",)}
    assert same == {name: results["EASE"][name] for name in same}  # both recommend all that a user has not
