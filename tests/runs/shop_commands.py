"""Commands over the made-up shop, the settings file of its leaderboard, and what is on record."""

import json
import pathlib

import yaml

from tests.shop import QUIET

QUICK = [word for word in QUIET if "dataset" not in word]
MODELS = {"EDLAE": {"reg_weight": 5.0}, "Pop": {}}


def write_board(models, **more):
    content = {"dataset": "shop", "config_files": ["protocol.yaml"], "models": models, **more}
    pathlib.Path("board.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def board(*words):
    return ["leaderboard", "--settings=board.yaml", "--output=out", *words]


def tune(*words):
    return [
        "tune",
        "--dataset=shop",
        "--config_files",
        "protocol.yaml",
        "--space=space",
        "--output=out",
        *words,
    ]


def split(text):
    return (
        f"--eval_args={yaml.safe_load('{split: {' + text + '}, order: TO, group_by: user, mode: full}')!r}"
    )


def records(folder="out"):
    return [json.loads(line) for line in pathlib.Path(folder, "records.jsonl").read_text().splitlines()]
