"""Tests without a validation file: search on fit and valid, refit on train, test once, and choose nothing on it."""

import json
import random
import re

import pytest
import yaml
from recbole.quick_start import run_recbole

from recbole_edlae import cli
from recbole_edlae._files import CONFIGS
from recbole_edlae.leaderboard.reference import read_reference
from recbole_edlae.leaderboard.settings import read_settings
from recbole_edlae.runs.runner import Runner
from recbole_edlae.settings.files import read_config_files
from tests.runs.conftest import PROTOCOL

SPACE = "reg_weight choice [1.0,50.0]\ndropout_prob choice [0.1,0.5]\n"
SEARCH, FINAL = ["fit", "valid", "valid"], ["train", "test", "test"]
QUIET = {"state": "ERROR", "show_progress": False}
BPR = ["--epochs=5", "--train_batch_size=64", "--embedding_size=8"]
BPR_SETTINGS = {"train_batch_size": 64, "learning_rate": 0.01, "embedding_size": 8}


class Cut:
    """`tiny` cut into the four files of such a split, and the protocol of it, in the working directory."""

    def __init__(self, tiny, folder):
        self.folder = folder / "cut"
        self.folder.mkdir()
        with open(f"{tiny}/tiny/tiny.inter") as file:
            self.header, *rows = (line.rstrip("\n").rsplit("\t", 2)[0] for line in file)
        rows = sorted(set(rows), key=lambda row: random.Random(row).random())
        test = len(rows) // 5
        self.rows = {
            "test": rows[:test],
            "train": rows[test:],
            "valid": rows[test : 2 * test],
            "fit": rows[2 * test :],
        }
        for part in self.rows:
            self.write(part)
        (folder / "cut.yaml").write_text(
            yaml.safe_dump(
                {
                    **PROTOCOL,
                    "data_path": str(folder),
                    "benchmark_filename": FINAL,
                    "search_filename": ["fit", "valid"],
                    "eval_step": 0,
                }
            )
        )

    def write(self, part, rows=None):
        lines = [self.header, *(self.rows[part] if rows is None else rows)]
        (self.folder / f"cut.{part}.inter").write_text("\n".join(lines) + "\n")


@pytest.fixture
def cut(tiny, tmp_path):
    return Cut(tiny, tmp_path)


@pytest.fixture
def tune(cut, tmp_path):
    """Runs the command in a folder of its own, and returns its records."""

    def run(*words, text=SPACE, model="EDLAE", output="out"):
        (tmp_path / "space").write_text(text)
        files = ["--config_files", "cut.yaml", "--space", "space", "--output", output]
        cli.main(["tune", "--model", model, "--dataset", "cut", *files, *words])
        return [json.loads(line) for line in (tmp_path / output / "records.jsonl").read_text().splitlines()]

    return run


def stock(files, model="EDLAE", **settings):
    """RecBole's own run on three of the files."""
    return run_recbole(model, "cut", ["cut.yaml"], {**QUIET, **settings, "benchmark_filename": files})


def without_keys(record):
    return {
        name: value
        for name, value in record.items()
        if name in ("model", "valid", "test", "score", "epochs")
    }


def test_trials_run_on_fit_and_valid_and_the_best_is_refitted_on_train_and_tested(tune, tmp_path, capsys):
    *trials, final = tune()
    assert len(trials) == 4 and final["valid"] is None
    for trial in trials:
        settings = trial["identity"]["settings"]
        point = {key: settings[key] for key in ("reg_weight", "dropout_prob")}
        assert settings["benchmark_filename"] == SEARCH and "test" not in trial and trial["epochs"] is None
        assert trial["valid"] == dict(stock(SEARCH, eval_step=1, **point)["best_valid_result"])
    best = max(trials, key=lambda trial: trial["valid"]["ndcg@5"])
    found = {key: best["identity"]["settings"][key] for key in ("reg_weight", "dropout_prob")}
    assert final["identity"]["settings"]["benchmark_filename"] == FINAL
    assert final["test"] == dict(stock(FINAL, **found)["test_result"])
    text = (tmp_path / "out" / "best.yaml").read_text()
    assert text.startswith("# recbole-edlae tune --model EDLAE --dataset cut --config_files cut.yaml")
    assert "# valid, trained on fit: recall@3" in text and "# test, refitted on train: recall@3" in text
    content = yaml.safe_load(text)
    assert content.items() >= {**found, "benchmark_filename": FINAL, "eval_step": 0}.items()
    assert "search_filename" not in content and "epochs" not in content
    hours = json.loads((tmp_path / "out" / "sweep.json").read_text())
    search = {
        "trials": 4,
        "failed": 0,
        "hours": sum(trial["seconds"] for trial in trials) / 3600,
        "best": best["key"],
    }
    assert hours["command"].startswith("recbole-edlae tune --model EDLAE") and hours["search"] == search
    assert hours["test"] == {"hours": final["seconds"] / 3600, "key": final["key"]}
    assert all(trial["seconds"] >= trial["fit_seconds"] > 0 for trial in trials)
    assert re.search(r"4 trials took \d+\.\d minutes, the test \d+\.\d minutes", capsys.readouterr().err)


def test_best_yaml_is_what_run_and_leaderboard_take(tune, tmp_path):
    final = tune("--max_evals=2")[-1]
    words = [f"--data_path={tmp_path}", "--state=ERROR", "--show_progress=False"]
    assert dict(cli.run(["--config_files", "out/best.yaml", *words])["test_result"]) == final["test"]
    board = {"dataset": "cut", "config_files": ["cut.yaml"], "reference": "published.csv"}
    board["models"] = {"EDLAE, tuned": "out/best.yaml", "BPR": {"epochs": 2}, "EASE": {}}
    (tmp_path / "board.yaml").write_text(yaml.safe_dump(board))
    (tmp_path / "published.csv").write_text(
        "model,ndcg@5,mark,source\nSeen,0.9,tuned on test,A paper\nUnseen,0.8,,Another\n"
    )
    cli.main(["leaderboard", "--settings", "board.yaml", "--output", "board"])
    (data,) = json.loads((tmp_path / "board" / "leaderboard.json").read_text())["boards"]
    rows = {row["label"]: row for row in data["rows"]}
    assert rows["EDLAE, tuned"]["metrics"] == final["test"] and rows["EDLAE, tuned"]["model"] == "EDLAE"
    assert rows["EDLAE, tuned"]["settings"].keys() == {"reg_weight", "dropout_prob"}
    assert {name: rows[name]["mark"] for name in ("Seen", "Unseen", "BPR")} == {
        "Seen": "tuned on test",
        "Unseen": "",
        "BPR": "",
    }
    assert (
        "| Seen (published)   | tuned on test | 0.9000 "
        in (tmp_path / "board" / "leaderboard.md").read_text()
    )
    assert "Unseen (published) &  &" in (tmp_path / "board" / "leaderboard.tex").read_text()
    page = (tmp_path / "board" / "leaderboard.html").read_text()
    assert page.count('class="mark warm">tuned on test</td>') == 1


def test_the_search_sees_nothing_of_the_test_and_no_order_of_lines(tune, cut, tmp_path):
    *first, tested = tune()
    cut.folder = tmp_path / "again" / "cut"  # data of one folder are read once in a process
    cut.folder.mkdir(parents=True)
    for part, rows in cut.rows.items():
        shuffled = random.Random(part).sample(rows, len(rows))
        cut.write(part, shuffled[::2] if part == "test" else shuffled)
    *second, other = tune(f"--data_path={cut.folder.parent}", output="half")
    for one, two in zip(first, second):
        assert one["valid"] == pytest.approx(two["valid"], abs=1e-4) and one["key"] != two["key"]
    assert tested["test"] != other["test"]
    assert tested["identity"]["settings"]["reg_weight"] == other["identity"]["settings"]["reg_weight"]


def test_epochs_are_those_that_were_best_in_the_search(tune, tmp_path):
    trial, final = tune(*BPR, text="learning_rate choice [0.01]", model="BPR")
    values = []
    for epochs in range(1, 6):  # every number of epochs by a training of its own
        settings = {**BPR_SETTINGS, "epochs": epochs, "eval_step": epochs}
        values.append(stock(SEARCH, "BPR", **settings)["best_valid_result"]["ndcg@5"])
    best = 1 + values.index(max(values))
    assert 1 < best < 5, "the case decides nothing"
    assert trial["epochs"] == best and trial["valid"]["ndcg@5"] == max(values)
    assert final["epochs"] == best and final["valid"] is None
    assert final["test"] == dict(
        stock(FINAL, "BPR", **BPR_SETTINGS, epochs=best, eval_step=0)["test_result"]
    )
    content = yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())
    assert content["epochs"] == best and content["eval_step"] == 0
    words = [
        "--config_files",
        "out/best.yaml",
        f"--data_path={tmp_path}",
        "--state=ERROR",
        "--show_progress=False",
    ]
    assert dict(cli.run(words)["test_result"]) == final["test"]


def test_members_are_refitted_for_their_own_best_epochs(tune, tmp_path):
    members = {"EDLAE": {"reg_weight": 2.0}, "BPR": BPR_SETTINGS | {"epochs": 5}}
    words = [f"--members={members}", "--algo=exhaustive"]
    trial, final = tune(*words, text="weights choice [{'BPR': 0.5}]\n", model="Ensemble")
    best = trial["epochs"]["BPR"]
    assert trial["epochs"].keys() == {"BPR"} and 1 <= best <= 5
    refit = {**members, "BPR": {**members["BPR"], "epochs": best, "eval_step": 0}}
    expected = stock(FINAL, "Ensemble", members=refit, weights={"BPR": 0.5}, eval_step=0)
    assert final["epochs"] == {"BPR": best} and final["test"] == dict(expected["test_result"])
    content = yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())
    assert content["members"] == refit and content["weights"] == {"BPR": 0.5}


def test_no_member_stops_early_on_the_test(cut, refused):
    words = ["--dataset=cut", "--config_files", "cut.yaml", "--model=Ensemble"]
    told = r"members: BPR: benchmark_filename \['train', 'test', 'test'\] validates on the test file: BPR would keep"
    assert re.search(
        told, refused("run", *words, "--members={'EDLAE': {}, 'BPR': {'eval_step': 1, 'epochs': 3}}")
    )


@pytest.mark.parametrize("stop_after", [2, 4])  # in the search, and between search and test
def test_interrupted_it_loses_nothing(stop_after, tune, tmp_path, monkeypatch):
    ran, stock_run, limit = [], Runner.run, stop_after

    def run(self, trial, phases):
        if len(ran) == limit:
            raise KeyboardInterrupt
        ran.append(trial.settings)
        return stock_run(self, trial, phases)

    monkeypatch.setattr(Runner, "run", run)
    with pytest.raises(SystemExit):
        tune()
    assert not (tmp_path / "out" / "best.yaml").exists()
    limit = 99
    interrupted = tune()
    assert len(ran) == len(interrupted) == 5
    text = (tmp_path / "out" / "best.yaml").read_text()
    again = tune()
    assert len(ran) == len(again) == 5 and (tmp_path / "out" / "best.yaml").read_text() == text
    undisturbed = tune(output="undisturbed")
    assert [without_keys(record) for record in undisturbed] == [
        without_keys(record) for record in interrupted
    ]


def test_one_file_for_both_is_validation_and_nothing_is_tested(tune, cut, tmp_path, capsys):
    settings = {**read_config_files(["cut.yaml"]), "benchmark_filename": SEARCH, "eval_step": 1}
    del settings["search_filename"]
    (tmp_path / "cut.yaml").write_text(yaml.safe_dump(settings))
    records = tune()
    assert len(records) == 4 and not any("test" in record for record in records)
    assert "has one file for validation and test" in capsys.readouterr().err
    assert "# test" not in (tmp_path / "out" / "best.yaml").read_text()
    assert json.loads((tmp_path / "out" / "sweep.json").read_text())["test"] is None


WRONG = {
    ("--search_filename=fit",): r"search_filename must be two names \[fit, valid\], .*; got 'fit'",
    ("--search_filename=['fit']",): r"search_filename must be two names .*; got \['fit'\]",
    (
        "--benchmark_filename=['train','valid','test']",
    ): r"search_filename goes with benchmark_filename \[train, test, te",
    ("--benchmark_filename=None",): "search_filename goes with benchmark_filename",
    (
        "--search_filename=['fit','held']",
    ): r"dataset: .*cut has no cut.held.inter; it has cut.fit.inter, cut.test.inter",
    ("--benchmark_filename=['all','test','test']",): "dataset: .*cut has no cut.all.inter",
    (
        "--search_filename=['fit','test']",
    ): "interactions of fit and test are in test and not in train: settings would be",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_files_are_refused_before_anything_runs(words, cut, refused, tmp_path, monkeypatch):
    monkeypatch.setattr(Runner, "run", lambda *_: pytest.fail("something ran"))
    (tmp_path / "space").write_text(SPACE)
    files = ["--config_files", "cut.yaml", "--space", "space"]
    assert re.search(WRONG[words], refused("tune", "--dataset", "cut", *files, *words))


def test_files_that_are_not_the_training_file_are_counted(tune, cut, capsys):
    cut.write("fit", [*cut.rows["fit"][3:], "u1\ti-new"])
    tune("--max_evals=1")
    total = len(cut.rows["train"])
    told = (
        f"fit and valid together are not train: they lack 3 of its {total} interactions and have 1 others"
    )
    assert told in capsys.readouterr().err


def test_no_model_stops_early_on_the_test(cut, refused, tmp_path):
    words = ["--dataset=cut", "--config_files", "cut.yaml", "--state=ERROR", "--show_progress=False"]
    told = r"benchmark_filename \['train', 'test', 'test'\] validates on the test file: "
    told += "BPR would keep .* set eval_step: 0"
    assert re.search(told, refused("run", "--model=BPR", "--eval_step=1", *words))
    board = {"dataset": "cut", "config_files": ["cut.yaml"], "models": {"EDLAE": {}, "BPR": {"epochs": 3}}}
    (tmp_path / "board.yaml").write_text(yaml.safe_dump(board))
    assert re.search(told, refused("leaderboard", "--settings", "board.yaml", "--eval_step=1"))
    assert cli.run(["--model=BPR", "--epochs=1", "--eval_step=1", *words])[
        "test_result"
    ]  # one epoch is no choice
    assert cli.run(["--model=EDLAE", "--eval_step=1", *words])["test_result"]  # nor is a single step


@pytest.mark.parametrize("name", ["gowalla", "yelp2018", "amazon-book"])
def test_our_own_protocols_without_a_validation_file(name):
    settings = read_config_files([CONFIGS / f"{name}.yaml"])
    assert settings == read_config_files([CONFIGS / "gowalla.yaml"])
    assert settings["benchmark_filename"] == FINAL and settings["search_filename"] == SEARCH[:2]
    assert settings["eval_step"] == 0
    rows = read_reference(CONFIGS / "leaderboard" / f"{name}.csv")
    assert len({row.label for row in rows}) == len(rows) > 10
    for row in rows:
        assert row.note and row.mark == ("tuned on test" if "BARS-Match " in row.note[:11] else "")
        assert row.metrics.keys() == {"recall@20", "ndcg@20"} and all(
            0 < each < 0.2 for each in row.metrics.values()
        )
    content = yaml.safe_load((CONFIGS / "leaderboard" / f"{name}.yaml").read_text())
    assert content["dataset"] == name and content["reference"] == f"{name}.csv"
    if name == "amazon-book":
        assert read_settings(CONFIGS / "leaderboard" / f"{name}.yaml")["models"]
