"""Sampled candidates follow the seed, the phase and the user, each of them."""

import pytest
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import init_seed

SAMPLED = {"split": {"LS": "valid_and_test"}, "order": "RO", "group_by": "user", "mode": "uni2"}


@pytest.fixture
def candidates_of(settings):
    """User → candidates in the order in which they are drawn, for each held-out phase."""

    def draw(**more):
        # A repeatable sampler leaves out the target alone, so that the phases could draw the same.
        config = Config("EDLAE", "tiny", config_dict={**settings, "repeatable": True, "eval_args": SAMPLED, **more})
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
