"""Evaluate many users at a time, whatever ``eval_batch_size`` is.

RecBole's loader of full ranking has ``eval_batch_size // items`` users in a batch: one, with its default of 4,096 and
more items than that. A thousand users at once are scored, ranked and collected much faster.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction

from recbole_edlae.data import full_sort
from recbole_edlae.settings import vectorized

# RecBole's models that score a user by item weights or stored rows, whoever else is in the batch, and how many bytes of
# scores they get at a time: the models copy them several times.
OF_RECBOLE = ("ADMMSLIM", "EASE", "ItemKNN", "SLIMElastic")
OF_RECBOLE_BYTES = 2**26


class UserBatch(NamedTuple):
    """What RecBole's loader of full ranking has for some users.

    Attributes:
        interaction: the users.
        history: row and item of each score that is masked.
        positive_u: row of each item to be found.
        positive_i: item of each item to be found.
    """

    interaction: Interaction
    history: tuple[torch.Tensor, torch.Tensor]
    positive_u: torch.Tensor
    positive_i: torch.Tensor

    def of_rows(self, rows: torch.Tensor) -> "UserBatch":
        """Return the batch of some of its users, in their order; the items to be found stay behind.

        Args:
            rows: whether each user is one of them, of shape (users,).
        """
        user, item = self.history
        row_in_part = rows.cumsum(0) - 1
        masked = rows[user]
        history = row_in_part[user[masked]], item[masked]
        return UserBatch(self.interaction[rows.nonzero().squeeze(1)], history, user[:0], item[:0])


class LargeBatches(FullSortEvalDataLoader):
    """Stand in for a loader of full ranking: the same users in the same order, in larger batches.

    RecBole's trainers ask a loader for its class, its length and its dataset, and go through its batches.
    """

    def __init__(self, loader: FullSortEvalDataLoader, scores_bytes: int) -> None:
        """Take the place of a loader, which stays as it is.

        Args:
            loader: of the validation or test part.
            scores_bytes: that the scores of a batch may take in single precision.
        """
        self.loader = loader
        self._dataset = loader._dataset
        self.users = max(1, scores_bytes // (4 * loader._dataset.item_num))

    def __len__(self) -> int:
        return -(-len(self.loader.user_df) // self.users)

    def __iter__(self) -> Iterator[UserBatch]:
        rows = np.arange(len(self.loader.user_df))
        for first in range(0, len(rows), self.users):
            yield UserBatch(*full_sort.batch_of(self.loader, rows[first : first + self.users]))


def has_users(loader: Any, config: Any) -> bool:
    """Return whether a loader is RecBole's own of full ranking, with a row for each user, in one process.

    Args:
        loader: that is to be evaluated.
        config: RecBole's Config.
    """
    return type(loader) is FullSortEvalDataLoader and not loader.is_sequential and bool(config["single_spec"])


def evaluate(stock: Callable, trainer: Any, eval_data: Any, *arguments: Any, **options: Any) -> Any:
    """Evaluate as RecBole does; models in ``OF_RECBOLE``, and those with ``batch_bytes``, get large batches."""
    model = type(trainer.model)
    is_recboles = model.__name__ in OF_RECBOLE and model.__module__.startswith("recbole.model.")
    batch_bytes = OF_RECBOLE_BYTES if is_recboles else getattr(model, "batch_bytes", None)
    if eval_data and batch_bytes and vectorized.is_on(trainer.config) and has_users(eval_data, trainer.config):
        eval_data = LargeBatches(eval_data, batch_bytes)
    return stock(trainer, eval_data, *arguments, **options)
