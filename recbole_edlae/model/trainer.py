"""Trainers for the models that RecBole's own trainers do not fit."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from recbole.trainer import TraditionalTrainer
from recbole.utils import EvaluatorType
from tqdm import tqdm

from recbole_edlae.integration.fast.large_batches import LargeBatches, UserBatch, has_users
from recbole_edlae.integration.fixes.ranking import LeanCollector
from recbole_edlae.model.resources import memory_at_hand
from recbole_edlae.settings import vectorized

SCORES_BYTES = 2**30  # of the scores of one batch in single precision, at most
SCORES_SHARE = 1 / 8  # of the memory at hand, which they take at most


class ModelState:
    """Detect changed tensors: whether a model still has the same ones, with the same values."""

    def __init__(self, model: torch.nn.Module) -> None:
        """Remember the tensors of a model, without keeping them in memory.

        Args:
            model: whose tensors they are.
        """
        tensors = [*model.buffers(), *model.parameters()]
        self._tensors = [(weakref.ref(tensor), tensor._version) for tensor in tensors]

    def is_of(self, model: torch.nn.Module) -> bool:
        """Return whether a model has these tensors, unchanged.

        Args:
            model: that may have changed.
        """
        tensors = [*model.buffers(), *model.parameters()]
        if len(tensors) != len(self._tensors):
            return False

        # torch raises a tensor's version with every change in place.
        for tensor, (reference, version) in zip(tensors, self._tensors):
            if reference() is not tensor or version != tensor._version:
                return False
        return True


class ClosedFormTrainer(TraditionalTrainer):
    """One epoch that is the model's ``fit``: no pass over the training loader, no negative sampling.

    The time of the fit is the training time that RecBole reports.
    """

    _written: tuple[str, ModelState] | None = None  # the checkpoint last written, and the model in it
    _gram: Callable[..., torch.Tensor] | None = None
    _room: torch.Tensor | None = None  # of the scores of a batch

    class _NoOptimizer:
        """There is nothing to descend; one of torch's would import its compiler, which takes a second."""

        def state_dict(self) -> dict:
            return {}

        def load_state_dict(self, state: dict) -> None:
            pass

    def fit(self, *arguments: Any, gram: Callable[..., torch.Tensor] | None = None, **options: Any) -> tuple:
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
        fit_with_bar(self.model, self._gram, show_progress)
        return 0.0

    def _save_checkpoint(self, epoch: int, verbose: bool = True, **options: Any) -> None:
        super()._save_checkpoint(epoch, verbose=verbose, **options)

        # Which checkpoint has the weights that the model has now.
        name = self._name(options.get("saved_model_file"))
        self._written = name, ModelState(self.model)

    def evaluate(
        self, eval_data: Any, load_best_model: bool = True, model_file: Any = None, show_progress: bool = False
    ) -> dict[str, float]:
        """Evaluate as RecBole does, in larger batches, and without reading weights again that the model has.

        Args:
            eval_data: Loader of the part to evaluate.
            load_best_model: As in RecBole's ``Trainer.evaluate``.
            model_file: As in RecBole's ``Trainer.evaluate``.
            show_progress: As in RecBole's ``Trainer.evaluate``.

        Notes:
            Memory: the scores of a batch take an eighth of the memory at hand, at most 1 GiB.
        """
        # Reading the checkpoint takes twice the memory of the weights.
        load = load_best_model and not self._is_in(model_file)
        if eval_data and self._ranks_lists(eval_data):
            scores_bytes = min(SCORES_BYTES, int(SCORES_SHARE * memory_at_hand(self.device)))
            eval_data = LargeBatches(eval_data, scores_bytes)
        try:
            return super().evaluate(eval_data, load, model_file, show_progress)
        finally:
            self._room = None

    def _ranks_lists(self, eval_data: Any) -> bool:
        """Return whether an evaluation wants the best items of each user alone, by scores of the model's weights."""
        collector = self.eval_collector
        return (
            vectorized.is_on(self.config)
            and self.config["eval_type"] == EvaluatorType.RANKING
            and isinstance(collector, LeanCollector)
            and not collector.needs_scores
            and has_users(eval_data, self.config)
            and self._scores_by_weights()
        )

    def _scores_by_weights(self) -> bool:
        """Return whether the model's scores are those of a linear autoencoder's weights alone."""
        # Another plugin's model may lack the method.
        answer = getattr(self.model, "scores_by_weights", None)
        return answer is not None and answer()

    def _full_sort_batch_eval(self, batched_data: Any) -> tuple:
        """Score and rank a large batch, or score one of RecBole's."""
        if not isinstance(batched_data, UserBatch):
            return super()._full_sort_batch_eval(batched_data)
        scores = self._scores(batched_data)
        return batched_data.interaction, scores, batched_data.positive_u, batched_data.positive_i

    def _scores(self, batch: UserBatch) -> torch.Tensor:
        """Return the scores of a batch as RecBole masks them; they take the place of those of the last batch."""
        weights = self.model.weights
        if not weights.takes_room:
            return super()._full_sort_batch_eval(batch)[1]

        # The operating system may take longer for new memory than the scores take.
        users = batch.interaction[self.model.USER_ID]
        if self._room is not None and len(self._room) < len(users):
            self._room = None
        scores = weights.score(*self.model.history(users), room=self._room)
        if self._room is None:
            self._room = scores

        # RecBole masks [PAD] and the items that a user has.
        scores[:, 0] = -torch.inf
        scores[batch.history] = -torch.inf
        return scores

    def _name(self, file: Any) -> str:
        """Return the name of a checkpoint; None stands for the trainer's own."""
        return str(file or self.saved_model_file)

    def _is_in(self, file: Any) -> bool:
        """Return whether the model is as this trainer has last written it, to this checkpoint."""
        if self._written is None:
            return False
        name, state = self._written
        return name == self._name(file) and state.is_of(self.model)


def fit_with_bar(model: Any, gram: Callable[..., torch.Tensor] | None, show_progress: bool) -> None:
    """Call a model's ``fit``, and show how far it is.

    Args:
        model: that has a closed form.
        gram: what the model takes its Gram matrix from.
        show_progress: whether there is a bar.
    """
    with tqdm(
        total=1.0,
        ncols=100,
        disable=not show_progress,
        desc=f"Fit {type(model).__name__}",
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
    ) as bar:
        model.fit(lambda done, total: bar.update(done / total - bar.n), gram)
