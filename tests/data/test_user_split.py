"""Held-out users: shown and asked for what the protocol says, trained on nothing of theirs, by every model that can."""

import json
import pathlib
import re

import numpy as np
import pytest
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.quick_start import load_data_and_model, run_recbole
from recbole.utils import get_model, get_trainer, init_seed

from recbole_edlae import cli
from recbole_edlae.data import user_split
from recbole_edlae.runs.run import Run
from recbole_edlae.runs.runner import Runner
from recbole_edlae.settings import registry
from recbole_edlae.settings.schema import read_schema
from tests import oracles

US = {"split": {"US": [0.7, 0.15, 0.15]}, "order": "RO", "group_by": "user", "mode": "full"}
SETTINGS = {
    "LowRankEDLAE": {"rank": 5},
    "GFCF": {"low_pass_rank": 5},
    "ChebyCF": {"low_pass_rank": 5},
    "RecVAE": {"hidden_dimension": 8, "latent_dimension": 4},
    "MacridVAE": {"encoder_hidden_size": [8], "embedding_size": 4, "kfac": 2},
    "MultiVAE": {"mlp_hidden_size": [8], "latent_dimension": 4},
    "MultiDAE": {"mlp_hidden_size": [8], "latent_dimension": 4},
    "ADMMSLIM": {"k": 10},
    "SLIMElastic": {"alpha": 0.01},
}
SCORING = sorted(set(registry.unseen_users()) - {"Pop", "Random"})


def build(name, dataset="tiny", **settings):
    config = Config(name, dataset, config_dict={**SETTINGS.get(name, {}), **settings})
    init_seed(config["seed"], config["reproducibility"])
    data = create_dataset(config)
    return config, data, data_preparation(config, data)


def fit(name, dataset="tiny", **settings):
    config, _, (train, _, _) = build(name, dataset, **settings)
    init_seed(config["seed"], config["reproducibility"])
    model = get_model(name)(config, train._dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    trainer.fit(train, saved=False)
    return model.eval(), train._dataset


def rows(dataset):
    """User token → set of item tokens, of a dataset's interactions."""
    users = dataset.id2token(dataset.uid_field, dataset.inter_feat[dataset.uid_field])
    items = dataset.id2token(dataset.iid_field, dataset.inter_feat[dataset.iid_field])
    found = {}
    for user, item in zip(users, items):
        found.setdefault(str(user), set()).add(str(item))
    return found


def masked(loader):
    """User token → item tokens left out of the ranking."""
    data = loader._dataset
    return {
        str(data.id2token(data.uid_field, user)): {
            str(each) for each in data.id2token(data.iid_field, loader.uid2history_item[user])
        }
        for user in loader.uid_list.numpy()
    }


def scores(model, dataset, users):
    ids = torch.from_numpy(dataset.token2id(dataset.uid_field, users))
    with torch.no_grad():
        return model.full_sort_predict(Interaction({dataset.uid_field: ids})).view(len(users), -1).float()


def test_users_are_held_out_and_their_items_parted(settings, tiny):
    _, _, (train, valid, test) = build("EDLAE", **settings, eval_args=US)
    raw = {}
    for line in pathlib.Path(tiny, "tiny", "tiny.inter").read_text().splitlines()[1:]:
        user, item = line.split("\t")[:2]
        raw.setdefault(user, set()).add(item)
    trained = rows(train._dataset)
    assert len(trained) == 42 and all(trained[user] == raw[user] for user in trained)
    assert not set(train._dataset.fold_in["user_id"].tolist()) & set(
        train._dataset.inter_feat["user_id"].tolist()
    )
    known = set().union(*trained.values())
    for loader in (valid, test):
        targets, shown = rows(loader._dataset), masked(loader)
        assert len(targets) == 9 and not targets.keys() & trained.keys()
        for user, found in targets.items():
            assert not found & shown[user] and found | shown[user] == raw[user] & known
            assert len(found) == max(1, int(0.2 * len(raw[user] & known) + 1e-9))
    assert not rows(valid._dataset).keys() & rows(test._dataset).keys()


def test_items_that_nobody_trains_on_and_pairs_that_are_there_twice(settings, tmp_path):
    lines = [
        f"u{u}\t{item}"
        for u in range(30)
        for item in [f"own{u}", *(f"i{(u + j) % 12}" for j in range(6))] * 2
    ]
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "odd.inter").write_text("\n".join(["user_id:token\titem_id:token", *lines]) + "\n")
    settings = {**settings, "data_path": str(tmp_path), "eval_args": {**US, "fold_in": 0.5}}
    _, _, (_, _, test) = build("EDLAE", "odd", **settings)
    shown = masked(test)
    for user, found in rows(test._dataset).items():
        assert len(found) == len(shown[user]) == len(test._dataset.inter_feat) / len(shown) == 3
        assert not found & shown[user] and f"own{user[1:]}" not in found | shown[user]


def test_numbers_of_users_and_another_fold_in(settings):
    eval_args = {**US, "split": {"US": [-1, 4, 7]}, "fold_in": 0.5}
    _, _, (train, valid, test) = build("EDLAE", **settings, eval_args=eval_args)
    assert [len(rows(loader._dataset)) for loader in (train, valid, test)] == [49, 4, 7]
    for user, found in rows(test._dataset).items():
        assert len(found) == (len(found) + len(masked(test)[user])) // 2


def test_the_split_follows_the_seed_and_nothing_else(settings):
    def drawn(seed):
        torch.rand(3), np.random.rand(3)
        config = Config("EDLAE", "tiny", config_dict={**settings, "eval_args": US, "seed": seed})
        return [rows(part) for part in create_dataset(config).build()]

    assert drawn(1) == drawn(1) != drawn(2)


def test_in_order_of_time_the_earliest_are_shown(settings, tiny):
    eval_args, columns = {**US, "order": "TO"}, {"inter": ["user_id", "item_id", "timestamp"]}
    _, _, (_, _, test) = build("EDLAE", **settings, eval_args=eval_args, load_col=columns)
    time = {}
    for line in pathlib.Path(tiny, "tiny", "tiny.inter").read_text().splitlines()[1:]:
        user, item, _, at = line.split("\t")
        time[user, item] = min(float(at), time.get((user, item), np.inf))
    for user, found in rows(test._dataset).items():
        shown = masked(test)[user]
        assert max(time[user, item] for item in shown) <= min(time[user, item] for item in found)


def test_loaders_of_users_iterate_the_training_users(settings):
    for name in ("DeepAE", "MultiVAE"):
        _, data, (train, _, _) = build(name, **settings, eval_args=US)
        users = torch.cat([batch[data.uid_field] for batch in train])
        assert sorted(users.tolist()) == sorted(train._dataset.inter_feat[data.uid_field].unique().tolist())


def test_weights_are_those_of_the_training_users_alone(parts, write_parts):
    model, data = fit("EDLAE", "own", **write_parts("own", parts), reg_weight=2.0, dropout_prob=0.0)
    items = [str(each) for each in data.id2token(data.iid_field, np.arange(1, data.item_num))]
    X = np.array([[item in own for item in items] for own in parts["train"].values()], dtype=float)
    np.testing.assert_allclose(model.weights.encoder[1:, 1:], oracles.ease(X, 2.0), atol=1e-5)


@pytest.mark.parametrize("name", SCORING)
def test_a_held_out_user_is_scored_like_a_training_user_with_the_same_items(name, parts, write_parts):
    parts["test_tr"]["twin"], parts["test_te"]["twin"] = parts["train"]["u7"], ["i0"]
    parts["validation_tr"]["twin too"], parts["validation_te"]["twin too"] = parts["train"]["u7"], ["i0"]
    model, data = fit(name, "own", **write_parts("own", parts))
    known, twin, too, other = scores(model, data, ["u7", "twin", "twin too", "test3"])
    torch.testing.assert_close(twin, known, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(too, known, rtol=1e-4, atol=1e-4)
    assert (other - known).abs().max() > 1e-3


@pytest.mark.parametrize("name", SCORING)
def test_no_weight_depends_on_held_out_users(name, parts, write_parts):
    """Targets permuted between users, and fold-in of other items and another length."""
    generator = np.random.default_rng(0)
    others = {part: dict(rows) for part, rows in parts.items()}
    for part in ("validation", "test"):
        users = list(parts[f"{part}_te"])
        others[f"{part}_te"] = dict(zip(users, [parts[f"{part}_te"][user] for user in users[::-1]]))
        others[f"{part}_tr"] = {
            user: [f"i{each}" for each in generator.choice(20, 1 + number, replace=False)]
            for number, user in enumerate(users)
        }
    power = {"user_weight_power": 0.5} if name in registry.registered() and name != "AutoRec" else {}
    power |= {"item_weight_power": 0.3} if "item_weight_power" in read_keys(name) else {}
    found = []
    for number, each in enumerate((parts, others)):
        model, data = fit(name, f"own{number}", **write_parts(f"own{number}", each), **power)
        found.append((weights(model), scores(model, data, ["u7"])))
        assert (
            torch.equal(found[0][1], found[number][1]) or name == "ADMMSLIM"
        )  # which adds noise to scores
    assert found[0][0].keys() == found[1][0].keys()
    assert all(torch.equal(found[0][0][key], found[1][0][key]) for key in found[0][0])


def read_keys(name):
    return read_schema(registry.registered()[name]) if name in registry.registered() else {}


def weights(model):
    own = dict(model.state_dict())
    if hasattr(model, "item_similarity"):
        own["item_similarity"] = model.item_similarity
    if hasattr(model, "w"):
        own["w"] = model.w
    dense = {key: value.toarray() if hasattr(value, "toarray") else value for key, value in own.items()}
    return {key: torch.as_tensor(np.asarray(value)) for key, value in dense.items()}


def test_edlae_without_dropout_is_recboles_ease(parts, write_parts):
    settings = write_parts("own", parts)
    edlae = run_recbole("EDLAE", "own", config_dict={**settings, "dropout_prob": 0.0, "reg_weight": 3.0})
    ease = run_recbole("EASE", "own", config_dict={**settings, "reg_weight": 3.0})
    assert (
        edlae["test_result"] == ease["test_result"]
        and edlae["best_valid_result"] == ease["best_valid_result"]
    )


def test_metrics_are_those_of_the_protocol(parts, write_parts):
    """NDCG and LiangRecall by their definitions, from the files and plain ridge regressions."""
    result = run_recbole(
        "EDLAE", "own", config_dict={**write_parts("own", parts), "dropout_prob": 0.0, "reg_weight": 2.0}
    )
    items = sorted({item for own in parts["train"].values() for item in own})
    binary = {part: {u: np.isin(items, own) for u, own in rows.items()} for part, rows in parts.items()}
    B = oracles.ease(np.array(list(binary["train"].values()), dtype=float), 2.0)
    for part, found in (("validation", result["best_valid_result"]), ("test", result["test_result"])):
        for k in (2, 5):
            ndcg, recall = [], []
            for user, shown in binary[f"{part}_tr"].items():
                wanted, score = binary[f"{part}_te"][user], np.where(shown, -np.inf, shown @ B)
                hits = wanted[np.argsort(-score)[:k]]
                ideal = np.sort(wanted)[::-1][:k]
                gain = 1 / np.log2(np.arange(2, k + 2))
                ndcg.append((hits * gain).sum() / (ideal * gain).sum())
                recall.append(hits.sum() / min(k, wanted.sum()))
            assert found[f"ndcg@{k}"] == pytest.approx(np.mean(ndcg), abs=5.1e-5)
            assert found[f"liangrecall@{k}"] == pytest.approx(np.mean(recall), abs=5.1e-5)


@pytest.mark.parametrize("name", sorted(registry.unseen_users()))
def test_every_model_that_can_runs_in_the_bench_as_in_recbole(name, settings, tmp_path):
    own = {**SETTINGS.get(name, {}), **settings, "eval_args": US}
    result, _ = RUNNER.run(Run(name, "tiny", (), own))
    stock = run_recbole(name, "tiny", config_dict=dict(own))
    assert result["test"] == dict(stock["test_result"]) and result["test"]["ndcg@10"] > 0.01


RUNNER = Runner()


@pytest.mark.parametrize("name", ["EDLAE", "DeepAE", "AutoRec", "EASE", "ADMMSLIM", "ItemKNN", "MultiVAE"])
def test_a_checkpoint_opens_with_the_split_it_had(name, settings, tmp_path):
    own = {**SETTINGS.get(name, {}), **settings, "eval_args": US}
    expected = run_recbole(name, "tiny", config_dict=own)["test_result"]
    (checkpoint,) = (tmp_path / "saved").glob(f"{name}*")
    config, model, _, _, _, test = load_data_and_model(str(checkpoint))
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    trainer.eval_collector.data_collect(test)
    assert trainer.evaluate(test, load_best_model=False) == expected


@pytest.mark.parametrize("name", ["EDLAE", "EASE", "DeepAE"])
def test_sampled_negatives_are_neither_shown_nor_wanted(name, settings):
    eval_args = {**US, "mode": "uni5"}
    _, data, (_, _, test) = build(name, **settings, eval_args=eval_args)
    assert (
        run_recbole(name, "tiny", config_dict={**settings, "eval_args": eval_args})["test_result"][
            "ndcg@10"
        ]
        > 0
    )
    full = masked(build(name, **settings, eval_args=US)[2][2])
    for batch, _, positive_row, positive in test:
        items, users = batch[data.iid_field], batch[data.uid_field]
        wanted = set(zip(users[positive_row.unique()].tolist(), positive.tolist()))
        for user, item in zip(users.tolist(), items.tolist()):
            token = str(data.id2token(data.iid_field, item))
            assert token not in full[str(data.id2token(data.uid_field, user))]
        assert wanted


def test_rows_of_ratings(settings):
    eval_args = {**US, "mode": "labeled"}
    own = {
        **settings,
        "eval_args": eval_args,
        "feedback": "rating",
        "metrics": ["RMSE"],
        "valid_metric": "RMSE",
    }
    own |= {
        "load_col": {"inter": ["user_id", "item_id", "rating"]},
        "LABEL_FIELD": "rating",
        "normalize_all": False,
    }
    result = run_recbole("AutoRec", "tiny", config_dict=own)["test_result"]
    assert 0.5 < result["rmse"] < 2.5


REFUSED = {
    "--model=BPR": "model: BPR has nothing for a user it was not trained on; models that .*: .*EDLAE, ",
    "--model=LightGCN": "model: LightGCN has nothing for a user",
    "--model=CDAE": "model: CDAE has nothing for a user",
    "--model=AutoRec --based_on=item": "AutoRec scores .* with based_on 'user' only, got 'item'",
    "--model=ItemKNN --knn_method=user": "ItemKNN scores .* with knn_method 'item' only, got 'user'",
}
BAD = {
    "{'split':{'US':[0.8,0.1]}}": r"US in eval_args' split must be three shares .*; got \[0.8, 0.1\]",
    "{'split':{'US':[8,1,1]}}": r"US .* sum to 1, \[0.8, 0.1, 0.1\], or -1 and two numbers of users",
    "{'split':{'US':[0.9,0.1,0.0]}}": "US in eval_args",
    "{'split':{'US':[-1,0,5]}}": "US in eval_args",
    "{'split':{'US':[-1,0.1,0.1]}}": "US in eval_args",
    "{'split':{'US':'all'}}": "US in eval_args",
    "{'split':{'US':[0.8,0.1,True]}}": "US in eval_args",
    "{'split':{'US':[0.8,0.1,0.1]},'fold_in':1.0}": r"fold_in in eval_args must be float in \(0, 1\), got 1.0",
    "{'split':{'US':[0.8,0.1,0.1]},'fold_in':'most'}": "fold_in .* got 'most'",
    "{'split':{'US':[0.8,0.1,0.1]},'group_by':'none'}": "group_by must be 'user', got 'none'",
    "{'split':{'US':[0.8,0.1,0.1]},'order':'XX'}": "order in eval_args must be one of RO, TO; got 'XX'",
    "{'split':{'RS':[0.8,0.1,0.1]},'fold_in':0.8}": "fold_in in eval_args belongs to the user split",
}


@pytest.mark.parametrize("words", REFUSED)
def test_a_model_that_cannot_is_refused_before_data_are_read(words, capsys, monkeypatch):
    monkeypatch.setattr(Dataset, "__init__", lambda *_: pytest.fail("data were read"))
    with pytest.raises(SystemExit):
        cli.run([*words.split(), "--eval_args={'split':{'US':[0.8,0.1,0.1]}}"])
    assert re.search(REFUSED[words], capsys.readouterr().err)


@pytest.mark.parametrize("value", BAD)
def test_bad_values_are_refused_before_data_are_read(value, capsys, monkeypatch):
    monkeypatch.setattr(Dataset, "__init__", lambda *_: pytest.fail("data were read"))
    for model in ("EDLAE", "MultiVAE"):
        with pytest.raises(SystemExit):
            cli.run([f"--model={model}", f"--eval_args={value}"])
        assert re.search(BAD[value], capsys.readouterr().err)


def test_what_only_the_data_show_is_said_in_one_line(tiny, capsys, parts, write_parts):
    quiet = ["--state=ERROR", "--show_progress=False", "--valid_metric=MRR@10"]
    with pytest.raises(SystemExit):
        cli.run(
            [f"--data_path={tiny}", "--dataset=tiny", "--eval_args={'split':{'US':[-1,30,30]}}", *quiet]
        )
    assert "US: 30 and 30 users to be held out leave none of the 60" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.run(
            [
                f"--data_path={tiny}",
                "--dataset=tiny",
                "--eval_args={'split':{'US':[.8,.1,.1]},'order':'TO'}",
                *quiet,
            ]
        )
    assert "order TO in eval_args needs the column timestamp" in capsys.readouterr().err
    parts["validation_tr"]["u7"] = ["i1"]
    settings = write_parts("own", parts)
    names = json.dumps(settings["benchmark_filename"]).replace(" ", "")
    with pytest.raises(SystemExit):
        cli.run(
            [
                f"--data_path={settings['data_path']}",
                "--dataset=own",
                f"--benchmark_filename={names}",
                *quiet,
            ]
        )
    assert "a user split, but user u7 is in train and in validation_tr" in capsys.readouterr().err


@pytest.mark.parametrize("fold_in", [0.1, 0.5, 0.75, 0.8, 0.9])
def test_each_user_is_shown_the_first_items_and_asked_for_the_others(fold_in):
    sizes = [1, 2, 3, 4, 5, 8, 10, 20, 1]
    is_target = user_split._is_target(np.repeat(np.arange(len(sizes)), sizes), fold_in)
    expected = []
    for size in sizes:
        targets = min(
            max(1, int((1 - fold_in) * size + 1e-9)), size - 1
        )  # of two items at least one, of one none
        expected += [False] * (size - targets) + [True] * targets
    assert is_target.tolist() == expected


@pytest.mark.parametrize(
    "share, numbers",
    [
        ([0.8, 0.1, 0.1], (5, 5)),
        ([0.5, 0.3, 0.2], (15, 10)),
        ([-1, 3, 5], (3, 5)),
        ([0.12, 0.3, 0.58], (15, 29)),
    ],
)
@pytest.mark.parametrize("order", ["RO", "TO"])
def test_every_user_is_in_one_part_and_the_parts_are_as_large_as_asked(share, numbers, order, settings):
    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    config = Config(
        "EDLAE", "tiny", config_dict={**settings, "eval_args": {**US, "order": order}, "load_col": columns}
    )
    dataset = create_dataset(config)
    users = np.arange(1, 51)
    part = user_split._draw_parts(
        dataset, users, {"order": order, "split": {"US": share}}, np.random.default_rng(0)
    )
    assert [int((part[users] == held_out).sum()) for held_out in (1, 2)] == list(numbers)
    assert part[0] == 0 and not part[51:].any()


def test_the_last_item_of_a_user_and_the_first_of_the_next_are_two_pairs(settings, tmp_path):
    """Pairs have numbers, by which those that are there twice are found."""
    lines = [f"u{u}\ti{i}" for u in range(20) for i in range(10) if i != 5]
    lines.append("all\ti5")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "full.inter").write_text(
        "\n".join(["user_id:token\titem_id:token", *lines]) + "\n"
    )
    _, _, (_, valid, test) = build(
        "EDLAE", "full", **{**settings, "data_path": str(tmp_path)}, eval_args=US
    )
    for loader in (valid, test):
        shown = masked(loader)
        for user, targets in rows(loader._dataset).items():
            assert len(targets | shown[user]) == 9
