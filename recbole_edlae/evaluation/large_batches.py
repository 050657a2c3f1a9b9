"""Evaluate many users at a time, whatever ``eval_batch_size`` is.

RecBole's loader of full ranking has ``eval_batch_size // items`` users in a batch: one, with its default of 4,096 and
more items than that. A thousand users at once are scored, ranked and collected much faster.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.interaction import Interaction

from recbole_edlae.data import full_sort

SCORES_BYTES = 2**30  # of the scores of one batch in single precision, at most
SCORES_SHARE = 1 / 8  # of the memory at hand, which they take at most


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

    def __init__(self, loader: FullSortEvalDataLoader, memory: float) -> None:
        """Take the place of a loader, which stays as it is.

        Args:
            loader: of the validation or test part.
            memory: bytes at hand.
        """
        self.loader = loader
        self._dataset = loader._dataset
        scores = min(SCORES_BYTES, int(SCORES_SHARE * memory))
        self.users = max(1, scores // (4 * loader._dataset.item_num))

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
