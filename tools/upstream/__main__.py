"""`recbole-edlae upstream`: lays the models into a RecBole source tree, as a pull request to it would bring them.

New files are written, and lines added to RecBole's own; nothing that is there is changed or overwritten. What is in the
tree already stays as it is, so that a second run changes nothing. The models then need Python 3.10 and numba, and no
line of this package.
"""

import collections
import dataclasses
import pathlib
import re

from recbole_edlae.cli.errors import errors_in_one_line
from recbole_edlae.cli.parser import Parser
from recbole_edlae.integration import models as registry
from tools.upstream import lift, pages

PROGRAM = "recbole-edlae upstream"
NUMBA = "numba>=0.61"
_MODELS = "recbole/model/general_recommender/__init__.py"
_LOADER = """\
    train_loader = getattr(config.model_class, "train_loader", None)
    if train_loader is not None and phase == "train":
        return train_loader(config)

"""
_TEST = """
    def test_{lower}(self):
        config_dict = {{
            "model": "{name}",
        }}
        quick_test(config_dict)
"""


@dataclasses.dataclass(frozen=True)
class Insertion:
    """A text that goes into one of RecBole's own files."""

    path: str
    text: str
    sign: str  # a part of the text that is in the file if some version of the text is
    before: str = r"\Z"  # regular expression for where it goes: before its match, the end of the file if not told
    optional: bool = False  # left out where the tree has no such file: an installed RecBole has no docs and tests

    def into(self, content):
        """The content with the text in it.

        Raises:
            ValueError: another version of the text is there, or its place is not.
        """
        if self.text.strip("\n") in content:
            return content
        if re.search(rf"{re.escape(self.sign)}(?!\w)", content):
            raise ValueError(f"{self.path} has another {self.sign!r}")
        place = re.search(self.before, content)
        if place is None:
            raise ValueError(f"{self.path} has no place for {self.sign!r}: nothing in it looks like {self.before!r}")
        head, tail = content[: place.start()], content[place.start() :]
        return head + "\n" * (bool(head) and head[-1] != "\n") + self.text + tail


def main(arguments):
    """Lays the models in and says which files it wrote."""
    parser = Parser(PROGRAM, description=__doc__.partition("\n\n")[0].partition(": ")[2])
    parser.add_argument("path", type=pathlib.Path, help="a checkout of RecBole, the folder that has recbole/ in it")
    options = parser.parse_args(arguments)
    with errors_in_one_line(PROGRAM):
        changes, absent = plan(options.path)
        write(changes, options.path)
    for path in changes:
        print(path)
    if absent:
        print(f"not in this tree, and left out: {', '.join(absent)}")
    print(f"{len(changes)} files written" if changes else "nothing to do: the models are in this tree already")


def plan(root):
    """What is to be written into a tree, looked at as a whole before anything is.

    Args:
        root: pathlib.Path of the tree.

    Returns:
        tuple: dict of path → new content, and list of the paths of RecBole's own that this tree has not.

    Raises:
        ValueError: root is no RecBole tree, or has something else where the models would go.
    """
    if not (root / _MODELS).is_file():
        raise ValueError(f"{root} is no RecBole source tree: it has no {_MODELS}")
    changes, absent, wrong = collections.OrderedDict(), [], []
    for path, text in new_files(root).items():
        there = _read(root / path)
        if there is None:
            changes[path] = text
        elif there != text:
            wrong.append(f"{path} is another file than the one to write")
    for insertion in insertions():
        content = changes.get(insertion.path, _read(root / insertion.path))
        if content is None:
            (absent if insertion.optional else wrong).append(insertion.path)
            continue
        try:
            new = insertion.into(content)
        except ValueError as error:
            wrong.append(str(error))
            continue
        if new != content:
            changes[insertion.path] = new
    if wrong:
        raise ValueError(f"nothing was written to {root}: {'; '.join(dict.fromkeys(wrong))}")
    return changes, list(dict.fromkeys(absent))


def new_files(root):
    """Path → text of the files that RecBole has not: modules, default settings and, where it has docs, their pages."""
    files = lift.modules()
    for name in registry.MODELS:
        settings = registry.PROPERTIES / f"{name}.yaml"
        files[f"recbole/properties/model/{name}.yaml"] = settings.read_text(encoding="utf-8")
        if (root / "docs" / "source").is_dir():
            module = f"recbole.model.general_recommender.{name.lower()}"
            files[f"docs/source/recbole/{module}.rst"] = pages.reference(name)
            files[f"docs/source/user_guide/model/general/{name.lower()}.rst"] = pages.guide(name)
    return files


def insertions():
    """What is added to RecBole's own files."""
    trainers = lift.trainers()
    loader = "from recbole.data.dataloader.item_dataloader import *\n"
    return [
        *map(_import_of, registry.MODELS),
        Insertion("recbole/data/dataloader/__init__.py", loader, loader.split()[1]),
        Insertion("recbole/data/utils.py", _LOADER, "train_loader", r'    if config\["model"\] in register_table:'),
        Insertion("recbole/trainer/trainer.py", f"\n\n{trainers}", re.search(r"class \w+", trainers)[0]),
        Insertion("requirements.txt", f"{NUMBA}\n", "numba", r"(?m)^pandas|\Z", True),
        Insertion("setup.py", f'    "{NUMBA}",\n', "numba", r'    "pandas', True),
        *(insertion for name in registry.MODELS for insertion in _beside_the_package(name)),
    ]


def write(changes, root):
    """Writes path → content under a folder.

    Raises:
        ValueError: a file cannot be written.
    """
    for path, content in changes.items():
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content, encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{root / path} cannot be written: {error.strerror}") from None


def _import_of(name):
    line = f"from recbole.model.general_recommender.{name.lower()} import {name}\n"
    return Insertion(_MODELS, line, f"import {name}")


def _beside_the_package(name):
    """RecBole's tests, documentation and list of models."""
    lower = name.lower()
    module, page = f"   recbole.model.general_recommender.{lower}\n", f"   model/general/{lower}\n"
    test = _TEST.format(name=name, lower=lower)
    end_of_tests, end_of_pages = r"\n\nclass TestContextRecommender", r"\n\nContext-aware Recommendation\n"
    parts = [
        ("tests/model/test_model_auto.py", test, f"def test_{lower}(", end_of_tests),
        ("docs/source/recbole/recbole.model.general_recommender.rst", module, module.strip(), r"\Z"),
        ("docs/source/user_guide/model_intro.rst", page, page.strip(), end_of_pages),
        ("asset/model_list.json", pages.list_entry(name), f'"model": "{name}"', r'(?<="data": \[\n)'),
    ]
    return [Insertion(*part, optional=True) for part in parts]


def _read(path):
    return path.read_text(encoding="utf-8") if path.is_file() else None
