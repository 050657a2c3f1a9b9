"""Recommend for any user, seen in training or not, by a history of raw item tokens."""

import collections
import dataclasses
import itertools
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from recbole_edlae._choices import closest_first
from recbole_edlae.integration.checkpoint_file import largest
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export_reader import read_export
from recbole_edlae.serving.tokens import checked_list, is_list, lists_to_exclude, positive_int, token_of

SCORES = 4_000_000  # computed at a time: users times items
_process = os.getpid()  # the last one in which torch may use its threads
Entries = tuple[np.ndarray, np.ndarray]  # row and item id of the entries of some lists, sorted


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """Answers to n histories, in their order.

    Attributes:
        items: a list of item tokens for each history, the best first; shorter than k where no more items are left.
        scores: NumPy array for each history, as long as its list.
        popular: (n,) bool: the model knew no item of the history, and the answer is the most popular items.
        unknown: item tokens that the model does not know and that were skipped → how often. It does not know those of
            which its data had none, and those that nobody had in training.
    """

    items: list[list[str]]
    scores: list[np.ndarray]
    popular: np.ndarray
    unknown: collections.Counter


class Recommender:
    """A trained model that recommends for histories of raw item tokens.

    It can be pickled. In a process that was forked after this module was imported, torch uses one thread from the first
    call on.
    """

    def __init__(
        self, model: Any, tokens: list[str], popularity: np.ndarray, *, profiles: Mapping | None = None
    ) -> None:
        """Keep what :meth:`load` makes of a file.

        Args:
            model: has ``score(items, count)`` → (users, items), and is in evaluation mode.
            tokens: the token of every item id; the first stands for RecBole's [PAD].
            popularity: array (items,), users in training that have the item.
            profiles: user token → tokens of the user's items; None where users are not known.
        """
        self.model = model
        self.popularity = np.asarray(popularity)
        self.tokens = np.empty(len(tokens), dtype=object)
        self.tokens[:] = list(tokens)
        self._profiles = profiles
        self._ids = {token: number for number, token in enumerate(tokens) if number}
        self._trained = self.popularity > 0

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Recommender":
        """Read a checkpoint of RecBole's, which knows the users of its data, or an export, which knows none.

        The items are those whose tokens are stored in the file. The data are read when a known user is asked for.
        A checkpoint is a pickle: open only those whose origin you trust. An export runs no code.

        Args:
            path: a .pth file that RecBole saved, or the folder of an export.

        Raises:
            ValueError: The path is neither, the file is damaged, or its model cannot score a history.

        Warns:
            DataWarning: The checkpoint has no description of its data, and takes them as they are today.
        """
        _leave_the_parents_threads()
        if pathlib.Path(path).is_dir():
            return cls(*read_export(path))
        checkpoint = Checkpoint.read(path)
        return cls(checkpoint.scorer, checkpoint.tokens, checkpoint.popularity, profiles=checkpoint.profiles())

    def recommend(self, histories: Iterable, k: int = 20, *, exclude: Iterable | None = ()) -> Recommendations:
        """Return the k best items for each of some histories.

        A history without a known item gets the most popular items, with their numbers of users in training as scores.
        An item that nobody had in training is not known: the model learned nothing of it.
        Items of the history itself are never recommended. A number stands for the token of its digits: 196 and 196.0
        for "196".

        Args:
            histories: list of lists of item tokens, in any order; repetitions count once.
            k: at least 1.
            exclude: item tokens never to recommend: one list for all, or a list of as many lists as histories, None
                for an empty one.

        Raises:
            ValueError: k is no positive integer, a history or exclude is no list, a token is no text or number, there
                are more or fewer lists to exclude than histories, or a score is not finite.
        """
        _leave_the_parents_threads()
        k = positive_int(k, "k")
        histories = checked_list(histories, "histories", "histories")
        if wrong := [history for history in histories if not is_list(history)]:
            raise ValueError(f"a history must be a list of item tokens, got {wrong[0]!r}")
        histories = [list(history) for history in histories]
        for_all, for_each = lists_to_exclude(exclude, len(histories))
        answer = Recommendations([], [], np.zeros(len(histories), dtype=bool), collections.Counter())
        known = self._entries(histories, "histories", answer.unknown)
        answer.unknown.update(self.tokens[known[1][~self._trained[known[1]]]].tolist())
        excluded = self._entries(for_each, "exclude", answer.unknown)
        unknown: collections.Counter = collections.Counter()
        _, never = self._entries([for_all], "exclude", unknown)
        answer.unknown.update({token: times * len(histories) for token, times in unknown.items() if histories})
        step = max(1, SCORES // len(self.tokens))
        for start in range(0, len(histories), step):
            stop = min(start + step, len(histories))
            batch = (_rows(known, start, stop), _rows(excluded, start, stop))
            answer.popular[start:stop] = self._answer(*batch, never, stop - start, k, answer)
        return answer

    def profile(self, user: Any) -> list[str]:
        """Return all items of a known user, in training or not, as tokens.

        Raises:
            ValueError: There is no such user, or an export was loaded, which knows no users.
        """
        _leave_the_parents_threads()
        user = token_of(user, "user")
        if self._profiles is None:
            raise ValueError("an export knows no users: give their histories, or load the checkpoint")
        if user not in self._profiles:
            similar = closest_first(user, list(self._profiles))[:5]
            raise ValueError(f"user: there is no {user} in the data; there are {', '.join([*similar, '…'])}")
        return self._profiles[user]

    def recommend_users(self, users: Iterable, k: int = 20, *, exclude: Iterable | None = ()) -> Recommendations:
        """Recommend for known users by all their items in the data, in training or not.

        Args:
            users: user tokens.
            k: as in :meth:`recommend`.
            exclude: as in :meth:`recommend`.

        Raises:
            ValueError: As in :meth:`recommend` and :meth:`profile`.
        """
        users = checked_list(users, "users", "user tokens")
        return self.recommend([self.profile(user) for user in users], k, exclude=exclude)

    @torch.no_grad()
    def similar(self, item: Any, k: int = 20) -> tuple[list[str], np.ndarray]:
        """Return the k items most similar to one, of those that somebody had in training.

        Args:
            item: item token.
            k: at least 1.

        Returns:
            List of item tokens, the best first, and NumPy array of their similarities: the item's weights for them in
            a full-rank linear model, their scores for a history of this item in an EnsembleAE, else the cosine of the
            embeddings with which the decoder scores items.

        Raises:
            ValueError: The item is not known, nobody had it in training, k is no positive integer, or a similarity is
                not finite.
        """
        _leave_the_parents_threads()
        k = positive_int(k, "k")
        item = token_of(item, "item")
        if item not in self._ids:
            raise ValueError(f"item: there is no {item}; there are {', '.join(closest_first(item, self._ids)[:5])}, …")
        row = self._ids[item]
        if not self._trained[row]:
            raise ValueError(f"item: nothing is known of {item}: nobody had it in training")
        values = _checked(self.model.similarity(row))

        # What nobody had is similar to nothing.
        candidates = self._trained.copy()
        candidates[[0, row]] = False
        values[torch.from_numpy(~candidates)] = -torch.inf
        values, ids = values.topk(min(k, int(candidates.sum())))
        return self.tokens[ids.numpy()].tolist(), values.numpy()

    @torch.no_grad()
    def _answer(
        self, known: Entries, excluded: Entries, never: np.ndarray, users: int, k: int, answer: Recommendations
    ) -> np.ndarray:
        """Add the answers to one batch; return which of its users have no known item."""
        row, item = known
        trained = self._trained[item]
        count = np.bincount(row[trained], minlength=users)
        scores = _checked(self.model.score(torch.from_numpy(item[trained]), torch.from_numpy(count)))
        popular = count == 0
        scores[torch.from_numpy(popular)] = torch.from_numpy(self.popularity).to(scores.dtype)
        scores[:, 0] = -torch.inf
        scores[:, never] = -torch.inf
        scores[row, item] = -torch.inf
        scores[excluded] = -torch.inf
        scores, ids = scores.topk(min(k, len(self.tokens)))
        allowed = (scores > -torch.inf).sum(1).tolist()  # the others are at the end
        tokens = self.tokens[ids.numpy()].tolist()
        answer.items.extend(items[:length] for items, length in zip(tokens, allowed))
        answer.scores.extend(values[:length] for values, length in zip(scores.numpy(), allowed))
        return popular

    def _entries(self, lists: list[list], name: str, unknown: collections.Counter) -> Entries:
        """Return row and item id of the known tokens, by row and id, each once; count the others."""
        find = self._ids.get
        tokens = list(itertools.chain.from_iterable(lists))
        try:
            ids = np.fromiter(map(find, tokens, itertools.repeat(0)), dtype=np.int64, count=len(tokens))
        except TypeError:  # a list or dict among them, which is named below
            ids = np.zeros(len(tokens), dtype=np.int64)
        row = np.repeat(np.arange(len(lists)), [len(entries) for entries in lists])
        for position in np.flatnonzero(ids == 0):
            token = token_of(tokens[position], name)
            ids[position] = find(token, 0)
            if ids[position] == 0:
                unknown[token] += 1
        known = ids > 0
        entry = np.sort(row[known] * len(self.tokens) + ids[known])
        return np.divmod(entry[np.diff(entry, prepend=-1) > 0], len(self.tokens))


def _checked(scores: torch.Tensor) -> torch.Tensor:
    """Return scores, or raise ValueError where one of them is NaN or infinite."""
    if not largest(scores) < float("inf"):
        raise ValueError("the model's scores are not finite: its weights are too large or damaged")
    return scores


def _leave_the_parents_threads() -> None:
    """Let torch use one thread in a forked process: its others stayed in the parent, and it would wait for them."""
    global _process
    if os.getpid() != _process:
        torch.set_num_threads(1)
        _process = os.getpid()


def _rows(entries: Entries, start: int, stop: int) -> Entries:
    """Return the entries of some rows, which count from 0."""
    row, item = entries
    first, last = np.searchsorted(row, [start, stop])
    return row[first:last] - start, item[first:last]
