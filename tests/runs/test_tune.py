"""The sweep: RecBole's metrics for every trial, the best as a config file, and going on where it was."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from recbole.quick_start import run_recbole

from recbole_edlae import cli
from recbole_edlae._files import CONFIGS
from recbole_edlae.leaderboard.settings import read_settings
from recbole_edlae.runs.runner import Runner
from tests.runs.conftest import QUICK

SPACE = "reg_weight choice [2.0,50.0]\ndropout_prob choice [0.1,0.5]\n"


@pytest.fixture
def tune(protocol, tmp_path):
    """Runs the command in a folder of its own, and returns its records."""

    def run(*words, text=SPACE, model="EDLAE", output="out"):
        (tmp_path / "space").write_text(text)
        files = ["--config_files", protocol, "--space", "space", "--output", output]
        cli.main(["tune", "--model", model, "--dataset", "tiny", *files, *words])
        return [json.loads(line) for line in (tmp_path / output / "records.jsonl").read_text().splitlines()]

    return run


def stock(protocol, model="EDLAE", **settings):
    return run_recbole(model, "tiny", [protocol], {**settings, "state": "ERROR", "show_progress": False})


def test_every_trial_has_run_recboles_metrics_and_the_best_is_tested(tune, protocol, tmp_path):
    *trials, best = tune()
    found = {}
    for trial in trials:
        settings = {key: trial["identity"]["settings"][key] for key in ("reg_weight", "dropout_prob")}
        assert (
            trial["valid"] == dict(stock(protocol, **settings)["best_valid_result"]) and "test" not in trial
        )
        found[trial["valid"]["ndcg@5"]] = settings
    assert len(trials) == 4
    content = yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())
    assert content.items() >= found[max(found)].items() and content["valid_metric"] == "NDCG@5"
    assert best["test"] == dict(stock(protocol, **found[max(found)])["test_result"])


def test_best_yaml_is_what_run_recbole_takes(tune, tiny, tmp_path):
    best = tune("--topk=[4]", "--valid_metric=Recall@4", "--search_seed=3")[-1]
    text = (tmp_path / "out" / "best.yaml").read_text()
    assert text.startswith("# recbole-edlae tune --model EDLAE --dataset tiny")
    assert yaml.safe_load(text)["data_path"] == tiny and best["identity"]["data"] in text
    words = ["--config_files", "out/best.yaml", "--state=ERROR", "--show_progress=False"]
    assert dict(cli.run(words)["test_result"]) == best["test"]
    assert f"recall@4 {best['test']['recall@4']:.4f}" in text


def test_best_yaml_takes_its_own_data_from_any_folder(tune, tiny, tmp_path, monkeypatch):
    best = tune("--topk=[4]", "--valid_metric=Recall@4")[-1]
    other = tmp_path / "elsewhere" / "dataset" / "tiny"  # of the same name, where a run would look
    other.mkdir(parents=True)
    lines = pathlib.Path(tiny, "tiny", "tiny.inter").read_text().splitlines()
    (other / "tiny.inter").write_text("\n".join(lines[:300]) + "\n")
    monkeypatch.chdir(tmp_path / "elsewhere")
    words = [
        "--config_files",
        str(tmp_path / "out" / "best.yaml"),
        "--state=ERROR",
        "--show_progress=False",
    ]
    assert dict(cli.run(words)["test_result"]) == best["test"]
    assert dict(cli.run([*words, "--data_path=dataset"])["test_result"]) != best["test"]


def test_best_yaml_in_a_leaderboard_is_measured_on_the_leaderboards_data(tune, tiny, protocol, tmp_path):
    tune()
    shutil.copytree(tiny, tmp_path / "copy")
    board = {"dataset": "tiny", "models": {"EASE": {}, "tuned": "out/best.yaml"}}
    (tmp_path / "board.yaml").write_text(yaml.safe_dump(board))
    cli.main(
        [
            "leaderboard",
            "--settings=board.yaml",
            f"--config_files={protocol}",
            "--data_path=copy",
            "--output=b",
        ]
    )
    lines = [json.loads(line) for line in (tmp_path / "b" / "records.jsonl").read_text().splitlines()]
    assert len(lines) == 2 and len({line["identity"]["data"] for line in lines}) == 1
    assert "data_path" not in read_settings(tmp_path / "board.yaml")["models"]["tuned"]


def test_best_yaml_of_a_dataset_that_comes_with_recbole_names_no_folder(tmp_path):
    (tmp_path / "space").write_text("reg_weight choice [500.0]\n")
    cli.main(["tune", "--model=EDLAE", "--dataset=ml-100k", "--space=space", "--output=out"])
    assert "data_path" not in yaml.safe_load((tmp_path / "out" / "best.yaml").read_text())


def test_neural_models_tune_through_the_same_command(tune, protocol):
    words = [f"--{key}={value}" for key, value in QUICK["MultiDAE"].items()]
    first, second, _ = tune(*words, text="learning_rate choice [0.01,0.001]", model="MultiDAE")
    settings = {**QUICK["MultiDAE"], "learning_rate": 0.001}
    assert (
        second["valid"]
        == dict(stock(protocol, "MultiDAE", **settings)["best_valid_result"])
        != first["valid"]
    )


@pytest.mark.parametrize("algo", ["exhaustive", "random", "bayes"])
def test_going_on(algo, tune, monkeypatch):
    ran, stock_run = [], Runner.run

    def run(self, trial, phases):
        if len(ran) == stop_after:
            raise KeyboardInterrupt
        ran.append(trial.settings)
        return stock_run(self, trial, phases)

    monkeypatch.setattr(Runner, "run", run)
    text = (
        SPACE + "user_weight_power choice [0.0,0.5]\n"
        if algo == "exhaustive"
        else "reg_weight uniform 1,99\n"
    )
    stop_after = 3
    with pytest.raises(SystemExit):
        tune("--algo", algo, "--max_evals", "6", text=text)
    stop_after = 99
    interrupted = tune("--algo", algo, "--max_evals", "6", text=text)
    assert len(ran) == 7  # six trials and the test of the best
    undisturbed = tune("--algo", algo, "--max_evals", "6", text=text, output="undisturbed")
    assert [each["key"] for each in interrupted] == [each["key"] for each in undisturbed]
    assert [each["valid"] for each in interrupted] == [each["valid"] for each in undisturbed]


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(protocol, killed_again_and_again, tmp_path):
    (tmp_path / "space").write_text("reg_weight quniform 1,11,1.0\n")
    words = ["--model=EDLAE", "--dataset=tiny", "--config_files", protocol, "--space=space"]
    folders = killed_again_and_again("tune", *words, records=12)  # eleven trials and the test of the best
    first, second = ((each / "best.yaml").read_text().splitlines()[1:] for each in folders)
    assert first == second


def test_failing_trials_do_not_stop_the_others(tune, capsys):
    records = tune(text="rank choice [-5,10]", model="NCEPLRec")
    assert [each["status"] for each in records] == ["failed", "ok", "ok"]
    with pytest.raises(SystemExit):
        tune(text="rank choice [-5]", model="NCEPLRec", output="none")
    assert "none of the trials ended well; the last: InvalidParameterError" in capsys.readouterr().err


def test_the_range_of_a_loguniform_is_said(tune, capsys):
    tune("--algo=random", "--max_evals=1", text="reg_weight loguniform 0.001,0.1")
    line = (
        "reg_weight: loguniform 0.001,0.1 draws from 1.001 to 1.10517: its bounds are natural logarithms\n"
    )
    assert capsys.readouterr().err.startswith(line)


WRONG = {
    ("reg_wieght choice [1.0]",): "unknown setting 'reg_wieght'; did you mean reg_weight?",
    ("dropout_prob choice [0.5,1.0]",): r"dropout_prob must be float in \[0, 1\), got 1.0",
    ("dropout_prob uniform 0.0,1.5", "--algo=random"): r"dropout_prob must be float in \[0, 1\), got 1.5",
    ("dropout_prob uniform 0.0,0.5",): "algo exhaustive needs choice or quniform; dropout_prob is uniform",
    (
        "reg_weight choice [1.0]",
        "--reg_weight=2.0",
    ): "reg_weight is both in the space and on the command line",
    ("reg_weight choice [1.0]", "--max_evals=0"): "max_evals must be at least 1, got 0",
    (
        "reg_weight uniform 1,2",
        "--algo=random",
        "--search_seed=-1",
    ): "search_seed must be from 0 to 4294967295, got -1",
    (
        "reg_weight uniform 1,2",
        "--algo=bayes",
        f"--search_seed={2**32}",
    ): "search_seed must be .*, got 4294967296",
    ("reg_weight choise [1.0]",): "line 1: unknown type 'choise'",
    ("reg_weight choice [1.0]", "--model=EDLEA"): r"unknown model 'EDLEA'; did you mean EDLAE\?",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_words(words, refused, tmp_path):
    (tmp_path / "space").write_text(words[0])
    assert re.search(WRONG[words], refused("tune", "--space", "space", *words[1:]))


def test_the_seed_decides_what_is_drawn(tune):
    def drawn(seed, output):
        records = tune(
            "--algo=random",
            "--max_evals=3",
            f"--search_seed={seed}",
            text="reg_weight uniform 1,99\n",
            output=output,
        )
        return [record["identity"]["settings"]["reg_weight"] for record in records[:3]]

    assert drawn(1, "first") == drawn(1, "second") != drawn(2, "third")


def test_bayes_goes_on_after_a_trial_that_fails(tune):
    records = tune("--algo=bayes", "--max_evals=6", text="rank choice [-5,10]", model="NCEPLRec")
    assert {record["status"] for record in records} == {"failed", "ok"}


@pytest.mark.slow
def test_optuna_is_imported_only_by_a_search_that_draws(protocol, tmp_path):
    (tmp_path / "space").write_text("reg_weight choice [2.0]\n")
    program = """if True:
        import sys
        from recbole_edlae import cli
        for algo, output in (("exhaustive", "a"), ("random", "b")):
            cli.main(["tune", "--algo", algo, "--max_evals=1", "--output", output, *sys.argv[1:]])
            print("optuna" in sys.modules)
    """
    words = ["--dataset=tiny", "--space=space", "--config_files", protocol]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    printed = done.stdout.splitlines()
    assert [line for line in printed if line in ("False", "True")] == ["False", "True"]
    assert "study" not in done.stderr


@pytest.mark.parametrize(
    "path", sorted((CONFIGS / "tuned").rglob("*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_our_own_tuned_files_name_their_command_and_can_be(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# recbole-edlae tune ") and "data_path" not in text
    content = yaml.safe_load(text)
    model, _, _ = path.stem.partition("-")  # of EDLAE.yaml and of EDLAE-low-pass.yaml
    assert (content["dataset"], content["model"]) == (path.parent.name, model)
    for file in re.findall(r"configs/\S+", text.partition("\n")[0]):
        assert (CONFIGS.parent / file).exists()
