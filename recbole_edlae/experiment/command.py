"""What the commands over many runs share: their words, and cells that are checked before any data are read."""

import argparse
import os
import pathlib
import sys

from recbole_edlae import checks
from recbole_edlae.experiment.cell import Cell
from recbole_edlae.experiment.engine import ENGINES

CONFIGS = pathlib.Path(__file__).parents[1] / "configs"
USAGE = "Every other setting of RecBole or of the data goes in as --key=value and overrides the files, for all runs."


def parse(program, description, add_arguments, words):
    """Options of a command, and its --key=value words as key → value.

    Args:
        program: name in messages.
        description: what --help says first.
        add_arguments: called with the parser.
        words: list of command-line words.
    """
    parser = checks.Parser(program, description=description, epilog=USAGE)
    add_arguments(parser)
    parser.add_argument("--config_files", nargs="+", metavar="FILE", help="RecBole's YAML files, later ones win")
    parser.add_argument("--output", metavar="DIR", help="folder of the results; given again, goes on where it was")
    parser.add_argument("--engine", choices=sorted(ENGINES), default="sequential", help="ray: on a Ray cluster")
    options, overrides = parser.parse(words)
    options.config_files = checks.split_names(options.config_files)
    checks.read_config_files(options.config_files)  # says so where one is missing, by the name it was given
    sys.argv = [program]  # RecBole's Config reads settings from it
    return options, {key: checks.value_of(text) for key, text in overrides.items()}


def make_cell(model, dataset, config_files, settings, label=""):
    """A Cell whose files are found from any working directory."""
    files = tuple(os.path.abspath(file) for file in config_files)
    data_path = {**checks.read_config_files(files), **settings}.get("data_path") or "dataset/"
    return Cell(model, dataset, files, {**settings, "data_path": os.path.abspath(data_path)}, label or model)


def check(cells, overrides):
    """Raises ValueError for the first cell whose model, dataset or settings cannot be.

    Args:
        cells: list of Cell.
        overrides: keys that the command line sets for all cells; a model that has no such setting is no fault.
    """
    configs, from_files = [], {}
    for cell in cells:
        checks.check_model(cell.model)
        content = checks.read_config_files(cell.config_files)
        from_files |= content
        options = argparse.Namespace(
            model=cell.model,
            dataset=cell.dataset,
            config_files=list(cell.config_files),
            settings=content | cell.settings,
        )
        named = cell.label != cell.model or len({each.label for each in cells}) > 1
        try:
            configs.append(checks.check(options, cell.settings))
            checks.check_keys([key for key in cell.settings if key not in overrides], configs[-1:])
        except ValueError as error:
            raise ValueError(f"{cell.label}: {error}" if named else error) from None
    checks.check_keys(from_files, configs, written_now=False)
    checks.check_keys(overrides, configs)
