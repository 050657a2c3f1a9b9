"""What replaces RecBole's splits gives RecBole's rows, in RecBole's order, where RecBole is right."""

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.utils import init_seed

from recbole_edlae.integration.patches import PATCHES

CORRECTIONS = [
    patch
    for patch in PATCHES
    if patch.replacement.startswith("recbole_edlae.integration.fixes.time_order:")
    or patch.attribute == "Dataset.build"
]
SPLITS = [
    {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user"},
    {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "none"},
    {"split": {"RS": [3, 1, 1]}, "group_by": "user"},
    {"split": {"LS": "valid_and_test"}},
    {"split": {"LS": "valid_only"}},
    {"split": {"LS": "test_only"}},
]


def innermost(function):
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


@pytest.fixture
def data(tmp_path):
    """data_path of 400 pairs, each once, with as many times, which float32 can hold."""
    generator = np.random.default_rng(1)
    pairs = generator.choice(40 * 25, size=400, replace=False)
    times = generator.permutation(4000)[:400]
    lines = [f"u{pair // 25}\ti{pair % 25}\t{1 + pair % 5}\t{time}" for pair, time in zip(pairs, times)]
    (tmp_path / "once").mkdir()
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    (tmp_path / "once" / "once.inter").write_text("\n".join([header, *lines]) + "\n")
    return str(tmp_path)


@pytest.fixture
def stock(monkeypatch):
    """A function that takes the corrections back, until the test ends."""

    def restore():
        for patch in CORRECTIONS:
            owner = Interaction if patch.attribute.startswith("Interaction") else Dataset
            name = patch.attribute.split(".")[1]
            monkeypatch.setattr(owner, name, innermost(getattr(owner, name)))

    return restore


def drawn(data, eval_args, **settings):
    """Columns of the three parts, and the next random numbers."""
    settings = {"data_path": data, "state": "ERROR", "load_col": None, **settings}
    config = Config("EDLAE", "once", config_dict={**settings, "eval_args": {"mode": "full", **eval_args}})
    init_seed(config["seed"], config["reproducibility"])
    parts = create_dataset(config).build()
    columns = [{name: part.inter_feat[name] for name in part.inter_feat} for part in parts]
    return columns, torch.rand(1), np.random.rand()


def assert_same(ours, theirs):
    for own, other in zip(ours[0], theirs[0], strict=True):
        assert list(own) == list(other)
        for name in own:
            assert own[name].dtype == other[name].dtype and torch.equal(own[name], other[name])
    assert ours[1] == theirs[1] and ours[2] == theirs[2]


@pytest.mark.parametrize("order", ["RO", "TO"])
@pytest.mark.parametrize("eval_args", SPLITS)
def test_splits_without_repeats_and_ties_are_recboles(data, stock, eval_args, order):
    ours = drawn(data, {**eval_args, "order": order})
    stock()
    assert_same(ours, drawn(data, {**eval_args, "order": order}))


@pytest.mark.parametrize(
    "settings", [{}, {"normalize_all": True}, {"unused_col": {"inter": ["timestamp"]}}]
)
def test_splits_at_a_time_are_recboles_in_order_of_time(data, stock, settings):
    eval_args = {"split": {"TS": [0.7, 0.1, 0.2]}, "order": "TO"}
    ours = drawn(data, eval_args, **settings)
    stock()
    assert_same(ours, drawn(data, eval_args, **settings))


@pytest.mark.parametrize("eval_args", SPLITS[:1])
def test_removed_repeats_and_intervals_are_recboles(data, stock, eval_args):
    settings = {
        "rm_dup_inter": "first",
        "user_inter_num_interval": "[8,inf)",
        "numerical_features": ["timestamp"],
    }
    ours = drawn(data, {**eval_args, "order": "TO"}, **settings)
    stock()
    assert_same(ours, drawn(data, {**eval_args, "order": "TO"}, **settings))
