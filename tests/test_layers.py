"""The dependencies go one way: runs → model → solvers, and the mathematics knows nothing of RecBole."""

import ast
import importlib
import inspect
import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "recbole_edlae"
PURE = sorted(path for folder in ("solvers", "nn", "analysis") for path in (PACKAGE / folder).glob("*.py"))


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
    below = {"solvers": (), "nn": (), "analysis": ("recbole_edlae.solvers",)}[path.parent.name]
    allowed = (f"recbole_edlae.{path.parent.name}", "recbole_edlae._choices", *below)
    for name in imported(path):
        assert name.partition(".")[0] not in ("recbole", "ray", "pandas"), f"{path} imports {name}"
        assert not name.startswith("recbole_edlae") or name.startswith(allowed), f"{path} imports {name}"


def test_choices_are_below_everything():
    assert not any(name.startswith("recbole") for name in imported(PACKAGE / "_choices.py"))


def test_models_do_not_import_experiments():
    above = ("recbole_edlae.experiment", "recbole_edlae.cli.checks")
    for path in (PACKAGE / "model").glob("*.py"):
        assert not any(name.startswith(above) for name in imported(path)), path


def test_nothing_imports_the_command_line_but_its_entry():
    for path in PACKAGE.rglob("*.py"):
        assert path.name == "__main__.py" or not any(name == "recbole_edlae.cli" for name in imported(path)), path


def test_mathematics_works_without_recbole_ray_and_pandas():
    program = (
        "import sys\n"
        "for name in ('recbole', 'ray', 'pandas'): sys.modules[name] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'recbole' else find(name, *rest)\n"
        "import scipy.sparse as sp, recbole_edlae.analysis, recbole_edlae.nn, recbole_edlae.solvers as s\n"
        "print(s.full_rank(s.gram(sp.eye(3).tocsr()), dropout=0.5, l2=1.0).shape)\n"
        "loaded = {name.partition('.')[0] for name, module in sys.modules.items() if module}\n"
        "assert not loaded & {'recbole', 'ray', 'pandas'}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "torch.Size([3, 3])", done.stderr


@pytest.mark.parametrize("package", ["solvers", "nn", "analysis"])
def test_public_names_of_the_mathematics_are_listed(package):
    module = importlib.import_module(f"recbole_edlae.{package}")
    public = {name for name, value in vars(module).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert set(module.__all__) == public
