"""The page on new users: its commands and programs, run in order on ml-100k."""

import glob
import re
import shlex

import pytest

from recbole_edlae import cli
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "new-users.md").read_text(encoding="utf-8")


def test_the_settings_shown_are_the_files():
    assert (
        re.search(r"```yaml\n(.*?)```", PAGE, re.S)[1]
        in (ROOT / "configs" / "ml-100k-users.yaml").read_text()
    )


@pytest.mark.slow
def test_commands_and_programs(tmp_path, capsys):
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (tmp_path / "users.csv").write_text("user_id,item_id\nme,50\nme,172\nyou,1\n")
    for command, program in re.findall(
        r"^\$ recbole-edlae ([^\n]*)$|```python\n(.*?)```", PAGE, re.M | re.S
    ):
        if program:
            (checkpoint,) = glob.glob("saved/EDLAE-*.pth")
            exec(program, {"__name__": "example", "checkpoint": checkpoint})
        elif "ml-1m-prosg" not in command:
            words = [
                each
                for word in shlex.split(command)
                for each in (glob.glob(word) if "*" in word else [word])
            ]
            cli.main(words)
    said = capsys.readouterr().out
    assert "edlae-small: EDLAE, " in said and "ndcg@100 on the test users: " in said
    assert (
        (tmp_path / "top.csv").read_text().count("\n")
        == 41
        == (tmp_path / "top-small.csv").read_text().count("\n")
    )
