"""Trainers for the models that RecBole's own trainers do not fit."""

from recbole.trainer import TraditionalTrainer
from tqdm import tqdm


class ClosedFormTrainer(TraditionalTrainer):
    """One epoch that is the model's ``fit``: no pass over the training loader, no negative sampling.

    The time of the fit is the training time that RecBole reports.
    """

    def _train_epoch(self, train_data, epoch_idx, loss_func=None, show_progress=False):
        with tqdm(
            total=1.0, ncols=100, disable=not show_progress, desc=f"Fit {self.config['model']}",
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        ) as bar:  # fmt: skip
            self.model.fit(progress=lambda done, total: bar.update(done / total - bar.n))
        return 0.0
