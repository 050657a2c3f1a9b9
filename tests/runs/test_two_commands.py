"""Commands that share a folder, with data that change between them, answer as if alone or are refused."""

import hashlib
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbole_edlae import cli
from tests.conftest import ROOT

PROTOCOL = {
    "data_path": "dataset",
    "load_col": None,
    "metrics": ["Recall", "NDCG"],
    "topk": [3],
    "valid_metric": "NDCG@3",
    "eval_batch_size": 100000,
    "state": "ERROR",
    "show_progress": False,
}
SHOP = ["--dataset=shop", "--config_files=protocol.yaml"]
SAVE = ["--save_dataset=True", "--save_dataloaders=True"]
COMMANDS = {
    "run": ["run", "--model=EDLAE", *SHOP, "--checkpoint_dir=out"],
    "run and save": ["run", "--model=EDLAE", *SHOP, "--checkpoint_dir=out", *SAVE],
    "leaderboard": ["leaderboard", "--models", "EDLAE", "Pop", *SHOP, "--output=out"],
    "tune": ["tune", "--model=EASE", *SHOP, "--space=space.test", "--output=out"],
    "recommend": ["recommend", "--checkpoint=before.pth", "--histories=histories.csv", "--output=out/top.csv"],
    "export": ["export", "--checkpoint=before.pth", "--output=out/export"],
    "convert": ["convert", "shop.csv", "out/shop"],
}  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(COMMANDS)), st.sampled_from([0, 1, 2])), min_size=2, max_size=3
)


def write_data(folder, version):
    """Write the dataset and its CSV file: another version has other tastes; version 2 other lines of the same rows."""
    generator = np.random.default_rng(min(version, 1))
    rows = []
    for user in range(30):
        for item in generator.choice(15, size=generator.integers(6, 10), replace=False):
            rows.append(f"u{user},i{(item + user % 2 * 3) % 15}")
    rows = rows[::-1] if version == 2 else rows
    (folder / "dataset" / "shop").mkdir(parents=True, exist_ok=True)
    lines = [row.replace(",", "\t") for row in rows]
    (folder / "dataset" / "shop" / "shop.inter").write_text(
        "\n".join(["user_id:token\titem_id:token", *lines]) + "\n"
    )
    (folder / "shop.csv").write_text("\n".join(["user,item", *rows]) + "\n")


def answer(name, folder, monkeypatch):
    """What a command answers in a folder: its numbers or its files, without times; None where it is refused."""
    monkeypatch.chdir(folder)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    try:
        result = cli.run(COMMANDS[name][1:]) if name.startswith("run") else cli.main(COMMANDS[name])
    except SystemExit as stopped:
        if stopped.code:
            return None
        raise
    return dict(result["test_result"]) if name.startswith("run") else written(name, out)


def written(name, out):
    """What a command has written into a folder."""
    if name == "leaderboard":
        return (out / "leaderboard.csv").read_text()
    if name == "tune":
        best = yaml.safe_load((out / "best.yaml").read_text())
        return {key: value for key, value in best.items() if key != "data_path"}
    if name == "recommend":
        return (out / "top.csv").read_text()
    if name == "export":
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (out / "export").iterdir()
        }
    return (out / "shop" / "shop.inter").read_text()


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A folder with data, settings and a checkpoint; and what each command answers there alone."""
    folder = tmp_path_factory.mktemp("start")
    write_data(folder, 0)
    (folder / "protocol.yaml").write_text(yaml.safe_dump(PROTOCOL))
    (folder / "space.test").write_text("reg_weight choice [1.0,100.0]\n")
    (folder / "histories.csv").write_text("user_id,item_id\na,i1\na,i2\nb,i7\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["pytest"])
        cli.run(["--model=EDLAE", *SHOP, "--checkpoint_dir=first"])
        (checkpoint,) = (folder / "first").glob("EDLAE*.pth")
        checkpoint.rename(folder / "before.pth")
    for leftover in ("first", "log", "log_tensorboard"):
        shutil.rmtree(folder / leftover, ignore_errors=True)
    return folder


@pytest.fixture(scope="module")
def alone(start, tmp_path_factory):
    """A function that returns what a command answers in a folder where no other ran."""
    known = {}

    def call(name, version):
        if (name, version) not in known:
            folder = tmp_path_factory.mktemp("alone") / "copy"
            shutil.copytree(start, folder)
            write_data(folder, version)
            with pytest.MonkeyPatch.context() as patch:
                known[name, version] = answer(name, folder, patch)
        return known[name, version]

    return call


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_each_answers_as_if_alone_or_is_refused(steps, start, alone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared") / "copy"
    shutil.copytree(start, folder)
    for name, version in steps:
        write_data(folder, version)
        with pytest.MonkeyPatch.context() as patch:
            given_answer = answer(name, folder, patch)
        assert given_answer is None or given_answer == alone(name, version), (name, version)
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("pair", [("leaderboard", "recommend"), ("run", "run"), ("tune", "leaderboard")])
def test_two_at_the_same_time(pair, start, alone, tmp_path):
    """Each in its own process, in one folder: both answer as if alone, or one is refused in one line."""
    folder = tmp_path / "copy"
    shutil.copytree(start, folder)
    (folder / "out").mkdir()
    program = """
import sys
from recbole_edlae import cli
if sys.argv[1] == "run":
    print(cli.run(sys.argv[2:])["test_result"])
else:
    cli.main(sys.argv[1:])
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program, *COMMANDS[name]],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in pair
    ]  # fmt: skip
    for name, process in zip(pair, processes):
        output, errors = process.communicate(timeout=300)
        if process.returncode:
            assert process.returncode == 2 and errors.count("\n") == 1, errors
        elif name == "run":
            assert all(str(value) in output for value in alone("run", 0).values())
        else:
            assert written(name, folder / "out") == alone(name, 0)
    assert not list(folder.rglob("*.part"))
