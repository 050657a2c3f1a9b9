"""Every type of model that `run` runs has its row and its sweep, with run_recbole's numbers."""

import importlib.util
import json
import pathlib
import shutil

import pytest
import yaml
from recbole.quick_start import run_recbole

from recbole_edlae import cli
from recbole_edlae.runs.run import make_run
from recbole_edlae.runs.runner import Runner

RANKED = {"metrics": ["NDCG", "Recall"], "topk": [3, 5], "valid_metric": "NDCG@5"}
QUIET = {"state": "ERROR", "show_progress": False, "epochs": 1, "train_batch_size": 256}
LAST_ITEMS = {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"}
LONG = {"epochs": 6, "learning_rate": 0.003, "train_batch_size": 64}
FEW = {"eval_args": {**LAST_ITEMS, "mode": "uni2"}}
VALUES = {"metrics": ["AUC", "LogLoss"], "valid_metric": "AUC"}
RANDOM = {"split": {"RS": [0.8, 0.1, 0.1]}, "order": "RO", "group_by": "user", "mode": "full"}
FEATURES = {
    "inter": ["user_id", "item_id", "rating"],
    "user": ["user_id", "age"],
    "item": ["item_id", "class"],
}
GRAPH = {
    "inter": ["user_id", "item_id"],
    "kg": ["head_id", "relation_id", "tail_id"],
    "link": ["item_id", "entity_id"],
}
SEQUENTIAL = {"load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "eval_args": LAST_ITEMS}
CROSS_ENTROPY = {"train_neg_sample_args": None}
SMALL = {**CROSS_ENTROPY, "hidden_size": 8, "n_layers": 1, "n_heads": 1}
PAIRS = {"train_neg_sample_args": {"distribution": "uniform", "sample_num": 1}}

# What is run of each type: the protocol, and rows with their settings.
TYPES = {
    "sequential": ({**RANKED, **SEQUENTIAL}, {"SASRec": SMALL, "FPMC": {}}),
    "sequential, several rankings a user": (
        {**RANKED, **SEQUENTIAL, "eval_args": {**LAST_ITEMS, "split": {"RS": [0.6, 0.2, 0.2]}}},
        {"GRU4Rec": {**CROSS_ENTROPY, "hidden_size": 8}, "FPMC": {}},
    ),
    "sequential among candidates": (
        {**RANKED, **SEQUENTIAL, "eval_args": {**LAST_ITEMS, "mode": "uni9"}},
        {"GRU4Rec": CROSS_ENTROPY, "FPMC": {}},
    ),
    "sequential, items masked": ({**RANKED, **SEQUENTIAL}, {"BERT4Rec": {**SMALL, "mask_ratio": 0.5}}),
    "context-aware": (
        {"load_col": FEATURES, "threshold": {"rating": 3}, **VALUES},
        {"FM": {}, "LR": {}},
    ),
    "context-aware, ranked": (
        {"load_col": FEATURES, **RANKED, "eval_args": RANDOM},
        {"FM": PAIRS, "Pop": {}},
    ),
    "knowledge-based": ({"load_col": GRAPH, **RANKED}, {"CKE": {}, "CFKG": {"embedding_size": 8}}),
}


@pytest.fixture
def shop(tiny, tmp_path):
    """Copy `tiny` with features of users and items and a graph into the folder that RecBole reads by default."""
    folder = tmp_path / "dataset" / "tiny"
    shutil.copytree(pathlib.Path(tiny) / "tiny", folder)
    items, users = range(30), range(60)
    files = {
        "item": ["item_id:token\tclass:token", *(f"i{item}\tc{item % 3}" for item in items)],
        "user": ["user_id:token\tage:token", *(f"u{user}\t{user % 4}" for user in users)],
        "link": ["item_id:token\tentity_id:token", *(f"i{item}\te{item}" for item in items)],
        "kg": ["head_id:token\trelation_id:token\ttail_id:token"],
    }
    files["kg"] += [f"e{item}\tr{item % 2}\te{30 + item % 5}" for item in items]
    for suffix, lines in files.items():
        (folder / f"tiny.{suffix}").write_text("\n".join(lines) + "\n")
    return folder / "tiny.inter"


def stock(model, settings):
    return run_recbole(model, "tiny", config_dict={**QUIET, **settings})


def write_board(protocol, rows):
    content = {"dataset": "tiny", "config_files": ["protocol.yaml"], "models": rows}
    pathlib.Path("board.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    pathlib.Path("protocol.yaml").write_text(yaml.safe_dump({**QUIET, **protocol}))


def leaderboard(protocol, rows):
    write_board(protocol, rows)
    cli.main(["leaderboard", "--settings", "board.yaml", "--output", "out"])
    return json.loads(pathlib.Path("out/leaderboard.json").read_text())["boards"][0]


@pytest.mark.parametrize("kind", TYPES)
def test_rows_of_every_type_have_run_recboles_numbers(kind, shop):
    protocol, rows = TYPES[kind]
    board = leaderboard(protocol, rows)
    for row in board["rows"]:
        assert row["kind"] == "run", row["note"]
        assert row["metrics"] == dict(
            stock(row["model"], {**protocol, **rows[row["label"]]})["test_result"]
        )
    ranked = protocol.get("valid_metric") == "NDCG@5"
    assert board["users"] == (60 if ranked else 0)
    assert set(board["p_values"]) == set(board["metrics"] if ranked else ())


@pytest.mark.parametrize("kind", ["sequential", "context-aware", "knowledge-based"])
def test_every_type_can_be_tuned(kind, shop):
    protocol, rows = TYPES[kind]
    model, own = next(iter(rows.items()))
    settings = {**protocol, **own}
    pathlib.Path("protocol.yaml").write_text(yaml.safe_dump({**QUIET, **settings}))
    pathlib.Path("space").write_text("learning_rate choice [0.01,0.001]")
    words = [f"--model={model}", "--dataset=tiny", "--config_files", "protocol.yaml", "--space", "space"]
    cli.main(["tune", *words, "--output", "out"])
    *trials, tested = map(json.loads, pathlib.Path("out/records.jsonl").read_text().splitlines())
    assert len(trials) == 2
    for trial in trials:
        rate = trial["identity"]["settings"]["learning_rate"]
        assert trial["valid"] == dict(
            stock(model, {**settings, "learning_rate": rate})["best_valid_result"]
        )
    best = max(trials, key=lambda trial: trial["score"])["identity"]["settings"]["learning_rate"]
    assert tested["test"] == dict(stock(model, {**settings, "learning_rate": best})["test_result"])
    result = cli.run(["--config_files", "out/best.yaml", "--state=ERROR", "--show_progress=False"])
    assert dict(result["test_result"]) == tested["test"]


@pytest.mark.parametrize(
    "model, own, others",
    [
        ("BERT4Rec", {**SEQUENTIAL, **SMALL, **LONG}, [{"mask_ratio": 0.2}, {"mask_ratio": 0.8}]),
        pytest.param("DIEN", {**SEQUENTIAL, **VALUES, **FEW}, [{}, {"seed": 1}], marks=pytest.mark.slow),
        ("SASRec", {**SEQUENTIAL, **SMALL}, [{"MAX_ITEM_LIST_LENGTH": 2}, {"MAX_ITEM_LIST_LENGTH": 9}]),
        ("CKE", {"load_col": GRAPH}, [{}, {"kg_reverse_r": True}, {"kg_reverse_r": True}]),
    ],
)
def test_nothing_of_the_run_before_is_left(model, own, others, shop):
    runner = Runner()
    for other in others:
        settings = {**QUIET, **RANKED, **own, **other, "embedding_size": 8}
        result, _ = runner.run(make_run(model, "tiny", (), settings))
        expected = stock(model, settings)
        assert result["valid"] == dict(expected["best_valid_result"])
        assert result["test"] == dict(expected["test_result"])


MIXED = {"EASE": {}, "FPMC": {}}


@pytest.mark.parametrize(
    "protocol, rows",
    [
        ({**SEQUENTIAL, "repeatable": True}, MIXED),
        ({**SEQUENTIAL, "repeatable": True, "eval_args": {**LAST_ITEMS, "mode": "uni9"}}, MIXED),
        ({"load_col": GRAPH}, {"EASE": {}, "CKE": {}}),
        ({"load_col": GRAPH, "eval_args": {**RANDOM, "mode": "pop9"}}, {"EASE": {}, "CKE": {}}),
    ],
)
def test_types_that_are_tested_alike_share_a_board(protocol, rows, shop):
    board = leaderboard({**RANKED, **protocol}, rows)
    assert [row["kind"] for row in board["rows"]] == ["run", "run"] and board["users"] == 60


def test_types_under_different_protocols_are_refused(shop, refused, monkeypatch):
    monkeypatch.setattr(Runner, "run", lambda *_: pytest.fail("a model was trained"))

    def error(protocol, rows):
        write_board({**RANKED, **protocol}, rows)
        return refused("leaderboard", "--settings", "board.yaml")

    line = error(SEQUENTIAL, MIXED)
    assert (
        "FPMC: repeatable is True here and False for EASE; rows of a leaderboard share one protocol" in line
    )

    repeatable = {**SEQUENTIAL, "repeatable": True}
    line = error({**repeatable, "eval_args": {**LAST_ITEMS, "mode": "pop9"}}, MIXED)
    assert "FPMC: EASE and FPMC are tested on different interactions or candidates of tiny" in line

    line = error({"eval_args": RANDOM}, {"EASE": {}, "SASRec": CROSS_ENTROPY})
    assert "order in eval_args must be TO for SASRec, a sequential model; got 'RO'" in line

    # A user's first item is no target for a sequential model, so the second of two is for training.
    shop.write_text(f"{shop.read_text()}two\ti1\t3\t1\ntwo\ti2\t3\t2\n")
    line = error(repeatable, MIXED)
    assert (
        "of tiny (1 are in the test of one of them only); rows of a leaderboard share one protocol" in line
    )


@pytest.mark.skipif(bool(importlib.util.find_spec("lightgbm")), reason="lightgbm is installed")
@pytest.mark.parametrize("command", ["run", "leaderboard", "tune"])
def test_a_model_whose_package_is_missing_is_refused(command, shop, refused):
    words = ["--models", "xgboost"] if command == "leaderboard" else ["--model=xgboost"]
    pathlib.Path("space").write_text("learning_rate choice [0.01]")
    words += ["--space=space"] if command == "tune" else []
    line = refused(command, "--dataset=tiny", *words)
    assert "model: RecBole cannot import xgboost here: No module named" in line
