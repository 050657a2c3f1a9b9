"""Pairs of a user and an item that are in two parts are counted, and left where they are wanted."""

import pathlib
import re

import pytest
from recbole.quick_start import run_recbole

from recbole_edlae import cli
from recbole_edlae._warnings import DataWarning
from tests.data.shop_splits import build, parts
from tests.shop import shop_rows, shop_text

REPEATED = r"(\d+) of (\d+) interactions in (\w+) are of pairs .* that are in (\w+) too.*rm_dup_inter: first or last"


def test_pairs_in_two_parts_are_counted(write_shop):
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
def test_repeats_are_counted_by_every_command(command, write_shop, capsys):
    write_shop(shop_text([row for row in shop_rows() for _ in range(2)]))
    pathlib.Path("space.test").write_text("reg_weight choice [1.0]\n")
    words = {
        "run": ["--model=DLAE"],
        "tune": ["--model=DLAE", "--space=space.test"],
        "leaderboard": ["--models", "DLAE"],
    }
    cli.main([command, *words[command], "--dataset=shop"])
    assert re.search(rf"warning: {REPEATED}", capsys.readouterr().err)


def test_repeats_of_ratings_are_counted(write_shop):
    write_shop(shop_text([row for row in shop_rows() for _ in range(2)]))
    more = {"LABEL_FIELD": "rating", "metrics": ["RMSE"], "valid_metric": "RMSE", "feedback": "rating"}
    with pytest.warns(DataWarning, match=r"of \d+ interactions in test are of pairs .* in training too"):
        _, _, loaders = build("AutoRec", eval_args={"mode": "labeled"}, **more)
    assert sum(len(loader._dataset) for loader in loaders) == 640


def test_repeats_over_files_are_counted(write_shop):
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


def test_repeats_may_be_wanted(write_shop, recwarn):
    write_shop(shop_text([row for row in shop_rows() for _ in range(2)]))
    loaders = build(repeatable=True, eval_args={"mode": "full"})[2]
    assert sum(len(loader._dataset) for loader in loaders) == 640
    assert not [each for each in recwarn if each.category is DataWarning]
