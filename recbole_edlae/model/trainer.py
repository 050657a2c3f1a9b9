"""Trainers for the models that RecBole's own trainers do not fit."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from recbole.trainer import TraditionalTrainer
from recbole.utils import EvaluatorType
from tqdm import tqdm

from recbole_edlae.integration.fast.loaders import LargeBatches, UserBatch, has_users
from recbole_edlae.integration.fixes.ranking import LeanCollector
from recbole_edlae.model.by_gram import memory_at_hand
from recbole_edlae.settings.corrections import vectorized

KEPT_FROM = 2**24  # scores of a validation from which on its lists are kept for the test
KEPT_SHARE = 0.1  # of the memory at hand, which they may take
SCORES_BYTES = 2**30  # of the scores of one batch in single precision, at most
SCORES_SHARE = 1 / 8  # of the memory at hand, which they take at most

_Tensors = list[tuple[weakref.ref, int]]


class ClosedFormTrainer(TraditionalTrainer):
    """One epoch that is the model's ``fit``: no pass over the training loader, no negative sampling.

    The time of the fit is the training time that RecBole reports.
    """

    _written: tuple[str, _Tensors] | None = None  # the checkpoint last written, and what it has
    _validated: _Tensors  # what the last validation scored with
    _kept: Any = None  # the lists of the last validation, of a large catalog: a KeptLists
    _gram: Callable[..., torch.Tensor] | None = None
    _room: torch.Tensor | None = None  # of the scores of a batch

    class _NoOptimizer:
        """There is nothing to descend; one of torch's would import its compiler, which takes a second."""

        def state_dict(self) -> dict:
            return {}

        def load_state_dict(self, state: dict) -> None:
            pass

    def fit(
        self, *arguments: Any, gram: Callable[..., torch.Tensor] | None = None, **options: Any
    ) -> tuple:
        """Fit as RecBole's trainers do.

        Args:
            arguments: Those of RecBole's ``Trainer.fit``.
            gram: What the model's ``fit`` takes its Gram matrix from, or a ``runs.cache.Cache``.
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
        self._written = self._name(options.get("saved_model_file")), _tensors(self.model)

    def _valid_epoch(self, valid_data: Any, show_progress: bool = False) -> tuple[float, dict[str, float]]:
        """Validate as RecBole does, and keep what the test of a large catalog can use."""
        self._kept = None
        items = valid_data._dataset.item_num
        if self._ranks_lists(valid_data) and len(valid_data.uid_list) * items >= KEPT_FROM:
            from recbole_edlae.model.kept_lists import KeptLists

            self._kept = KeptLists(items, int(KEPT_SHARE * memory_at_hand(torch.device("cpu"))))
            self._validated = _tensors(self.model)
        try:
            return super()._valid_epoch(valid_data, show_progress)
        finally:
            if self._kept is not None:
                self._kept.is_complete = True

    def evaluate(
        self,
        eval_data: Any,
        load_best_model: bool = True,
        model_file: Any = None,
        show_progress: bool = False,
    ) -> dict[str, float]:
        """Evaluate as RecBole does, in larger batches, and without reading weights again that the model has.

        Args:
            eval_data: Loader of the part to evaluate.
            load_best_model: As in RecBole's ``Trainer.evaluate``.
            model_file: As in RecBole's ``Trainer.evaluate``.
            show_progress: As in RecBole's ``Trainer.evaluate``.

        Notes:
            Memory: the scores of a batch take an eighth of what is at hand, at most 1 GiB.
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
            vectorized(self.config)
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

        # Lists of other weights say nothing about these.
        if self._kept is not None and _has(self.model, self._validated):
            users = batched_data.interaction[self.model.USER_ID]
            top = self._kept.top_items(batched_data, users, self.eval_collector, self._scores)
        else:
            top = self.eval_collector.top_items(self._scores(batched_data))
        return batched_data.interaction, top, batched_data.positive_u, batched_data.positive_i

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
        name, tensors = self._written
        return name == self._name(file) and _has(self.model, tensors)


def _tensors(model: torch.nn.Module) -> _Tensors:
    """Return a model's tensors, which stay free to go, and their versions, which torch raises with every change."""
    return [(weakref.ref(tensor), tensor._version) for tensor in (*model.buffers(), *model.parameters())]


def _has(model: torch.nn.Module, tensors: _Tensors) -> bool:
    """Return whether a model has these tensors, unchanged."""
    current = _tensors(model)
    if len(current) != len(tensors):
        return False
    for (reference, version), (other, other_version) in zip(current, tensors):
        if reference is not other or version != other_version:
            return False
    return True


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
