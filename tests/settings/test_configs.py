"""Files that come with the package are found by name in every folder, and files of the user's own come first."""

import os

import pytest
import yaml

from recbole_edlae import cli
from recbole_edlae._files import CONFIGS
from recbole_edlae.leaderboard.plan import Plan
from recbole_edlae.leaderboard.settings import read_settings
from recbole_edlae.papers.plan import read_plan
from recbole_edlae.settings import configs
from recbole_edlae.settings.configs import LEADERBOARDS, PROTOCOLS, REFERENCES, REPRODUCTIONS, SPACES, find

KINDS = [PROTOCOLS, SPACES, LEADERBOARDS, REFERENCES, REPRODUCTIONS]
SPELLINGS = [
    (
        PROTOCOLS,
        "ml-100k.yaml",
        ["ml-100k", "ml-100k.yaml", "configs/ml-100k", "configs/ml-100k.yaml", "./ml-100k"],
    ),
    (PROTOCOLS, "tuned/gowalla/DLAE.yaml", ["tuned/gowalla/DLAE", "configs/tuned/gowalla/DLAE.yaml"]),
    (SPACES, "spaces/EASE.test", ["EASE", "EASE.test", "spaces/EASE", "configs/spaces/EASE.test"]),
    (SPACES, "spaces/gowalla/DLAE.test", ["gowalla/DLAE", "configs/spaces/gowalla/DLAE.test"]),
    (LEADERBOARDS, "leaderboard/ml-1m.yaml", ["ml-1m", "configs/leaderboard/ml-1m.yaml"]),
    (REFERENCES, "leaderboard/gowalla.csv", ["gowalla", "gowalla.csv", "configs/leaderboard/gowalla.csv"]),
    (REPRODUCTIONS, "reproduce/ml-1m.yaml", ["ml-1m", "configs/reproduce/ml-1m.yaml"]),
]


@pytest.mark.parametrize(
    "kind, file, name", [(kind, file, name) for kind, file, names in SPELLINGS for name in names]
)
def test_a_name_that_is_no_file_is_one_of_the_packages(kind, file, name, capsys):
    assert find(kind, name) == CONFIGS / file
    told = capsys.readouterr().err
    assert told == f"{kind.option}: {name} is {CONFIGS / file}, which comes with recbole_edlae\n"


@pytest.mark.parametrize("name", ["ml-100k", "configs/ml-100k.yaml"])
def test_a_file_of_the_users_own_comes_first_and_nothing_is_said(name, capsys, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert find(PROTOCOLS, name).resolve() == tmp_path / name
    assert find(PROTOCOLS, tmp_path / name) == tmp_path / name
    assert find(PROTOCOLS, os.path.basename(name), (tmp_path / name).parent) == tmp_path / name
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "name", ["../ml-100k.yaml", "/configs/ml-100k.yaml", "", ".", "configs", "tuned", "gowalla.csv"]
)
def test_what_is_not_a_name_is_not_looked_up(name):
    with pytest.raises(ValueError, match="config_files: no file"):
        find(PROTOCOLS, name)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.option}{kind.suffix}")
def test_every_name_that_is_listed_is_found(kind):
    names = configs.names(kind)
    assert len(set(names)) == len(names) > 2
    assert all(find(kind, name).is_file() for name in names)
    assert ", ".join(names) in " ".join(configs.listing(kind).split())


def test_every_file_of_the_package_is_listed_for_some_option():
    listed = {find(kind, name) for kind in KINDS for name in configs.names(kind)}
    assert listed == {path for path in CONFIGS.rglob("*") if path.is_file()}


def test_a_wrong_name_is_answered_with_the_nearest(tmp_path):
    def reason(kind, name):
        with pytest.raises(ValueError) as raised:
            find(kind, name)
        return str(raised.value)

    assert reason(PROTOCOLS, "ml-10k").startswith("config_files: no file ml-10k; did you mean ml-1")
    assert reason(PROTOCOLS, "configs/ml-10k.yaml").startswith(
        "config_files: no file configs/ml-10k.yaml; did you mean ml-1"
    )
    assert reason(SPACES, "MultDAE").endswith("space: no file MultDAE; did you mean MultiDAE?")
    (tmp_path / "mine.yaml").touch()
    assert reason(PROTOCOLS, "mien.yaml").endswith("; did you mean mine.yaml?")
    assert reason(PROTOCOLS, "qqq").endswith(" more")


OPTIONS = {
    "run": [PROTOCOLS],
    "activations": [PROTOCOLS],
    "tune": [SPACES, PROTOCOLS],
    "leaderboard": [LEADERBOARDS, REFERENCES, PROTOCOLS],
    "reproduce": [REPRODUCTIONS, PROTOCOLS],
}


@pytest.mark.parametrize("command", OPTIONS)
def test_the_help_lists_the_files_of_each_option(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    printed = capsys.readouterr().out
    assert all(configs.listing(kind).partition("\n")[2] in printed for kind in OPTIONS[command])


def test_a_settings_file_of_the_users_own_names_them_too(tmp_path):
    (tmp_path / "mine").mkdir()
    board = {
        "dataset": "ml-100k",
        "config_files": ["configs/ml-100k.yaml"],
        "reference": "gowalla",
        "models": {"EDLAE": "tuned/ml-100k/EDLAE", "mine": "mine.yaml"},
    }
    (tmp_path / "mine" / "board.yaml").write_text(yaml.safe_dump(board))
    (tmp_path / "mine" / "mine.yaml").write_text("model: EDLAE\nreg_weight: 7.0\n")
    content = read_settings(tmp_path / "mine" / "board.yaml")
    assert content["config_files"] == [CONFIGS / "ml-100k.yaml"]
    assert content["models"]["EDLAE"]["reg_weight"] and content["models"]["mine"]["reg_weight"] == 7.0
    plan = Plan(None, {}, settings="mine/board.yaml")
    assert {run.config_files for run in plan.runs} == {(str(CONFIGS / "ml-100k.yaml"),)} and len(
        plan.reference
    ) > 10


def test_a_plan_of_the_users_own_names_them_too(tmp_path):
    content = yaml.safe_load((CONFIGS / "reproduce" / "ml-100k.yaml").read_text())
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump({**content, "config_files": ["ml-100k-users"]}))
    assert read_plan(None, "plan.yaml")["config_files"] == [CONFIGS / "ml-100k-users.yaml"]
    assert read_plan(None, "ml-1m")["dataset"] == "ml-1m"
