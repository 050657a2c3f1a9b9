"""The command line: `recbole-edlae run`, which is also run_recbole.py, and where the other commands are."""

import argparse
import importlib
import sys

from recbole_edlae import __version__  # first: RecBole's own modules need it on a current stack
from recbole_edlae.cli import checks

from recbole import quick_start  # isort: skip

COMMANDS = {  # beside `run`: name → module whose main takes the words after it
    "leaderboard": "recbole_edlae.cli.leaderboard",
    "tune": "recbole_edlae.cli.tune",
    "activations": "recbole_edlae.cli.activations",
    "convert-liang": "recbole_edlae.data.liang",
    "recommend": "recbole_edlae.serving.recommend",
    "export": "recbole_edlae.serving.export",
    "reproduce": "recbole_edlae.cli.reproduce",
}


def main(arguments=None):
    """Entry point of the command `recbole-edlae`."""
    arguments = _without_debug(sys.argv[1:] if arguments is None else arguments)
    command = arguments[0] if arguments else None
    if command == "run":
        run(arguments[1:], program="recbole-edlae run")
        return
    if command in COMMANDS:
        with checks.plain_warnings(f"recbole-edlae {command}"):
            importlib.import_module(COMMANDS[command]).main(arguments[1:])
        return
    parser = argparse.ArgumentParser("recbole-edlae", description="Linear and deep autoencoders for RecBole.")
    parser.add_argument("--version", action="version", version=f"recbole-edlae {__version__}")
    commands = (
        "run: train and evaluate one model; leaderboard: many models under one protocol; tune: search one model's "
        "settings; activations: compare latent activations; convert-liang: read data split by Liang et al.'s code; "
        "recommend: items for new and known users; export: a model without pickle; reproduce: the papers' figures "
        "and tables; upstream: lay the models into RecBole's own source; `COMMAND --help` says how"
    )
    parser.add_argument("command", choices=["run", *COMMANDS], help=commands)
    parser.parse_args(arguments)


def _without_debug(arguments):
    """Remove --debug, which every command takes, and remember it."""
    checks.debug = checks.debug or "--debug" in arguments
    return [word for word in arguments if word != "--debug"]


def run(arguments=None, program="run_recbole.py"):
    """RecBole's run_recbole.py: its flags and behaviour, with what is wrong said before any data are read.

    Args:
        arguments: list of command-line words; None takes those of the process.
        program: name in messages.

    Returns:
        dict: RecBole's result. Exits with status 2 and one line on standard error where the input is at fault.
    """
    arguments = _without_debug(sys.argv[1:] if arguments is None else arguments)
    with checks.plain_warnings(program):
        with checks.said_in_one_line(program):
            options = checks.prepare(arguments, program)
        try:
            return quick_start.run(
                options.model,
                options.dataset,
                config_file_list=options.config_files,
                nproc=options.nproc,
                world_size=options.world_size,
                ip=options.ip,
                port=options.port,
                group_offset=options.group_offset,
            )
        except KeyboardInterrupt:
            checks.interrupted(program)
        except Exception as error:
            if checks.debug:
                raise
            checks.stop(program, checks.told(error, options))
