"""Rank users once for validation and test: both score the same histories, and mask other items.

While validation is ranked, each user's best items are kept, more than are asked for, up to the first two that are
equally good; and so is the user's mask. Where the test masks at least as much, its list is the kept one without what it
masks. A user whose list is then too short is scored again, and so is one of whom nothing is known.
"""

import weakref

import torch

from recbole_edlae.evaluation.large_batches import UserBatch
from recbole_edlae.evaluation.ties import Best, settled
from recbole_edlae.nn.rows import positions

SPARE = 16  # items kept beyond the longest list


class ModelState:
    """Know a model's tensors again, as long as nothing has replaced or changed them."""

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
        return len(tensors) == len(self._tensors) and all(
            reference() is tensor and version == tensor._version
            for tensor, (reference, version) in zip(tensors, self._tensors)
        )


class KeptLists:
    """Keep users' best items and masks of one evaluation, for the next one.

    Notes:
        Memory: 4 bytes · (K + 16 + masked items) for each user; above ``limit`` nothing is kept.
    """

    def __init__(self, model: torch.nn.Module, items: int, limit: int) -> None:
        """Start with no users.

        Args:
            model: that scores them.
            items: how many it scores.
            limit: bytes that may be kept.
        """
        self._state = ModelState(model)
        self._items = items
        self._bytes_left = limit
        self._parts: list[tuple[torch.Tensor, ...]] = []
        self._merged: tuple[torch.Tensor, ...] | None = None

    def is_of(self, model: torch.nn.Module) -> bool:
        """Return whether a model would give the same scores.

        Args:
            model: that may have changed.
        """
        return self._state.is_of(model)

    def add(self, users: torch.Tensor, history: tuple[torch.Tensor, torch.Tensor], lists: torch.Tensor) -> None:
        """Keep what a batch has for each user, unless that takes too much memory: then nothing is kept at all.

        Args:
            users: ids, of shape (users,).
            history: row and item of each masked score.
            lists: best items, -1 beyond those that are known, of shape (users, length).
        """
        row, item = history
        if (row[1:] < row[:-1]).any():
            item = item[row.argsort(stable=True)]
        part = users, lists.cpu(), torch.bincount(row, minlength=len(users)), item.int()
        self._bytes_left -= sum(tensor.nbytes for tensor in part)
        self._parts.append(part)
        if self._bytes_left < 0:
            self._parts.clear()

    def lists_of(self, batch: UserBatch, users: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the lists that follow from what is kept.

        Args:
            batch: users with the mask that applies now.
            users: their ids, of shape (users,).
            k: length of a list.

        Returns:
            Whether each user's list follows, of shape (users,); and the lists of these users, of shape (m, k).
        """
        if not self._parts:
            return torch.zeros(len(users), dtype=torch.bool), torch.empty(0, k, dtype=torch.int64)
        place, is_known = self._places(users)
        row, item = batch.history
        masked = _ascending(row * self._items + item, len(users) * self._items)
        _, lists, offsets, mask = self._tables()
        kept = lists[place].long()
        first_key = torch.arange(len(users)) * self._items
        is_free = (kept >= 0) & ~_is_in(masked, first_key[:, None] + kept.clamp(min=0))
        order = is_free.cumsum(1)
        position, count = positions(offsets, place)
        row = torch.arange(len(users)).repeat_interleave(count)
        unmasked = row[~_is_in(masked, first_key[row] + mask[position])]
        follows = is_known & (order[:, -1] >= k)
        follows[unmasked] = False
        chosen = is_free & (order <= k) & follows[:, None]
        return follows, kept[chosen].view(-1, k)

    def _places(self, users: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return where users stand in the tables, any place for unknown ones, and which of them are known."""
        known = self._tables()[0]
        ordered, order = known.sort()
        position = torch.searchsorted(ordered, users).clamp(max=len(known) - 1)
        return order[position], ordered[position] == users

    def _tables(self) -> tuple[torch.Tensor, ...]:
        """Return users, lists, offsets of their masks, and masked items."""
        if len(self._parts) > 1 or self._merged is None:
            users, lists, counts, masks = (torch.cat(tensors) for tensors in zip(*self._parts))
            self._parts = [(users, lists, counts, masks)]
            self._merged = users, lists, torch.cat((counts.new_zeros(1), counts.cumsum(0))), masks
        return self._merged


def _ascending(keys: torch.Tensor, beyond: int) -> torch.Tensor:
    """Return keys in ascending order, with one more that is larger than any that is looked for."""
    if (keys[1:] < keys[:-1]).any():
        keys = keys.sort().values
    return torch.cat((keys, keys.new_tensor([beyond])))


def _is_in(keys: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return which of the keys that are looked for are there; ``keys`` as :func:`_ascending` returns them."""
    return keys[torch.searchsorted(keys, wanted)] == wanted


def ranked(scores: torch.Tensor, k: int, spare: int, order: torch.Tensor | None) -> tuple[Best, torch.Tensor]:
    """Return each user's k best items, and a longer list.

    Args:
        scores: of shape (users, items); those of masked items are -inf.
        k: at most the number of items.
        spare: how many items to know beyond k.
        order: ids of all items by preference, as in :func:`recbole_edlae.evaluation.ties.best_items`.

    Returns:
        The k best items; and items as int32, of shape (users, at most k + spare), -1 from the first one on that is as
        good as the next one, or masked: before it the order follows from the scores alone.
    """
    values, items = scores.topk(min(k + spare + 1, scores.shape[1]), dim=-1)
    better = (values[:, :-1] > values[:, 1:]) & (values[:, :-1] > -torch.inf)
    is_strict = better.cumprod(1).bool()
    lists = torch.where(is_strict, items[:, :-1], -1).int()
    return settled(scores, values, items, k, order), lists
