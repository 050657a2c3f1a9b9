"""Hash the code that results depend on, so that a run on record stands for the code that ran.

A result depends on the package ``runs`` and on those below it. The packages above it cannot change a result, because a
package imports only from lower ones (the contracts of import-linter in ``pyproject.toml``).
"""

import ast
import functools
import hashlib
import inspect
import pathlib
import sys
from collections.abc import Iterable

import recbole_edlae
from recbole_edlae.settings import registry

ABOVE = ("cli", "estimators", "leaderboard", "papers", "serving")  # packages that no run imports
_PACKAGE = pathlib.Path(recbole_edlae.__file__).parent


def code_hash(models: Iterable[str], modules: Iterable[str] = ()) -> str:
    """Return a hash of the code that results of these models, and of further imported modules, depend on."""
    hashes = [f"{name} {_hash(path)}\n" for name, path in sorted(code_files(models, modules).items())]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]


def code_files(
    models: Iterable[str], modules: Iterable[str] = (), package: pathlib.Path = _PACKAGE
) -> dict[str, pathlib.Path]:
    """Return module → file of the code that results of these models depend on."""
    files = {}
    for path in package.rglob("*.py"):
        names = path.relative_to(package).with_suffix("").parts
        if names[0] not in ABOVE:
            files[".".join((package.name, *names))] = path

    # Of a model that another package registers only its own file is hashed.
    others = set(modules)
    for model in registry.registered().keys() & set(models):
        others.add(registry.model_class(model).__module__)
    for name in others:
        files[name] = pathlib.Path(str(inspect.getsourcefile(sys.modules[name])))
    return files


@functools.cache
def _hash(path: pathlib.Path) -> str:
    """Return a hash of the code of a file."""
    return hashlib.sha256(_code(path.read_bytes())).hexdigest()


def _code(source: bytes) -> bytes:
    """Return the syntax of a module, without comments, docstrings and layout: no result depends on these."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue

        # A docstring is the first statement.
        if ast.get_docstring(node, clean=False):
            del node.body[0]
    return ast.dump(tree).encode()
