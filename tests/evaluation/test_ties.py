"""Equal scores are ordered by popularity in training and token, whatever the order of lines, ids or batches."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.quick_start import run_recbole

from recbole_edlae._warnings import DataWarning
from recbole_edlae.integration.fixes.ranking import best_items, preference

HEADER = "user_id:token\titem_id:token\trating:float\ttimestamp:float"


def by_sorting(scores, k, order):
    """The best items of each user by Python's own stable sort."""
    place = {item: number for number, item in enumerate(order)}
    return [sorted(range(len(row)), key=lambda item: (-row[item], place[item]))[:k] for row in scores]


@given(st.data())
def test_the_best_items_are_those_of_a_stable_sort(data):
    users = data.draw(st.integers(1, 6))
    items = data.draw(st.integers(1, 12))
    k = data.draw(st.integers(1, items))
    values = st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 1.0, 2.0])
    scores = data.draw(
        st.lists(st.lists(values, min_size=items, max_size=items), min_size=users, max_size=users)
    )
    order = data.draw(st.permutations(range(items)))
    best = best_items(torch.tensor(scores), k, torch.tensor(order))
    assert best.items.tolist() == by_sorting(scores, k, order)
    assert best.scores.tolist() == [
        [row[item] for item in ids] for row, ids in zip(scores, best.items.tolist())
    ]


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=9, max_size=9), min_size=1, max_size=5), st.integers(1, 9)
)
def test_without_an_order_they_are_those_of_topk(scores, k):
    scores = torch.tensor(scores).float()
    best = best_items(scores, k, None)
    assert torch.equal(best.items, scores.topk(k).indices) and not best.is_reordered


def test_users_are_settled_a_part_at_a_time(monkeypatch):
    scores = torch.zeros(50, 20)
    order = torch.randperm(20)
    together = best_items(scores, 7, order).items
    monkeypatch.setattr("recbole_edlae.integration.fixes.ranking._CHUNK", 60)
    assert torch.equal(best_items(scores, 7, order).items, together)
    assert together.tolist() == [order[:7].tolist()] * 50


def test_scores_that_are_no_numbers_are_left_to_topk():
    scores = torch.tensor([[float("nan"), 1.0, 1.0, 0.0]])
    assert best_items(scores, 3, torch.arange(4)).items.tolist() == scores.topk(3).indices.tolist()


def rows_of(step):
    """Rows of users who come one after the other, and stay for 6 steps: the last ones have no training rows."""
    generator = np.random.default_rng(3)
    rows = []
    for user in range(40):
        liked = generator.choice(25, size=6, replace=False, p=np.arange(1, 26) / 325)
        rows += [f"u{user}\ti{item}\t1\t{1000 * user + step * number}" for number, item in enumerate(liked)]
    return rows


@pytest.fixture
def write(tmp_path):
    """A function that writes a dataset, and returns settings that split it by time."""

    def write(name, lines):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.inter").write_text("\n".join([HEADER, *lines]) + "\n")
        return {
            "data_path": str(tmp_path),
            "state": "ERROR",
            "show_progress": False,
            "load_col": None,
            "metrics": ["NDCG", "Recall", "ItemCoverage"],
            "valid_metric": "NDCG@10",
            "eval_args": {
                "split": {"RS": [0.6, 0.2, 0.2]},
                "order": "TO",
                "group_by": "none",
                "mode": "full",
            },
        }

    return write


@pytest.mark.slow
@pytest.mark.parametrize("model", ["EDLAE", "EASE", "ItemKNN", "Pop"])
def test_the_order_of_lines_decides_nothing(model, write):
    rows = rows_of(3500)
    shuffled = [rows[number] for number in np.random.default_rng(0).permutation(len(rows))]
    results = set()
    for name, lines in {"sorted": rows, "reversed": rows[::-1], "shuffled": shuffled}.items():
        with pytest.warns(
            DataWarning, match=r"[1-9]\d* of 17 users of the test part have no interactions in training"
        ):
            results.add(str(run_recbole(model, name, config_dict=write(name, lines))["test_result"]))
    assert len(results) == 1


@pytest.mark.slow
def test_a_user_without_training_gets_the_popular_items(write):
    settings = write("sorted", rows_of(1))
    edlae = run_recbole("EDLAE", "sorted", config_dict=settings)["test_result"]
    assert edlae == run_recbole("Pop", "sorted", config_dict=settings)["test_result"]


def test_preference_is_popularity_then_token(write):
    config = Config("EDLAE", "reversed", config_dict=write("reversed", rows_of(1)[::-1]))
    _, _, test = data_preparation(config, create_dataset(config))
    train = create_dataset(config).build()[0].inter_feat["item_id"].tolist()
    tokens = test._dataset.field2id_token["item_id"]
    expected = sorted(range(1, len(tokens)), key=lambda item: (-train.count(item), tokens[item]))
    assert preference(test._dataset).tolist() == [*expected, 0]
