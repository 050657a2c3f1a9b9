"""Splits in order of time depend on the times and tokens, never on the order of the lines."""

import pytest
import torch

from tests.data.shop_splits import build, parts, shuffled
from tests.shop import shop_rows, shop_text

SEQUENTIAL = {"train_neg_sample_args": None, "repeatable": True}
LATE = {f"u{user}": [row[:2] for row in shop_rows() if row[0] == f"u{user}"] for user in range(40)}


def reversed_by_user():
    return [row for user in range(40) for row in [row for row in shop_rows() if row[0] == f"u{user}"][::-1]]


def test_the_latest_are_tested(write_shop):
    write_shop(shop_text(reversed_by_user()))
    _, _, test = parts({"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"})
    assert test == sorted(LATE[user][-1] for user in LATE)
    _, valid, test = parts(
        {"split": {"US": [0.6, 0.2, 0.2]}, "order": "TO", "fold_in": 0.5, "mode": "full"}
    )
    assert len(valid) == len(test) == 32
    assert all(pair in LATE[pair[0]][4:] for pair in valid + test)


@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize(
    "eval_args",
    [
        {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user"},
        {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "none"},
        {"split": {"LS": "valid_and_test"}},
        {"split": {"LS": "valid_only"}},
        {"split": {"LS": "test_only"}},
        {"split": {"TS": [0.8, 0.1, 0.1]}},
        {"split": {"TS": [0.8, 0.1, 0.1]}, "order": "RO"},
        {"split": {"US": [0.6, 0.2, 0.2]}, "fold_in": 0.5},
    ],
)
def test_no_split_depends_on_the_order_of_lines(write_shop, eval_args, unit):
    eval_args = {"order": "TO", "mode": "full", **eval_args}
    rows = [(*row[:3], row[3] * unit) for row in shop_rows()]
    found = []
    for seed in range(2):
        write_shop(shop_text(shuffled(rows, seed)))
        found.append([set(part) for part in parts(eval_args)])
    assert found[0] == found[1]


def test_equal_times_go_by_tokens(write_shop):
    """Six items at one time: the last in order of their tokens is tested, however the lines stand."""
    rows = [(f"u{u}", f"i{i}", 3, 1_700_000_000) for u in range(10) for i in (1, 2, 3, 10, 20, 4)]
    for seed in range(3):
        write_shop(shop_text(shuffled(rows, seed)))
        _, valid, test = parts({"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"})
        assert {item for _, item in test} == {"i4"} and {item for _, item in valid} == {"i3"}


def test_equal_times_go_by_the_item_before_the_user(write_shop):
    """All interactions at one time, split without groups: the test has the last item of every user."""
    rows = [(f"u{u}", f"i{i}", 3, 1_700_000_000) for u in range(5) for i in range(4)]
    for seed in range(2):
        write_shop(shop_text(shuffled(rows, seed)))
        eval_args = {"split": {"RS": [0.5, 0.25, 0.25]}, "group_by": "none", "order": "TO", "mode": "full"}
        _, valid, test = parts(eval_args)
        assert {item for _, item in test} == {"i3"} and {item for _, item in valid} == {"i2"}


@pytest.mark.parametrize("altered", [{"normalize_all": True}, {"numerical_features": ["timestamp"]}])
def test_normalized_or_numerical_times_keep_the_order(write_shop, altered):
    write_shop(shop_text(shuffled(shop_rows())))
    more = {
        "numerical_features": ["timestamp"],
        "discretization": {"timestamp": {"method": "ED", "bucket": 2}},
    }
    altered = more if "numerical_features" in altered else altered
    test = parts({"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"}, **altered)[2]
    assert test == sorted(LATE[user][-1] for user in LATE)


def test_histories_of_sequential_models_are_in_order_of_time(write_shop):
    write_shop(shop_text(reversed_by_user()))
    eval_args = {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"}
    _, data, (_, _, test) = build("SASRec", eval_args=eval_args, MAX_ITEM_LIST_LENGTH=10, **SEQUENTIAL)
    feat = test._dataset.inter_feat
    for user, history, item in zip(feat["user_id"], feat["item_id_list"], feat["item_id"]):
        tokens = [str(data.field2id_token["item_id"][each]) for each in [*history.tolist()[:7], item]]
        assert tokens == [item for _, item in LATE[str(data.field2id_token["user_id"][user])]]
    assert (
        feat["timestamp"].dtype == feat["timestamp_list"].dtype == torch.float32
    )  # models see RecBole's columns


def test_times_that_are_tokens_are_refused(write_shop):
    write_shop(shop_text().replace("timestamp:float", "timestamp:token"))
    with pytest.raises(
        ValueError, match="TIME_FIELD: order by time needs numbers, timestamp:float; the file has"
    ):
        parts({"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"})


def test_the_last_of_several_repeats_is_that_of_the_file_s_times(write_shop):
    """rm_dup_inter keeps the last by the file's time, one second after the first."""
    rows = [
        (user, item, rating, time + late) for user, item, rating, time in shop_rows() for late in (100, 0)
    ]
    rows = [(user, item, 5 if time % 1000 >= 100 else 1, time) for user, item, _, time in rows]
    write_shop(shop_text(rows))
    dataset = build(rm_dup_inter="last")[1]
    assert len(dataset) == 320 and set(dataset.inter_feat["rating"].tolist()) == {5.0}
