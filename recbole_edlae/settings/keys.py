"""Check the names of settings: which exist, what earlier versions of RecBole called them, and which have no effect."""

import difflib
import functools
import pathlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from recbole.config import Config
from recbole.utils import (
    dataset_arguments,
    evaluation_arguments,
    general_arguments,
    get_model,
    training_arguments,
)

from recbole_edlae._warnings import warn
from recbole_edlae.settings import corrections, registry
from recbole_edlae.settings.registry import RECBOLE_PROPERTIES
from recbole_edlae.settings.rules import SEARCH_FILES, VECTORIZED_DATA

# Names that RecBole 1.2 ignores, from its earlier versions and its Python functions, and what to write today.
OLD_NAMES = {
    "config_file": "the option --config_files FILE",
    "config_file_list": "the option --config_files FILE",
    "eval_setting": "eval_args: {split: {RS: [0.8, 0.1, 0.1]}, order: RO, group_by: user, mode: full}",
    "group_by_user": "eval_args: {group_by: user}",
    "split_ratio": "eval_args: {split: {RS: [0.8, 0.1, 0.1]}}",
    "leave_one_num": "eval_args: {split: {LS: valid_and_test}}",
    "real_time_process": "nothing: RecBole decides that itself",
    "training_neg_sample_num": "train_neg_sample_args: {distribution: uniform, sample_num: 1}",
    "training_neg_sample_distribution": "train_neg_sample_args: {distribution: uniform, sample_num: 1}",
    "neg_sampling": "train_neg_sample_args: {distribution: uniform, sample_num: 1}",
    "eval_neg_sample_args": "eval_args: {mode: uni100}",
    "min_user_inter_num": "user_inter_num_interval: '[5,inf)'",
    "max_user_inter_num": "user_inter_num_interval: '[0,100]'",
    "min_item_inter_num": "item_inter_num_interval: '[5,inf)'",
    "max_item_inter_num": "item_inter_num_interval: '[0,100]'",
    "lowest_val": "val_interval: {rating: '[3,inf)'}",
    "highest_val": "val_interval: {rating: '(-inf,3]'}",
    "equal_val": "val_interval: {rating: '[3,3]'}",
    "not_equal_val": "val_interval: {rating: '(-inf,3);(3,inf)'}",
    "drop_filter_field": "unused_col: {inter: [rating]}",
    "fields_in_same_space": "alias_of_user_id, alias_of_item_id, alias_of_entity_id or alias_of_relation_id",
}
_OPTIONS_OF_RUN = {
    "model",
    "dataset",
    "config_files",
    "nproc",
    "world_size",
    "ip",
    "port",
    "offset",
    "local_rank",
}

# Read by this package for every model.
_OWN = {VECTORIZED_DATA, SEARCH_FILES, corrections.SETTING}
_SET_BY_RECBOLE = {
    "device": "gpu_id ('' for the CPU)",
    "eval_type": "metrics",
    "valid_neg_sample_args": "mode in eval_args",
    "test_neg_sample_args": "mode in eval_args",
    "MODEL_INPUT_TYPE": "the model",
}
_TOP_LEVEL_KEY = re.compile(r"^(\w+):", re.MULTILINE)
_READ_BY_CODE = re.compile(r"""config(?:\[|\.get\()\s*["'](\w+)["']""")


def check_keys(
    keys: Iterable[str], configs: Sequence[Config], *, where: str = "", written_now: bool = True
) -> None:
    """Check that settings are read by something.

    Args:
        keys: names of settings.
        configs: of the runs that they are for; a setting that one of them reads is valid.
        where: what to put before a message: the file or row that has the settings.
        written_now: whether the settings are a choice for these very runs: on the command line, in a search space or
            in the row of a leaderboard. Files of settings may be shared by other models and other programs.

    Raises:
        ValueError: A name is one of an earlier RecBole, or resembles one that is read, or nothing reads it and it was
            ``written_now``; the message has today's name.

    Warns:
        DataWarning: Nothing reads a setting of a file, or other models only.
    """
    # A run may read settings that its model brings along.
    known = _OPTIONS_OF_RUN | _OWN
    for config in configs:
        known = known.union(config.internal_config_dict, *config.parameters.values())
    known -= OLD_NAMES.keys()
    models = ", ".join(dict.fromkeys(config.model for config in configs))

    for key in keys:
        if key in OLD_NAMES:
            raise ValueError(f"{where}RecBole no longer reads {key}; write {OLD_NAMES[key]}")
        if key in known or key in _read_by_code():
            continue
        if others := models_with(key):
            if len(others) > 5:
                others = [*others[:5], "…"]
            warn(f"{where}{key} has no effect on {models}: it is a setting of {', '.join(others)}")
            continue

        # In a file of settings only a likely misspelling is an error: other programs may read the file.
        nearest = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.75)
        if nearest:
            raise ValueError(f"{where}unknown setting {key!r}; did you mean {nearest[0]}?")
        if written_now:
            raise ValueError(f"{where}unknown setting {key!r}: neither RecBole nor {models} reads it")
        warn(f"{where}nothing reads the setting {key}")


def without_effect(settings: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each setting that is read but has no effect under the other settings.

    Args:
        settings: all settings, as ``Config`` ends with.
        values: those that a user has set.

    Yields:
        The setting, and why it has no effect.
    """
    # None means that a setting is not used.
    user_set = {key for key in values if settings.get(key) is not None}
    modes = set(settings["eval_args"]["mode"].values())
    if "threshold" in user_set and modes == {"full"}:
        ((field, value),) = settings["threshold"].items()
        yield (
            f"threshold has no effect in full ranking, where every interaction of the data counts; to keep those with "
            f"{field} of at least {value} set val_interval: {{{field}: '[{value},inf)'}}"
        )
    if settings.get("benchmark_filename"):
        yield from _without_effect_on_files(values, user_set)

    # RecBole's own copy of this dataset wins over one in the user's folder.
    local = pathlib.Path(str(values.get("data_path") or "dataset/"), "ml-100k")
    if settings["dataset"] == local.name and local.is_dir() and not local.samefile(settings["data_path"]):
        yield f"data_path has no effect on ml-100k: RecBole reads the one that comes with it, not {local}"

    yield from _without_effect_on_the_device(settings, user_set)
    for key in sorted(user_set.intersection(_SET_BY_RECBOLE)):
        yield f"{key} has no effect: RecBole sets it by {_SET_BY_RECBOLE[key]}"
    if "valid_metric_bigger" in user_set:
        yield "valid_metric_bigger has no effect: RecBole knows it of every metric"


def settings_of(model: str) -> set[str]:
    """Return the settings of a model, as its file of defaults and those of its parents have them."""
    family = {parent.__name__ for parent in get_model(model).__mro__}
    settings = set()
    for key, models in _read_by_models().items():
        if not family.isdisjoint(models):
            settings.add(key)
    return settings - _declared_for_all()


def settings_of_models() -> set[str]:
    """Return the settings of all models."""
    return (_read_by_models().keys() | settings_without_file()) - _declared_for_all()


def settings_without_file() -> set[str]:
    """Return the settings that the code of RecBole's models reads, and nothing else, and that no file has."""
    folders = _read_by_folder()
    return folders["model"].difference(folders["others"], _read_by_models(), _declared_for_all())


def is_known(key: str) -> bool:
    """Return whether RecBole, one of its models or this package reads a setting."""
    known = _declared_for_all() | settings_of_models() | _read_by_code() | _OPTIONS_OF_RUN | _OWN
    return key in known - OLD_NAMES.keys()


def models_with(key: str) -> list[str]:
    """Return the models that have a setting in their files of defaults."""
    return _read_by_models().get(key, [])


def _without_effect_on_files(values: Mapping[str, Any], user_set: Collection[str]) -> Iterator[str]:
    """Yield a line for each setting that RecBole ignores if the files are split already."""
    for key in ("item_inter_num_interval", "rm_dup_inter", "user_inter_num_interval", "val_interval"):
        if key in user_set:
            yield f"{key} has no effect with benchmark_filename: RecBole takes such files as they are"

    # Every split has an order, which is RO unless somebody sets another one.
    eval_args = values.get("eval_args") or {}
    if "split" in eval_args or eval_args.get("order", "RO") != "RO":
        yield "split and order in eval_args have no effect with benchmark_filename: the files are the parts"


def _without_effect_on_the_device(settings: Mapping[str, Any], user_set: Collection[str]) -> Iterator[str]:
    """Yield a line for each setting of the device that RecBole's choice does not follow."""
    on_gpu = settings["device"].type == "cuda"
    if "gpu_id" in user_set and settings["gpu_id"] and not on_gpu:
        yield f"gpu_id {settings['gpu_id']} has no effect: torch finds no such GPU, and the CPU computes"
    if "use_gpu" not in user_set or bool(settings["use_gpu"]) == on_gpu:
        return
    if on_gpu:
        yield "use_gpu has no effect: where gpu_id names a GPU, RecBole takes it"
    else:
        yield "use_gpu has no effect: torch finds no GPU, and the CPU computes"


@functools.cache
def _read_by_models() -> dict[str, list[str]]:
    """Return setting → the models whose files of defaults have it."""
    # A model of this package comes where RecBole has a file of the same name.
    files = {path.stem: path for path in sorted((RECBOLE_PROPERTIES / "model").glob("*.yaml"))}
    for name, path in registry.registered().items():
        files[name] = pathlib.Path(path)

    models: dict[str, list[str]] = {}
    for name, file in files.items():
        for key in _TOP_LEVEL_KEY.findall(file.read_text(encoding="utf-8")):
            models.setdefault(key, []).append(name)
    return models


@functools.cache
def _declared_for_all() -> frozenset[str]:
    """Return the settings that RecBole declares for every model: of run, data, training and evaluation."""
    keys = {*general_arguments, *training_arguments, *evaluation_arguments, *dataset_arguments}
    for name in ("overall.yaml", "dataset/sample.yaml"):
        text = (RECBOLE_PROPERTIES / name).read_text(encoding="utf-8")
        keys.update(_TOP_LEVEL_KEY.findall(text))
    return frozenset(keys)


def _read_by_code() -> set[str]:
    """Return the settings that RecBole's code reads and no model's file of defaults has."""
    return set().union(*_read_by_folder().values()).difference(_read_by_models(), OLD_NAMES)


@functools.cache
def _read_by_folder() -> dict[str, set[str]]:
    """Return the settings that the code of RecBole's models reads, and those that the rest of its code reads."""
    folders: dict[str, set[str]] = {"model": set(), "others": set()}
    root = RECBOLE_PROPERTIES.parent
    for path in root.rglob("*.py"):
        keys = _READ_BY_CODE.findall(path.read_text(encoding="utf-8"))
        folder = "others"
        if root / "model" in path.parents:
            folder = "model"
        folders[folder].update(keys)
    return folders
