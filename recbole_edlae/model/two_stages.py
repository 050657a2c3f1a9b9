"""The trainer of models that are trained by epochs in one part and solved in closed form in another."""

from collections.abc import Callable
from typing import Any

import torch
from recbole.trainer import Trainer

from recbole_edlae.model.trainer import fit_with_bar

Epochs = Callable[[torch.nn.Module, Callable[[], int]], int]


def train(model: torch.nn.Module, run_epochs: Callable[[], int]) -> int:
    """Train a model by its epochs, and return the one that was kept.

    Args:
        model: to train.
        run_epochs: trains it, and returns which epoch was kept, counted from 0; -1 without a checkpoint.
    """
    return run_epochs()


class TwoStageTrainer(Trainer):
    """Train by epochs as RecBole does, and fit the model's closed form afterwards.

    In the epochs, and in their validation, the model has no closed form: they decide by themselves where training
    stops. The score and the metrics of the validation are those of the whole model.

    A model has ``deep_loss``, which the epochs minimize, and the methods ``fit`` and ``unfit`` of its closed form.
    """

    best_valid_score: float
    best_valid_result: Any
    validates_at_the_end = True  # the model that is returned, whichever epoch it is of

    def fit(
        self,
        train_data: Any,
        valid_data: Any = None,
        verbose: bool = True,
        saved: bool = True,
        show_progress: bool = False,
        callback_fn: Callable[[int, float], None] | None = None,
        gram: Callable[..., torch.Tensor] | None = None,
        epochs: Epochs = train,
    ) -> tuple:
        """Fit as RecBole's trainers do.

        Args:
            train_data: As in RecBole's ``Trainer.fit``.
            valid_data: As in RecBole's ``Trainer.fit``.
            verbose: As in RecBole's ``Trainer.fit``.
            saved: As in RecBole's ``Trainer.fit``; without, the model of the last epoch is the one that is validated.
            show_progress: As in RecBole's ``Trainer.fit``.
            callback_fn: As in RecBole's ``Trainer.fit``.
            gram: What the model's ``fit`` takes its Gram matrix from.
            epochs: As ``train``; it may take what was trained before.
        """

        def run_epochs() -> int:
            super(TwoStageTrainer, self).fit(train_data, valid_data, verbose, saved, show_progress, callback_fn)
            if not saved:
                return -1
            self.resume_checkpoint(self.saved_model_file)  # the best epoch, with its optimizer
            return self.start_epoch - 1

        self.model.unfit()
        epoch = epochs(self.model, run_epochs)
        fit_with_bar(self.model, gram, show_progress)
        if saved:
            self._save_checkpoint(epoch, verbose=verbose)
        if not valid_data or min(self.epochs, self.eval_step) <= 0:
            return self.best_valid_score, self.best_valid_result
        self.eval_collector.data_collect(train_data)  # where no epochs ran
        self.best_valid_score, self.best_valid_result = self._valid_epoch(valid_data, show_progress=show_progress)
        return self.best_valid_score, self.best_valid_result

    def _train_epoch(
        self, train_data: Any, epoch_idx: int, loss_func: Any = None, show_progress: bool = False
    ) -> float:
        loss = self.model.deep_loss if loss_func is None else loss_func
        return super()._train_epoch(train_data, epoch_idx, loss, show_progress)
