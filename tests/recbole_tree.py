"""A copy of the installed RecBole with the lists of a checkout, and programs that run in it."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys

from tests.conftest import ROOT

PACKAGE_LISTS = ("model/general_recommender/__init__.py", "data/utils.py")
# What a checkout has and an installed RecBole has not, in the shape it has there.
LISTS = {
    "tests/model/test_model_auto.py": """\
class TestGeneralRecommender(unittest.TestCase):
    def test_ease(self):
        config_dict = {
            "model": "EASE",
        }
        quick_test(config_dict)

    def test_MultiDAE(self):
        config_dict = {"model": "MultiDAE", "train_neg_sample_args": None}
        quick_test(config_dict)
""",
    "docs/source/recbole/recbole.model.general_recommender.rst": (
        ".. toctree::\n\n   recbole.model.general_recommender.ease\n   recbole.model.general_recommender.enmf\n"
    ),
    "docs/source/user_guide/model_intro.rst": (
        ".. toctree::\n   :maxdepth: 1\n\n   model/general/ease\n   model/general/slimelastic\n"
    ),
    "asset/model_list.json": (
        '{\n  "data": [\n      {\n          "model": "EASE",\n          "ref_code": ""\n      },\n'
        '      {\n          "model": "FISM"\n      }\n  ]\n}\n'
    ),
}


def installed() -> pathlib.Path:
    """Return the folder of the installed package."""
    return pathlib.Path(importlib.util.find_spec("recbole").origin).parent


def copy_of_recbole(folder: pathlib.Path) -> pathlib.Path:
    """Copy the installed package into a folder and return the folder."""
    shutil.copytree(
        installed(), folder / "recbole", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
    return folder


def checkout(folder: pathlib.Path) -> pathlib.Path:
    """Write into a folder the lists of a checkout, those of the package among them, and return the folder."""
    of_package = {path: (installed() / path).read_text() for path in PACKAGE_LISTS}
    for path, text in {**LISTS, **{f"recbole/{path}": text for path, text in of_package.items()}}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def run(program: str, tree: pathlib.Path, given: str = "") -> str:
    """Return the standard output of a program in a fresh interpreter, whose RecBole is that of the tree."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        input=given,
        capture_output=True,
        text=True,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{ROOT}"},
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
