"""This package's modules as RecBole's own: import lines rewritten, formatted as RecBole is, and nothing else.

A model needs its base class, its solvers or networks, and what those import; that is what is lifted.
"""

import ast
import pathlib
import re

from recbole_edlae.integration import models as registry

PACKAGE = pathlib.Path(__file__).parents[2] / "recbole_edlae"
PLACES = {  # folder here → package in RecBole
    "model": "recbole.model.general_recommender",
    "solvers": "recbole.model.solvers",
    "nn": "recbole.model.nn",
    "data": "recbole.data.dataloader",
}
HOSTS = ("model", "data")  # of which RecBole has the package already

_IMPORT = re.compile(r"^(\s*(?:from|import) )recbole_edlae\.(\w+)", re.M)


def modules():
    """Path in a RecBole tree → text, of every module that the models need.

    Raises:
        ValueError: black is not installed, or a model imports a part of this package that has no place in RecBole.
    """
    return {target(path): lifted(path.read_text(encoding="utf-8")) for path in needed()}


def needed():
    """Files of this package that importing the models runs, those of HOSTS' packages left out."""
    todo = [PACKAGE / "model" / f"{name.lower()}.py" for name in registry.MODELS]
    found = []
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.append(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "recbole_edlae":
                todo += _files(node.module)
    return sorted(found)


def target(path):
    """Where a file of this package goes in a RecBole tree."""
    folder, *rest = path.relative_to(PACKAGE).parts
    return "/".join([*PLACES[folder].split("."), *rest])


def lifted(text):
    """The text of a module as it stands in RecBole."""
    return formatted(_IMPORT.sub(lambda match: match[1] + PLACES[match[2]], text))


def trainers():
    """The trainer's class, and the names by which ``get_trainer`` looks it up."""
    path = PACKAGE / "trainer.py"
    text = path.read_text(encoding="utf-8")
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    parts = []
    for node in classes:
        names = [f"{model}Trainer" for model, trainer in registry.MODELS.items() if trainer == node.name]
        parts += [ast.get_source_segment(text, node), " = ".join([*names, node.name])]
    return formatted("\n\n\n".join(parts))


def formatted(text):
    """The text as black leaves it, its exceptions for our own formatter removed."""
    try:
        import black
    except ImportError:
        raise ValueError("RecBole's code is formatted by black, which is not installed: pip install black") from None
    return black.format_str(text.replace("  # fmt: skip", ""), mode=black.Mode())


def _files(module):
    """A module's own file and that of its package, unless RecBole has the package."""
    _, folder, *rest = module.split(".")
    if folder not in PLACES:
        raise ValueError(f"a model imports {module}, which has no place in RecBole; there are {', '.join(PLACES)}")
    package = [] if folder in HOSTS else [PACKAGE / folder / "__init__.py"]
    return package + [PACKAGE / folder / f"{rest[0]}.py"] * bool(rest)
