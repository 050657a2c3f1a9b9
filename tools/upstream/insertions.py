"""Lines that models add to RecBole's own files: only those that the models in question need."""

import configparser
import dataclasses
import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Mapping

from recbole_edlae.integration.models import model_class
from tools.upstream import pages
from tools.upstream.lift import ROOT, third_party

GENERAL_RECOMMENDERS = "recbole/model/general_recommender/__init__.py"
LOADER = """\
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
    """A text to add to one of RecBole's own files.

    Attributes:
        path: Path of the file in a RecBole tree.
        text: The lines.
        sign: Part of the text that is in the file if some version of the text is.
        before: Regular expression: the text goes before its first match, by default at the end of the file.
        optional: Whether to leave the text out where the tree has no such file: an installed RecBole has neither
            documentation nor tests.
    """

    path: str
    text: str
    sign: str
    before: str = r"\Z"
    optional: bool = False

    def into(self, content: str) -> str:
        """Return the content of the file with the text in it.

        Raises:
            ValueError: The content has another version of the text, or nothing that looks like ``before``.
        """
        if self.text.strip("\n") in content:
            return content
        if re.search(rf"{re.escape(self.sign)}(?!\w)", content):
            raise ValueError(f"{self.path} has another {self.sign!r}")
        match = re.search(self.before, content)
        if match is None:
            raise ValueError(f"{self.path} has no place for {self.sign!r}: nothing in it looks like {self.before!r}")
        head, tail = content[: match.start()], content[match.start() :]
        if head and not head.endswith("\n"):
            head += "\n"
        return head + self.text + tail


def insertions(models: Iterable[str], texts: Mapping[str, str]) -> Iterator[Insertion]:
    """Yield what some models add to RecBole's own files.

    Args:
        models: Names of the models.
        texts: Path → text of the modules that the models bring.
    """
    models = list(models)
    for name in models:
        line = f"from recbole.model.general_recommender.{name.lower()} import {name}\n"
        yield Insertion(GENERAL_RECOMMENDERS, line, f"import {name}")
    if any(hasattr(model_class(name), "train_loader") for name in models):
        place = r'    if config\["model"\] in register_table:'
        yield Insertion("recbole/data/utils.py", LOADER, "train_loader", place)
    for name, requirement in requirements(texts).items():
        yield Insertion("requirements.txt", f"{requirement}\n", name, r"(?m)^pandas|\Z", True)
        yield Insertion("setup.py", f'    "{requirement}",\n', name, r'    "pandas', True)
    for name in models:
        yield from _beside_the_package(name)


def requirements(texts: Mapping[str, str]) -> dict[str, str]:
    """Return name → requirement, as this package has it, of what modules import and RecBole does not require.

    Args:
        texts: Path → text of the modules.
    """
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup["options"]["install_requires"].split("\n")
    known = {_distribution(line): line.replace(" ", "") for line in lines if line and ";" not in line}
    recboles = {_distribution(line) for line in importlib.metadata.requires("recbole") or []}
    return {name: known[name] for name in third_party(texts) if name not in recboles}


def _distribution(requirement: str) -> str:
    """Return the name that a requirement begins with."""
    return re.split(r"[^\w-]", requirement, maxsplit=1)[0]


def _beside_the_package(name: str) -> Iterator[Insertion]:
    """Yield a model's lines in RecBole's tests, documentation and list of models."""
    lower = name.lower()
    test, sign = _TEST.format(name=name, lower=lower), f"def test_{lower}("
    yield Insertion("tests/model/test_model_auto.py", test, sign, r"\n\nclass TestContextRecommender", True)
    module = f"   recbole.model.general_recommender.{lower}\n"
    yield Insertion("docs/source/recbole/recbole.model.general_recommender.rst", module, module.strip(), optional=True)
    page, end_of_pages = f"   model/general/{lower}\n", r"\n\nContext-aware Recommendation\n"
    yield Insertion("docs/source/user_guide/model_intro.rst", page, page.strip(), end_of_pages, True)
    entry, sign = pages.list_entry(name), f'"model": "{name}"'
    yield Insertion("asset/model_list.json", entry, sign, r'(?<="data": \[\n)', True)
