"""Files and arguments are read, never run."""

import pickle
import sys

import pytest
import yaml
from recbole.config import Config

from recbole_edlae import cli
from recbole_edlae.settings.files import read_yaml, value_of
from recbole_edlae.settings.registry import RECBOLE_PROPERTIES
from tests.conftest import ROOT

TOUCH = "__import__('pathlib').Path('touched').touch() or 100.0"
FILES = sorted(
    path
    for folder in (RECBOLE_PROPERTIES, ROOT / "configs", ROOT / "recbole_edlae" / "properties")
    for path in folder.rglob("*.yaml")
)

LITERALS = {
    "500": 500,
    "5e2": 500.0,
    "-0.5": -0.5,
    "[10, 20]": [10, 20],
    "{'RS': [0.8, 0.1, 0.1]}": {"RS": [0.8, 0.1, 0.1]},
    "(1, 'a')": (1, "a"),
    "None": None,
    "True": True,
    "false": False,
    "TRUE": True,
    "'5e2'": "5e2",
    "[None, {'a': (1,)}]": [None, {"a": (1,)}],
}
TEXTS = [
    TOUCH,
    "9**9**9**9",
    "[x for x in range(3)]",
    "(lambda: 0)()",
    "2019-10-10",
    "1/2",
    "int",
    "f'{1}'",
    "1 if 1 else 0",
    "b'a'",
    "{1, 2}",
    "...",
    "1j",
    "ml-100k",
    "[Recall, NDCG]",
    "a\0b",
    "",
    "[" * 5000,
    "-" * 100_000 + "1",
]


@pytest.mark.parametrize("text", LITERALS)
def test_a_literal_is_its_value(text):
    value = value_of(text)
    assert value == LITERALS[text] and type(value) is type(LITERALS[text])
    assert Config("Pop", "ml-100k", config_dict={"own": text})["own"] == LITERALS[text]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:20]))
def test_any_other_text_stays_text(text, tmp_path, monkeypatch):
    assert value_of(text) == text
    assert Config("Pop", "ml-100k", config_dict={"own": text})["own"] == text
    monkeypatch.setattr(sys, "argv", ["program", f"--own={text}"])
    assert Config("Pop", "ml-100k")["own"] == text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [["run"], ["leaderboard", "--models", "EDLAE"], ["tune", "--space=space"]]
)
def test_commands_refuse_it_in_one_line(command, tmp_path, capsys):
    (tmp_path / "space").write_text("dropout_prob choice [0.1]\n")
    with pytest.raises(SystemExit) as stopped:
        cli.main([*command, f"--reg_weight={TOUCH}"])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1 and "reg_weight must be float, got" in error
    assert not (tmp_path / "touched").exists()


def test_choices_of_a_space_are_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "space").write_text(f"reg_weight choice [{TOUCH!r}]\n")
    with pytest.raises(SystemExit) as stopped:
        cli.main(["tune", "--model=EDLAE", "--dataset=ml-100k", "--space=space"])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1 and "reg_weight must be float, got" in error
    assert not (tmp_path / "touched").exists()


TAGS = [
    "!!python/object/apply:os.system ['touch touched']",
    "!!python/name:os.system",
    "!!python/tuple [1, 2]",
]


@pytest.mark.parametrize("tag", TAGS)
def test_yaml_makes_no_objects_of_python(tag, tmp_path):
    (tmp_path / "own.yaml").write_text(f"own: {tag}\n")
    with pytest.raises(
        ValueError, match=r"own.yaml is not YAML, line 1: could not determine a constructor"
    ):
        read_yaml("own.yaml")
    with pytest.raises(yaml.YAMLError, match="could not determine a constructor"):
        Config("Pop", "ml-100k", config_file_list=["own.yaml"])
    assert not (tmp_path / "touched").exists()


def test_every_file_of_settings_has_the_content_that_recbole_reads():
    assert len(FILES) > 100
    for path in FILES:
        content = yaml.load(path.read_text(encoding="utf-8"), Config._build_yaml_loader(None))
        assert read_yaml(path) == content, path


def test_a_config_is_pickled_without_this_package():
    assert b"recbole_edlae" not in pickle.dumps(Config("Pop", "ml-100k"))


def test_hyper_tuning_reads_literals(tmp_path):
    pytest.importorskip("hyperopt")
    from recbole.trainer import HyperTuning

    (tmp_path / "space").write_text("a choice [1, 'x']\nb uniform 0,1\n\n# c\n")
    assert HyperTuning._build_space_from_file("space").keys() == {"a", "b"}


@pytest.mark.parametrize("text", [f"[{TOUCH.replace(' or ', ' or(')})]", "range(3)", "[2**3]"])
def test_hyper_tuning_refuses_what_is_no_literal(text, tmp_path):
    from recbole.trainer import HyperTuning

    (tmp_path / "space").write_text(f"a choice [1]\nb choice {text}\n")
    with pytest.raises(ValueError, match="space, line 2: b must have a list of literals, got "):
        HyperTuning(None, params_file="space", algo=None)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("name", [TOUCH, "exit", "nn", "DagFm"])
def test_the_teacher_of_kd_dagfm_is_a_network(name, tmp_path):
    from recbole.model.context_aware_recommender.kd_dagfm import KD_DAGFM

    with pytest.raises(ValueError, match=r"teacher must be one of .*CrossNet.*; got "):
        KD_DAGFM({"teacher": name}, None)
    assert not (tmp_path / "touched").exists()
