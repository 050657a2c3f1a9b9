"""Models written into a copy of the installed RecBole, where this package cannot be imported."""

import ast
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from recbole.quick_start import run_recbole

from recbole_edlae.integration.models import model_class, own_models
from recbole_edlae.settings.schema import read_schema
from tests.conftest import ROOT
from tools.upstream import __main__ as command
from tools.upstream import changes, insertions, lift

black = pytest.importorskip("black", reason="black, which formats RecBole's code, is not installed")

MODELS = list(own_models())
# What a checkout has and an installed RecBole has not, in the shape it has there.
CHECKOUT = {
    "tests/model/test_model.yaml": "dataset: ml-100k\nepochs: 1\nstate: ERROR\n",
    "tests/model/test_model_auto.py": """\
import os
import unittest

from recbole.quick_start import objective_function

config = os.path.join(os.path.dirname(__file__), "test_model.yaml")


def quick_test(config_dict):
    objective_function(config_dict=config_dict, config_file_list=[config], saved=False)


class TestGeneralRecommender(unittest.TestCase):
    def test_pop(self):
        config_dict = {
            "model": "Pop",
        }
        quick_test(config_dict)


class TestContextRecommender(unittest.TestCase):
    pass
""",
    "docs/source/recbole/recbole.model.general_recommender.rst": (
        ".. toctree::\n   :maxdepth: 4\n\n   recbole.model.general_recommender.bpr"
    ),
    "docs/source/user_guide/model_intro.rst": (
        ".. toctree::\n   :maxdepth: 1\n\n   model/general/pop\n\n\nContext-aware Recommendation\n-----\n"
    ),
    "asset/model_list.json": '{\n  "data": [\n      {\n          "model": "BPR"\n      }\n  ]\n}\n',
    "requirements.txt": "scipy>=1.6.0\npandas>=1.3.0\n",
    "setup.py": 'install_requires = [\n    "scipy>=1.6.0",\n    "pandas>=1.3.0",\n]\n',
}
# RecBole 1.2.1 on a current stack, in the few lines that these runs need, and no way to this package.
CONFTEST = """\
import os, sys, types
import numpy as np

os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
for dropped, kept in (("float_", "float64"), ("complex_", "complex128"), ("unicode_", "str_")):
    if not hasattr(np, dropped):
        setattr(np, dropped, getattr(np, kept))


class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("recbole_edlae"):
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Blocked())
try:
    import ray.tune
except Exception:
    sys.modules["ray"] = types.ModuleType("ray")
    sys.modules["ray"].tune = sys.modules["ray.tune"] = types.ModuleType("ray.tune")
    sys.modules["ray"].tune.report = lambda **metrics: None
"""
# Prints the file of RecBole, and the results and trainer of every model in the last word of the command line.
TRAINING = """
import conftest, json, sys
import recbole
from recbole.quick_start import run_recbole
from recbole.utils import get_model, get_trainer
from recbole.model import general_recommender

results, trainers = {}, {}
for name, settings in json.loads(sys.argv.pop()).items():
    model = get_model(name)
    assert model.__module__ == "recbole.model.general_recommender." + name.lower()
    assert getattr(general_recommender, name) is model
    trainers[name] = get_trainer(model.type, name).__name__
    results[name] = run_recbole(name, "tiny", config_dict=settings)["test_result"]
assert not any(module.startswith("recbole_edlae") for module in sys.modules)
print(json.dumps([recbole.__file__, results, trainers], default=float))
"""


def recbole_folder() -> pathlib.Path:
    return pathlib.Path(importlib.util.find_spec("recbole").origin).parent


def copy_of_recbole(folder: pathlib.Path) -> pathlib.Path:
    shutil.copytree(recbole_folder(), folder / "recbole", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def checkout(folder: pathlib.Path) -> pathlib.Path:
    for path, text in CHECKOUT.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return copy_of_recbole(folder)


def content(folder: pathlib.Path) -> dict[str, bytes]:
    """Return path → bytes of every file, but for what Python compiles."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def write(folder: pathlib.Path, *models: str) -> pathlib.Path:
    command.main([str(folder), *(["--models", *models] if models else [])])
    return folder


def run(program: list[str], tree: pathlib.Path, *words: str) -> str:
    """Return the standard output of a fresh interpreter in the tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *program, *words],
        capture_output=True,
        text=True,
        cwd=tree,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A checkout with all models."""
    folder = write(checkout(tmp_path_factory.mktemp("checkout")))
    (folder / "conftest.py").write_text(CONFTEST)
    return folder


@pytest.fixture
def unformatted(monkeypatch):
    """Leave black out where the tree is not looked at: it takes most of the time."""
    monkeypatch.setattr(lift, "formatted", lambda text: text)


def refused(capsys, folder: pathlib.Path, *models: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        write(folder, *models)
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1, error
    return error


def check_results(tree: pathlib.Path, models: list[str], settings: dict) -> None:
    """Check that models give the same results in a tree as with this package."""
    settings |= {"rm_dup_inter": "first"}  # RecBole alone would split a repeated pair
    own = {"LowRankEDLAE": {"rank": 8}, "GFCF": {"low_pass_rank": 8}, "ChebyCF": {"low_pass_rank": 8}}
    runs = {name: settings | own.get(name, {}) for name in models}
    if "AutoRec" in models:
        runs["AutoRec"] = settings | {"based_on": "item"}
    if "EnsembleAE" in models:  # RecBole's trainer stops by both paths, this package's by the deep one
        runs["EnsembleAE"] = settings | {"epochs": 1}
    path, results, trainers = json.loads(run(["-c", TRAINING], tree, json.dumps(runs)).splitlines()[-1])
    assert path == str(tree / "recbole" / "__init__.py")
    assert set(trainers.values()) <= {"Trainer", "TraditionalTrainer"}
    for name, own_settings in runs.items():
        assert results[name] == run_recbole(name, "tiny", config_dict=own_settings)["test_result"], name


def written_modules(tree: pathlib.Path) -> set[str]:
    """Return the paths of the modules that RecBole does not have."""
    stock = {f"recbole/{path}" for path in content(recbole_folder())}
    return {path for path in content(tree) if path.startswith("recbole/") and path.endswith(".py")} - stock


def reached_modules(tree: pathlib.Path, model: str) -> set[str]:
    """Return the paths of the modules of a tree that a model imports, directly or not, and RecBole does not have."""
    todo, reached = [f"recbole/model/general_recommender/{model.lower()}.py"], set()
    while todo:
        path = todo.pop()
        if path in reached or not (tree / path).is_file() or (recbole_folder().parent / path).is_file():
            continue
        reached.add(path)
        for node in ast.walk(ast.parse((tree / path).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("recbole."):
                todo.append(node.module.replace(".", "/") + ".py")
    packages = {f"{pathlib.PurePath(path).parent}/__init__.py" for path in reached}
    return reached | {path for path in packages if not (recbole_folder().parent / path).is_file()}


@pytest.mark.slow
def test_recboles_own_tests_of_the_models_pass(tree):
    names = " or ".join(f"test_{name.lower()}" for name in MODELS)
    output = run(["-m", "pytest", "-q", "-p", "no:cacheprovider"], tree, "tests/model/test_model_auto.py", "-k", names)
    assert f"{len(MODELS)} passed" in output


@pytest.mark.slow
def test_all_models_give_the_results_they_give_here(tree, settings):
    check_results(tree, MODELS, settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EDLAE", "DeepAE", "AutoRec"])
def test_one_model_alone_gives_the_results_it_gives_here(name, tmp_path, settings):
    folder = write(copy_of_recbole(tmp_path / "tree"), name)
    (folder / "conftest.py").write_text(CONFTEST)
    check_results(folder, [name], settings)


@pytest.mark.parametrize("name", MODELS)
def test_one_model_brings_nothing_but_what_it_imports(name, tmp_path):
    folder = write(checkout(tmp_path), name)
    modules = written_modules(folder)
    assert modules == reached_modules(folder, name)
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F", "--target-version", "py310"]
    done = subprocess.run([*ruff, *modules], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for other in set(MODELS) - {name}:
        lines = (folder / "recbole/model/general_recommender/__init__.py").read_text().splitlines()
        assert not any(line.endswith(f"import {other}") for line in lines)
    for requirement in ("numba", "threadpoolctl"):
        statement = rf'^(import|from) {requirement}|import_module\("{requirement}"'
        imported = any(re.search(statement, (folder / path).read_text(), re.M) for path in modules)
        assert imported == (requirement in (folder / "requirements.txt").read_text())
        assert imported == (requirement in (folder / "setup.py").read_text())


def test_edlae_brings_no_solver_or_network_of_another_model(tmp_path, unformatted):
    before = content(copy_of_recbole(tmp_path))
    after = content(write(tmp_path, "EDLAE"))
    modules = {pathlib.PurePath(path).stem for path in after.keys() - before.keys()}
    assert {"edlae", "linear", "full_rank", "gram", "neighbors"} <= modules
    others = {"als", "admm", "eigen", "zero_diagonal", "free_diagonal", "weight_decay", "low_rank", "stationarity"}
    others |= {
        "shards",
        "stored_gram",
        "paper",
        "trainer",
        "choices",
        "iterations",
        "objective",
        "deep",
        "item_dataloader",
    }
    assert not modules & others
    assert not any(path.startswith("recbole/model/nn") for path in after)
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"recbole/model/general_recommender/__init__.py"}


def test_a_second_model_adds_only_what_is_missing(tmp_path, capsys):
    together = content(write(checkout(tmp_path / "together"), "EDLAE", "DLAE"))
    folder = write(checkout(tmp_path / "apart"), "EDLAE")
    before = content(folder)
    capsys.readouterr()
    write(folder, "DLAE")
    output = capsys.readouterr().out
    assert "dlae.py" in output and "low_rank.py" in output and "full_rank.py" not in output
    assert content(folder) == together
    changed = {path for path in before if before[path] != together[path]}
    assert changed <= {"recbole/model/general_recommender/__init__.py", *CHECKOUT}


def test_all_models_at_once_are_what_they_are_one_by_one(tmp_path, tree):
    folder = checkout(tmp_path)
    for name in MODELS:
        write(folder, name)
    one_by_one, at_once = content(folder), content(tree)
    assert written_modules(folder) == written_modules(tree)
    assert one_by_one == {path: at_once[path] for path in one_by_one}


class Comparable(ast.NodeTransformer):
    """Drop import statements, examples in docstrings and attributes that RecBole does not read."""

    def visit_Import(self, node):
        return None

    def visit_ImportFrom(self, node):
        return None

    def visit_Constant(self, node):
        return ast.Constant(node.value.partition("Examples:")[0].strip()) if isinstance(node.value, str) else node

    def visit_ClassDef(self, node):
        node.body = [part for part in node.body if not self.is_unread(part)]
        return self.generic_visit(node)

    def is_unread(self, part):
        targets = [*getattr(part, "targets", []), getattr(part, "target", None)]
        return any(isinstance(target, ast.Name) and target.id in lift.UNREAD for target in targets)


def test_a_module_is_lifted_with_imports_rewritten_and_unread_parts_cut_and_nothing_else(tree):
    sources = {lift.path(module): module for module in modules_of_the_package()}
    for path in written_modules(tree):
        if path.endswith("/__init__.py"):
            assert len(ast.parse((tree / path).read_text()).body) == 1
            continue
        here = ast.parse(lift.source(sources[path]))
        there = ast.parse((tree / path).read_text())
        assert ast.dump(Comparable().visit(there)) == ast.dump(Comparable().visit(here)), path


def modules_of_the_package() -> list[str]:
    """Return the modules of this package that have a place in RecBole."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("recbole_edlae/*/*.py")]
    inside = ("recbole_edlae.model.", "recbole_edlae.solvers.", "recbole_edlae.nn.", "recbole_edlae.data.")
    return [name for name in names if name.startswith(inside)] + ["recbole_edlae._choices"]


def test_examples_in_docstrings_are_cut(monkeypatch):
    text = '''\
def double(x):
    """Double a number.

    Examples:
        >>> from recbole_edlae.solvers import gram

        >>> double(2)
        4

    Returns:
        float: twice x
    """
    return 2 * x


def half(x):
    """Halve a number.

    Examples:
        >>> half(2)
        1
    """
    return x / 2
'''
    monkeypatch.setattr(lift, "source", lambda module: text)
    lifted = lift.formatted(lift.with_imports_of_recbole(lift.without_unread_parts("recbole_edlae.solvers._double")))
    assert ">>>" not in lifted and "Examples" not in lifted
    assert '"""Double a number.\n\n    Returns:\n        float: twice x\n    """\n    return 2 * x' in lifted
    assert re.search(r'"""Halve a number\.\s*"""\n    return x / 2', lifted)


@pytest.mark.parametrize(
    "text, lifted",
    [
        (
            "from recbole_edlae.solvers import gram, inverse_gram as f\nfrom recbole_edlae.solvers._gram import G\n",
            "from recbole.model.solvers.gram import G, gram\n"
            "from recbole.model.solvers.system import inverse_gram as f\n",
        ),
        (
            "def f():\n    from recbole_edlae.solvers import full_rank, gram\n",
            "def f():\n    from recbole.model.solvers.full_rank import full_rank\n"
            "    from recbole.model.solvers.gram import gram\n",
        ),
        ("from recbole_edlae._choices import choose\n", "from recbole.utils.choices import choose\n"),
    ],
)
def test_import_lines(text, lifted):
    assert lift.with_imports_of_recbole(text) == lifted


@pytest.mark.parametrize(
    "text, message",
    [
        ("from recbole_edlae.settings.names import x\n", "has no place in RecBole"),
        ("from recbole_edlae.solvers import nothing\n", "does not import it"),
        ("import recbole_edlae.solvers\n", "only imports of names"),
        ("name = 'recbole_edlae.solvers'\n", "outside of an import"),
    ],
)
def test_what_cannot_be_lifted_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        lift.with_imports_of_recbole(text)


def test_nothing_of_this_package_is_left_and_all_is_black(tree):
    files = [path for path in tree.rglob("*") if path.suffix in (".py", ".yaml", ".rst", ".json", ".txt")]
    assert [path.name for path in files if "recbole_edlae" in path.read_text()] == ["conftest.py"]
    for path in (*written_modules(tree), *(path for path in CHECKOUT if path.endswith(".py"))):
        text = (tree / path).read_text()
        assert black.format_str(text, mode=black.Mode()) == text, path


def test_of_recboles_own_code_only_the_loader_changes(tree):
    before, after = content(recbole_folder()), content(tree / "recbole")
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"data/utils.py", "model/general_recommender/__init__.py"}
    stock, new = before["data/utils.py"].decode(), after["data/utils.py"].decode()
    assert new.replace(insertions.LOADER, "") == stock
    was_clean = black.format_str(stock, mode=black.Mode()) == stock
    assert (black.format_str(new, mode=black.Mode()) == new) == was_clean


def test_a_second_run_changes_nothing_and_says_so(tree, capsys):
    before = content(tree)
    write(tree)
    assert "nothing to do" in capsys.readouterr().out
    assert content(tree) == before


def test_it_prints_the_files_with_their_lines_and_the_sums(tmp_path, capsys):
    before = content(checkout(tmp_path))
    after = content(write(tmp_path, "EDLAE"))
    *lines, sums = capsys.readouterr().out.splitlines()
    printed = {path: int(count) for count, path in (line.split() for line in lines)}
    lengths = {
        path: len(after[path].splitlines()) - len(before.get(path, b"").splitlines())
        for path in after
        if after[path] != before.get(path)
    }
    assert printed == lengths
    new = {path: count for path, count in lengths.items() if path not in before}
    added = sum(lengths.values()) - sum(new.values())
    assert sums == f"{len(new)} new files, {sum(new.values())} lines; {added} lines in {len(lengths) - len(new)} files"


def test_pages_tests_and_lists_have_every_model(tree):
    entries = json.loads((tree / "asset/model_list.json").read_text())["data"]
    papers = {entry["model"]: entry.get("paper") for entry in entries}
    assert papers == {"BPR": None} | {name: model_class(name).paper.title for name in MODELS}
    assert {entry["pub"] for entry in entries if entry["model"] == "EDLAE"} == {"NeurIPS'20"}
    for name in MODELS:
        guide = (tree / f"docs/source/user_guide/model/general/{name.lower()}.rst").read_text()
        assert all(f"``{key} (" in guide for key in read_schema(own_models()[name]))
        assert f"model='{name}'" in guide and model_class(name).paper.title in guide
        for line in model_class(name).search_space.split("\n"):
            assert not line.strip() or f"\n   {line.strip()}\n" in guide
        intro = (tree / "docs/source/user_guide/model_intro.rst").read_text()
        assert f"   model/general/{name.lower()}\n" in intro.partition("Context-aware")[0]
        listed = (tree / "docs/source/recbole/recbole.model.general_recommender.rst").read_text().split()
        assert f"recbole.model.general_recommender.{name.lower()}" in listed


def test_the_requirements_are_this_packages_own(tree):
    for path in (tree / "requirements.txt", tree / "setup.py"):
        added = re.findall(r"[\w-]+>=[\d.]+", path.read_text().partition("pandas")[0])
        assert {re.split(r"\W", line)[0] for line in added} == {"scipy", "numba", "threadpoolctl"}
        for requirement in added:
            assert (
                requirement.startswith("scipy") or requirement.replace(">=", " >=") in (ROOT / "setup.cfg").read_text()
            )


def test_an_installed_recbole_gets_the_package_alone(tmp_path, capsys, unformatted):
    write(copy_of_recbole(tmp_path))
    output = capsys.readouterr().out
    assert "left out, because this tree does not have them: requirements.txt, setup.py, tests/model" in output
    assert {path.name for path in tmp_path.iterdir()} == {"recbole"}


@pytest.mark.slow
def test_the_command_runs_from_a_clone():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tools.upstream", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m tools.upstream"), done.stderr
    assert "--models" in done.stdout and "EDLAE" in done.stdout


def test_a_folder_that_is_no_recbole_tree(tmp_path, capsys):
    assert "is no RecBole source tree: it has no recbole/model" in refused(capsys, tmp_path)


def test_an_unknown_model(tmp_path, capsys):
    folder = copy_of_recbole(tmp_path)
    before = content(folder)
    assert "unknown model 'EDLE'; did you mean EDLAE?" in refused(capsys, folder, "DLAE", "EDLE")
    assert content(folder) == before


def test_a_file_in_the_way_is_kept_and_nothing_is_written(tmp_path, capsys, unformatted):
    own_file = checkout(tmp_path) / "recbole/model/general_recommender/edlae.py"
    own_file.write_text("mine = True\n")
    before = content(tmp_path)
    error = refused(capsys, tmp_path, "EDLAE")
    assert "nothing was written" in error and "edlae.py is another file" in error
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "path, change, message",
    [
        ("requirements.txt", lambda text: "numba==0.50\n" + text, "has another 'numba'"),
        ("recbole/data/utils.py", lambda text: text.replace("register_table:", "table:"), "has no place for"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(path, change, message, tmp_path, capsys, unformatted):
    file = checkout(tmp_path) / path
    file.write_text(change(file.read_text()))
    before = content(tmp_path)
    assert message in refused(capsys, tmp_path)
    assert content(tmp_path) == before


def test_changes_of_the_user_stay(tmp_path, unformatted):
    file = checkout(tmp_path) / "recbole/data/utils.py"
    file.write_text("# mine\n" + file.read_text())
    write(tmp_path)
    assert file.read_text().startswith("# mine\n") and "train_loader" in file.read_text()


def test_without_black_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "black", None)
    lift.formatted.cache_clear()
    assert "pip install black" in refused(capsys, copy_of_recbole(tmp_path))


def test_a_plan_without_names_is_of_all_models(tmp_path, unformatted):
    folder = copy_of_recbole(tmp_path)
    assert changes.plan(folder) == changes.plan(folder, MODELS)
