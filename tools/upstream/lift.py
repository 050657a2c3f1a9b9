"""Turn modules of this package into modules of RecBole.

A model needs its own file and whatever that imports, directly or not; nothing else is lifted. The text of a module
changes in four ways, whatever the models:

* Import lines name the modules as they are called in RecBole. A name that comes from a package's ``__init__`` is
  imported from the module that defines it, so that no model brings the solvers of another.
* Class attributes that RecBole does not read are cut (``UNREAD``), and the imports that only they used.
* Examples in docstrings are cut: they may use solvers that are not lifted.
* black formats it.
"""

import ast
import functools
import pathlib
import sys
from collections.abc import Iterable, Iterator, Mapping

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = "recbole_edlae"
PLACES = {  # package or module here → in RecBole; the longest name that fits counts
    "model": "recbole.model.general_recommender",
    "solvers": "recbole.model.solvers",
    "nn": "recbole.model.nn",
    "data": "recbole.data",
    "data.item_dataloader": "recbole.data.dataloader.item_dataloader",
    "_choices": "recbole.utils.choices",
}
NEW_PACKAGES = ("solvers", "nn")  # the packages that RecBole does not have
# A trainer is cut too: RecBole's own trainers fit every model, if more slowly, by its ``calculate_loss``.
UNREAD = ("trainer", "unseen_users", "after_epochs", "paper", "search_space")


def modules(models: Iterable[str]) -> dict[str, str]:
    """Return path in a RecBole tree → text, for every module that some models need.

    Args:
        models: Names of models of this package.

    Raises:
        ValueError: black is not installed, or a model imports something that has no place in RecBole.
    """
    texts: dict[str, str] = {}
    todo = [f"{PACKAGE}.model.{name.lower()}" for name in models]
    while todo:
        module = todo.pop()
        if path(module) in texts:
            continue
        text = without_unread_parts(module)
        texts[path(module)] = formatted(with_imports_of_recbole(text))
        todo += imported_modules(text)
        package = module.rpartition(".")[0]
        if package.partition(".")[2] in NEW_PACKAGES:
            texts[path(f"{package}.__init__")] = formatted(docstring_of(package))
    return dict(sorted(texts.items()))


def place(module: str) -> str:
    """Return the name in RecBole of a module of this package: no part of it begins with an underscore."""
    _, _, name = module.partition(".")
    for known in sorted(PLACES, key=len, reverse=True):
        if name == known or name.startswith(f"{known}."):
            parts = name[len(known) :].split(".")
            return PLACES[known] + ".".join(part if part.startswith("__") else part.lstrip("_") for part in parts)
    raise ValueError(f"a model imports {module}, which has no place in RecBole; allowed: {', '.join(PLACES)}")


def path(module: str) -> str:
    """Return the path in a RecBole tree of a module of this package."""
    return f"{place(module).replace('.', '/')}.py"


def source(module: str) -> str:
    """Return the text of a module or package of this package."""
    stem = ROOT.joinpath(*module.split("."))
    file = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
    return file.read_text(encoding="utf-8")


def docstring_of(module: str) -> str:
    """Return the first paragraph of a module's docstring as the text of a module."""
    docstring = ast.get_docstring(ast.parse(source(module))) or ""
    return f'"""{docstring.partition(chr(10) * 2)[0]}"""\n'


def without_unread_parts(module: str) -> str:
    """Return the text of a module without examples and, in a model's, without the attributes of ``UNREAD``."""
    text = source(module)
    if module.startswith(f"{PACKAGE}.model."):
        text = _without_unread_attributes(text)
    return _with_lines_replaced(text, dict.fromkeys(_examples(text), ""))


def package_imports(text: str) -> list[ast.ImportFrom]:
    """Return the import statements of a module that name this package.

    Raises:
        ValueError: One of them imports modules instead of names.
    """
    statements = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import) and any(alias.name.partition(".")[0] == PACKAGE for alias in node.names):
            raise ValueError(f"{ast.unparse(node)}: only imports of names (from … import …) can be lifted")
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == PACKAGE:
            statements.append(node)
    return statements


def imported_modules(text: str) -> set[str]:
    """Return the modules of this package that define what a text imports."""
    return {module for statement in package_imports(text) for module, _ in _definitions(statement)}


def definition(module: str, name: str) -> tuple[str, str]:
    """Return the module that defines a name, and its name there, for a name imported from a module or package.

    Raises:
        ValueError: The package's ``__init__`` does not import the name.
    """
    if not ROOT.joinpath(*module.split(".")).is_dir():
        return module, name
    for node in ast.parse(source(module)).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                return definition(str(node.module), alias.name)
    raise ValueError(f"a model imports {name} from {module}, whose __init__ does not import it from a module")


def with_imports_of_recbole(text: str) -> str:
    """Return the text of a module with the import lines that it has in RecBole.

    Raises:
        ValueError: It names this package elsewhere.
    """
    statements = package_imports(text)
    replacements = {_lines(node): _import_lines([node], " " * node.col_offset) for node in statements}
    at_the_top = [node for node in statements if node.col_offset == 0]
    for number, node in enumerate(at_the_top):  # all of them become one sorted block
        replacements[_lines(node)] = "" if number else _import_lines(at_the_top)
    text = _with_lines_replaced(text, replacements)
    if PACKAGE in text:
        line = next(line for line in text.splitlines() if PACKAGE in line)
        raise ValueError(f"{line.strip()!r} names this package outside of an import and cannot be lifted")
    return text


def third_party(texts: Mapping[str, str]) -> list[str]:
    """Return the packages beside RecBole and Python's own that some modules import."""
    names = set()
    for node in (node for text in texts.values() for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            names |= {str(module.value).partition(".")[0] for module in node.args if isinstance(module, ast.Constant)}
    return sorted(names - sys.stdlib_module_names - {"recbole"})


@functools.cache
def formatted(text: str) -> str:
    """Return the text as black leaves it, without the exceptions for the formatter of this project.

    Raises:
        ValueError: black is not installed.
    """
    try:
        import black
    except ImportError:
        raise ValueError("RecBole's code is formatted by black, which is not installed: pip install black") from None
    return black.format_str(text.replace("  # fmt: skip", ""), mode=black.Mode())


def _definitions(statement: ast.ImportFrom) -> list[tuple[str, ast.alias]]:
    """Return, for each name of an import statement, the module that defines it and what to import from there."""
    definitions = []
    for alias in statement.names:
        module, name = definition(str(statement.module), alias.name)
        local_name = alias.asname or alias.name
        definitions.append((module, ast.alias(name, None if local_name == name else local_name)))
    return definitions


def _import_lines(statements: Iterable[ast.ImportFrom], indent: str = "") -> str:
    """Return what stands in RecBole for import statements of this package, in the order that isort gives them."""
    names: dict[str, list[ast.alias]] = {}
    for module, alias in (pair for statement in statements for pair in _definitions(statement)):
        names.setdefault(place(module), []).append(alias)
    lines = []
    for module in sorted(names):
        aliases = sorted(names[module], key=_isort_key)
        lines.append(f"{indent}{ast.unparse(ast.ImportFrom(module, aliases, 0))}\n")
    return "".join(lines)


def _isort_key(alias: ast.alias) -> tuple[bool, bool, str]:
    """Return a key that sorts constants before classes before functions."""
    return not alias.name.isupper(), not alias.name[0].isupper(), alias.name


def _without_unread_attributes(text: str) -> str:
    """Cut the attributes of ``UNREAD`` from the classes of a module, and the imports that only they used."""
    tree = ast.parse(text)
    replacements = {}
    for statement in (part for node in tree.body if isinstance(node, ast.ClassDef) for part in node.body):
        if _assigned(statement) in UNREAD:
            replacements[_lines(statement)] = ""
    shorter = _with_lines_replaced(text, replacements)
    unused = _names(tree) - _names(ast.parse(shorter))
    replacements = {}
    for node in ast.parse(shorter).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            kept = [alias for alias in node.names if (alias.asname or alias.name) not in unused]
            if len(kept) < len(node.names):
                node.names = kept
                replacements[_lines(node)] = f"{ast.unparse(node)}\n" if kept else ""
    return _with_lines_replaced(shorter, replacements)


def _assigned(statement: ast.stmt) -> str | None:
    """Return the name that a statement assigns to, None if it is no assignment to one name."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _names(tree: ast.AST) -> set[str]:
    """Return the names that a module's code uses."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _examples(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and last line of every section of examples in the docstrings of a module."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) or ast.get_docstring(node) is None:
            continue
        first, last = _lines(node.body[0])
        headings = [number for number in range(first, last + 1) if lines[number - 1].strip() == "Examples:"]
        for heading in headings:
            yield heading, _end_of_section(lines, heading)


def _end_of_section(lines: list[str], heading: int) -> int:
    """Return the last line of the section of a docstring that a heading begins; lines count from 1."""
    indent = _indent(lines[heading - 1])
    number = heading
    while not lines[number].strip() or _indent(lines[number]) > indent:
        number += 1
    return number


def _indent(line: str) -> int:
    """Return the number of blanks that a line begins with."""
    return len(line) - len(line.lstrip())


def _lines(node: ast.stmt) -> tuple[int, int]:
    """Return the first and last line of a statement."""
    return node.lineno, node.end_lineno or node.lineno


def _with_lines_replaced(text: str, replacements: Mapping[tuple[int, int], str]) -> str:
    """Return a text with ranges of lines, first and last one, replaced."""
    lines = text.splitlines(keepends=True)
    for (first, last), replacement in sorted(replacements.items(), reverse=True):
        lines[first - 1 : last] = [replacement]
    return "".join(lines)
