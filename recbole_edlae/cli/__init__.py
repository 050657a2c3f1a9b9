"""The command line: `recbole-edlae COMMAND`, and `run`, which is also run_recbole.py.

A command is a module with ``main(words)`` and ``add_arguments(parser)``, imported when it is called: the help needs
neither RecBole nor torch.
"""

import argparse
import contextlib
import importlib
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from recbole_edlae import __version__
from recbole_edlae._choices import unknown
from recbole_edlae.cli.errors import (
    errors_in_one_line,
    interrupts_end_at_once,
    missing_recbole,
    signals_as_exceptions,
    warnings_in_one_line,
    without_debug,
)
from recbole_edlae.cli.parser import Parser
from recbole_edlae.cli.streams import forgiving_output
from recbole_edlae.settings.files import process_words


class Command(NamedTuple):
    """One command."""

    module: str  # its main takes the words after the command's name
    help: str


COMMANDS = {
    "run": Command("recbole_edlae.cli.single_run", "train and evaluate one model"),
    "leaderboard": Command("recbole_edlae.cli.leaderboard", "compare many models under one protocol"),
    "tune": Command("recbole_edlae.cli.tune", "search the settings of one model"),
    "activations": Command("recbole_edlae.cli.activations", "compare latent activations of DeepAE"),
    "convert": Command("recbole_edlae.cli.convert", "convert a CSV file of interactions into a dataset"),
    "convert-liang": Command(
        "recbole_edlae.cli.convert_liang", "convert data split by the code of Liang et al."
    ),
    "recommend": Command(
        "recbole_edlae.cli.recommend", "recommend items to the users of a file, known or new"
    ),
    "export": Command("recbole_edlae.cli.export", "write a trained model without pickle"),
    "reproduce": Command("recbole_edlae.cli.reproduce", "measure the papers' figures and tables"),
}

COMPLETION = "--print-completion"
SHELLS = ["bash", "zsh", "fish", "tcsh"]


class PrintCompletion(argparse.Action):
    """Print the script that completes the command line in a shell, and end the process."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, shell: Any, option: str | None = None
    ) -> None:
        """Import all commands, because the script has their options."""
        completion = _module("recbole_edlae.cli.completion", parser.prog)
        print(completion.script(shell))
        parser.exit()


def main(words: Sequence[str] | None = None) -> None:
    """Run the command that the first word names, the entry point of `recbole-edlae`; None takes the process's words."""
    _execute(words)


def run(words: Sequence[str] | None = None, program: str = "run_recbole.py") -> dict[str, Any]:
    """Run RecBole's run_recbole.py with its flags and behavior, but check all input before data are read.

    Returns:
        RecBole's result. The process exits with status 2 and one line on standard error if the input is invalid.
    """
    return _execute(words, "run", program)


def _execute(words: Sequence[str] | None, name: str = "", program: str = "") -> Any:
    """Import the module of a command, which the first word names by default, and return the result of its main."""
    # A caller in the same process may want to survive an interrupt during the import.
    during_import: Callable[[str], contextlib.AbstractContextManager] = contextlib.nullcontext
    if words is None:
        words = process_words()
        during_import = interrupts_end_at_once
    words = without_debug(words)

    with forgiving_output():
        if not name:
            name = _command(words)
            program = f"recbole-edlae {name}"
            words = words[1:]

        with warnings_in_one_line(program), errors_in_one_line(program), signals_as_exceptions():
            with during_import(program):
                command = _module(COMMANDS[name].module, program)

            # `run` is called by two programs, so its main takes the name for its messages.
            arguments: list[Any] = [words]
            if name == "run":
                arguments.append(program)
            result = command.main(*arguments)

            # Printed text is still in a buffer; if it cannot be written, the command failed.
            if sys.stdout is not None:
                sys.stdout.flush()
            return result


def _module(name: str, program: str) -> types.ModuleType:
    """Return a module of this name; end the process with one line if it needs RecBole and RecBole is missing."""
    # Any other error of an import is not the user's, and shows its traceback.
    with errors_in_one_line(program, missing_recbole):
        return importlib.import_module(name)


def _command(words: list[str]) -> str:
    """Return the name of the command; end the process for an option of its own and for an unknown command."""
    # Each command parses its own words, its help included.
    parser = Parser("recbole-edlae", description="Linear and deep autoencoders for RecBole.")
    parser.epilog = (
        "`recbole-edlae COMMAND --help` describes a command. With --debug, errors show their traceback."
    )
    parser.add_argument("--version", action="version", version=f"recbole-edlae {__version__}")
    script = f"print a script that completes words in a shell: {', '.join(SHELLS)}"
    parser.add_argument(COMPLETION, metavar="SHELL", choices=SHELLS, action=PrintCompletion, help=script)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.help, add_help=False)

    # argparse would list all commands, without the nearest one.
    for word in words[:1]:
        if not word.startswith("-") and word not in COMMANDS:
            parser.error(str(unknown("command", word, COMMANDS)))

    # What comes after its name is for the command to read.
    own = words[:1]
    if own == [COMPLETION]:
        own = words[:2]
    return parser.parse_args(own).command
