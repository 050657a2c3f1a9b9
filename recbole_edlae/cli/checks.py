"""What the commands share: options, checks before any data are read, and how they say what is wrong."""

import argparse
import contextlib
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import torch

from recbole_edlae._choices import closest_first
from recbole_edlae._warnings import DataWarning, warn
from recbole_edlae.data.columns import check_columns
from recbole_edlae.data.files import check_dataset
from recbole_edlae.integration import models as registry
from recbole_edlae.settings.comments import RECBOLE_PROPERTIES, check_validation, read, recbole_settings
from recbole_edlae.settings.files import Parser, PlainConfig, read_config_files, split_names, value_of
from recbole_edlae.settings.names import check_keys, effects
from recbole_edlae.settings.rules import check_rules, normalized_ratings

from recbole.config import Config  # isort: skip

USAGE = """\
Trains and evaluates one model with RecBole.

Every other setting of RecBole, of the dataset or of the model goes in as --key=value and overrides the config files,
for example --dropout_prob=0.5 --topk=[10,20]; `recbole-edlae run --model=MODEL --help` lists a model's own.
--debug shows the traceback of an error.
"""
debug = False  # set by --debug: errors show their traceback
FILTERS = ("val_interval", "user_inter_num_interval", "item_inter_num_interval", "filter_inter_by_user_or_item")


def prepare(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """Return the options of a run, checked, with its --key=value settings where RecBole's Config will read them."""
    options, overrides = _parse(arguments, program)
    check_model(options.model)
    # Config reads the settings from sys.argv itself, and complains of what is not --key=value
    sys.argv = [program, *(f"--{key}={value}" for key, value in overrides.items())]
    config = check(options)
    check_keys(options.settings.keys() - overrides.keys(), [config], written_now=False)
    check_keys(overrides, [config])
    if options.nproc > 1 and not torch.cuda.is_available():
        raise ValueError(
            f"nproc {options.nproc} needs as many CUDA devices (RecBole's processes talk through NCCL), 0 found"
        )
    return options


def _parse(arguments: Sequence[str], program: str) -> tuple[argparse.Namespace, dict[str, str]]:
    """Options that RecBole's script knows, and the --key=value settings, as text."""
    parser = Parser(program, description=USAGE, add_help=False)
    parser.add_argument("--help", "-h", action="store_true", help="this text, with the settings of --model")
    parser.add_argument("--model", "-m", help="name of a model (default: the config files' or EDLAE)")
    parser.add_argument("--dataset", "-d", help="name of a dataset (default: the config files' or ml-100k)")
    parser.add_argument("--config_files", nargs="+", default=[], metavar="FILE", help="YAML files, later ones win")
    parser.add_argument("--nproc", "-n", type=int, default=1, help="processes on this machine, one GPU each")
    parser.add_argument("--ip", default="localhost", help="address of the first machine")
    parser.add_argument("--port", "-p", default="5678", help="port of the first machine")
    parser.add_argument("--world_size", type=int, default=-1, help="processes on all machines")
    parser.add_argument("--group_offset", type=int, default=0, help="rank of this machine's first process")
    options, overrides = parser.parse(arguments)
    options.config_files = split_names(options.config_files)
    from_files = read_config_files(options.config_files)
    options.model = from_files.get("model", "EDLAE") if options.model is None else options.model
    options.dataset = str(from_files.get("dataset", "ml-100k") if options.dataset is None else options.dataset)
    options.settings = {**from_files, **{key: value_of(text) for key, text in overrides.items()}}
    if options.help:
        parser.print_help()
        check_model(options.model)
        print(f"\nsettings of {options.model}:")
        for setting in read(_model_file(options.model)).values():
            print(f"  --{setting.key}={setting.default}  ({setting.type}) {setting.meaning}")
        sys.exit(0)
    return options, overrides


class _Draft(PlainConfig):
    """RecBole's Config as far as it merges settings: nothing is filled in, and no device is set up."""

    def _set_default_parameters(self) -> None:
        pass

    def _init_device(self) -> None:
        pass

    def _set_train_neg_sample_args(self) -> None:
        pass

    def _set_eval_neg_sample_args(self, phase: str) -> None:
        pass


def check(options: argparse.Namespace, config_dict: Mapping[str, Any] | None = None) -> Config:
    """Check the settings of one run before data are read.

    Args:
        options: with model, dataset, config_files and settings (of the files, and those that override them).
        config_dict: what to give Config beside its files; what it reads from sys.argv comes on top.

    Returns:
        RecBole's Config of the run.

    Raises:
        ValueError: for the first setting that RecBole's files, the model's or the data's say cannot be.

    Warns:
        DataWarning: a setting has no effect, or changes the meaning of what is measured.
    """
    settings = recbole_settings(options.model) | read(_model_file(options.model))
    for key, value in options.settings.items():
        if key in settings and value is not None:
            settings[key].check(value)
    arguments = options.model, options.dataset, options.config_files
    try:
        check_rules(_Draft(*arguments, config_dict).final_config_dict)
        config = PlainConfig(*arguments, config_dict)
    except (KeyError, NotImplementedError, RuntimeError, SyntaxError, TypeError) as error:
        raise ValueError(f"settings: {error.args[0]}") from None
    check_validation(config.final_config_dict)
    check_dataset(options.dataset, options.settings)
    check_columns(config.final_config_dict)
    remarks = [*effects(config.final_config_dict, options.settings), normalized_ratings(config.final_config_dict)]
    for remark in filter(None, remarks):
        warn(remark)
    return config


def check_model(name: str) -> None:
    """Raise ValueError unless there is a model of a name, with the names there are."""
    models = [*registry.registered(), *sorted(file.stem for file in (RECBOLE_PROPERTIES / "model").glob("*.yaml"))]
    if name not in models:
        raise ValueError(f"model: there is no {name or repr(name)}; there are {', '.join(closest_first(name, models))}")


def _model_file(name: str) -> Any:
    return registry.registered().get(name) or RECBOLE_PROPERTIES / "model" / f"{name}.yaml"


def told(error: BaseException, options: argparse.Namespace) -> str:
    """Return what to say, in one line, of an error that ended a run."""
    modules = {frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)}
    text = " ".join(str(error).split())
    if "is empty" in text and "recbole.data.dataset.dataset" in modules:
        filters = {key: value for key, value in options.settings.items() if key in FILTERS}
        return f"no interaction of {options.dataset} is left after filtering by {filters}"
    if isinstance(error, (ValueError, MemoryError)):
        return text
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"{type(error).__name__}: {text} (--debug shows where)"


@contextlib.contextmanager
def plain_warnings(program: str) -> Iterator[None]:
    """Show what is said of data and settings as one line each, and none of them twice."""
    stock, said = warnings.showwarning, set()

    def show(message: Warning, category: type, *where: Any, **more: Any) -> None:
        if not issubclass(category, DataWarning):
            stock(message, category, *where, **more)
        elif str(message) not in said:
            said.add(str(message))
            print(f"{program}: warning: {message}", file=sys.stderr)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = stock


@contextlib.contextmanager
def said_in_one_line(program: str) -> Iterator[None]:
    """End the process with one line and status 2 for a ValueError or OSError from inside, with 130 if interrupted.

    With ``--debug`` on the command line (``debug``) the traceback is shown instead.
    """
    try:
        yield
    except ValueError as error:
        if debug:
            raise
        stop(program, error)
    except OSError as error:
        if debug:
            raise
        stop(program, f"{error.filename or 'file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        interrupted(program)


def interrupted(program: str) -> NoReturn:
    """End the process as the shell has it for an interruption."""
    print(f"\n{program}: interrupted", file=sys.stderr)
    sys.exit(130)


def stop(program: str, reason: object, status: int = 2) -> NoReturn:
    """End the process with one line on standard error."""
    print(f"{program}: error: {reason}", file=sys.stderr)
    sys.exit(status)
