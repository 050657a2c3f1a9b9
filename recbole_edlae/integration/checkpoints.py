"""Where RecBole writes and reads checkpoints: it stores what they were trained on, and checks it before loading."""

import functools
import importlib
from typing import Any

import torch

from recbole_edlae._files import whole
from recbole_edlae._warnings import warn
from recbole_edlae.integration import case_study
from recbole_edlae.serving import training_data as identity

RECOMMENDERS = ("GeneralRecommender", "SequentialRecommender", "KnowledgeRecommender", "ContextRecommender")


class WeightsError(ValueError, RuntimeError):
    """The weights of a checkpoint do not fit its model; torch's RuntimeError, in one line that names the file."""


def install() -> None:
    """Make checkpoints know their data, and repair RecBole's case study. Idempotent.

    Can go when RecBole stores and compares the tokens itself.
    """
    models = importlib.import_module("recbole.model.abstract_recommender")
    if not hasattr(models.AbstractRecommender.load_state_dict, "recbole_edlae"):
        for name in RECOMMENDERS:
            recommender = getattr(models, name)
            recommender.__init__ = _then_note(recommender.__init__)
        models.AbstractRecommender.load_state_dict = _load_state_dict
        trainer = importlib.import_module("recbole.trainer.trainer").Trainer
        trainer._save_checkpoint = _save_checkpoint
        trainer.resume_checkpoint = _resume(trainer.resume_checkpoint)
    case_study.install()


def _then_note(stock: Any) -> Any:
    """Return a constructor that also remembers the dataset of the model."""

    @functools.wraps(stock)
    def __init__(self: torch.nn.Module, config: Any, dataset: Any) -> None:
        stock(self, config, dataset)
        identity.note(self, dataset)

    return __init__


def _load_state_dict(self: torch.nn.Module, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
    """Load weights; those that were read from a checkpoint only on the data that it was trained on.

    Raises:
        ValueError: The data are others, or the weights do not fit the model.

    Warns:
        DataWarning: The checkpoint does not say what it was trained on.
    """
    stock = torch.nn.Module.load_state_dict
    file, saved = getattr(state_dict, "checkpoint", (None, None))
    if file is None:
        return stock(self, state_dict, *args, **kwargs)
    current = identity.known_data(self)
    if current is not None and saved is None:
        warn(unchecked(file))
    elif current is not None:
        identity.check_same(saved, current, file)
    try:
        return stock(self, state_dict, *args, **kwargs)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"checkpoint {file}: its weights do not fit {type(self).__name__}: {reason}") from error


_load_state_dict.recbole_edlae = True


def unchecked(file: str) -> str:
    """Say that a checkpoint cannot be checked against its data."""
    return (
        f"checkpoint {file} does not say what it was trained on, as an earlier version or RecBole alone wrote it: "
        "if the data have changed since, its items are others, and nothing can tell"
    )


def _save_checkpoint(self: Any, epoch: int, verbose: bool = True, **kwargs: Any) -> None:
    """Write RecBole's checkpoint with what it was trained on, as a file that is whole or not there.

    RecBole writes into the file that bears the name: a run that is killed, or whose disk is full, while it saves has
    lost the best epoch before too.
    """
    if not self.config["single_spec"] and self.config["local_rank"] != 0:
        return
    saved_model_file = kwargs.pop("saved_model_file", self.saved_model_file)
    state = {
        "config": self.config,
        "epoch": epoch,
        "cur_step": self.cur_step,
        "best_valid_score": self.best_valid_score,
        "state_dict": self.model.state_dict(),
        "other_parameter": self.model.other_parameter(),
        "optimizer": self.optimizer.state_dict(),
    }
    if (data := identity.known_data(self.model)) is not None:
        state[identity.KEY] = data
    with whole(saved_model_file) as file:
        torch.save(state, file, pickle_protocol=4)
    if verbose:
        set_color = importlib.import_module("recbole.utils").set_color
        self.logger.info(set_color("Saving current", "blue") + f": {saved_model_file}")


def _resume(stock: Any) -> Any:
    """Return RecBole's ``resume_checkpoint``, which leaves the trainer as it was when it refuses."""
    kept = ("saved_model_file", "start_epoch", "cur_step", "best_valid_score")

    @functools.wraps(stock)
    def resume_checkpoint(self: Any, resume_file: Any) -> None:
        before = {name: getattr(self, name) for name in kept}
        try:
            stock(self, resume_file)
        except Exception:
            vars(self).update(before)  # or the next fit would write into the file that was refused
            raise

    return resume_checkpoint
