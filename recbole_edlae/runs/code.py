"""Find the modules of this package that a result depends on, from the imports in the source itself.

A run starts in the runner, in its model's module and in the table of what is changed in RecBole. Its result depends on
their code, and on that of all modules of this package that they import, directly or not, at their top or inside a
function. A name that is taken from a package (``from recbole_edlae.solvers import gram``) leads to the module that the
package has it from, and to no other. Nobody keeps a list: a module counts
from the moment that one of these imports it, and a report, a command or a converter that none of them imports does not
count.
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
# registry imports all models by their names, but a run goes through one of them, from which the search starts.
_ONE_OF_MANY = "recbole_edlae.model."


@functools.cache
def code_hash(models: tuple[str, ...], modules: tuple[str, ...] = RUNNER) -> str:
    """Return a hash of the code that results of these models depend on; for RecBole's own code its version does.

    Args:
        models: names of models; one of RecBole's models adds no module of this package.
        modules: names of the modules in which the search starts, beside those of the models.
    """
    digest = hashlib.sha256()
    for name, path in sorted(code_files(models, modules).items()):
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def code_files(
    models: Iterable[str], modules: Iterable[str] = RUNNER, root: pathlib.Path = _ROOT
) -> dict[str, pathlib.Path]:
    """Return module → file of the code that results of these models depend on.

    Args:
        models: names of models.
        modules: names of the modules in which the search starts, beside those of the models.
        root: folder that holds the package.
    """
    files: dict[str, pathlib.Path] = {}
    outside = {}
    todo = list(modules)
    for model in models:
        name = _module_of(model)
        if name and name.partition(".")[0] == PACKAGE:
            todo.append(name)
        elif name:  # a model that somebody registered from elsewhere
            outside[name] = pathlib.Path(str(inspect.getsourcefile(sys.modules[name])))
    seen = set()
    while todo:
        name = todo.pop()
        path = _file(name, root)
        if name in seen or path is None:
            continue
        seen.add(name)
        files[name] = path
        todo.extend(_imports(path, name, root))
        # The packages above it run too; what they import counts where something is taken from the package itself.
        parents = [name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)]
        files |= {parent: file for parent in parents if (file := _file(parent, root))}
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
    """Return the modules of this package that a module imports, or names in a text as importlib takes it."""
    names: list[str] = []
    source = path.read_bytes()
    if PACKAGE.encode() not in source and b"from ." not in source:
        return ()
    for node in _nodes_that_run(ast.parse(source, filename=str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, name, path)
            names += [_origin(base, alias.name, root) for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_own(node.value):
            names += _named_in(node.value, root)
    return tuple(dict.fromkeys(imported for imported in names if _is_own(imported)))


def _nodes_that_run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes of a module but those that only a type checker reads."""
    yield node
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        yield from _nodes_that_run(child)


def _origin(base: str, name: str, root: pathlib.Path) -> str:
    """Return the module that a name comes from which is taken from a module or package."""
    if not _is_own(base):
        return base
    if _file(f"{base}.{name}", root):
        return f"{base}.{name}"
    return _public_names(base, root).get(name, base)


@functools.cache
def _public_names(module: str, root: pathlib.Path) -> dict[str, str]:
    """Return the names that a package or a module imports → the module that it has them from."""
    path = _file(module, root)
    if path is None:
        return {}
    statements = [node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.ImportFrom)]
    return {
        alias.asname or alias.name: _origin(base, alias.name, root)
        for node in statements
        if _is_own(base := _absolute(node, module, path))
        for alias in node.names
    }


def _absolute(node: ast.ImportFrom, name: str, path: pathlib.Path) -> str:
    """Return the full name of the module that a ``from`` statement in a module names."""
    if not node.level:
        return node.module or ""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return importlib.util.resolve_name("." * node.level + (node.module or ""), package)


def _named_in(text: str, root: pathlib.Path) -> Iterator[str]:
    """Yield the modules that a text names.

    A text names one module, alone or as "module:attribute"; the beginning of a formatted string that ends with a dot
    names all modules of a package.
    """
    if not text.endswith("."):
        yield text.partition(":")[0]
    elif text != _ONE_OF_MANY:
        folder = root.joinpath(*text.rstrip(".").split("."))
        yield from (text + path.stem for path in sorted(folder.glob("*.py")))


def _is_own(name: str) -> bool:
    """Return whether a name, of a module or as "module:attribute", is this package's."""
    return name.partition(":")[0].partition(".")[0] == PACKAGE


@functools.cache
def _file(name: str, root: pathlib.Path) -> pathlib.Path | None:
    """Return the file of a module of this package; None where the name is not that of a module."""
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    path = root.joinpath(*name.split("."))
    if (path / "__init__.py").is_file():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None
