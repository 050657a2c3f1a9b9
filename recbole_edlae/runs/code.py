"""Find the modules of this package that a result depends on, from the imports in the source itself.

A run starts in the runner, in its model's module and in the table of changes to RecBole. Its result depends on their
code, and on that of all modules of this package that they import, directly or not, at their top or inside a function.
A name imported from a package (``from recbole_edlae.solvers import gram``) leads only to the module that defines it.
Nobody has to maintain a list of modules: reports, commands and converters do not count, because no run imports them.
"""

import ast
import functools
import hashlib
import importlib.util
import inspect
import pathlib
import sys
from collections.abc import Iterable, Iterator

import recbole_edlae
from recbole_edlae.settings import registry

PACKAGE = "recbole_edlae"
RUNNER = ("recbole_edlae.runs.engine", "recbole_edlae.runs.runner", "recbole_edlae.integration.patches")
_ROOT = pathlib.Path(recbole_edlae.__file__).parents[1]
# The registry imports all models by their names. A run needs one of them, and the search starts there.
_ONE_OF_MANY = "recbole_edlae.model."


@functools.cache
def code_hash(models: tuple[str, ...], modules: tuple[str, ...] = RUNNER) -> str:
    """Return a hash of the code of this package that results of these models depend on.

    Args:
        models: names of models; one of RecBole's models adds no module of this package.
        modules: names of the modules in which the search starts, beside those of the models.
    """
    # The length keeps two files apart from one with the content of both.
    digest = hashlib.sha256()
    for name, path in sorted(code_files(models, modules).items()):
        content = _code(path.read_bytes())
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _code(source: bytes) -> bytes:
    """Return what runs of a module, without comments, docstrings and layout: no result depends on these."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            del node.body[0]
    return ast.dump(tree).encode()


def code_files(
    models: Iterable[str], modules: Iterable[str] = RUNNER, root: pathlib.Path = _ROOT
) -> dict[str, pathlib.Path]:
    """Return module → file of the code that results of these models depend on.

    Args:
        models: names of models.
        modules: names of the modules in which the search starts, beside those of the models.
        root: folder that holds the package.
    """
    # Start in the given modules and in those of the models. A model that is registered from elsewhere is one file.
    outside: dict[str, pathlib.Path] = {}
    pending = list(modules)
    for model in models:
        name = _module_of(model)
        if name and name.partition(".")[0] == PACKAGE:
            pending.append(name)
        elif name:
            outside[name] = pathlib.Path(str(inspect.getsourcefile(sys.modules[name])))

    # Follow the imports.
    files: dict[str, pathlib.Path] = {}
    visited = set()
    while pending:
        name = pending.pop()
        path = _file(name, root)
        if name in visited or path is None:
            continue
        visited.add(name)
        files[name] = path
        pending.extend(_imports(path, name, root))

        # Importing a module also runs the packages above it. Their own imports are followed only where a name is
        # imported from the package.
        package = name.rpartition(".")[0]
        while package:
            file = _file(package, root)
            if file:
                files[package] = file
            package = package.rpartition(".")[0]
    return files | outside


def _module_of(model: str) -> str | None:
    """Return the module of a registered model; None for one of RecBole's."""
    if model in registry.own_models():
        return f"{_ONE_OF_MANY}{model.lower()}"
    if model not in registry.registered():
        return None
    return registry.model_class(model).__module__


@functools.cache
def _imports(path: pathlib.Path, name: str, root: pathlib.Path) -> tuple[str, ...]:
    """Return the modules of this package that a module imports, or names in a string as importlib takes it."""
    # Most files of other packages need no parsing.
    source = path.read_bytes()
    if PACKAGE.encode() not in source and b"from ." not in source:
        return ()

    names: list[str] = []
    for node in _nodes_that_run(ast.parse(source, filename=str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, name, path)
            names += [_origin(base, alias.name, root) for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_own(node.value):
            names += _named_in(node.value, root)

    # A dict drops repeated names and keeps their order.
    own = filter(_is_own, names)
    return tuple(dict.fromkeys(own))


def _nodes_that_run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes of a module except those that only a type checker reads."""
    yield node
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        yield from _nodes_that_run(child)


def _origin(base: str, name: str, root: pathlib.Path) -> str:
    """Return the module of a name that is imported from another module or package, its base."""
    if not _is_own(base):
        return base

    # The name is that of a module, or the package imports it from one, or its base defines it.
    if _file(f"{base}.{name}", root):
        return f"{base}.{name}"
    return _public_names(base, root).get(name, base)


@functools.cache
def _public_names(module: str, root: pathlib.Path) -> dict[str, str]:
    """Return name → module for the names that a package or a module imports from modules."""
    path = _file(module, root)
    if path is None:
        return {}

    # A package that loads its names when they are asked for lists them in a stub.
    stub = path.with_suffix(".pyi")
    if stub.is_file():
        path = stub

    # Only statements at the top of the file: a package exports names there.
    origins = {}
    for node in ast.parse(path.read_bytes()).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        base = _absolute(node, module, path)
        if not _is_own(base):
            continue
        for alias in node.names:
            origins[alias.asname or alias.name] = _origin(base, alias.name, root)
    return origins


def _absolute(node: ast.ImportFrom, name: str, path: pathlib.Path) -> str:
    """Return the full name of the module from which a ``from`` statement of another module imports."""
    if not node.level:
        return node.module or ""

    # Dots count from the package, which is the module itself if it is one.
    package = name
    if path.stem != "__init__":
        package = name.rpartition(".")[0]
    relative = "." * node.level + (node.module or "")
    return importlib.util.resolve_name(relative, package)


def _named_in(text: str, root: pathlib.Path) -> Iterator[str]:
    """Yield the modules that a string in the source names.

    A string names one module, alone or as "module:attribute". The beginning of a formatted string that ends with a dot
    names all modules of a package.
    """
    if not text.endswith("."):
        yield text.partition(":")[0]
    elif text != _ONE_OF_MANY:
        folder = root.joinpath(*text.rstrip(".").split("."))
        yield from (text + path.stem for path in sorted(folder.glob("*.py")))


def _is_own(name: str) -> bool:
    """Return whether a name of a module, or "module:attribute", belongs to this package."""
    return name.partition(":")[0].partition(".")[0] == PACKAGE


@functools.cache
def _file(name: str, root: pathlib.Path) -> pathlib.Path | None:
    """Return the file of a module of this package; None if the name is not that of a module."""
    # A string in the source may begin like a module and go on as a sentence.
    names = name.split(".")
    if not all(map(str.isidentifier, names)):
        return None

    path = root.joinpath(*names)
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None
