"""Rank users once for validation and test, which score the same histories and mask different items.

On ML-20M's shape the test then takes .8 seconds instead of 9 of a run of 37; on ml-1m it is a twentieth of the run.

Validation stores each user's mask, and a list of best items that is longer than ``topk`` but ends before the first
two items of equal score. Where the test masks all that validation masked, the user's list is the stored one without the
newly masked items. Users whose list gets too short are scored again, and so are users without a stored list.
"""

from collections.abc import Callable

import torch

from recbole_edlae.integration.fast.loaders import UserBatch
from recbole_edlae.integration.fixes.ranking import Best, LeanCollector, TopItems, settled
from recbole_edlae.model.history import positions

SPARE = 16  # items kept beyond the longest list


class KeptLists:
    """Store users' best items and masks of one evaluation, for the next one.

    Notes:
        Memory: 4 bytes · (K + 16 + masked items) for each user; above ``limit`` nothing is stored.
    """

    def __init__(self, items: int, limit: int) -> None:
        """Start with no users.

        Args:
            items: number of items that are scored.
            limit: bytes that the lists and masks may take.
        """
        self.is_complete = False  # whether the evaluation that fills the store has ended
        self._items = items
        self._bytes_left = limit
        self._batches: list[tuple[torch.Tensor, ...]] = []
        self._merged: tuple[torch.Tensor, ...] | None = None

    def top_items(
        self,
        batch: UserBatch,
        users: torch.Tensor,
        collector: LeanCollector,
        scores: Callable[[UserBatch], torch.Tensor],
    ) -> TopItems:
        """Return the best items of a batch: scored and stored in the first evaluation, in the next from the store.

        Args:
            batch: users with their masks.
            users: their ids, of shape (users,).
            collector: says how many items, and the order of equal scores.
            scores: returns the masked scores of a batch, of shape (users, items).
        """
        k = min(max(collector.topk), self._items)
        if not self.is_complete:
            best, lists = ranked(scores(batch), k, SPARE, collector.order)
            self.add(users, batch.history, lists)
            return collector.noted(best)

        # A list that was stored holds no masked item.
        follows, lists = self.lists_of(batch, users, k)
        items = torch.empty(len(users), k, dtype=torch.int64)
        is_masked = torch.zeros(len(users), k, dtype=torch.bool)
        items[follows] = lists

        if not follows.all():
            scored = collector.top_items(scores(batch.of_rows(~follows)))
            items[~follows] = scored.items.cpu()
            is_masked[~follows] = scored.is_masked.cpu()
        return TopItems(items, is_masked)

    def add(
        self, users: torch.Tensor, history: tuple[torch.Tensor, torch.Tensor], lists: torch.Tensor
    ) -> None:
        """Store the lists and masks of a batch of users; above the limit of memory, drop all of them.

        Args:
            users: ids, of shape (users,).
            history: row and item of each masked score.
            lists: best items, -1 beyond those that are known, of shape (users, length).
        """
        # Masks are stored user after user, so that their lengths say where each begins.
        row, item = history
        if (row[1:] < row[:-1]).any():
            item = item[row.argsort(stable=True)]
        mask_lengths = torch.bincount(row, minlength=len(users))

        # The limit never rises again: after a batch too many, no later one is stored either.
        batch = (users, lists.cpu(), mask_lengths, item.int())
        self._bytes_left -= sum(tensor.nbytes for tensor in batch)
        self._batches.append(batch)
        if self._bytes_left < 0:
            self._batches.clear()

    def lists_of(self, batch: UserBatch, users: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the lists that follow from the stored ones.

        Args:
            batch: users with the mask that applies now.
            users: their ids, of shape (users,).
            k: length of a list.

        Returns:
            Whether each user's list follows, of shape (users,); and the lists of these users, of shape (m, k).
        """
        if not self._batches:
            return torch.zeros(len(users), dtype=torch.bool), torch.empty(0, k, dtype=torch.int64)

        # One integer for a pair of user and item makes the mask of all users one sorted array.
        row, item = batch.history
        masked = _ascending(row * self._items + item, len(users) * self._items)
        first_key = torch.arange(len(users)) * self._items

        # Of each stored list, the items that are not masked now.
        table_row, is_known = self._table_rows(users)
        _, lists, offsets, mask = self._tables()
        stored = lists[table_row].long()
        is_free = (stored >= 0) & ~_is_in(masked, first_key[:, None] + stored.clamp(min=0))
        rank = is_free.cumsum(1)

        # An item that was masked when the list was made, and is not now, may belong into the list.
        position, count = positions(offsets, table_row)
        row = torch.arange(len(users)).repeat_interleave(count)
        unmasked = row[~_is_in(masked, first_key[row] + mask[position])]

        follows = is_known & (rank[:, -1] >= k)
        follows[unmasked] = False
        chosen = is_free & (rank <= k) & follows[:, None]
        return follows, stored[chosen].view(-1, k)

    def _table_rows(self, users: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rows of users in the tables, an arbitrary one for unknown users, and which of them are known."""
        stored_users = self._tables()[0]
        ordered, order = stored_users.sort()
        position = torch.searchsorted(ordered, users).clamp(max=len(stored_users) - 1)
        return order[position], ordered[position] == users

    def _tables(self) -> tuple[torch.Tensor, ...]:
        """Return users, lists, offsets of their masks, and masked items."""
        # Batches are joined once, when the first list is asked for, and again if some were added since.
        if len(self._batches) > 1 or self._merged is None:
            users, lists, counts, masks = (torch.cat(tensors) for tensors in zip(*self._batches))
            self._batches = [(users, lists, counts, masks)]
            offsets = torch.cat((counts.new_zeros(1), counts.cumsum(0)))
            self._merged = (users, lists, offsets, masks)
        return self._merged


def _ascending(keys: torch.Tensor, beyond: int) -> torch.Tensor:
    """Return keys in ascending order, and after them ``beyond``, which is larger than any requested key."""
    if (keys[1:] < keys[:-1]).any():
        keys = keys.sort().values
    return torch.cat((keys, keys.new_tensor([beyond])))


def _is_in(keys: torch.Tensor, requested: torch.Tensor) -> torch.Tensor:
    """Return which of the requested keys are in ``keys``, an array of :func:`_ascending`."""
    return keys[torch.searchsorted(keys, requested)] == requested


def ranked(
    scores: torch.Tensor, k: int, spare: int, order: torch.Tensor | None
) -> tuple[Best, torch.Tensor]:
    """Return each user's k best items, and a longer list.

    Args:
        scores: of shape (users, items); those of masked items are -inf.
        k: at most the number of items.
        spare: number of items in the longer list beyond k.
        order: ids of all items by preference, as in :func:`recbole_edlae.integration.fixes.ranking.best_items`.

    Returns:
        The k best items; and the longer list as int32, of shape (users, at most k + spare). It has -1 from the first
        item on that is masked or scored like the next one: before it the order follows from the scores alone.
    """
    # One item more than the list has, to compare the last one with.
    values, items = scores.topk(min(k + spare + 1, scores.shape[1]), dim=-1)
    better = (values[:, :-1] > values[:, 1:]) & (values[:, :-1] > -torch.inf)

    # The product is 1 as long as every item so far is better than the next.
    is_strict = better.cumprod(1).bool()
    lists = torch.where(is_strict, items[:, :-1], -1).int()
    return settled(scores, values, items, k, order), lists
