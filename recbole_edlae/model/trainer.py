"""Trainers for the models that RecBole's own trainers do not fit."""

from recbole.trainer import TraditionalTrainer
from tqdm import tqdm


class ClosedFormTrainer(TraditionalTrainer):
    """One epoch that is the model's ``fit``: no pass over the training loader, no negative sampling.

    The time of the fit is the training time that RecBole reports.
    """

    _written = None

    class _NoOptimizer:
        """There is nothing to descend; one of torch's would import its compiler, which takes a second."""

        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            pass

    def _build_optimizer(self, **kwargs):
        return self._NoOptimizer()

    def _train_epoch(self, train_data, epoch_idx, loss_func=None, show_progress=False):
        with tqdm(
            total=1.0, ncols=100, disable=not show_progress, desc=f"Fit {self.config['model']}",
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        ) as bar:  # fmt: skip
            self.model.fit(progress=lambda done, total: bar.update(done / total - bar.n))
        return 0.0

    def _save_checkpoint(self, epoch, verbose=True, **kwargs):
        super()._save_checkpoint(epoch, verbose=verbose, **kwargs)
        self._written = self._state(kwargs.get("saved_model_file"))

    def evaluate(self, eval_data, load_best_model=True, model_file=None, show_progress=False):
        """Weights that are those of the checkpoint are not read again, which would take twice the memory."""
        load = load_best_model and self._state(model_file) != self._written
        return super().evaluate(eval_data, load, model_file, show_progress)

    def _state(self, file):
        """What changes with the checkpoint's name, the model's weights or their values."""
        return str(file or self.saved_model_file), [(id(each), each._version) for each in self.model.buffers()]
