"""What the commands over many runs share: their words, and cells that are checked before any data are read."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from tqdm import tqdm

from recbole_edlae._warnings import warn
from recbole_edlae.cli import checks, errors
from recbole_edlae.cli.parser import Parser
from recbole_edlae.data.parts import check_parts, empty_parts
from recbole_edlae.runs.engine import ENGINES
from recbole_edlae.runs.run import Cell

USAGE = "Every other setting of RecBole or of the data goes in as --key=value and overrides the files, for all runs."


class Terminated(BaseException):
    """The process was asked to end (SIGTERM)."""


@contextlib.contextmanager
def ended_in_one_line(program: str) -> Iterator[None]:
    """End the process with one line where it cannot go on: what is on record stays there.

    The status is 2 for what :func:`errors.errors_in_one_line` says and where memory is exhausted, 130 where it is
    interrupted (SIGINT), 143 where it is asked to end (SIGTERM).
    """
    with errors.errors_in_one_line(program), _terminated_as_exception():
        try:
            yield
        except MemoryError as error:
            if errors.debug:
                raise
            errors.stop(program, str(error) or "out of memory; what ended before is on record")
        except Terminated:
            print(f"\n{program}: terminated", file=sys.stderr)
            sys.exit(128 + signal.SIGTERM)


@contextlib.contextmanager
def _terminated_as_exception() -> Iterator[None]:
    """Raise Terminated on SIGTERM, so that files half written and temporary folders are removed."""

    def terminate(*_: object) -> NoReturn:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def parse(
    program: str, description: str, add_arguments: Callable, words: Sequence[str]
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Return the options of a command, and its --key=value words as key → value.

    Args:
        program: name in messages.
        description: what --help says first.
        add_arguments: called with the parser.
        words: list of command-line words.

    Raises:
        ValueError: a word is none of these.
    """
    parser = Parser(program, description=description, epilog=USAGE)
    add_arguments(parser)
    parser.add_argument("--config_files", nargs="+", metavar="FILE", help="RecBole's YAML files, later ones win")
    parser.add_argument("--output", metavar="DIR", help="folder of the results; given again, goes on where it was")
    parser.add_argument("--engine", choices=sorted(ENGINES), default="sequential", help="ray: on a Ray cluster")
    options, overrides = parser.parse(words)
    options.config_files = checks.split_names(options.config_files)
    checks.read_config_files(options.config_files)  # says so where one is missing, by the name it was given
    sys.argv = [program]  # RecBole's Config reads settings from it
    return options, {key: checks.value_of(text) for key, text in overrides.items()}


def make_cell(model: str, dataset: str, config_files: Sequence, settings: Mapping[str, Any], label: str = "") -> Cell:
    """Return a Cell whose files are found from any working directory."""
    files = tuple(os.path.abspath(file) for file in config_files)
    data_path = {**checks.read_config_files(files), **settings}.get("data_path") or "dataset/"
    return Cell(model, dataset, files, {**settings, "data_path": os.path.abspath(data_path)}, label or model)


def check(cells: Sequence[Cell], overrides: Mapping[str, Any], parts: Mapping[str, str]) -> None:
    """Check the model, dataset and settings of every cell.

    Args:
        cells: list of Cell.
        overrides: keys that the command line sets for all cells; a model that has no such setting is no fault.
        parts: name of each part of the data that is needed → what it is needed for.

    Raises:
        ValueError: for the first cell that cannot be run.

    Warns:
        DataWarning: there is no validation part, so that models are trained for all their epochs.
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
            check_parts(configs[-1].final_config_dict, parts)
        except ValueError as error:
            raise ValueError(f"{cell.label}: {error}" if named else error) from None
    checks.check_keys(from_files, configs, written_now=False)
    checks.check_keys(overrides, configs)
    if "validation" in {part for config in configs for part in empty_parts(config.final_config_dict)}:
        warn(
            "eval_args: the split leaves no validation part: models that are trained in epochs are trained for all of "
            "them, without early stopping, and their last epoch is tested",
        )


def tell(line: str, record: Mapping[str, Any]) -> None:
    """Print a line on a run that has ended, and with --debug the traceback of one that failed."""
    if errors.debug and "traceback" in record:
        line = f"{line}\n{record['traceback']}"
    tqdm.write(line, file=sys.stderr)
