"""Settings as they are written, in YAML files and as --key=value: read alike by every command and by RecBole."""

import os
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from logging import getLogger
from typing import Any

import yaml
from recbole.config import Config

from recbole_edlae._choices import closest_first
from recbole_edlae.integration.patches import Patch
from recbole_edlae.settings.process import process_words


def read_yaml(path: str | os.PathLike, what: str = "config_files") -> Any:
    """Return the content of a YAML file, with numbers as RecBole reads them: ``5e2`` and ``1e-3`` are numbers.

    Args:
        path: of the file; a byte order mark does not matter.
        what: the option that named the file, for messages.

    Raises:
        ValueError: there is no such file, or it is not YAML; the message names the file and the line.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        near = sorted(str(other) for other in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
        choices = f"; there are {', '.join(closest_first(path, near))}" if near else ""
        raise ValueError(f"{what}: no file {path}{choices}")
    loader = Config._build_yaml_loader(None)
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
        problem = f", line {mark.line + 1}: {error.problem}" if mark else f": {' '.join(str(error).split())}"
        raise ValueError(f"{what}: {path} is not YAML{problem}") from None


def _refuse_repeated_keys(path: pathlib.Path, what: str, node: yaml.Node | None) -> None:
    lines: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        if str(key.value) in lines:
            raise ValueError(f"{what}: {path} sets {key.value} twice, in lines {lines[str(key.value)]} and {line}")
        lines[str(key.value)] = line


def read_config_files(files: Iterable[str | os.PathLike], what: str = "config_files") -> dict[str, Any]:
    """Return the settings of YAML files of ``key: value`` lines; later files win.

    Raises:
        ValueError: a file is missing, is not YAML or holds something else.
    """
    merged: dict[str, Any] = {}
    for file in files:
        content = read_yaml(file, what)
        if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
            raise ValueError(f"{what}: {file} holds no `key: value` lines")
        merged |= content
    return merged


def split_names(words: Sequence[str] | None) -> list[str]:
    """Return the files that words name: one each, or several in one word, with blanks between, as RecBole has them."""
    names: list[str] = []
    for word in words or ():
        names += [word] if pathlib.Path(word).is_file() else word.split()
    return names


def value_of(text: str) -> Any:
    """Return the value that RecBole's Config reads from the text of a setting."""
    return Config._convert_config_dict(None, {"": text})[""]


class PlainConfig(Config):
    """RecBole's Config for settings that have been parsed: a text in ``config_dict`` stays that text.

    RecBole evaluates such texts once more. The process's --key=value words and YAML files are read as ever.
    """

    def _load_variable_config_dict(self, config_dict: Mapping[str, Any] | None) -> dict[str, Any]:
        return dict(config_dict or {})


def _convert(stock: Callable, config: Config | None, values: dict[str, Any]) -> dict[str, Any]:
    """As RecBole's; a text that is no expression stands for itself, whatever evaluating it raises."""
    for key in values:
        try:
            values[key] = stock(config, {key: values[key]})[key]
        except Exception:  # RecBole catches some of what eval raises
            continue
    return values


def _load_cmd_line(stock: Callable, config: Config) -> dict[str, Any]:
    """As RecBole's; a value may have "=" in it.

    Raises:
        SyntaxError: a key has two values.
    """
    settings: dict[str, Any] = {}
    others = []
    for word in process_words():
        key, equals, text = word.removeprefix("--").partition("=")
        if not (word.startswith("--") and equals):
            others.append(word)
        elif settings.setdefault(key, text) != text:
            raise SyntaxError(f"There are duplicate commend arg '{word}' with different value.")
    if others:
        getLogger().warning(f"command line args [{' '.join(others)}] will not be used in RecBole")
    return config._convert_config_dict(settings)


PATCHES = [
    Patch(
        "recbole.config", "Config._convert_config_dict", _convert,
        "some texts of settings ended in a traceback", "RecBole catches all that eval raises",
    ),
    Patch(
        "recbole.config", "Config._load_cmd_line", _load_cmd_line,
        'values with "=" in them were passed over', 'RecBole splits at the first "="',
    ),
]  # fmt: skip
