"""Rank the items of histories of item ids, and the items similar to one. Needs no RecBole."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from recbole_edlae.integration.checkpoint_file import largest

# Scores computed at a time: users times items.
SCORES = 4_000_000

# Row and item id of the entries of some lists, sorted.
Entries = tuple[np.ndarray, np.ndarray]

# The last process in which torch may use its threads.
_process = os.getpid()


class Lists(NamedTuple):
    """Histories to recommend for.

    Attributes:
        histories: number of histories.
        known: row and item id of their entries.
        excluded: row and item id of the items that a history must not get, besides its own.
        never: ids of the items not to recommend at all.
    """

    histories: int
    known: Entries
    excluded: Entries
    never: np.ndarray


class Batch(NamedTuple):
    """The answers to some histories.

    Attributes:
        start: the first of these histories.
        items: (n, k) item ids, the best first.
        scores: (n, k).
        length: how many of them each history gets.
        popular: (n,) bool: nothing was known of the history.
    """

    start: int
    items: np.ndarray
    scores: np.ndarray
    length: list[int]
    popular: np.ndarray


def entries(row: np.ndarray, item: np.ndarray, items: int) -> Entries:
    """Return the entries with an item id above 0, sorted by row and id, without repetitions.

    Args:
        row: of each entry.
        item: its id; 0 for one that is not known.
        items: number of ids.
    """
    # One number for each entry, sorted: equal ones are next to each other.
    known = item > 0
    entry = np.sort(row[known].astype(np.int64) * items + item[known])
    is_first = np.diff(entry, prepend=-1) > 0
    return np.divmod(entry[is_first], items)


def ranked(model: Any, popularity: np.ndarray, lists: Lists, k: int) -> Iterator[Batch]:
    """Yield the k best items of histories, some histories at a time.

    Args:
        model: has ``score(items, count)`` → (users, items).
        popularity: array (items,), users in training that have the item; the model knows nothing of the others.
        lists: the histories.
        k: at least 1.

    Raises:
        ValueError: A score is not finite.
    """
    leave_the_parents_threads()

    # Histories at a time, so that their scores have a bounded size.
    step = max(1, SCORES // len(popularity))
    for start in range(0, lists.histories, step):
        stop = min(start + step, lists.histories)
        yield _batch(model, popularity, lists, (start, stop), k)


@torch.no_grad()
def _batch(model: Any, popularity: np.ndarray, lists: Lists, rows: tuple[int, int], k: int) -> Batch:
    """Return the answers to the histories of some rows."""
    # The model knows nothing of items that nobody had in training.
    row, item = _rows(lists.known, *rows)
    trained = popularity[item] > 0
    count = np.bincount(row[trained], minlength=rows[1] - rows[0])
    scores = checked(model.score(torch.from_numpy(item[trained]), torch.from_numpy(count)))

    # Histories without a known item are answered by popularity.
    popular = count == 0
    scores[torch.from_numpy(popular)] = torch.from_numpy(popularity).to(scores.dtype)

    # Neither padding, nor what is to be left out for all or for one, nor the history itself.
    scores[:, 0] = -torch.inf
    scores[:, lists.never] = -torch.inf
    scores[row, item] = -torch.inf
    scores[_rows(lists.excluded, *rows)] = -torch.inf

    # What was left out is at the end of the ranking.
    scores, ids = scores.topk(min(k, len(popularity)))
    length = (scores > -torch.inf).sum(1).tolist()
    return Batch(rows[0], ids.numpy(), scores.numpy(), length, popular)


@torch.no_grad()
def most_similar(model: Any, popularity: np.ndarray, item: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and similarities of the k items most similar to one, of those that somebody had in training.

    Args:
        model: has ``similarity(item)`` → (items,).
        popularity: as in :func:`ranked`.
        item: its id.
        k: at least 1.

    Raises:
        ValueError: A similarity is not finite.
    """
    leave_the_parents_threads()
    values = checked(model.similarity(item))

    # What nobody had is similar to nothing.
    candidates = popularity > 0
    candidates[[0, item]] = False
    values[torch.from_numpy(~candidates)] = -torch.inf
    values, ids = values.topk(min(k, int(candidates.sum())))
    return ids.numpy(), values.numpy()


def checked(scores: torch.Tensor) -> torch.Tensor:
    """Return scores after a check that they are finite.

    Raises:
        ValueError: A score is NaN or infinite.
    """
    # NaN is smaller than nothing.
    if not largest(scores) < float("inf"):
        raise ValueError("the model's scores are not finite: its weights are too large or damaged")
    return scores


def leave_the_parents_threads() -> None:
    """Let torch use one thread in a forked process: its others stayed in the parent, and it would wait for them."""
    global _process
    if os.getpid() != _process:
        torch.set_num_threads(1)
        _process = os.getpid()


def _rows(entries: Entries, start: int, stop: int) -> Entries:
    """Return the entries of some rows, numbered from 0."""
    # Sorted rows are a slice.
    row, item = entries
    first, last = np.searchsorted(row, [start, stop])
    return row[first:last] - start, item[first:last]
