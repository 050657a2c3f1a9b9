"""`recbole-edlae run`: train and evaluate one model with RecBole, after its settings are checked.

The module is not named after its command, because :func:`recbole_edlae.cli.run` is a function.
"""

import argparse
import functools
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import torch

from recbole_edlae.cli.checks import check, check_checkpoint_dir, check_early_stopping, check_model
from recbole_edlae.cli.errors import errors_in_one_line
from recbole_edlae.cli.parser import Parser
from recbole_edlae.settings import registry
from recbole_edlae.settings.configs import PROTOCOLS, find, listing
from recbole_edlae.settings.files import process_words, read_config_files, split_names, values_of
from recbole_edlae.settings.keys import check_keys

from recbole import quick_start  # isort: skip

USAGE = """\
Trains and evaluates one model with RecBole.

Every other setting of RecBole, of the dataset or of the model goes in as --key=value and overrides the config files,
for example --dropout_prob=0.5 --topk=[10,20]; `recbole-edlae run --model=MODEL --help` lists a model's own.
--debug shows the traceback of an error.
"""
FILTERS = (
    "val_interval",
    "user_inter_num_interval",
    "item_inter_num_interval",
    "filter_inter_by_user_or_item",
)


def main(words: Sequence[str], program: str = "recbole-edlae run") -> dict[str, Any]:
    """Train and evaluate one model, after its settings are checked; return RecBole's result."""
    options = prepare(words, program)
    with errors_in_one_line(program, functools.partial(_reason, options)):
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that RecBole's script has."""
    add = parser.add_argument
    add("--help", "-h", action="store_true", help="this text, with the settings of --model")
    add("--model", "-m", help="name of a model (default: the config files' or EDLAE)")
    add("--dataset", "-d", help="name of a dataset (default: the config files' or ml-100k)")
    add("--config_files", nargs="+", default=[], metavar="FILE", help="YAML files, later ones win")
    add("--nproc", "-n", type=int, default=1, help="processes on this machine, one GPU each")
    add("--ip", default="localhost", help="address of the first machine")
    add("--port", "-p", default="5678", help="port of the first machine")
    add("--world_size", type=int, default=-1, help="processes on all machines")
    add("--group_offset", type=int, default=0, help="rank of this machine's first process")


def prepare(words: Sequence[str], program: str) -> argparse.Namespace:
    """Return the checked options of a run, and leave its settings where RecBole's Config will read them.

    ``settings`` of the options are those of files and command line.
    """
    # RecBole's Config takes the settings of the command line from the words of the process.
    options, overrides = _parse(words, program)
    check_model(options.model)
    process_words([f"--{key}={value}" for key, value in overrides.items()], program=program)
    config = check(options)

    # Unknown keys of files only warn, because other models may read them.
    check_keys(options.settings.keys() - overrides.keys(), [config], written_now=False)
    check_keys(overrides, [config])
    check_early_stopping(config)
    check_checkpoint_dir(config["checkpoint_dir"])

    # NCCL works between GPUs only.
    if options.nproc > 1 and not torch.cuda.is_available():
        raise ValueError(
            f"nproc {options.nproc} needs as many CUDA devices (RecBole's processes talk through NCCL), 0 found"
        )
    return options


def _parse(words: Sequence[str], program: str) -> tuple[argparse.Namespace, dict[str, str]]:
    """Return the options and key → text of the settings. With --help, print the help and end the process."""
    parser = Parser(program, description=USAGE, add_help=False, epilog=listing(PROTOCOLS))
    add_arguments(parser)
    options, overrides = parser.parse(words)

    # Config files may name the model and the dataset.
    options.config_files = [str(find(PROTOCOLS, name)) for name in split_names(options.config_files)]
    from_files = read_config_files(options.config_files)
    if options.model is None:
        options.model = from_files.get("model", "EDLAE")
    if options.dataset is None:
        options.dataset = from_files.get("dataset", "ml-100k")
    options.dataset = str(options.dataset)
    options.settings = from_files | values_of(overrides)

    # The help has the settings of the model, which argparse does not know.
    if options.help:
        parser.print_help()
        check_model(options.model)
        print(f"\nsettings of {options.model}:")
        for setting in registry.schema_of(options.model).values():
            meaning = f"({setting.type}) {setting.meaning}"
            print(f"  --{setting.key}={setting.default}  {meaning}")
        sys.exit(0)
    return options, overrides


def _reason(options: argparse.Namespace, error: Exception) -> str:
    """Return the message, in one line, for an error that ended a run."""
    text = " ".join(str(error).split())

    # RecBole says only that a column is empty, not that its filters left nothing.
    modules = [frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__)]
    if "is empty" in text and "recbole.data.dataset.dataset" in modules:
        filters = {key: value for key, value in options.settings.items() if key in FILTERS}
        return f"no interaction of {options.dataset} is left after filtering by {filters}"

    if isinstance(error, (ValueError, MemoryError)):
        return text
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"{type(error).__name__}: {text} (--debug shows where)"
