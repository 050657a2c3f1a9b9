"""Read settings from YAML files and ``--key=value`` words, so that every command and RecBole read them alike."""

import ast
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from recbole.config import Config

from recbole_edlae.settings.yaml_loader import safe_loader

NOT_LITERAL = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)  # what ast.literal_eval raises


def read_yaml(path: str | os.PathLike, what: str = "config_files") -> Any:
    """Return the content of a YAML file, with numbers as RecBole reads them: ``5e2`` and ``1e-3`` are numbers.

    Args:
        path: of the file; a byte order mark does not matter.
        what: the option that named the file, for messages.

    Raises:
        ValueError: It cannot be read, or it is not YAML; the message names the file and the line.
    """
    path = pathlib.Path(path)
    loader = safe_loader(Config._build_yaml_loader(None))
    try:
        text = path.read_text(encoding="utf-8-sig")
        _refuse_repeated_keys(path, what, yaml.compose(text, loader))
        return yaml.load(text, loader)
    except OSError as error:
        raise ValueError(f"{what}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{what}: {path} is not UTF-8: {error.reason} at byte {error.start}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = f", line {mark.line + 1}: {error.problem}" if mark else f": {' '.join(str(error).split())}"  # type: ignore[attr-defined]
        raise ValueError(f"{what}: {path} is not YAML{problem}") from None


def _refuse_repeated_keys(path: pathlib.Path, what: str, node: yaml.Node | None) -> None:
    """Raise ValueError for a key that a file has twice; YAML takes the last."""
    lines: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        if str(key.value) in lines:
            raise ValueError(f"{what}: {path} sets {key.value} twice, in lines {lines[str(key.value)]} and {line}")
        lines[str(key.value)] = line


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
        if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
            raise ValueError(f"{what}: {file} holds no `key: value` lines")
        merged |= content
    return merged


def split_names(words: Sequence[str] | None) -> list[str]:
    """Return the files that words name: one each, or several in one word with blanks between, as RecBole has them.

    Examples:
        >>> split_names(["protocol.yaml", "a.yaml b.yaml"])
        ['protocol.yaml', 'a.yaml', 'b.yaml']
    """
    names: list[str] = []
    for word in words or ():
        names += [word] if pathlib.Path(word).is_file() else word.split()
    return names


def value_of(text: str) -> Any:
    """Return the value of the text of a setting: that of a literal, true and false in any case, or the text itself.

    RecBole evaluates the text as Python, which runs whatever stands in a file or an argument.

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
    try:
        value = ast.literal_eval(text)
    except NOT_LITERAL:
        return text
    return value if value is None or isinstance(value, (str, int, float, list, tuple, dict)) else text


class PlainConfig(Config):
    """RecBole's Config for settings that have been parsed: a text in ``config_dict`` stays that text.

    RecBole evaluates such texts once more. YAML files and the ``--key=value`` words of the process are read as usual.
    """

    def _load_variable_config_dict(self, config_dict: Mapping[str, Any] | None) -> dict[str, Any]:
        return dict(config_dict or {})
