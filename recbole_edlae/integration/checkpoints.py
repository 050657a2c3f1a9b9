"""Checkpoints and datasets that know what they are made of, which is checked before they are used.

A checkpoint of RecBole's stores what it was trained on, a dataset the fingerprint of the files that it was read from.
"""

import inspect
import os
import secrets
import types
from collections.abc import Callable
from typing import Any, BinaryIO

import torch
from recbole.data.dataset import Dataset
from recbole.utils import set_color

from recbole_edlae._files import atomic_file
from recbole_edlae._warnings import warn
from recbole_edlae.data import training_data
from recbole_edlae.data.fingerprint import ChangedFileError, class_of, fingerprint
from recbole_edlae.integration.models import to_save


class WeightsError(ValueError, RuntimeError):
    """The weights of a checkpoint do not fit its model; torch's RuntimeError, in one line that names the file."""


def then_note(stock: Callable, model: torch.nn.Module, config: Any, dataset: Any) -> None:
    """Construct a model as RecBole does, and remember which data it was built on."""
    stock(model, config, dataset)
    training_data.note(model, dataset)


def load_state_dict(
    stock: Callable, model: torch.nn.Module, state_dict: Any, *arguments: Any, **options: Any
) -> Any:
    """Load weights; those that were read from a checkpoint only on the data that it was trained on.

    Raises:
        ValueError: The data are others, or the weights do not fit the model.

    Warns:
        DataWarning: The checkpoint does not say what it was trained on.
    """
    file, saved = getattr(state_dict, "checkpoint", (None, None))
    if file is None:
        return stock(model, state_dict, *arguments, **options)

    # Other data would give every weight another item.
    current = training_data.known_data(model)
    if saved is None and current is not None:
        warn(unchecked(file))
    elif saved is not None and current is not None:
        training_data.check_same(saved, current, file)

    # torch lists every weight that does not fit, in many lines.
    try:
        return stock(model, state_dict, *arguments, **options)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"checkpoint {file}: its weights do not fit {type(model).__name__}: {reason}"
        ) from error


def unchecked(file: str) -> str:
    """Return the warning that a checkpoint cannot be checked against its data."""
    return (
        f"checkpoint {file} does not say what it was trained on, as an earlier version or RecBole alone wrote it: "
        "if the data have changed since, its items are others, and nothing can tell"
    )


def save_checkpoint(
    stock: Callable, trainer: Any, epoch: int, verbose: bool = True, **options: Any
) -> None:
    """Write RecBole's checkpoint with what it was trained on, atomically.

    RecBole writes into the file itself: a run that is killed, or whose disk is full, while it saves has lost the best
    epoch before too. It pickles by protocol 4, of which ``torch.load`` cannot even say what it refuses.
    """
    if not trainer.config["single_spec"] and trainer.config["local_rank"] != 0:
        return

    # torch.load names the first thing that it refuses.
    saved_model_file = options.pop("saved_model_file", trainer.saved_model_file)
    state: dict[str, Any] = {}
    if _is_ours(trainer):
        state["opened_with"] = import_recbole_edlae_to_open_this_checkpoint

    # What RecBole stores, and what the model was trained on.
    state |= {
        "config": to_save(trainer.config),
        "epoch": epoch,
        "cur_step": trainer.cur_step,
        "best_valid_score": trainer.best_valid_score,
        "state_dict": trainer.model.state_dict(),
        "other_parameter": trainer.model.other_parameter(),
        "optimizer": trainer.optimizer.state_dict(),
    }
    data = training_data.known_data(trainer.model)
    if data is not None:
        state[training_data.KEY] = data

    with atomic_file(saved_model_file) as file:
        _save(state, file)
    if verbose:
        trainer.logger.info(set_color("Saving current", "blue") + f": {saved_model_file}")


def _save(state: dict[str, Any], file: BinaryIO) -> None:
    """Save as torch does, and raise the OSError where torch's error hides that the disk is full."""
    try:
        torch.save(state, file)
    except RuntimeError as error:
        reason: BaseException | None = error
        while reason is not None and not isinstance(reason, OSError):
            reason = reason.__context__
        raise reason or error from None


def import_recbole_edlae_to_open_this_checkpoint() -> None:
    """Say by this name what a checkpoint needs.

    Stock RecBole reads checkpoints by ``torch.load``, which refuses them from torch 2.6 on and names the first class or
    function that it does not know. In a checkpoint of this package's models that is this function. Where torch reads
    them all the same, unpickling it imports the package.
    """


def _is_ours(trainer: Any) -> bool:
    """Return whether a checkpoint needs this package: RecBole alone can open those of its own models."""
    modules = (type(trainer.model).__module__, type(trainer).__module__)
    return "recbole_edlae" in [module.partition(".")[0] for module in modules]


def resume_checkpoint(stock: Callable, trainer: Any, resume_file: Any) -> None:
    """Resume as RecBole does; a checkpoint that is refused leaves the trainer as it was."""
    names = ("saved_model_file", "start_epoch", "cur_step", "best_valid_score")
    before = {name: getattr(trainer, name) for name in names}

    # Otherwise the next fit would write into the file that was refused.
    try:
        stock(trainer, resume_file)
    except Exception:
        vars(trainer).update(before)
        raise


def trainer_with_its_own_file(stock: Callable, trainer: Any, config: Any, model: torch.nn.Module) -> None:
    """Construct a trainer as RecBole does, with files that no other trainer writes into.

    RecBole names them by the second: of two runs that started in the same one, both wrote and read the later's model.
    The trainer of a loaded model can evaluate at once, by what metrics need of the data that the model was built on.
    """
    stock(trainer, config, model)

    # The processes of one run on several GPUs have to agree on the name; no other run on them has the same port.
    suffix = secrets.token_hex(4) if config["single_spec"] else config["port"]
    for name in ("saved_model_file", "temp_file", "temp_best_file"):
        if name in vars(trainer):
            stem, extension = os.path.splitext(getattr(trainer, name))
            setattr(trainer, name, f"{stem}-{suffix}{extension}")

    # A loaded model may be evaluated without a fit.
    dataset = training_data.dataset_of(model)
    if dataset is not None:
        trainer.eval_collector.data_collect(types.SimpleNamespace(dataset=dataset))


def fit(stock: Callable, trainer: Any, *arguments: Any, **options: Any) -> tuple:
    """Fit as RecBole does, and say where nothing was saved and the last epoch is not the best.

    Warns:
        DataWarning: What is returned is of another epoch than the model.
    """
    bound = inspect.signature(stock).bind(trainer, *arguments, **options)
    bound.apply_defaults()
    result = stock(trainer, *arguments, **options)
    if bound.arguments["saved"] or trainer.best_valid_result is None:
        return result
    if getattr(trainer, "validates_at_the_end", False):
        return result

    # cur_step counts the validations since the best one.
    last_is_best = trainer.cur_step == 0 and trainer.epochs % trainer.eval_step == 0
    if not last_is_best:
        warn(
            "saved=False keeps no checkpoint: the best valid result is of the best epoch, and a test now is of the "
            "last one; saved=True tests the best"
        )
    return result


def from_scratch(stock: Callable, dataset: Dataset) -> None:
    """Read a dataset as RecBole does, and note the fingerprint of the files that it was read from.

    Raises:
        ChangedFileError: A file changed while it was read.
    """
    settings = dataset.config.final_config_dict
    before = fingerprint(settings)
    stock(dataset)
    dataset.fingerprint = fingerprint(settings)

    # There was nothing before where RecBole downloads the files.
    if before not in ("", dataset.fingerprint):
        folder = settings["data_path"]
        raise ChangedFileError(
            f"dataset: {folder} changed while {dataset.dataset_name} was read; run it again"
        )


def create_dataset(stock: Callable, config: Any) -> Dataset:
    """Return a dataset as RecBole does; a saved one only where it is of the same files, class and settings.

    Warns:
        DataWarning: A saved dataset is not used.
    """
    dataset_class = class_of(config.final_config_dict)
    file = _saved_file("dataset_save_path", f"{config['dataset']}-{dataset_class.__name__}.pth", config)
    if file is not None:
        from recbole_edlae.integration.fixes import saved  # most runs have saved nothing

        dataset = saved.dataset_in(file, dataset_class, config)
        if dataset is not None:
            return dataset

    dataset = dataset_class(config)
    if config["save_dataset"]:
        dataset.save()
    return dataset


def load_split_dataloaders(stock: Callable, config: Any) -> tuple | None:
    """Return saved loaders as RecBole does, where they are of the same files, model and settings; None otherwise.

    Warns:
        DataWarning: Saved loaders are not used.
    """
    file = _saved_file(
        "dataloaders_save_path", f"{config['dataset']}-for-{config['model']}-dataloader.pth", config
    )
    if file is None:
        return None
    from recbole_edlae.integration.fixes import saved

    return saved.loaders_in(stock, file, config)


def _saved_file(setting: str, name: str, config: Any) -> str | None:
    """Return the file to load: the one that a setting names, or the one in ``checkpoint_dir``; None without it."""
    file = config[setting] or os.path.join(config["checkpoint_dir"], name)
    if os.path.isfile(file):
        return file
    if config[setting]:
        warn(f"{setting}: there is no file {file}; the files of {config['dataset']} are read instead")
    return None
