"""The trainer of an ensemble, which trains each member as a run of that model alone would."""

import os
import tempfile
import time
from collections.abc import Callable
from logging import getLogger
from typing import Any, Protocol

import torch
from recbole.data.transform import construct_transform
from recbole.trainer import Trainer
from recbole.utils import get_flops, get_trainer

from recbole_edlae.model import members
from recbole_edlae.model.trainer import ClosedFormTrainer


class Memory(Protocol):
    """What remembers trained members for other ensembles."""

    def put(self, config: Any, member: members.TrainedMember) -> None:
        """Remember a member with its Config."""


class EnsembleTrainer(Trainer):
    """Train each member by its own trainer, with its own loader, seed and early stopping; then validate the ensemble.

    A checkpoint is written after each member. A training that is resumed from it goes on with the next one.

    Attributes:
        members: label → trainer of every member that was trained.
        watch: what the evaluation of a member is called through.
    """

    def __init__(self, config: Any, model: Any) -> None:
        super().__init__(config, model)
        self.epochs = 1
        self.members: dict[str, Any] = {}
        self.watch: Callable[[Callable], Callable] = lambda evaluate: evaluate

    def fit(
        self,
        train_data: Any,
        valid_data: Any = None,
        verbose: bool = True,
        saved: bool = True,
        show_progress: bool = False,
        callback_fn: Callable[[int, float], None] | None = None,
        gram: Callable[..., torch.Tensor] | None = None,
        memory: Memory | None = None,
    ) -> tuple:
        """Fit as RecBole's trainers do.

        Args:
            train_data: As in RecBole's ``Trainer.fit``.
            valid_data: As in RecBole's ``Trainer.fit``.
            verbose: As in RecBole's ``Trainer.fit``.
            saved: As in RecBole's ``Trainer.fit``, of the ensemble's own checkpoint. Members are always the best ones
                that their training has met.
            show_progress: As in RecBole's ``Trainer.fit``.
            callback_fn: As in RecBole's ``Trainer.fit``; it is called once, at the end.
            gram: As in ``ClosedFormTrainer.fit``.
            memory: What remembers the members.

        Raises:
            ValueError: A member cannot be trained; the message names it.
            MemoryError: There is not enough memory for a member; the message names it.
        """
        labels = list(self.model.given)
        for number, label in enumerate(labels):
            # Trained before: for another ensemble, or in a training that is resumed.
            if self.model.epochs[number] != members.NOT_YET:
                continue
            if verbose:
                self.logger.info(f"Ensemble: member {label}, {number + 1} of {len(labels)}")
            with members.of_member(label):
                trained = self._train(label, train_data, valid_data, verbose, show_progress, gram)
            self.model.epochs[number] = trained.epochs
            if memory is not None:
                memory.put(self.model.configs[label], trained)

            # After the last member the validation comes first, whose score the checkpoint has.
            if saved and label != labels[-1]:
                self._save_checkpoint(number, verbose=verbose)

        # What is drawn from here on does not depend on which members were trained now and which before.
        members.seed(self.config)
        try:
            self.eval_collector.data_collect(train_data)
            if valid_data and self.eval_step > 0:
                self.best_valid_score, self.best_valid_result = self._valid_epoch(valid_data, show_progress)
        finally:
            if saved:
                self._save_checkpoint(len(labels) - 1, verbose=verbose)
        if callback_fn and self.best_valid_result is not None:
            callback_fn(0, self.best_valid_score)
        return self.best_valid_score, self.best_valid_result

    def _train(
        self,
        label: str,
        train_data: Any,
        valid_data: Any,
        verbose: bool,
        show_progress: bool,
        gram: Callable[..., torch.Tensor] | None,
    ) -> members.TrainedMember:
        """Train one member, and leave it as it was at its best on validation."""
        start = time.perf_counter()
        config = self.model.configs[label]
        model = self.model.members[label]
        loader = members.train_loader(config, train_data, valid_data)

        # run_recbole counts operations after it has built a model, which draws random numbers where `predict` does.
        members.set_random_states(self.model.random_states[label])
        get_flops(model, train_data._dataset, config["device"], getLogger(), construct_transform(config))
        trainer = self.members[label] = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
        trainer.evaluate = self.watch(trainer.evaluate)

        options = {}
        if isinstance(trainer, ClosedFormTrainer):
            options["gram"] = gram

        # After a single epoch the model is the best one: it needs neither checkpoint nor validation.
        saved = trainer.epochs > 1
        valid_data = valid_data if saved else None
        epochs = members.IN_ONE_STEP
        with tempfile.TemporaryDirectory(dir=config["checkpoint_dir"], prefix="member-") as folder:
            trainer.saved_model_file = os.path.join(folder, "best.pth")
            trainer.fit(loader, valid_data, verbose, saved, show_progress, **options)
            if saved:
                epochs = load_best(trainer)
        return members.TrainedMember(model, epochs, time.perf_counter() - start)


def load_best(trainer: Any) -> int:
    """Give a trainer's model the weights of its last checkpoint, as RecBole does before a test.

    Returns:
        How many epochs they were trained for.
    """
    checkpoint = torch.load(trainer.saved_model_file, map_location=trainer.device, weights_only=False)
    trainer.model.load_state_dict(checkpoint["state_dict"])
    trainer.model.load_other_parameter(checkpoint.get("other_parameter"))
    return checkpoint["epoch"] + 1
