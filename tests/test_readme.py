"""What the README shows, run."""

import re

import pytest
import yaml

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
README = PAGES[0].read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("program", re.findall(r"```python\n(.*?)```", README, re.S))
def test_python_examples(program):
    exec(program, {"__name__": "example"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("command", re.findall(r"^\$ recbole-edlae (run .*)$", README, re.M))
def test_commands_are_understood(command, tmp_path, monkeypatch, capsys):
    """Every command line of the README gets as far as the data, but for those shown to fail."""
    from recbole_edlae import cli

    started = []
    monkeypatch.setattr("recbole.quick_start.run", lambda *arguments, **_: started.append(arguments))
    (tmp_path / "dataset" / "ml-1m").mkdir(parents=True)
    (tmp_path / "dataset" / "ml-1m" / "ml-1m.inter").touch()
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (tmp_path / "tune" / "EDLAE-ml-100k").mkdir(parents=True)
    (tmp_path / "tune" / "EDLAE-ml-100k" / "best.yaml").write_text("model: EDLAE\ndataset: ml-100k\n")
    try:
        cli.main(command.split())
    except SystemExit as stopped:
        said = capsys.readouterr().err.strip()
        assert (stopped.code == 0 and "--help" in command) or said in README
    else:
        assert started


def test_settings_in_the_table_are_the_defaults():
    from recbole_edlae import registry
    from recbole_edlae.settings import read

    rows = dict(re.findall(r"^\| `(\w+)` \| .*? \| (`\w+` .*?) \|$", README, re.M))
    assert rows.keys() == registry.registered().keys()
    for model, cell in rows.items():
        settings = read(registry.registered()[model])
        for key, value in re.findall(r"`(\w+)` (\[.*?\]|[\w.\"]+)", cell):
            assert yaml.safe_load(settings[key].default) == eval(value), (model, key)
