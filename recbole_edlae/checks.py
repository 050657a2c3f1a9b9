"""What the commands share: options, checks before any data are read, and how they say what is wrong."""

import argparse
import ast
import contextlib
import difflib
import pathlib
import sys
import traceback

import torch
import yaml

from recbole_edlae import registry  # first: RecBole's own modules need it on a current stack
from recbole_edlae.settings import RECBOLE_PROPERTIES, check_validation, closest_first, read, recbole_settings

from recbole.config import Config  # isort: skip

USAGE = """\
Trains and evaluates one model with RecBole.

Every other setting of RecBole, of the dataset or of the model goes in as --key=value and overrides the config files,
for example --dropout_prob=0.5 --topk=[10,20]; `recbole-edlae run --model=MODEL --help` lists a model's own.
"""
debug = False  # set by --debug: errors show their traceback
FILTERS = ("val_interval", "user_inter_num_interval", "item_inter_num_interval", "filter_inter_by_user_or_item")


def prepare(arguments, program):
    """Options of a run, checked, with its --key=value settings where RecBole's Config will read them."""
    options, overrides = _parse(arguments, program)
    check_model(options.model)
    # Config reads the settings from sys.argv itself, and complains of what is not --key=value
    sys.argv = [program, *(f"--{key}={value}" for key, value in overrides.items())]
    check(options, overrides)
    return options


def _parse(arguments, program):
    """Options that RecBole's script knows, and the --key=value settings, as text."""
    parser = argparse.ArgumentParser(program, description=USAGE, allow_abbrev=False, add_help=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--help", "-h", action="store_true", help="this text, with the settings of --model")
    parser.add_argument("--model", "-m", help="name of a model (default: the config files' or EDLAE)")
    parser.add_argument("--dataset", "-d", help="name of a dataset (default: the config files' or ml-100k)")
    parser.add_argument("--config_files", nargs="+", default=[], metavar="FILE", help="YAML files, later ones win")
    parser.add_argument("--nproc", "-n", type=int, default=1, help="processes on this machine, one GPU each")
    parser.add_argument("--ip", default="localhost", help="address of the first machine")
    parser.add_argument("--port", "-p", default="5678", help="port of the first machine")
    parser.add_argument("--world_size", type=int, default=-1, help="processes on all machines")
    parser.add_argument("--group_offset", type=int, default=0, help="rank of this machine's first process")
    options, rest = parser.parse_known_args(arguments)
    options.config_files = [file for files in options.config_files for file in files.split()]
    overrides = read_overrides(rest)
    from_files = read_config_files(options.config_files)
    options.model = options.model or from_files.get("model", "EDLAE")
    options.dataset = options.dataset or from_files.get("dataset", "ml-100k")
    options.settings = {**from_files, **{key: value_of(text) for key, text in overrides.items()}}
    if options.help:
        parser.print_help()
        check_model(options.model)
        print(f"\nsettings of {options.model}:")
        for setting in read(_model_file(options.model)).values():
            print(f"  --{setting.key}={setting.default}  ({setting.type}) {setting.meaning}")
        sys.exit(0)
    return options, overrides


def read_overrides(words):
    """Key → text of the words --key=value."""
    overrides = {}
    for word in words:
        key, equals, value = word.removeprefix("--").partition("=")
        if not (word.startswith("--") and equals and key):
            raise ValueError(f"{word!r} is neither an option nor a setting of the form --key=value")
        overrides[key] = value
    return overrides


def check(options, overrides, config_dict=None):
    """Raises ValueError for the first setting that RecBole's or the model's own files say cannot be.

    Args:
        options: with model, dataset, config_files, settings (of the files, and those that override them) and nproc.
        overrides: the keys among the settings that a user has just written, to be looked at for misspelling.
        config_dict: what to give Config beside its files; what it reads from sys.argv comes on top.
    """
    settings = recbole_settings(options.model) | read(_model_file(options.model))
    for key, value in options.settings.items():
        if key in settings and value is not None:
            settings[key].check(value)
    try:
        config = Config(options.model, options.dataset, options.config_files, config_dict)
    except (KeyError, NotImplementedError, RuntimeError, SyntaxError, TypeError) as error:
        raise ValueError(f"settings: {error.args[0]}") from None
    check_validation(config.final_config_dict)
    check_spelling(overrides, [config])
    _check_dataset(options)
    if options.nproc > 1 and not torch.cuda.is_available():
        raise ValueError(
            f"nproc {options.nproc} needs as many CUDA devices (RecBole's processes talk through NCCL), 0 found"
        )


def check_spelling(keys, configs):
    """Raises ValueError for a key that none of some Configs has a setting for, and that looks like one they have."""
    known = {key for config in configs for keys in config.parameters.values() for key in keys}
    known = sorted(known.union(*(config.internal_config_dict for config in configs)))
    for key in keys:
        if key not in known and (alike := difflib.get_close_matches(key, known, n=1, cutoff=0.75)):
            raise ValueError(f"there is no setting {key}; did you mean {alike[0]}?")


def read_config_files(files):
    merged = {}
    for file in files:
        path = pathlib.Path(file)
        if not path.is_file():
            near = sorted(str(each) for each in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
            there = f"; there are {', '.join(closest_first(file, near))}" if near else ""
            raise ValueError(f"config_files: no file {file}{there}")
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"config_files: {file} is not YAML: {' '.join(str(error).split())}") from None
        if not isinstance(content, dict):
            raise ValueError(f"config_files: {file} holds no `key: value` lines")
        merged |= content
    return merged


def check_model(name):
    models = _models()
    if name not in models:
        raise ValueError(f"model: there is no {name}; there are {', '.join(closest_first(name, models))}")


def _models():
    """Names of every model there is: this package's, then RecBole's."""
    return [*registry.registered(), *sorted(file.stem for file in (RECBOLE_PROPERTIES / "model").glob("*.yaml"))]


def _model_file(name):
    return registry.registered().get(name) or RECBOLE_PROPERTIES / "model" / f"{name}.yaml"


def _check_dataset(options):
    """The dataset's files are there, or RecBole knows where to download them."""
    if options.dataset == "ml-100k":
        return
    root = pathlib.Path(str(options.settings.get("data_path") or "dataset/"))
    folder, parts = root / options.dataset, options.settings.get("benchmark_filename")
    wanted = [f"{options.dataset}.{part}.inter" for part in parts or []] or [f"{options.dataset}.inter"]
    missing = [name for name in wanted if not (folder / name).is_file()]
    downloads = list(yaml.safe_load((RECBOLE_PROPERTIES / "dataset" / "url.yaml").read_text()))
    if not missing or (not folder.exists() and options.dataset in downloads):
        return
    if folder.is_dir():
        raise ValueError(f"dataset: {folder} has no {missing[0]}; it has {', '.join(_names(folder)) or 'no files'}")
    here = ["ml-100k", *(name for name in _names(root) if (root / name).is_dir())] if root.is_dir() else ["ml-100k"]
    here, downloads = closest_first(options.dataset, here), closest_first(options.dataset, downloads)[:5]
    raise ValueError(
        f"dataset: there is no {options.dataset} in data_path {root}; "
        f"there are {', '.join(here)} here, and RecBole downloads {', '.join(downloads)}, …"
    )


def _names(folder):
    return sorted(each.name for each in folder.iterdir())


def value_of(text):
    """A setting's text as Config will read it."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(text.lower(), text)


def fault_of_the_data(error, options):
    """What to say of an error that RecBole raised while it read or filtered the data; None for any other."""
    modules = {frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)}
    if "is empty" in str(error) and "recbole.data.dataset.dataset" in modules:
        filters = {key: value for key, value in options.settings.items() if key in FILTERS}
        return f"no interaction of {options.dataset} is left after filtering by {filters}"
    if "recbole_edlae.data.user_split" in modules:
        return str(error)
    return None


@contextlib.contextmanager
def said_in_one_line(program):
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


def interrupted(program):
    print(f"\n{program}: interrupted", file=sys.stderr)
    sys.exit(130)


def stop(program, reason):
    print(f"{program}: error: {reason}", file=sys.stderr)
    sys.exit(2)
