"""Write one reference model into a RecBole source tree: `python -m tools.upstream RECBOLE --models EDLAE`.

The folder `upstream` has the files of the models as they lie in RecBole, and a page for each pull request. They are
copied, and the model gets its lines in the files where RecBole lists all models. Nothing there is overwritten, and a
second run changes nothing.
"""

import argparse
import json
import pathlib
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recbole_edlae._choices import closest_first

OVERLAY = pathlib.Path(__file__).parents[1] / "upstream"


class Model(NamedTuple):
    """What a model's own files do not say.

    Attributes:
        venue: Where its paper appeared, as RecBole's list of models has it.
        tests: Name of a test → settings of its run.
        reads_users: Whether training takes batches of users.
    """

    venue: str
    tests: dict[str, dict]
    reads_users: bool = False


MODELS = {
    "EDLAE": Model("NeurIPS'20", {"edlae": {}, "dlae": {"emphasis": [1.0, 1.0]}}),
    "LowRankEDLAE": Model("NeurIPS'20", {"lowrankedlae": {"rank": 10}}),
    "DeepAE": Model(
        "JMLR'10", {"deepae": {}, "deepae_with_hidden_layer": {"mlp_hidden_size": [64]}}, reads_users=True
    ),
    "AutoRec": Model(
        "WWW'15", {"autorec": {}, "autorec_of_ratings": {"feedback": "rating"}}, reads_users=True
    ),
}


class Insertion(NamedTuple):
    """Lines for one of RecBole's own files, right after the first match of a regular expression."""

    path: str
    after: str
    lines: str

    def into(self, text: str) -> str:
        """Return the text of the file with the lines in it.

        Raises:
            ValueError: Nothing in the text looks like ``after``.
        """
        if self.lines in text:
            return text
        match = re.search(self.after, text)
        if match is None:
            raise ValueError(f"{self.path} has no line like {self.after!r}")
        return text[: match.end()] + self.lines + text[match.end() :]


def insertions(name: str) -> Iterator[Insertion]:
    """Yield a model's lines in RecBole's own files."""
    lower, model = name.lower(), MODELS[name]
    package = "recbole.model.general_recommender"
    folder = package.replace(".", "/")

    line = f"from {package}.{lower} import {name}\n"
    yield Insertion(f"{folder}/__init__.py", r"import EASE\n", line)
    if model.reads_users:
        yield Insertion(
            "recbole/data/utils.py", r'"CDAE": .*\n', f'        "{name}": _get_AE_dataloader,\n'
        )

    tests = "".join(
        f"\n    def test_{test}(self):\n"
        f"        config_dict = {json.dumps({'model': name, **settings})}\n"
        "        quick_test(config_dict)\n"
        for test, settings in model.tests.items()
    )
    yield Insertion(
        "tests/model/test_model_auto.py", r"(?s)def test_ease.*?quick_test\(config_dict\)\n", tests
    )

    yield Insertion(f"docs/source/recbole/{package}.rst", rf"{package}\.ease\n", f"   {package}.{lower}\n")
    yield Insertion(
        "docs/source/user_guide/model_intro.rst", r"model/general/ease\n", f"   model/general/{lower}\n"
    )
    yield Insertion("asset/model_list.json", r'(?s)"model": "EASE",.*?},\n', list_entry(name))


def list_entry(name: str) -> str:
    """Return a model's entry in RecBole's list of models, from the model's page of the user guide."""
    page = (OVERLAY / f"docs/source/user_guide/model/general/{name.lower()}.rst").read_text(
        encoding="utf-8"
    )
    venue = MODELS[name].venue
    entry = {
        "category": "General Recommendation",
        "cate_link": "/docs/user_guide/model_intro.html#general-recommendation",
        "year": f"20{venue[-2:]}",
        "pub": venue,
        "model": name,
        "model_link": f"/docs/user_guide/model/general/{name.lower()}.html",
        "paper": re.findall(r"\*\*Title:\*\* (.*)", page)[0],
        "paper_link": re.findall(r"`\[paper\] <(.*)>`_", page)[0],
        "authors": re.findall(r"\*\*Authors:\*\* (.*)", page)[0],
        "ref_code": "",
        "repository": "RecBole",
        "repo_link": "https://github.com/RUCAIBox/RecBole",
    }
    return textwrap.indent(json.dumps(entry, indent=4), " " * 6) + ",\n"


def overlay_files(name: str) -> list[pathlib.Path]:
    """Return the paths of a model's own files, relative to the folder `upstream` and to RecBole."""
    lower = name.lower()
    names = {
        f"{lower}.py",
        f"{name}.yaml",
        f"{lower}.rst",
        f"recbole.model.general_recommender.{lower}.rst",
    }
    return sorted(path.relative_to(OVERLAY) for path in OVERLAY.rglob("*.*") if path.name in names)


def plan(root: pathlib.Path, name: str) -> dict[pathlib.Path, str]:
    """Return path in RecBole → new text, for every file that a model adds or changes.

    Args:
        root: Folder of RecBole's sources.
        name: Name of the model.

    Raises:
        ValueError: RecBole has another file in the place of one of the model's, or lines do not fit.
        OSError: A file cannot be read.
    """
    texts = {}
    for path in overlay_files(name):
        texts[path] = (OVERLAY / path).read_text(encoding="utf-8")
        if (root / path).exists() and (root / path).read_text(encoding="utf-8") != texts[path]:
            raise ValueError(f"{root / path} is in the way: it is another file than {OVERLAY / path}")

    for insertion in insertions(name):
        path = pathlib.Path(insertion.path)
        texts[path] = insertion.into(texts.get(path) or (root / path).read_text(encoding="utf-8"))
    return texts


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files of a model and print their paths.

    Args:
        arguments: Words of the command line; by default those of the process.
    """
    parser = argparse.ArgumentParser(
        "python -m tools.upstream", description=(__doc__ or "").partition(":")[0] + "."
    )
    parser.add_argument("path", type=pathlib.Path, metavar="RECBOLE", help="a checkout of RecBole")
    parser.add_argument("--models", required=True, metavar="NAME", help=", ".join(MODELS))
    options = parser.parse_args(arguments)
    if options.models not in MODELS:
        parser.error(
            f"unknown model {options.models!r}; did you mean {closest_first(options.models, MODELS)[0]}?"
        )

    try:
        texts = plan(options.path, options.models)
    except (OSError, ValueError) as error:
        parser.error(f"nothing is written: {error}")
    for path, text in texts.items():
        (options.path / path).parent.mkdir(parents=True, exist_ok=True)
        (options.path / path).write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
