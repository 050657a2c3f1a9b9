"""Share options and checks between the commands over many runs."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from recbole.config import Config
from tqdm import tqdm

from recbole_edlae._warnings import warn
from recbole_edlae.cli import checks, errors
from recbole_edlae.cli.parser import Parser
from recbole_edlae.runs.engine import ENGINES
from recbole_edlae.runs.run import Run
from recbole_edlae.settings.configs import PROTOCOLS, Kind, find, listing
from recbole_edlae.settings.files import process_words, read_config_files, split_names, values_of
from recbole_edlae.settings.keys import check_keys
from recbole_edlae.settings.parts import check_parts, empty_parts

USAGE = "Every other setting of RecBole or of the data goes in as --key=value and overrides the files, for all runs."


def add_shared_arguments(parser: argparse.ArgumentParser, output: str) -> None:
    """Add the options that all commands over many runs have."""
    folder = f"folder of the results; given again, goes on where it was (default: {output})"
    add = parser.add_argument
    add("--config_files", nargs="+", metavar="FILE", help="RecBole's YAML files, later ones win")
    add("--output", metavar="DIR", help=folder)
    add("--engine", choices=sorted(ENGINES), default="sequential", help="ray: on a Ray cluster")


def parse(
    program: str,
    description: str | None,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    words: Sequence[str],
    kinds: Sequence[Kind] = (),
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Return the options of a command, and its --key=value settings as key → value.

    ``config_files`` of the options are paths, ``config_names`` the words that named them. The help lists the files of
    the package of each kind that the options of the command name.
    """
    parser = Parser(program, description=description, epilog=f"{USAGE}\n\n{listing(*kinds, PROTOCOLS)}")
    add_arguments(parser)

    # Reading finds a damaged file here, where the message can name it as the user did.
    options, overrides = parser.parse(words)
    options.config_names = split_names(options.config_files)
    options.config_files = [str(find(PROTOCOLS, name)) for name in options.config_names]
    read_config_files(options.config_files)

    # RecBole's Config would read these words as settings of every run.
    process_words([], program=program)
    return options, values_of(overrides)


def check(runs: Sequence[Run], overrides: Collection[str], parts: Mapping[str, str]) -> None:
    """Check the model, dataset and settings of every run; the message of an error names the run.

    Args:
        runs: all runs of the command.
        overrides: keys that the command line sets for all runs; a model need not have such a setting.
        parts: name of each part of the data that is needed → purpose, for the message.

    Warns:
        DataWarning: without a validation part models are trained for all their epochs.
    """
    configs = []
    from_files: dict[str, Any] = {}
    is_single_row = len({run.label for run in runs}) == 1
    for run in runs:
        checks.check_model(run.model)
        content = read_config_files(run.config_files)
        from_files |= content
        try:
            configs.append(_check_one(run, content, overrides, parts))
        except ValueError as error:
            # The user of a single model knows which one it is.
            if is_single_row and run.label == run.model:
                raise ValueError(error) from None
            raise ValueError(f"{run.label}: {error}") from None

    # A key that no run has is misspelled.
    check_keys(from_files, configs, written_now=False)
    check_keys(overrides, configs)
    if any("validation" in empty_parts(config.final_config_dict) for config in configs):
        warn(
            "eval_args: the split leaves no validation part: models that are trained in epochs are trained for all of "
            "them, without early stopping, and their last epoch is tested",
        )


def _check_one(
    run: Run, from_files: Mapping[str, Any], overrides: Collection[str], parts: Mapping[str, str]
) -> Config:
    """Return the config of a run whose settings are valid."""
    # The settings of the run itself win over those of its files.
    options = argparse.Namespace(
        model=run.model,
        dataset=run.dataset,
        config_files=list(run.config_files),
        settings={**from_files, **run.settings},
    )
    config = checks.check(options, run.settings)
    check_keys([key for key in run.settings if key not in overrides], [config])
    check_parts(config.final_config_dict, parts)
    if "test" in parts:
        checks.check_early_stopping(config)
    return config


def tell(line: str, record: Mapping[str, Any], cached: bool = False) -> None:
    """Print a line on a run that has ended, and with --debug the traceback of a failed run."""
    if cached:
        line += " (on record)"
    if errors.debug and "traceback" in record:
        line = f"{line}\n{record['traceback']}"
    tqdm.write(line, file=sys.stderr)
