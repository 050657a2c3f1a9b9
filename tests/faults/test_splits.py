"""Rows 1, 4, 12, 13 and 17 of the faults: what a split, a sampler and a list of recommendations do at the edges."""

import json
import pathlib
import random
import re

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.quick_start import run_recbole
from recbole.utils import init_seed

from recbole_edlae import cli
from recbole_edlae._warnings import DataWarning
from recbole_edlae.runs.run import Run
from recbole_edlae.runs.runner import Runner
from tests.faults.conftest import QUIET, shop_rows, shop_text

COLUMNS = {"inter": ["user_id", "item_id", "rating", "timestamp"]}
SEQUENTIAL = {"train_neg_sample_args": None, "repeatable": True}
LATE = {f"u{user}": [row[:2] for row in shop_rows() if row[0] == f"u{user}"] for user in range(40)}


def build(model="EDLAE", name="shop", **settings):
    """Config, dataset and the three loaders of a run."""
    settings = {"state": "ERROR", "load_col": COLUMNS, "data_path": "dataset", **settings}
    config = Config(model, name, config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    return config, dataset, data_preparation(config, dataset)


def pairs(dataset):
    """Interactions of a part, as tokens and sorted."""
    users = dataset.id2token(dataset.uid_field, dataset.inter_feat[dataset.uid_field])
    items = dataset.id2token(dataset.iid_field, dataset.inter_feat[dataset.iid_field])
    return sorted(zip(users.tolist(), items.tolist()))


def parts(eval_args, **settings):
    return [pairs(loader._dataset) for loader in build(eval_args=eval_args, **settings)[2]]


def shuffled(rows, seed=1):
    return random.Random(seed).sample(rows, len(rows))


def reversed_by_user():
    return [row for user in range(40) for row in [row for row in shop_rows() if row[0] == f"u{user}"][::-1]]


def candidates(model, **settings):
    """User token → sorted tokens of the items it is ranked among, for each held-out phase."""
    _, data, (_, *held_out) = build(model, **settings)
    found = []
    for loader in held_out:
        ranked = {}
        for batch, _, _, _ in loader:
            for user, item in zip(batch["user_id"].tolist(), batch["item_id"].tolist()):
                ranked.setdefault(str(data.field2id_token["user_id"][user]), []).append(
                    str(data.field2id_token["item_id"][item])
                )
        found.append({user: sorted(items) for user, items in ranked.items()})
    return found


def test_row_01_the_latest_are_tested(write_shop):
    write_shop(shop_text(reversed_by_user()))
    _, _, test = parts({"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"})
    assert test == sorted(LATE[user][-1] for user in LATE)
    _, valid, test = parts({"split": {"US": [0.6, 0.2, 0.2]}, "order": "TO", "fold_in": 0.5, "mode": "full"})
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
def test_row_01_no_split_depends_on_the_order_of_lines(write_shop, eval_args, unit):
    eval_args = {"order": "TO", "mode": "full", **eval_args}
    rows = [(*row[:3], row[3] * unit) for row in shop_rows()]
    found = []
    for seed in range(2):
        write_shop(shop_text(shuffled(rows, seed)))
        found.append([set(part) for part in parts(eval_args)])
    assert found[0] == found[1]


def test_more_time_ties_go_by_tokens(write_shop):
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
def test_more_time_normalized_or_numerical_columns_keep_the_order(write_shop, altered):
    write_shop(shop_text(shuffled(shop_rows())))
    more = {"numerical_features": ["timestamp"], "discretization": {"timestamp": {"method": "ED", "bucket": 2}}}
    altered = more if "numerical_features" in altered else altered
    test = parts({"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"}, **altered)[2]
    assert test == sorted(LATE[user][-1] for user in LATE)


def test_more_time_histories_of_sequential_models(write_shop):
    write_shop(shop_text(reversed_by_user()))
    eval_args = {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"}
    _, data, (_, _, test) = build("SASRec", eval_args=eval_args, MAX_ITEM_LIST_LENGTH=10, **SEQUENTIAL)
    feat = test._dataset.inter_feat
    for user, history, item in zip(feat["user_id"], feat["item_id_list"], feat["item_id"]):
        tokens = [str(data.field2id_token["item_id"][each]) for each in [*history.tolist()[:7], item]]
        assert tokens == [item for _, item in LATE[str(data.field2id_token["user_id"][user])]]
    assert feat["timestamp"].dtype == feat["timestamp_list"].dtype == torch.float32  # models see RecBole's columns


def test_more_time_as_tokens_is_refused(write_shop):
    write_shop(shop_text().replace("timestamp:float", "timestamp:token"))
    with pytest.raises(ValueError, match="TIME_FIELD: order by time needs numbers, timestamp:float; the file has"):
        parts({"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"})


def test_more_time_of_repeats_removed(write_shop):
    """rm_dup_inter keeps the last by the file's time, one second after the first."""
    rows = [(user, item, rating, time + late) for user, item, rating, time in shop_rows() for late in (100, 0)]
    rows = [(user, item, 5 if time % 1000 >= 100 else 1, time) for user, item, _, time in rows]
    write_shop(shop_text(rows))
    dataset = build(rm_dup_inter="last")[1]
    assert len(dataset) == 320 and set(dataset.inter_feat["rating"].tolist()) == {5.0}


@pytest.mark.parametrize("model", ["EDLAE", "DeepAE", "Pop", "EASE"])
def test_row_04_models_that_draw_nothing_run(write_shop, command, model):
    write_shop(shop_text([*shop_rows(), *(("all", f"i{i}", 3, 1_700_000_000 + i) for i in range(20))]))
    assert command("run", f"--model={model}", *QUIET).status == 0


def test_row_04_a_model_that_draws_names_the_user(write_shop, refused):
    write_shop(shop_text([*shop_rows(), *(("all", f"i{i}", 3, 1_700_000_000 + i) for i in range(20))]))
    line = refused("run", "--model=BPR", *QUIET)
    assert "user all has all 20 items" in line and "user_inter_num_interval: '[0,19]'" in line


@pytest.mark.filterwarnings("ignore::recbole_edlae._warnings.DataWarning")
@pytest.mark.parametrize("model", ["EDLAE", "DeepAE", "Pop"])
@pytest.mark.parametrize("alone", ["user", "item"])
def test_row_04_one_user_or_one_item(write_shop, command, model, alone):
    rows = [row for row in shop_rows() if row[0] == "u0"]
    write_shop(shop_text(rows if alone == "user" else [(f"u{u}", "i0", 3, u) for u in range(40)]))
    assert command("run", f"--model={model}", *QUIET).status == 0
    group = "{'split':{'RS':[.8,.1,.1]},'group_by':'none','order':'RO','mode':'full'}"
    assert command("run", f"--model={model}", f"--eval_args={group}", *QUIET).status == 0


FULL_USER = [*shop_rows(), *(("all", f"i{i}", 3, 1_700_000_000 + i) for i in range(20))]


def test_more_sampler_draws_by_popularity_what_only_items_have(write_shop):
    """An item that nobody has cannot be drawn by popularity: the user who has all others is named."""
    path = write_shop(shop_text(FULL_USER))
    path.with_suffix(".item").write_text("\n".join(["item_id:token", *(f"i{i}" for i in range(22))]) + "\n")
    columns = {**COLUMNS, "item": ["item_id"]}
    train = {"distribution": "popularity", "sample_num": 1}
    with pytest.raises(ValueError, match="user all has all 20 items"):
        build("BPR", load_col=columns, train_neg_sample_args=train)
    build("BPR", load_col=columns)


def test_more_sampler_dynamic_sampling_is_refused_too(write_shop):
    write_shop(shop_text(FULL_USER))
    train = {"distribution": "uniform", "sample_num": 1, "dynamic": True, "candidate_num": 2}
    with pytest.raises(ValueError, match="user all has all 20 items"):
        build("BPR", train_neg_sample_args=train)


def test_more_sampler_candidates_for_a_user_with_all_items(write_shop):
    write_shop(shop_text(FULL_USER))
    eval_args = {"split": {"RS": [0.8, 0.1, 0.1]}, "mode": "uni5"}
    with pytest.raises(ValueError, match="eval_args mode uni5: user all has all 20 items"):
        run_recbole("EDLAE", "shop", config_dict={"state": "ERROR", "eval_args": eval_args})
    assert not pathlib.Path("saved").exists()  # it was said before the training
    loaders = build("EDLAE", eval_args=eval_args)[2]
    with pytest.raises(ValueError, match="user all has all 20 items"):
        list(loaders[2])


def test_more_sampler_asked_directly_returns(write_shop):
    write_shop(shop_text(FULL_USER))
    _, data, (_, _, test) = build("EDLAE")
    assert test._sampler is not None
    user = data.token2id("user_id", "all")
    with pytest.raises(ValueError, match="user all has all 20 items"):
        test._sampler.sample_by_user_ids([user], [1], 3)


REPEATED = r"(\d+) of (\d+) interactions in (\w+) are of pairs .* that are in (\w+) too.*rm_dup_inter: first or last"


def test_row_12_pairs_in_two_parts_are_counted(write_shop):
    """The split is RecBole's; the warning counts the pairs, and the setting it names gives the data without them."""
    write_shop(shop_text())
    expected = run_recbole("DLAE", "shop", config_dict={"state": "ERROR", "show_progress": False})
    write_shop(shop_text([row for row in shop_rows() for _ in range(2)]), name="twice")
    with pytest.warns(DataWarning) as caught:
        named = dict(zip(("training", "validation", "test"), parts({"mode": "full"}, name="twice")))
    said = [re.match(REPEATED, str(each.message)) for each in caught if each.category is DataWarning]
    counts = {(match[4], match[3]): int(match[1]) for match in said}
    for (first, second), count in counts.items():
        assert count == sum(pair in set(named[first]) for pair in named[second])
    assert counts["training", "test"] > 30
    clean = {"state": "ERROR", "show_progress": False, "rm_dup_inter": "first"}
    assert run_recbole("DLAE", "twice", config_dict=clean)["test_result"] == expected["test_result"]


@pytest.mark.parametrize("command", ["run", "tune", "leaderboard"])
def test_more_repeats_are_counted_by_every_command(command, write_shop, capsys):
    write_shop(shop_text([row for row in shop_rows() for _ in range(2)]))
    pathlib.Path("space.test").write_text("reg_weight choice [1.0]\n")
    words = {
        "run": ["--model=DLAE"],
        "tune": ["--model=DLAE", "--space=space.test"],
        "leaderboard": ["--models", "DLAE"],
    }
    cli.main([command, *words[command], "--dataset=shop"])
    assert re.search(rf"warning: {REPEATED}", capsys.readouterr().err)


def test_more_repeats_of_ratings_are_counted(write_shop):
    write_shop(shop_text([row for row in shop_rows() for _ in range(2)]))
    more = {"LABEL_FIELD": "rating", "metrics": ["RMSE"], "valid_metric": "RMSE", "feedback": "rating"}
    with pytest.warns(DataWarning, match=r"of \d+ interactions in test are of pairs .* in training too"):
        _, _, loaders = build("AutoRec", eval_args={"mode": "labeled"}, **more)
    assert sum(len(loader._dataset) for loader in loaders) == 640


def test_more_repeats_over_files_are_counted(write_shop):
    rows = shop_rows()
    for part, own in {"train": rows[:240], "valid": rows[240:280], "test": rows[230:320]}.items():
        write_shop(shop_text(own)).rename(f"dataset/shop/shop.{part}.inter")
    with pytest.warns(DataWarning) as caught:
        _, _, loaders = build(benchmark_filename=["train", "valid", "test"])
    texts = [str(each.message) for each in caught if each.category is DataWarning]
    texts = [text for text in texts if "no interactions in training" not in text]
    assert [re.match(r"(\d+) of (\d+) .* in (\w+) too", text).groups() for text in texts] == [
        ("10", "90", "train"),
        ("40", "90", "valid"),
    ]
    assert [len(loader._dataset) for loader in loaders] == [240, 40, 90]


def test_more_repeats_may_be_wanted(write_shop, recwarn):
    write_shop(shop_text([row for row in shop_rows() for _ in range(2)]))
    loaders = build(repeatable=True, eval_args={"mode": "full"})[2]
    assert sum(len(loader._dataset) for loader in loaders) == 640
    assert not [each for each in recwarn if each.category is DataWarning]


RANKED = ["NDCG", "ItemCoverage", "AveragePopularity", "ShannonEntropy", "GiniIndex", "TailPercentage", "MAP"]


@pytest.mark.parametrize("model", ["EDLAE", "EASE"])
def test_row_13_places_beyond_the_catalog_are_empty(write_shop, model):
    write_shop()
    results = {}
    for longest in (21, 50):
        own = {"state": "ERROR", "show_progress": False, "topk": [5, longest], "metrics": RANKED}
        own |= {"valid_metric": "NDCG@5"}
        with pytest.warns(DataWarning, match=f"topk {longest} exceeds the 20 items of shop; the places beyond"):
            results[longest] = run_recbole(model, "shop", config_dict=own)["test_result"]
    assert len(results[50]) == 2 * len(RANKED)
    for name in RANKED:
        assert results[50][f"{name.lower()}@5"] == results[21][f"{name.lower()}@5"]
        assert results[50][f"{name.lower()}@50"] == pytest.approx(results[21][f"{name.lower()}@21"], abs=2e-4)


SAMPLED = {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user", "order": "RO", "mode": "uni5"}


def test_row_17_leaderboard_equals_run(write_shop, command, tmp_path):
    write_shop()
    own = {"state": "ERROR", "show_progress": False, "epochs": 2, "eval_args": SAMPLED}
    runner = Runner()
    for model in ("EDLAE", "BPR", "Pop", "DeepAE"):
        run = Run(model, "shop", (), {**own, "data_path": "dataset"})
        assert runner.run(run)[0]["test"] == dict(run_recbole(model, "shop", config_dict=dict(own))["test_result"])
    words = json.dumps(SAMPLED).replace(" ", "").replace('"', "'")
    outcome = command(
        "leaderboard", "--models", "EDLAE", "BPR", "--dataset", "shop", f"--eval_args={words}", "--epochs=2",
        f"--output={tmp_path / 'board'}", "--engine=sequential",
    )  # fmt: skip
    assert outcome.status == 0 and "failed" not in outcome.out + outcome.err


@pytest.mark.parametrize("mode", ["uni5", "pop5", {"valid": "pop5", "test": "uni5"}, {"valid": "uni5", "test": "pop7"}])
def test_row_17_candidates_are_the_same_for_all_models(write_shop, mode):
    write_shop()
    eval_args = {**SAMPLED, "mode": mode}
    expected = candidates("EDLAE", eval_args=eval_args)
    popular = {"distribution": "popularity", "sample_num": 2, "alpha": 0.1}
    assert candidates("BPR", eval_args=eval_args, train_neg_sample_args=popular) == expected
    assert candidates("MultiVAE", eval_args=eval_args, train_neg_sample_args=None) == expected
    assert candidates("Pop", eval_args=eval_args, eval_batch_size=3) == expected
    assert candidates("EDLAE", eval_args=eval_args, seed=7) != expected
    for user, items in expected[1].items():
        known = {item for part in (0, 1) for pair, item in parts(eval_args)[part] if pair == user}
        assert not known & set(items)


def test_more_candidates_leave_the_training_alone(write_shop):
    write_shop()
    _, _, (_, valid, _) = build("BPR", eval_args=SAMPLED)
    np.random.seed(3)
    expected = np.random.rand()
    np.random.seed(3)
    once, again = ([batch[0]["item_id"].tolist() for batch in valid] for _ in range(2))
    assert np.random.rand() == expected and once == again


def test_more_candidates_do_not_depend_on_the_order_of_lines(write_shop):
    eval_args = {**SAMPLED, "split": {"LS": "valid_and_test"}, "order": "TO", "mode": {"valid": "uni5", "test": "pop5"}}
    found = []
    for seed in range(2):
        write_shop(shop_text(shuffled(shop_rows(), seed)))
        found.append(candidates("EDLAE", eval_args=eval_args))
    assert found[0] == found[1]


def test_more_candidates_fewer_than_asked_for(write_shop):
    write_shop()
    with pytest.warns(DataWarning, match="eval_args mode uni100: 40 of 40 users of the test part have fewer than 100"):
        build("EDLAE", eval_args={**SAMPLED, "mode": "uni100"})
