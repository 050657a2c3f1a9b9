"""Read settings from YAML files and ``--key=value`` words, so that every command and RecBole read them alike."""

import ast
import functools
import os
import pathlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

# What ast.literal_eval raises; MemoryError and RecursionError come from deep nesting.
NOT_LITERAL = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)


def read_yaml(path: str | os.PathLike, what: str = "config_files") -> Any:
    """Return the content of a YAML file, with numbers as RecBole reads them: ``5e2`` and ``1e-3`` are numbers.

    Args:
        path: of the file; a byte order mark does not matter.
        what: the option that named the file, for messages.

    Raises:
        ValueError: It cannot be read, or it is not YAML; the message names the file and the line.
    """
    from recbole.config import Config  # words of the process are read without RecBole

    path = pathlib.Path(path)
    loader = safe_loader(Config._build_yaml_loader(None))
    try:
        # Only the parsed nodes still have keys that are written twice.
        text = path.read_text(encoding="utf-8-sig")
        _check_keys_once(path, what, yaml.compose(text, loader))
        return yaml.load(text, loader)
    except OSError as error:
        raise ValueError(f"{what}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{what}: {path} is not UTF-8: {error.reason} at byte {error.start}") from None
    except yaml.MarkedYAMLError as error:
        # PyYAML's own message quotes the file over several lines.
        line = error.problem_mark.line + 1
        raise ValueError(f"{what}: {path} is not YAML, line {line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{what}: {path} is not YAML: {' '.join(str(error).split())}") from None


@functools.cache
def safe_loader(stock: Any) -> type[yaml.SafeLoader]:
    """Return PyYAML's safe loader with the numbers of another loader.

    Args:
        stock: a loader of PyYAML's; RecBole's reads ``5e2`` and ``1e-3`` as numbers.
    """
    # Copies, because RecBole adds the same rules to its loader again with every Config.
    numbers = {letter: list(rules) for letter, rules in stock.yaml_implicit_resolvers.items()}
    return type("SafeLoader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": numbers})


def _check_keys_once(path: pathlib.Path, what: str, node: yaml.Node | None) -> None:
    """Raise ValueError for a key that a mapping of a file has twice; YAML takes the last."""
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key_node, value in node.value:
        _check_keys_once(path, what, value)
        key = str(key_node.value)
        line = key_node.start_mark.line + 1
        if key in lines:
            raise ValueError(f"{what}: {path} sets {key} twice, in lines {lines[key]} and {line}")
        lines[key] = line


def read_config_files(files: Iterable[str | os.PathLike], what: str = "config_files") -> dict[str, Any]:
    """Return the settings of YAML files of ``key: value`` lines; later files win.

    Args:
        files: paths.
        what: the option that named the files, for messages.

    Raises:
        ValueError: A file is missing, is not YAML or holds something else.
    """
    merged: dict[str, Any] = {}
    for file in files:
        content = read_yaml(file, what)

        # YAML reads `5: x` as a number's line, and `on: x` as a bool's.
        if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
            raise ValueError(f"{what}: {file} holds no `key: value` lines")
        merged |= content
    return merged


def split_names(words: Sequence[str] | None) -> list[str]:
    """Return the files that words name. A word may name several, with blanks between, as in RecBole.

    Examples:
        >>> split_names(["protocol.yaml", "a.yaml b.yaml"])
        ['protocol.yaml', 'a.yaml', 'b.yaml']
    """
    names: list[str] = []
    for word in words or ():
        # The name of a file may have blanks itself.
        if pathlib.Path(word).is_file():
            names.append(word)
        else:
            names.extend(word.split())
    return names


def value_of(text: str) -> Any:
    """Return the value of the text of a setting: that of a literal, true and false in any case, or the text itself.

    RecBole evaluates the text as Python, which runs any code in a file or an argument.

    Examples:
        >>> value_of("[10, 20]")
        [10, 20]
        >>> value_of("5e2")
        500.0
        >>> value_of("ml-100k")
        'ml-100k'
        >>> value_of("print(1)")
        'print(1)'
    """
    if text.lower() in ("true", "false"):
        return text.lower() == "true"

    # Literals only: nothing is executed.
    try:
        value = ast.literal_eval(text)
    except NOT_LITERAL:
        return text

    # Bytes, sets and complex numbers are literals too, but no settings.
    if value is None or isinstance(value, (str, int, float, list, tuple, dict)):
        return value
    return text


def values_of(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return key → value of the texts of settings."""
    return {key: value_of(text) for key, text in texts.items()}


def process_words(replacement: Sequence[str] | None = None, *, program: str = "recbole-edlae") -> list[str]:
    """Return the words of this process's command line, after replacing them if there is a replacement.

    No other function of the package reads or sets ``sys.argv``.

    Args:
        replacement: words that RecBole is to read as settings from now on; None leaves the process's own.
        program: name that goes before a replacement.

    Returns:
        The words after the program's name; none in a notebook, whose words are its kernel's.
    """
    if replacement is not None:
        sys.argv = [program, *replacement]

    # The words of a notebook are those of its kernel.
    if "ipykernel_launcher" in sys.argv[0]:
        return []
    return sys.argv[1:]
