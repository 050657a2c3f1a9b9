"""The models laid into a copy of the installed RecBole, where this package cannot be imported."""

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

from recbole_edlae import cli
from recbole_edlae.integration import models as registry
from recbole_edlae.settings.schema import read_schema
from tests.conftest import ROOT
from tools.upstream import __main__ as command
from tools.upstream import lift, pages

black = pytest.importorskip("black", reason="black, which formats RecBole's code, is not installed")

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


def copy_of_recbole(folder):
    stock = pathlib.Path(importlib.util.find_spec("recbole").origin).parent
    shutil.copytree(stock, folder / "recbole", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def checkout(folder):
    for path, text in CHECKOUT.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return copy_of_recbole(folder)


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(program, tree, *words):
    """Standard output of a fresh interpreter in the tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *program, *words],
        capture_output=True, text=True, cwd=tree, env=environment, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A checkout with the models laid in."""
    folder = checkout(tmp_path_factory.mktemp("checkout"))
    cli.main(["upstream", str(folder)])
    (folder / "conftest.py").write_text(CONFTEST)
    return folder


@pytest.fixture
def unformatted(monkeypatch):
    """Leaves black out where the tree is not looked at: it takes most of the time."""
    monkeypatch.setattr(lift, "formatted", lambda text: text)


def refused(capsys, folder):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["upstream", str(folder)])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1, error
    return error


@pytest.mark.slow
def test_recboles_own_tests_of_the_models_pass(tree):
    names = " or ".join(f"test_{name.lower()}" for name in registry.MODELS)
    said = run(["-m", "pytest", "-q", "-p", "no:cacheprovider"], tree, "tests/model/test_model_auto.py", "-k", names)
    assert f"{len(registry.MODELS)} passed" in said


@pytest.mark.slow
def test_every_model_gives_the_results_it_gives_here(tree, settings):
    program = """
import conftest, json, sys
import recbole
from recbole.quick_start import load_data_and_model, run_recbole
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
    settings |= {"rm_dup_inter": "first"}  # RecBole alone would split a repeated pair
    wanted = {name: settings | ({"rank": 8} if name == "LowRankEDLAE" else {}) for name in registry.MODELS}
    wanted["AutoRec"] = settings | {"based_on": "item"}
    path, results, trainers = json.loads(run(["-c", program], tree, json.dumps(wanted)).splitlines()[-1])
    assert path == str(tree / "recbole" / "__init__.py")
    assert trainers == {name: trainer or "Trainer" for name, trainer in registry.MODELS.items()}
    for name, own in wanted.items():
        assert results[name] == run_recbole(name, "tiny", config_dict=own)["test_result"], name


@pytest.mark.parametrize("path", lift.needed(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_is_lifted_with_its_import_lines_rewritten_and_nothing_else(path, tree):
    class Back(ast.NodeTransformer):
        def visit_ImportFrom(self, node):
            for folder, place in lift.PLACES.items():
                node.module = re.sub(rf"^{re.escape(place)}(?=\.\w+$|$)", f"recbole_edlae.{folder}", node.module)
            return node

    here = ast.parse(path.read_text())
    there = ast.parse((tree / lift.target(path)).read_text())
    assert ast.dump(Back().visit(there)) == ast.dump(Back().visit(here))


def test_nothing_of_this_package_is_left_and_all_is_black(tree):
    files = [path for path in tree.rglob("*") if path.suffix in (".py", ".yaml", ".rst", ".json", ".txt")]
    assert [path.name for path in files if "recbole_edlae" in path.read_text()] == ["conftest.py"]
    for path in (*map(lift.target, lift.needed()), *(path for path in CHECKOUT if path.endswith(".py"))):
        text = (tree / path).read_text()
        assert black.format_str(text, mode=black.Mode()) == text, path


def test_what_black_says_of_recboles_own_files_does_not_change(tree):
    stock = pathlib.Path(importlib.util.find_spec("recbole").origin).parents[1]
    for path in ("recbole/trainer/trainer.py", "recbole/data/utils.py"):
        before, after = (stock / path).read_text(), (tree / path).read_text()
        added = [text for text in (command._LOADER, lift.trainers()) if text in after]
        assert len(added) == 1 and len(after) - len(before) == len(added[0]) + 2 * path.endswith("trainer.py")
        was_clean = black.format_str(before, mode=black.Mode()) == before
        assert (black.format_str(after, mode=black.Mode()) == after) == was_clean


def test_a_second_run_changes_nothing_and_says_so(tree, capsys):
    before = content(tree)
    cli.main(["upstream", str(tree)])
    assert "nothing to do" in capsys.readouterr().out
    assert content(tree) == before


def test_pages_tests_and_lists_have_every_model(tree):
    for name in registry.MODELS:
        guide = (tree / f"docs/source/user_guide/model/general/{name.lower()}.rst").read_text()
        assert all(f"``{key} (" in guide for key in read_schema(registry.PROPERTIES / f"{name}.yaml"))
        assert f"model='{name}'" in guide and " choice " in guide
        intro = (tree / "docs/source/user_guide/model_intro.rst").read_text()
        assert f"   model/general/{name.lower()}\n" in intro.partition("Context-aware")[0]
        listed = (tree / "docs/source/recbole/recbole.model.general_recommender.rst").read_text().split()
        assert f"recbole.model.general_recommender.{name.lower()}" in listed
    models = json.loads((tree / "asset/model_list.json").read_text())["data"]
    assert {model["model"] for model in models} == {"BPR", *registry.MODELS}
    assert pages.PAPERS.keys() == registry.MODELS.keys()


def test_the_requirement_is_this_packages_own(tree):
    for path in (tree / "requirements.txt", tree / "setup.py"):
        assert command.NUMBA in path.read_text()
    assert command.NUMBA.replace(">=", " >=") in (ROOT / "setup.cfg").read_text()


def test_an_installed_recbole_gets_the_package_alone(tmp_path, capsys, unformatted):
    cli.main(["upstream", str(copy_of_recbole(tmp_path))])
    said = capsys.readouterr().out
    assert "left out: requirements.txt, setup.py, tests/model/test_model_auto.py" in said
    assert {path.name for path in tmp_path.iterdir()} == {"recbole"}


def test_a_folder_that_is_no_recbole_tree(tmp_path, capsys):
    assert "is no RecBole source tree: it has no recbole/model" in refused(capsys, tmp_path)


def test_a_file_in_the_way_is_kept_and_nothing_is_written(tmp_path, capsys, unformatted):
    own = checkout(tmp_path) / "recbole/model/general_recommender/edlae.py"
    own.write_text("mine = True\n")
    before = content(tmp_path)
    assert "nothing was written" in (said := refused(capsys, tmp_path)) and "edlae.py is another file" in said
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "path, change, said",
    [
        ("recbole/trainer/trainer.py", lambda text: text + "\nclass ClosedFormTrainer:\n    pass\n", "has another"),
        ("recbole/data/utils.py", lambda text: text.replace("register_table:", "table:"), "has no place for"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(path, change, said, tmp_path, capsys, unformatted):
    file = checkout(tmp_path) / path
    file.write_text(change(file.read_text()))
    before = content(tmp_path)
    assert said in refused(capsys, tmp_path)
    assert content(tmp_path) == before


def test_a_users_own_changes_stay(tmp_path, unformatted):
    file = checkout(tmp_path) / "recbole/data/utils.py"
    file.write_text("# mine\n" + file.read_text())
    cli.main(["upstream", str(tmp_path)])
    assert file.read_text().startswith("# mine\n") and "train_loader" in file.read_text()


def test_without_black_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "black", None)
    assert "pip install black" in refused(capsys, copy_of_recbole(tmp_path))
