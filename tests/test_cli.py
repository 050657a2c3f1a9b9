"""The command line as a stranger uses it: what is wrong is said in one line, before any data are read."""

import re
import subprocess
import sys
import warnings

import pytest
import torch
import yaml
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_edlae import __version__, cli
from recbole_edlae._warnings import DataWarning
from recbole_edlae.cli import checks, single_run
from recbole_edlae.settings.keys import without_effect
from recbole_edlae.settings.registry import RECBOLE_PROPERTIES, recbole_schema
from tests.conftest import ROOT

QUIET = ["--state=ERROR", "--show_progress=False"]


def refused(capsys, *words):
    with pytest.raises(SystemExit) as stopped:
        cli.run([*words])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1, error
    return error


WRONG = {
    "--model=EDLE": r"unknown model 'EDLE'; did you mean EDLAE\?",
    "--model=edlae": r"unknown model 'edlae'; did you mean EDLAE\?",
    "--model=Nothing": "unknown model 'Nothing'; there are AutoRec, ",
    "--model=BPR --embedding_size=None": "embedding_size must be int, got None",
    "--MODEL_TYPE=general": "MODEL_TYPE cannot be set: it is the model's",
    "--local_rank=0": "local_rank cannot be set: .* --nproc N starts several",
    "--checkpoint_dir=/dev/null": "checkpoint_dir /dev/null cannot be written: /dev/null is a file",
    "--checkpoint_dir=/dev/null/below": "/dev/null is a file",
    "--model=LightCGN": r"unknown model 'LightCGN'; did you mean LightGCN\?",
    "--dataset=ml100k": r"there is no ml100k in data_path dataset; there are ml-100k here",
    "--data_path=/nowhere --dataset=own": "there is no own in data_path /nowhere",
    "--config_files nothing.yaml": "no file nothing.yaml",
    "--dropout_prob=1.0": r"dropout_prob must be float in \[0, 1\), got 1.0",
    "--dropout_prob=-0.1": r"dropout_prob must be float in \[0, 1\), got -0.1",
    "--dropout_prob=half": r"dropout_prob must be float, got 'half' \(str\)",
    "--reg_weight=-1": r"reg_weight must be float in \[0, inf\), got -1",
    "--reg_weight=None": "reg_weight must be float, got None",
    "--emphasis=[0.0,1.0]": r"emphasis must be two numbers .* got \[0.0, 1.0\]",
    "--emphasis=[1.0]": "emphasis must be two numbers",
    "--user_weight_power=nan": "user_weight_power must be float",
    "--epochs=ten": r"epochs must be int, got 'ten' \(str\)",
    "--topk=[1,x]": "topk must be list or int",
    "--eval_args=full": "eval_args must be dict, got 'full'",
    "--dropot_prob=0.1": "unknown setting 'dropot_prob'; did you mean dropout_prob",
    "--metrics=['Recal']": "metrics: unknown metric 'Recal'; did you mean recall",
    "--valid_metric=NDCG@7": r"unknown valid_metric 'NDCG@7'; .* evaluate NDCG@10, ",
    "--topk=20": r"unknown valid_metric 'MRR@10'; .* topk \[20\] evaluate MRR@20",
    "--nproc=2": "nproc 2 needs as many CUDA devices",
    "dropout_prob=0.5": "'dropout_prob=0.5' is neither an option nor a setting",
    "--dropout_prob 0.5": "'--dropout_prob' is neither an option nor a setting of the form --key=value",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_words(words, capsys, monkeypatch):
    monkeypatch.setattr(Dataset, "__init__", lambda *_: pytest.fail("data were read"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert re.search(WRONG[words], refused(capsys, *words.split()))


@pytest.mark.parametrize(
    "content, message", [("[1, 2]", "holds no"), ("a: [1", "is not YAML, line 1"), ("", "holds no")]
)
def test_config_file_that_is_none(content, message, capsys, tmp_path):
    (tmp_path / "own.yaml").write_text(content)
    assert f"own.yaml {message}" in refused(capsys, "--config_files", "own.yaml")


def test_config_file_that_is_misspelled(capsys, tmp_path):
    (tmp_path / "mine.yaml").write_text("epochs: 1")
    assert "no file mien.yaml; did you mean mine.yaml?" in refused(capsys, "--config_files=mien.yaml")


def test_wrong_value_in_a_config_file(capsys, tmp_path):
    (tmp_path / "own.yaml").write_text("reg_weight: '500'\n")
    assert "reg_weight must be float, got '500' (str)" in refused(capsys, "--config_files", "own.yaml")


def test_dataset_without_its_file(capsys, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "other.inter").touch()
    error = refused(capsys, f"--data_path={tmp_path}", "--dataset=own")
    assert "has no own.inter; it has other.inter" in error


@pytest.mark.parametrize(
    "words", ["--val_interval={'rating':'[6,inf)'}", "--user_inter_num_interval=[9999,inf)"]
)
def test_nothing_left_after_filtering(words, capsys, tiny):
    error = refused(capsys, *QUIET, f"--data_path={tiny}", "--dataset=tiny", "--load_col=None", words)
    assert "no interaction of tiny is left after filtering by" in error and words[2:10] in error


def test_model_and_dataset_of_a_config_file(tiny, tmp_path):
    content = {
        "model": "DLAE",
        "dataset": "tiny",
        "data_path": tiny,
        "state": "ERROR",
        "show_progress": False,
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    cli.main(["run", "--config_files", "own.yaml", "--dropout_prob=0.2"])
    assert list((tmp_path / "saved").glob("DLAE*"))


def test_two_config_files_and_settings_from_the_command_line(tiny, tmp_path):
    (tmp_path / "a.yaml").write_text(f"data_path: {tiny}\nreg_weight: 1.0\n")
    (tmp_path / "b.yaml").write_text("reg_weight: 2.0\n")
    words = ["--config_files", "a.yaml b.yaml", "--model", "EDLAE", "-d", "tiny", *QUIET]
    assert cli.run(words) == cli.run([*words, "--reg_weight=2.0"]) != cli.run([*words, "--reg_weight=30.0"])


def test_help_lists_the_settings_of_the_model(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.run(["--model=DLAE", "--help"])
    shown = capsys.readouterr().out
    assert stopped.value.code == 0 and "--reg_weight=500.0  (float)" in shown and "--emphasis" not in shown


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0 and __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, message",
    [
        (["rnu"], "recbole-edlae: error: unknown command 'rnu'; did you mean run?"),
        (["upload"], "recbole-edlae: error: unknown command 'upload'; there are run, leaderboard, "),
        ([], "recbole-edlae: error: the following arguments are required: COMMAND"),
    ],
)
def test_unknown_command(words, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.startswith(message) and error.count("\n") == 1


def test_the_help_loads_neither_recbole_nor_torch():
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'recbole' else find(name, *rest)\n"
        "from recbole_edlae import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: print({'recbole', 'torch', 'numpy', 'pandas', 'ray'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert "convert-liang" in done.stdout and done.stdout.endswith("set()\n"), done.stderr


@pytest.mark.parametrize(
    "model", sorted(file.stem for file in (RECBOLE_PROPERTIES / "model").glob("*.yaml"))
)
def test_recboles_own_comments_are_read(model):
    assert len(recbole_schema(model)) > 60


NO_EFFECT = {
    "--device=cuda": "device has no effect: RecBole sets it by gpu_id",
    "--gpu_id=3": "gpu_id 3 has no effect: torch finds no such GPU",
    "--use_gpu=True": "use_gpu has no effect: torch finds no GPU",
    "--test_neg_sample_args={'distribution':'uniform','sample_num':5}": "test_neg_sample_args has no effect: ",
    "--MODEL_INPUT_TYPE=1": "MODEL_INPUT_TYPE has no effect: RecBole sets it by the model",
}


@pytest.mark.parametrize("word", NO_EFFECT)
def test_a_setting_without_effect_is_said(word, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.warns(DataWarning, match=NO_EFFECT[word]):
        single_run.prepare([word], "run")


@pytest.mark.parametrize("words", [["--use_gpu=False"], ["--gpu_id="]])
def test_nothing_is_said_of_a_choice_of_the_cpu(words, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        single_run.prepare(words, "run")


def test_a_gpu_that_is_taken_all_the_same_is_said():
    config = Config("EDLAE", "ml-100k", config_dict={"use_gpu": False})
    config["device"] = torch.device("cuda")
    (line,) = without_effect(config.final_config_dict, {"use_gpu": False})
    assert line == "use_gpu has no effect: where gpu_id names a GPU, RecBole takes it"


@pytest.mark.parametrize("words", [[], ["--data_path=dataset"]])
def test_a_dataset_of_ones_own_with_the_name_of_recboles_is_said(words, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        single_run.prepare(["--data_path=elsewhere"], "run")
    (tmp_path / "dataset" / "ml-100k").mkdir(parents=True)
    with pytest.warns(DataWarning, match="RecBole reads the one that comes with it, not dataset/ml-100k"):
        single_run.prepare(words, "run")


def test_a_folder_for_checkpoints_that_cannot_be_written(monkeypatch, tmp_path):
    checks.check_checkpoint_dir("new/below")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere
    with pytest.raises(
        ValueError, match="checkpoint_dir new/below cannot be written: no permission to write into"
    ):
        checks.check_checkpoint_dir("new/below")
