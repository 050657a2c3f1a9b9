"""A split without a validation or a test part: commands that need it refuse, the others do without."""

import pathlib

import pytest
import yaml

from tests.runs.shop_commands import MODELS, QUICK, board, records, split, tune, write_board

# What is held out, and the part that it leaves out.
SPLITS = {
    "LS: test_only": "validation",
    "LS: valid_only": "test",
    "RS: [.8, .2, 0]": "test",
    "RS: [.8, 0, .2]": "validation",
    "TS: [0.8, 0.2, 0]": "test",
    "TS: [0.8, 0, 0.2]": "validation",
}


@pytest.mark.parametrize("text", [text for text, part in SPLITS.items() if part == "validation"])
def test_tune_without_validation_is_refused(text, shop_folder, refused, no_data):
    line = refused(*tune(split(text)))
    assert (
        "eval_args: the split {" in line
        and "no validation part" in line
        and "set for example split: {" in line
    )


@pytest.mark.parametrize("text", [text for text, part in SPLITS.items() if part == "test"])
def test_leaderboard_without_test_is_refused(text, shop_folder, refused, no_data):
    line = refused(*board(split(text)))
    assert (
        "eval_args: the split {" in line and "no test part" in line and "set for example split: {" in line
    )


@pytest.mark.parametrize("text", [text for text, part in SPLITS.items() if part == "test"])
def test_tune_without_test_writes_what_there_is(text, shop_folder, command):
    outcome = command(*tune(split(text)))
    assert outcome.status == 0, outcome
    best = pathlib.Path("out/best.yaml").read_text()
    assert (
        "# valid: " in best and "# test" not in best and yaml.safe_load(best)["reg_weight"] in (2.0, 50.0)
    )


@pytest.mark.parametrize("text", [text for text, part in SPLITS.items() if part == "validation"])
def test_leaderboard_without_validation_trains_all_epochs_and_says_so(text, shop_folder, command):
    write_board({**MODELS, "BPR": {"epochs": 2}})
    outcome = command(*board(split(text)))
    assert outcome.status == 0 and "without early stopping" in outcome.err, outcome
    assert [(each["status"], each["valid"]) for each in records()] == [("ok", None)] * 3


def test_the_test_file_may_stand_for_validation_too(shop_folder, command, write_shop):
    header, *rows = (shop_folder / "dataset/shop/shop.inter").read_text().splitlines()
    for part, lines in (("train", rows[:250]), ("test", rows[250:])):
        (shop_folder / f"dataset/shop/shop.{part}.inter").write_text("\n".join([header, *lines]) + "\n")
    assert command(*board("--benchmark_filename=['train','test','test']")).status == 0


def test_activations_without_test_is_refused(shop_folder, refused, monkeypatch):
    monkeypatch.setattr("recbole_edlae.cli.activations.load_pyplot", lambda: None)
    words = ["activations", "--dataset=shop", "--config_files", "protocol.yaml", *QUICK]
    assert "no test part, and activations are compared on it" in refused(*words, split("RS: [.8, .2, 0]"))


def test_parts_that_turn_out_empty_when_the_data_are_split(shop_folder, command, write_shop):
    """Three users with one item each: nothing is left to hold out."""
    write_shop("user_id:token\titem_id:token\ttimestamp:float\nu0\ti0\t1\nu1\ti1\t2\nu2\ti2\t3\n")
    outcome = command(*board(split("LS: valid_and_test")))
    assert outcome.status == 1 and "the test part is empty" in outcome.err
    outcome = command(*tune(split("LS: valid_and_test")))
    assert outcome.status == 2 and "the validation part is empty" in outcome.err


def test_tune_that_never_validates_is_refused(shop_folder, command):
    outcome = command(*tune("--eval_step=0"))
    assert outcome.status == 2 and "nothing was evaluated on validation" in outcome.err
