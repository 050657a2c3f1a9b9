"""Rank the items of histories, and the items similar to one. Needs no RecBole."""

import collections
import os
from typing import Any, NamedTuple

import numpy as np
import torch

from recbole_edlae.serving.finite import is_finite
from recbole_edlae.serving.ids import Entries, Ids

# Scores computed at a time: users times items.
SCORES = 4_000_000

# The last process in which torch may use its threads.
_process = os.getpid()


class Ranking(NamedTuple):
    """The best items of histories."""

    items: list[
        np.ndarray
    ]  # ids for each history, the best first; shorter than k if no more items are left
    scores: list[np.ndarray]  # as long as these
    popular: np.ndarray  # for each history, whether nothing was known of it


class Ranker:
    """Rank items by the scores of a model."""

    def __init__(self, model: Any, ids: Ids, popularity: np.ndarray) -> None:
        """Keep what is to be ranked.

        Args:
            model: has ``score(items, count)`` → (users, items) and ``similarity(item)`` → (items,).
            ids: of the items.
            popularity: by item number, users in training that have the item; the model knows nothing of the others.
        """
        self._model = model
        self._ids = ids
        self._popularity = popularity
        self._trained = popularity > 0

    def recommend(
        self,
        histories: int,
        known: Entries,
        k: int,
        unknown: collections.Counter,
        *,
        never: np.ndarray,
        excluded: Entries | None = None,
    ) -> Ranking:
        """Return the k best items for each of some histories, without the items of the history itself.

        Args:
            histories: how many there are; one without entries is answered by popularity.
            known: the entries of the histories.
            k: items for each history.
            unknown: the entries whose items nobody had in training are added to these counts, in place.
            never: numbers of items to leave out for all histories.
            excluded: entries to leave out for their own history only.
        """
        leave_the_parents_threads()

        # The model learned nothing of an item that nobody had: it is as unknown as one of other data.
        _, item = known
        unknown.update(self._ids.named(item[~self._trained[item]]).tolist())

        # Histories at a time, so that their scores have a bounded size.
        answer = Ranking([], [], np.zeros(histories, dtype=bool))
        step = max(1, SCORES // len(self._popularity))
        for start in range(0, histories, step):
            stop = min(start + step, histories)
            left_out = _rows(excluded or (item[:0], item[:0]), start, stop)
            scores, popular = self._scores(_rows(known, start, stop), stop - start, left_out, never)
            answer.popular[start:stop] = popular

            # What was left out is at the end of the ranking.
            values, numbers = scores.topk(min(k, len(self._popularity)))
            lengths = (values > -torch.inf).sum(1).tolist()
            for length, best, value in zip(lengths, numbers.numpy(), values.numpy()):
                answer.items.append(self._ids.named(best[:length]))
                answer.scores.append(value[:length])
        return answer

    @torch.no_grad()
    def similar(self, item: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ids and similarities of the k items most similar to one, of those that somebody had in training."""
        leave_the_parents_threads()
        number = self._ids.number(item, "item")
        if not self._trained[number]:
            name = self._ids.named(np.array(number))
            raise ValueError(f"item: nothing is known of {name}: nobody had it in training")
        values = checked(self._model.similarity(number))

        # What nobody had is similar to nothing.
        candidates = self._trained.copy()
        candidates[[0, number]] = False
        values[torch.from_numpy(~candidates)] = -torch.inf
        values, numbers = values.topk(min(k, int(candidates.sum())))
        return self._ids.named(numbers.numpy()), values.numpy()

    @torch.no_grad()
    def _scores(
        self, known: Entries, histories: int, excluded: Entries, never: np.ndarray
    ) -> tuple[torch.Tensor, np.ndarray]:
        """Return the scores of histories, and whether they are those of popularity; -inf is left out."""
        row, item = known
        trained = self._trained[item]
        count = np.bincount(row[trained], minlength=histories)
        scores = checked(self._model.score(torch.from_numpy(item[trained]), torch.from_numpy(count)))

        # Histories without a known item are answered by popularity.
        popular = count == 0
        scores[torch.from_numpy(popular)] = torch.from_numpy(self._popularity).to(scores.dtype)

        # Neither padding, nor what is to be left out for all or for one, nor the history itself.
        scores[:, 0] = -torch.inf
        scores[:, never] = -torch.inf
        scores[row, item] = -torch.inf
        scores[excluded] = -torch.inf
        return scores, popular


def checked(scores: torch.Tensor) -> torch.Tensor:
    """Return scores after a check that they are finite."""
    if not is_finite(scores):
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
