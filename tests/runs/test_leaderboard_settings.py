"""A leaderboard's settings file, its labels and its folder: each is taken as it is written, or named."""

import json
import pathlib

from tests.runs.shop_commands import MODELS, board, records, write_board


def test_settings_files_of_the_wrong_kind_are_refused(shop_folder, refused, no_data):
    for more, words in (
        ({"seeds": 2020}, "seeds in board.yaml must be a list of different integers"),
        ({"seeds": ["a"]}, "seeds in board.yaml must be a list of different integers"),
        ({"seeds": [-1]}, "got [-1]"),
        ({"seeds": [1, 1]}, "1 is there twice"),
        ({"config_files": "protocol.yaml"}, "config_files in board.yaml must be a list of files, [e.yaml]"),
        ({"reference": 5}, "reference in board.yaml must be text; got 5"),
    ):
        write_board(MODELS, **more)
        assert words in refused(*board()), more
    write_board({"EDLAE": 5})
    assert "got 5 for EDLAE" in refused(*board())


def test_a_label_is_text_as_it_is_written(shop_folder, command):
    text = "dataset: shop\nconfig_files: [protocol.yaml]\nmodels:\n"
    labels = ["2020", "on", "null", "1.50"]
    text += "".join(f"  {label}: {{model: Pop}}\n" for label in labels)
    pathlib.Path("board.yaml").write_text(text)
    assert command(*board()).status == 0
    rows = json.loads(pathlib.Path("out/leaderboard.json").read_text())["boards"][0]["rows"]
    assert sorted(row["label"] for row in rows) == sorted(labels)


def test_when_every_row_fails_the_status_says_so_after_the_report(shop_folder, command):
    write_board({"NCEPLRec": {"rank": -5}})
    outcome = command(*board())
    assert (
        outcome.status == 1 and "every run on shop failed; NCEPLRec: InvalidParameterError" in outcome.err
    )
    assert "failed: InvalidParameterError" in pathlib.Path("out/leaderboard.html").read_text()
    (record,) = records()
    assert record["traceback"].startswith("Traceback") and "\n" not in record["error"]
    write_board({"NCEPLRec": {"rank": -5}, "Pop": {}})
    assert command(*board()).status == 0


def test_an_output_folder_that_is_a_file_is_refused(shop_folder, refused, no_data):
    (shop_folder / "out").write_text("")
    assert "out is a file; name a folder" in refused(*board())


def test_a_row_with_a_seed_of_its_own_is_refused(shop_folder, refused, no_data):
    write_board({"EDLAE": {"seed": 3}})
    assert "EDLAE in board.yaml has a seed" in refused(*board())


def test_a_label_or_a_seed_twice_is_refused(shop_folder, refused, no_data):
    pathlib.Path("board.yaml").write_text(
        "dataset: shop\nmodels:\n  EDLAE: {}\n  EDLAE: {reg_weight: 1.0}\n"
    )
    assert "sets EDLAE twice" in refused(*board())
    assert "argument --seeds: invalid int value: 'x'" in refused(*board("--seeds", "x"))
    write_board(MODELS)
    assert "1 is there twice" in refused(*board("--seeds", "1", "1"))


def test_a_metric_has_one_spelling_on_the_page(shop_folder, command):
    assert command(*board("--metrics=['LiangRecall','NDCG']", "--topk=[5]")).status == 0
    page = pathlib.Path("out/leaderboard.html").read_text()
    assert ">LiangRecall@5</button>" in page and "toUpperCase" not in page
    headings = json.loads(pathlib.Path("out/leaderboard.json").read_text())["boards"][0]["headings"]
    assert (
        headings == {"ndcg@5": "NDCG@5", "liangrecall@5": "LiangRecall@5"}
        and "board.headings[metric]" in page
    )
