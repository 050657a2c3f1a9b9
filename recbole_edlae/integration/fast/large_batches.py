"""Evaluate many users at a time, whatever ``eval_batch_size`` is.

RecBole's loader of full ranking has ``eval_batch_size // items`` users in a batch, and at least one. With its default
of 4,096 that is a single user on larger catalogs. A thousand users at once are scored and ranked much faster.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction

from recbole_edlae.integration.fast import loaders
from recbole_edlae.settings.corrections import vectorized

# RecBole's models that score each user alone, by item weights or stored rows. They copy scores several times, so they
# get few bytes of scores at a time.
OF_RECBOLE = ("ADMMSLIM", "EASE", "ItemKNN", "SLIMElastic")
OF_RECBOLE_BYTES = 2**26


class UserBatch(NamedTuple):
    """A batch of RecBole's loader of full ranking.

    Attributes:
        interaction: the users.
        history: row and item of each score that is masked.
        positive_u: row of each positive.
        positive_i: item of each positive.
    """

    interaction: Interaction
    history: tuple[torch.Tensor, torch.Tensor]
    positive_u: torch.Tensor
    positive_i: torch.Tensor

    def of_rows(self, rows: torch.Tensor) -> "UserBatch":
        """Return the batch of some of its users, in their order, without their positives.

        Args:
            rows: whether each user is one of them, of shape (users,).
        """
        user, item = self.history

        # Users move up into the rows of those who are left out, and their masks with them.
        new_row = rows.cumsum(0) - 1
        is_selected = rows[user]
        history = new_row[user[is_selected]], item[is_selected]

        interaction = self.interaction[rows.nonzero().squeeze(1)]
        return UserBatch(interaction, history, positive_u=user[:0], positive_i=item[:0])


class LargeBatches(FullSortEvalDataLoader):
    """Stand in for a loader of full ranking: the same users in the same order, in larger batches.

    RecBole's trainers ask a loader for its class, its length and its dataset, and go through its batches.
    """

    def __init__(self, loader: FullSortEvalDataLoader, scores_bytes: int) -> None:
        """Wrap a loader without changing it.

        Args:
            loader: the loader of the validation or test part.
            scores_bytes: bytes that the scores of a batch may take in single precision.
        """
        self.loader = loader
        self._dataset = loader._dataset
        self.users = max(1, scores_bytes // (4 * loader._dataset.item_num))

    def __len__(self) -> int:
        return -(-len(self.loader.user_df) // self.users)

    def __iter__(self) -> Iterator[UserBatch]:
        rows = np.arange(len(self.loader.user_df))
        for first in range(0, len(rows), self.users):
            yield UserBatch(*loaders.batch_of(self.loader, rows[first : first + self.users]))


def has_users(loader: Any, config: Any) -> bool:
    """Return whether a loader is RecBole's own loader of full ranking, with a row for each user, in one process.

    Args:
        loader: the loader to evaluate.
        config: RecBole's Config.
    """
    return type(loader) is FullSortEvalDataLoader and not loader.is_sequential and bool(config["single_spec"])


def evaluate(stock: Callable, trainer: Any, eval_data: Any, *arguments: Any, **options: Any) -> Any:
    """Evaluate as RecBole does; models in ``OF_RECBOLE``, and those with ``batch_bytes``, get large batches."""
    # Other models may score a user differently in another batch, or need more memory than is known here.
    model = type(trainer.model)
    batch_bytes = getattr(model, "batch_bytes", None)
    if model.__name__ in OF_RECBOLE and model.__module__.startswith("recbole.model."):
        batch_bytes = OF_RECBOLE_BYTES

    if eval_data and batch_bytes and vectorized(trainer.config) and has_users(eval_data, trainer.config):
        eval_data = LargeBatches(eval_data, batch_bytes)
    return stock(trainer, eval_data, *arguments, **options)
