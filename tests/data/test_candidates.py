"""Sampled candidates follow the seed, the phase and the user, each of them."""

import numpy as np
import pytest
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import init_seed

from recbole_edlae._warnings import DataWarning
from tests.data.shop_splits import SAMPLED as BY_RATIO
from tests.data.shop_splits import build, candidates, parts, shuffled
from tests.shop import shop_rows, shop_text

SAMPLED = {"split": {"LS": "valid_and_test"}, "order": "RO", "group_by": "user", "mode": "uni2"}


@pytest.fixture
def candidates_of(settings):
    """User → candidates in the order in which they are drawn, for each held-out phase."""

    def draw(**more):
        # A repeatable sampler leaves out the target alone, so that the phases could draw the same.
        config = Config(
            "EDLAE", "tiny", config_dict={**settings, "repeatable": True, "eval_args": SAMPLED, **more}
        )
        init_seed(config["seed"], config["reproducibility"])
        found = []
        for loader in data_preparation(config, create_dataset(config))[1:]:
            drawn = {}
            for batch, *_ in loader:
                for user, item in zip(batch["user_id"].tolist(), batch["item_id"].tolist()):
                    drawn.setdefault(user, []).append(item)
            found.append({user: items[1:] for user, items in drawn.items()})  # behind the target
        return found

    return draw


def same(first, second):
    """Share of the users whose candidates are the same."""
    return sum(first[user] == second[user] for user in first) / len(first)


def test_the_phases_draw_candidates_of_their_own(candidates_of):
    valid, test = candidates_of()
    assert valid.keys() == test.keys() and all(len(items) == 2 for items in valid.values())
    assert same(valid, test) < 0.1


def test_users_draw_candidates_of_their_own(candidates_of):
    valid, _ = candidates_of()
    assert len({tuple(items) for items in valid.values()}) > len(valid) / 2


def test_seeds_draw_candidates_of_their_own(candidates_of):
    first, again, other = candidates_of(seed=1)[0], candidates_of(seed=1)[0], candidates_of(seed=2)[0]
    assert first == again and same(first, other) < 0.1


@pytest.mark.parametrize(
    "mode", ["uni5", "pop5", {"valid": "pop5", "test": "uni5"}, {"valid": "uni5", "test": "pop7"}]
)
def test_candidates_are_the_same_for_all_models(write_shop, mode):
    write_shop()
    eval_args = {**BY_RATIO, "mode": mode}
    expected = candidates("EDLAE", eval_args=eval_args)
    popular = {"distribution": "popularity", "sample_num": 2, "alpha": 0.1}
    assert candidates("BPR", eval_args=eval_args, train_neg_sample_args=popular) == expected
    assert candidates("MultiVAE", eval_args=eval_args, train_neg_sample_args=None) == expected
    assert candidates("Pop", eval_args=eval_args, eval_batch_size=3) == expected
    assert candidates("EDLAE", eval_args=eval_args, seed=7) != expected
    for user, items in expected[1].items():
        known = {item for part in (0, 1) for pair, item in parts(eval_args)[part] if pair == user}
        assert not known & set(items)


def test_drawing_candidates_leaves_other_random_numbers_alone(write_shop):
    write_shop()
    _, _, (_, valid, _) = build("BPR", eval_args=BY_RATIO)
    np.random.seed(3)
    expected = np.random.rand()
    np.random.seed(3)
    once, again = ([batch[0]["item_id"].tolist() for batch in valid] for _ in range(2))
    assert np.random.rand() == expected and once == again


def test_candidates_do_not_depend_on_the_order_of_lines(write_shop):
    eval_args = {
        **BY_RATIO,
        "split": {"LS": "valid_and_test"},
        "order": "TO",
        "mode": {"valid": "uni5", "test": "pop5"},
    }
    found = []
    for seed in range(2):
        write_shop(shop_text(shuffled(shop_rows(), seed)))
        found.append(candidates("EDLAE", eval_args=eval_args))
    assert found[0] == found[1]


def test_fewer_candidates_than_asked_for_are_counted(write_shop):
    write_shop()
    with pytest.warns(
        DataWarning, match="eval_args mode uni100: 40 of 40 users of the test part have fewer than 100"
    ):
        build("EDLAE", eval_args={**BY_RATIO, "mode": "uni100"})
