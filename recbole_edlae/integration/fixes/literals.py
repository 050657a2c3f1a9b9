"""Read settings as literals. RecBole evaluates texts as Python, which runs whatever stands in a file or an argument."""

import ast
import importlib
import pathlib
from collections.abc import Callable
from logging import getLogger
from typing import Any

import torch
from recbole.config import Config

from recbole_edlae._choices import check_choice
from recbole_edlae.settings.files import NOT_LITERAL, process_words, value_of


def convert_config_dict(stock: Callable, config: Config, values: dict[str, Any]) -> dict[str, Any]:
    """Replace texts by the values that they stand for (:func:`value_of`)."""
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
    lines = pathlib.Path(path).read_text().splitlines()
    for number, line in enumerate(lines, 1):
        # Other kinds have numbers, which RecBole reads as such.
        key, _, definition = line.strip().partition(" ")
        kind, _, values = definition.partition(" ")
        if kind != "choice":
            continue

        # RecBole splits a line at its blanks and joins the choices without them.
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
    module = importlib.import_module("recbole.model.context_aware_recommender.kd_dagfm")
    networks = []
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, torch.nn.Module):
            networks.append(name)
    check_choice("teacher", config["teacher"], networks)
    stock(model, config, dataset)


def load_cmd_line(stock: Callable, config: Config) -> dict[str, Any]:
    """Do as RecBole does, but allow "=" in a value.

    Raises:
        SyntaxError: A key has two values.
    """
    settings: dict[str, Any] = {}
    ignored = []
    for word in process_words():
        # The first "=" ends the key; the value may have others.
        key, equals, text = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not equals:
            ignored.append(word)
        elif settings.setdefault(key, text) != text:
            raise SyntaxError(f"There are duplicate commend arg '{word}' with different value.")
    if ignored:
        getLogger().warning(f"command line args [{' '.join(ignored)}] will not be used in RecBole")
    return config._convert_config_dict(settings)
