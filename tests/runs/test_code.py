"""A run's record stands for its code: for what runs of it, and for nothing that is only read."""

import os
import shutil
import subprocess
import sys

import pytest

from recbole_edlae.runs import code
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
RUN = [("LIMIT = 3", "LIMIT = 4"), ("2 * x", "x * 2"), ("def double", "def twice"), ("LIMIT = 3", 'LIMIT = "3"')]


@pytest.mark.parametrize("old, new", READ)
def test_docstrings_comments_and_layout_do_not_count(old, new):
    text = SOURCE.replace(old, new)
    assert text != SOURCE
    assert code._code(text.encode()) == code._code(SOURCE.encode())


@pytest.mark.parametrize("old, new", RUN)
def test_what_runs_counts(old, new):
    assert code._code(SOURCE.replace(old, new).encode()) != code._code(SOURCE.encode())


@pytest.fixture
def package(tmp_path):
    """A copy of the package's source, to be changed."""
    for folder in ("recbole_edlae", "configs"):
        shutil.copytree(ROOT / folder, tmp_path / "copy" / folder)
    return tmp_path / "copy"


@pytest.mark.parametrize("model", ["EDLAE", "BPR"])
def test_a_run_depends_on_what_its_number_passes_through(model, package):
    found = {str(path.relative_to(package)) for path in code.code_files([model], root=package).values()}
    inside = ["evaluation/liang", "evaluation/collector", "evaluation/per_user", "runs/runner", "runs/engine"]
    inside += ["integration/models", "integration/stack", "settings/schema", "model/trainer", "data/user_split"]
    inside += ["__init__", "runs/run", "integration/hook", "integration/patches", "data/sampler"]
    assert {f"recbole_edlae/{name}.py" for name in inside} <= found
    outside = ["leaderboard/report", "leaderboard/results", "cli/leaderboard", "data/liang", "serving/batches"]
    outside += [
        "runs/records",
        "runs/lock",
        "serving/export",
        "cli/__init__",
        "cli/runs",
        "evaluation/significance",
        "model/deepae",
    ]
    assert not {f"recbole_edlae/{name}.py" for name in outside} & found
    assert ("recbole_edlae/solvers/_inverse.py" in found) == (model == "EDLAE")
    assert "recbole_edlae/solvers/_admm.py" not in found  # gram and the like are taken by name


def test_a_module_named_with_its_attribute_counts(package):
    (package / "recbole_edlae/runs/listing.py").write_text(
        'ROWS = ["recbole_edlae.data.liang:main", "recbole_edlae:x"]\n'
    )
    files = code.code_files([], ["recbole_edlae.runs.listing"], root=package)
    assert {"recbole_edlae.data.liang", "recbole_edlae.runs.listing", "recbole_edlae"} <= files.keys()


def test_studies_are_part_of_what_they_measure():
    files = code.code_files(["EDLAE"], (*code.RUNNER, "recbole_edlae.papers.similarities"))
    assert {"recbole_edlae.analysis.similarity", "recbole_edlae.solvers._admm"} <= files.keys()


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
    for name in ("leaderboard/report.py", "data/liang.py", "serving/batches.py"):
        path = package / "recbole_edlae" / name
        path.write_text(path.read_text() + "\nCHANGED = True\n")
    assert run() == 2
    path = package / "recbole_edlae" / "evaluation" / "liang.py"
    path.write_text(path.read_text() + "\nCHANGED = True\n")
    assert run() == 0
