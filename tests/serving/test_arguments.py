"""Tokens, lists and numbers that recommenders take, and what they refuse."""

import json
import os
import pathlib

import numpy as np
import pytest

from recbole_edlae.serving.export import write_export
from recbole_edlae.serving.recommender import Recommender
from tests.serving.shop_checkpoints import HISTORY, train
from tests.shop import shop_rows, shop_text


def test_numbers_are_tokens_everywhere(write_shop):
    write_shop(shop_text([(user[1:], item[1:], *rest) for user, item, *rest in shop_rows()]))
    recommender = Recommender.load(train())
    expected = recommender.recommend([["5", "7"]], 5).items
    for items in (
        [5, 7],
        [5.0, 7.0],
        np.array([5, 7]),
        np.array([5.0, 7.0]),
        [np.int32(5), "7"],
        [np.float32(5), 7],
    ):
        assert recommender.recommend([items], 5).items == expected
    assert recommender.recommend(np.array([[5, 7]]), 5, exclude=[np.int64(1), 2.0]).items == (
        recommender.recommend([["5", "7"]], 5, exclude=["1", "2"]).items
    )
    assert recommender.profile(19) == recommender.profile("19") == recommender.profile(np.float64(19))
    assert (
        recommender.recommend_users([19, 20.0], 5).items
        == recommender.recommend_users(["19", "20"], 5).items
    )
    assert (
        recommender.similar(5, 3)[0]
        == recommender.similar("5", 3)[0]
        == recommender.similar(5.0, np.int64(3))[0]
    )


@pytest.mark.parametrize(
    "token", [None, True, np.True_, float("nan"), float("inf"), [1], {"a": 1}, b"i1", 1j, np.array(1)]
)
def test_what_is_no_token_is_refused(token, recommender):
    for call in (
        lambda: recommender.recommend([["i1"], ["i1", token]]),
        lambda: recommender.recommend([["i1"]], exclude=["i1", token]),
        lambda: recommender.recommend([["i1"]], exclude=[["i1", token]]),
        lambda: recommender.profile(token),
        lambda: recommender.recommend_users(["u1", token]),
        lambda: recommender.similar(token),
    ):
        with pytest.raises(ValueError, match=r"exclude|histories|user|item"):
            call()


def test_what_is_no_list_is_refused(recommender):
    for call in (
        lambda: recommender.recommend("i1"),
        lambda: recommender.recommend({"u1": ["i1"]}),
        lambda: recommender.recommend([{"i1": 1}]),
        lambda: recommender.recommend([None]),
        lambda: recommender.recommend(7),
        lambda: recommender.recommend_users("u1"),
        lambda: recommender.recommend_users(196),
    ):
        with pytest.raises(ValueError, match="must be a list of"):
            call()


def test_exclude_takes_a_list_for_all_or_a_list_for_each(recommender):
    for exclude in (
        "i13",
        b"i13",
        {"i13": 1},
        13,
        ["i1", ["i2"]],
        [["i1"], "i2"],
        [None, ["i1"]],
        ["i1", None],
    ):
        with pytest.raises(ValueError, match="exclude"):
            recommender.recommend([["i1"]], exclude=exclude)
    expected = recommender.recommend([["i3"], ["i4"]], 5)
    assert recommender.recommend([["i3"], ["i4"]], 5, exclude=None).items == expected.items
    assert recommender.recommend([["i3"], ["i4"]], 5, exclude=[None, None]).items == expected.items
    assert recommender.recommend(iter([iter(["i3"]), (item for item in ["i4"])]), 5).items == expected.items
    first, second = recommender.recommend([["i3"], ["i4"]], 30, exclude=[None, iter(["i1"])]).items
    assert "i1" in first and "i1" not in second
    assert "i1" not in recommender.recommend([["i3"]], 30, exclude=(item for item in ["i1"])).items[0]


@pytest.mark.parametrize("k", [-1, 0, 2.5, 2.0, True, "3", None, np.float64(3), [3]])
def test_k_and_top_are_integers_above_0(k, recommender, opened):
    for call in (
        lambda: recommender.similar("i1", k),
        lambda: recommender.recommend([["i1"]], k),
        lambda: recommender.recommend_users(["u1"], k),
    ):
        with pytest.raises(ValueError, match="k must be an integer of at least 1"):
            call()
    if k is not None:
        with pytest.raises(ValueError, match="top must be an integer of at least 1"):
            write_export(opened("EDLAE"), "small", top=k)
    assert not os.path.exists("small")


def test_k_and_top_are_checked_before_the_checkpoint_is_read(refused):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    for value in ("0", "-3", "2.5", "many"):
        words = "recommend", "--checkpoint=not-read.pth", "--histories=users.jsonl", "--output=top.jsonl"
        assert "topk" in refused(*words, f"--topk={value}")
        assert "top" in refused("export", "--checkpoint=not-read.pth", "--output=small", f"--top={value}")
