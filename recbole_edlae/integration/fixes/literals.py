"""Read settings as literals. RecBole evaluates texts as Python, which runs whatever stands in a file or an argument."""

import ast
import importlib
import pathlib
from collections.abc import Callable
from logging import getLogger
from typing import Any

import torch
from recbole.config import Config

from recbole_edlae._choices import choose
from recbole_edlae.settings.files import NOT_LITERAL, value_of
from recbole_edlae.settings.process import process_words


def convert_config_dict(stock: Callable, config: Config, values: dict[str, Any]) -> dict[str, Any]:
    """Replace the texts among the values of settings by what they stand for (:func:`value_of`)."""
    for key, value in values.items():
        if isinstance(value, str):
            values[key] = value_of(value)
    return values


def build_space_from_file(stock: Callable, *arguments: Any) -> dict[str, Any]:
    """Read a search space as RecBole's HyperTuning does, after a check that its choices are literals.

    RecBole evaluates them as Python.

    Raises:
        ValueError: A choice is no literal.
    """
    path = arguments[-1]
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        key, _, distribution = line.strip().partition(" ")
        kind, _, values = distribution.partition(" ")
        if kind != "choice":
            continue

        # RecBole splits the line at blanks and joins the values without them.
        try:
            ast.literal_eval(values.replace(" ", ""))
        except NOT_LITERAL:
            raise ValueError(f"{path}, line {number}: {key} must have a list of literals, got {values}") from None
    return stock(path)


def check_teacher(stock: Callable, model: Any, config: Config, dataset: Any) -> None:
    """Construct RecBole's KD_DAGFM, after a check that its teacher is a network: RecBole evaluates the name.

    Raises:
        ValueError: RecBole's module has no network of that name.
    """
    # RecBole looks the name up among all names of this module.
    module = importlib.import_module("recbole.model.context_aware_recommender.kd_dagfm")
    networks = {}
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, torch.nn.Module):
            networks[name] = value
    choose("teacher", config["teacher"], networks)
    stock(model, config, dataset)


def load_cmd_line(stock: Callable, config: Config) -> dict[str, Any]:
    """Read settings from the command line as RecBole does, but allow "=" in a value.

    Raises:
        SyntaxError: A key has two values.
    """
    # RecBole takes words with exactly one = only.
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
