"""Checkpoints that were trained on the made-up shop, and recommending from files of histories."""

import glob
import json
import pathlib
import types

import pytest
from recbole.quick_start import quick_start, run_recbole

from tests.shop import shop_rows, shop_text

HISTORY = {"user": "me", "items": ["i3", "i7"]}


def train(**settings):
    """Train EDLAE on the shop; return the path of its checkpoint."""
    folder = f"saved/{len(glob.glob('saved/*'))}"  # two checkpoints of one second have one name
    quiet = {
        "checkpoint_dir": folder,
        "data_path": "dataset",
        "state": "ERROR",
        "show_progress": False,
        "reg_weight": 5.0,
        "epochs": 1,
    }
    with pytest.MonkeyPatch.context() as patch:  # its report of the machine sleeps for a second
        patch.setattr(quick_start, "get_environment", lambda _: types.SimpleNamespace(draw=str))
        patch.setattr("sys.argv", ["pytest"])
        run_recbole("EDLAE", "shop", config_dict={**quiet, **settings})
    (path,) = glob.glob(f"{folder}/*.pth")
    return path


def recommend(command, checkpoint, *words, histories="users.jsonl", output="top.jsonl"):
    return command(
        "recommend", "--checkpoint", checkpoint, f"--histories={histories}", f"--output={output}", *words
    )


def written(path="top.jsonl"):
    return {
        line["user"]: line["items"] for line in map(json.loads, pathlib.Path(path).read_text().splitlines())
    }


CHANGES = {
    "sorted the other way": lambda rows: rows[::-1],
    "an item more": lambda rows: [("u0", "new", 5, 1_699_999_999), *rows],
    "an item less": lambda rows: [row for row in rows if row[1] != "i5"],
    "another shop of the same size": lambda rows: [
        (user, item.replace("i", "x"), *rest) for user, item, *rest in rows
    ],
    "two items swapped": lambda rows: [
        (user, {"i1": "i2", "i2": "i1"}.get(item, item), *rest) for user, item, *rest in rows
    ],
}


def change(write_shop, how):
    write_shop(shop_text(CHANGES[how](shop_rows())))
