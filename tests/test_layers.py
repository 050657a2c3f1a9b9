"""Imports go one way, the mathematics knows nothing of RecBole, and the wheel has every folder of the package."""

import ast
import configparser
import importlib
import importlib.util
import inspect
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest
from importlinter.cli import lint_imports

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "recbole_edlae"


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_packages_keep_the_contracts_of_pyproject(monkeypatch, capsys):
    # The layers of all packages, without exceptions, and what the mathematics does not know.
    monkeypatch.chdir(ROOT)
    failed = lint_imports(no_cache=True)
    assert not failed, capsys.readouterr().out


def test_private_names_stay_in_their_package():
    for path in sorted(PACKAGE.rglob("*.py")):
        package = path.relative_to(PACKAGE).parts[0]
        for name in imported(path):
            root, _, rest = name.partition(".")
            other, *names = rest.split(".")
            if root == PACKAGE.name and other != package:
                private = [part for part in names if part.startswith("_") and not part.startswith("__")]
                assert not private, f"{path} imports {name}"


@pytest.mark.slow
@pytest.mark.parametrize("module", ["", ".solvers", ".nn", ".analysis"])
def test_pure_imports_load_neither_recbole_nor_ray_nor_pandas(module):
    program = (
        f"import recbole_edlae{module}, sys; print({{'recbole', 'ray', 'pandas'}} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "set()", done.stderr


def test_mathematics_works_without_recbole_ray_and_pandas():
    program = (
        "import sys\n"
        "for name in ('recbole', 'ray', 'pandas'): sys.modules[name] = None\n"
        "import scipy.sparse as sp, recbole_edlae.analysis, recbole_edlae.nn, recbole_edlae.solvers as s\n"
        "print(s.full_rank(s.gram(sp.eye(3).tocsr()), dropout=0.5, l2=1.0).shape)\n"
        "loaded = {name.partition('.')[0] for name, module in sys.modules.items() if module}\n"
        "assert not loaded & {'recbole', 'ray', 'pandas'}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "torch.Size([3, 3])", done.stderr


@pytest.mark.parametrize("package", ["solvers", "nn", "analysis"])
def test_public_names_of_the_mathematics_are_listed(package):
    module = importlib.import_module(f"recbole_edlae.{package}")
    public = {name for name in dir(module) if not name.startswith("_")}
    assert set(module.__all__) == {name for name in public if not inspect.ismodule(getattr(module, name))}


def test_a_model_imports_what_it_needs_and_nothing_else():
    program = (
        "import sys, recbole_edlae, recbole.quick_start\n"
        "before = {*sys.modules}\n"
        "import recbole_edlae.model.edlae\n"
        "print(*(name for name in sys.modules.keys() - before if name.startswith('recbole_edlae')))\n"
        "assert 'numba' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    files = [importlib.util.find_spec(name).origin for name in loaded]
    lines = sum(len(pathlib.Path(file).read_text(encoding="utf-8").splitlines()) for file in files)
    assert len(loaded) <= 12 and lines <= 1500, loaded


def test_a_formula_on_a_dense_matrix_loads_nothing_of_scale():
    program = (
        "import sys, torch\n"
        "from recbole_edlae.solvers import full_rank, low_rank\n"
        "full_rank(torch.eye(3), dropout=0.5, l2=1.0)\n"
        "low_rank(torch.eye(3), 2, dropout=0.5, l2=1.0)\n"
        "print('recbole_edlae.solvers.scale' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False", done.stderr


def test_the_wheel_is_told_of_every_folder():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    folders = [path.parent.relative_to(ROOT) for path in PACKAGE.rglob("__init__.py")]
    packages = sorted([*(".".join(folder.parts) for folder in folders), "recbole_edlae.configs"])
    assert setup["options"]["packages"].split() == packages


@pytest.mark.slow
def test_the_wheel_holds_the_library_and_nothing_else(tmp_path):
    clone = tmp_path / "clone"
    for folder in ("recbole_edlae", "configs", "upstream", "tools"):
        shutil.copytree(ROOT / folder, clone / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, clone)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        tmp_path,
        clone,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"recbole_edlae", next(top for top in tops if top.endswith(".dist-info"))}
    expected = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py")} | {
        f"recbole_edlae/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "configs").rglob("*")
        if path.is_file()
    }
    expected |= {"recbole_edlae/py.typed"}
    expected |= {f"recbole_edlae/leaderboard/report.{kind}" for kind in ("html", "css", "js")}
    for kind in ("*.yaml", "*.pyi"):
        expected |= {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob(kind)}
    assert {name for name in names if name.startswith("recbole_edlae/")} == expected
