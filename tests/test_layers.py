"""The dependencies go one way: experiment → model → solvers, and the mathematics knows nothing of RecBole."""

import ast
import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "recbole_edlae"
PURE = sorted(path for folder in ("solvers", "nn") for path in (PACKAGE / folder).glob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_mathematics_imports_nothing_above_it(path):
    layer = f"recbole_edlae.{path.parent.name}"
    for name in imported(path):
        assert name.partition(".")[0] != "recbole"
        assert not name.startswith("recbole_edlae") or name.startswith(layer), f"{path} imports {name}"


def test_models_do_not_import_experiments():
    above = ("recbole_edlae.experiment", "recbole_edlae.cli.checks")
    for path in (PACKAGE / "model").glob("*.py"):
        assert not any(name.startswith(above) for name in imported(path)), path


def test_nothing_imports_the_command_line_but_its_entry():
    for path in PACKAGE.rglob("*.py"):
        assert path.name == "__main__.py" or not any(name == "recbole_edlae.cli" for name in imported(path)), path


def test_solvers_work_without_recbole():
    program = (
        "import sys; sys.modules['recbole'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'recbole' else find(name, *rest)\n"
        "import scipy.sparse as sp, recbole_edlae.solvers as s\n"
        "print(s.full_rank(s.gram(sp.eye(3).tocsr()), dropout=0.5, l2=1.0).shape)\n"
        "assert not any(name.startswith('recbole.') for name in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "torch.Size([3, 3])", done.stderr
