"""A run's record stands for its code: for what runs of it, and for nothing that is only read."""

import os
import re
import shutil
import subprocess
import sys
import types

import pytest

from recbole_edlae.papers import similarities
from recbole_edlae.runs import code
from recbole_edlae.settings import registry
from tests.conftest import ROOT
from tests.runs.shop_commands import board

SOURCE = '''"""A module."""

LIMIT = 3  # of something


def double(x):
    """Return twice x."""
    return 2 * x
'''
READ = [
    ('"""A module."""', '"""Another text."""'),
    ("  # of something", ""),
    ('    """Return twice x."""\n', ""),
    ("    return 2 * x", "\n    # Twice.\n    return (2 * x)"),
]
RUN = [
    ("LIMIT = 3", "LIMIT = 4"),
    ("2 * x", "x * 2"),
    ("def double", "def twice"),
    ("LIMIT = 3", 'LIMIT = "3"'),
]


@pytest.mark.parametrize("old, new", READ)
def test_docstrings_comments_and_layout_do_not_count(old, new):
    text = SOURCE.replace(old, new)
    assert text != SOURCE
    assert code._code(text.encode()) == code._code(SOURCE.encode())


@pytest.mark.parametrize("old, new", RUN)
def test_what_runs_counts(old, new):
    assert code._code(SOURCE.replace(old, new).encode()) != code._code(SOURCE.encode())


def test_every_package_counts_except_those_above_runs():
    layers = re.search(r"^layers = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S)[1]
    above, _, below = layers.partition('"runs"')
    assert set(re.findall(r"\w+", above)) == {*code.ABOVE, "__main__"}
    packages = {name.split(".")[1] for name in code.code_files(["EDLAE"])}
    assert set(re.findall(r"\w+", below)) | {"runs", "__init__"} <= packages and not packages & {
        *code.ABOVE
    }


def test_the_code_that_counts_names_no_package_above_runs():
    # A name in a text is no import: import-linter does not see it.
    for name, path in code.code_files(["EDLAE"]).items():
        if name != "recbole_edlae.__main__":
            assert not re.search(rf"recbole_edlae\.({'|'.join(code.ABOVE)})\b", path.read_text()), name


def test_what_a_study_measures_depends_on_its_own_module():
    with_study = code.code_hash(["EDLAE"], [similarities.__name__])
    assert with_study != code.code_hash(["EDLAE"])
    assert similarities.__name__ in code.code_files(["EDLAE"], [similarities.__name__])


def test_a_model_of_another_package_counts_for_its_own_runs(tmp_path, monkeypatch):
    file = tmp_path / "elsewhere.py"
    hashes = []
    for power in (1, 2):
        file.write_text(f"POWER = {power}\n")
        code._hash.cache_clear()
        module = types.ModuleType("elsewhere")
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, "elsewhere", module)
        monkeypatch.setitem(
            registry._registered,
            "Elsewhere",
            (type("Elsewhere", (), {"__module__": "elsewhere"}), "x.yaml"),
        )
        hashes.append((code.code_hash(["Elsewhere"]), code.code_hash(["EDLAE"])))
    (first, ours), (second, again) = hashes
    assert first != second and ours == again


@pytest.fixture
def package(tmp_path):
    """A copy of the package's source, to be changed."""
    for folder in ("recbole_edlae", "configs"):
        shutil.copytree(ROOT / folder, tmp_path / "copy" / folder)
    return tmp_path / "copy"


@pytest.mark.slow
def test_a_changed_metric_is_run_again(shop_folder, package):
    def run():
        program = "import sys; from recbole_edlae import cli; cli.main(sys.argv[1:])"
        environment = {**os.environ, "PYTHONPATH": str(package)}
        done = subprocess.run(
            [sys.executable, "-c", program, *board()], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stderr.count("(on record)")

    assert (run(), run()) == (0, 2)
    for name in ("leaderboard/report.py", "cli/leaderboard.py", "serving/batches.py"):
        path = package / "recbole_edlae" / name
        path.write_text(path.read_text() + "\nCHANGED = True\n")
    assert run() == 2
    path = package / "recbole_edlae" / "evaluation" / "liang.py"
    path.write_text(path.read_text() + "\nCHANGED = True\n")
    assert run() == 0
