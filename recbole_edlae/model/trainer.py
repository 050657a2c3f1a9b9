"""Trainers for the models that RecBole's own trainers do not fit."""

from collections.abc import Callable
from typing import Any

import torch
from recbole.trainer import TraditionalTrainer
from tqdm import tqdm

from recbole_edlae.solvers import gram


class ClosedFormTrainer(TraditionalTrainer):
    """One epoch that is the model's ``fit``: no pass over the training loader, no negative sampling.

    The time of the fit is the training time that RecBole reports.
    """

    _written: Any = None
    _gram: Callable[..., torch.Tensor] = staticmethod(gram)

    class _NoOptimizer:
        """There is nothing to descend; one of torch's would import its compiler, which takes a second."""

        def state_dict(self) -> dict:
            return {}

        def load_state_dict(self, state: dict) -> None:
            pass

    def fit(self, *arguments: Any, gram: Callable[..., torch.Tensor] = gram, **options: Any) -> tuple:
        """Fit as RecBole's trainers do.

        Args:
            arguments: Those of RecBole's ``Trainer.fit``.
            gram: What the model's ``fit`` takes its Gram matrix from.
            options: Those of RecBole's ``Trainer.fit``.
        """
        self._gram = gram
        return super().fit(*arguments, **options)

    def _build_optimizer(self, **options: Any) -> _NoOptimizer:
        return self._NoOptimizer()

    def _train_epoch(
        self, train_data: Any, epoch_idx: int, loss_func: Any = None, show_progress: bool = False
    ) -> float:
        with tqdm(
            total=1.0,
            ncols=100,
            disable=not show_progress,
            desc=f"Fit {self.config['model']}",
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        ) as bar:
            self.model.fit(lambda done, total: bar.update(done / total - bar.n), self._gram)
        return 0.0

    def _save_checkpoint(self, epoch: int, verbose: bool = True, **options: Any) -> None:
        super()._save_checkpoint(epoch, verbose=verbose, **options)
        self._written = self._state(options.get("saved_model_file"))

    def evaluate(
        self, eval_data: Any, load_best_model: bool = True, model_file: Any = None, show_progress: bool = False
    ) -> dict[str, float]:
        """Evaluate as RecBole does, without reading weights again that the model has: that takes twice the memory."""
        load = load_best_model and self._state(model_file) != self._written
        return super().evaluate(eval_data, load, model_file, show_progress)

    def _state(self, file: Any) -> tuple[str, list[tuple[int, int]]]:
        """Return what changes with the checkpoint's name, the model's weights or their values."""
        return str(file or self.saved_model_file), [(id(buffer), buffer._version) for buffer in self.model.buffers()]
