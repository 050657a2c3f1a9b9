"""Make the script that completes the command line in a shell, for `recbole-edlae --print-completion SHELL`."""

import argparse
import importlib

import shtab

from recbole_edlae.cli import COMMANDS
from recbole_edlae.settings import registry

# What stands for a value in the help → what completes it.
_PATHS = {"FILE": shtab.FILE, "PATH": shtab.FILE}
_PATHS |= dict.fromkeys(["DIR", "FOLDER", "OUTPUT"], shtab.DIRECTORY)


def script(shell: str) -> str:
    """Return a script that completes commands, their options, models and paths.

    The script needs neither Python nor this package when it completes a word, so it is quick.
    """
    parser = argparse.ArgumentParser("recbole-edlae")
    commands = parser.add_subparsers()
    for name, command in COMMANDS.items():
        # `run` has a --help of its own.
        subparser = commands.add_parser(name, help=command.help, conflict_handler="resolve")
        importlib.import_module(command.module).add_arguments(subparser)
        for action in subparser._actions:
            _add_values(action)
    return shtab.complete(parser, shell)


def _add_values(action: argparse.Action) -> None:
    """Say what completes the value of an option."""
    if action.dest in ("model", "models"):
        action.choices = registry.names()

    # shtab reads this attribute, of which argparse knows nothing.
    placeholder = str(action.metavar or action.dest.upper())
    if action.nargs != 0 and placeholder in _PATHS:
        action.complete = _PATHS[placeholder]  # type: ignore[attr-defined]
