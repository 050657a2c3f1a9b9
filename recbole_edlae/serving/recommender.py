"""Recommending for anyone: users in training, held out or never heard of, by their histories of raw item tokens."""

import collections
import dataclasses
import itertools
import pathlib
from numbers import Integral

import numpy as np
import torch
import torch.nn.functional as F

from recbole_edlae.nn.choices import closest_first
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import read_export

SCORES = 4_000_000  # computed at a time: users times items


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """Answers to n histories, in their order."""

    items: list  # of lists of item tokens, the best first; shorter than k where no more items are left
    scores: list  # of NumPy arrays, as long as the lists
    popular: np.ndarray  # (n,) bool: no item of the history was known, and the answer is what is popular
    unknown: collections.Counter  # item tokens that the model does not know and that were skipped → how often


class Recommender:
    """A trained model that recommends for histories of raw item tokens."""

    def __init__(self, model, tokens, popularity, *, profiles=None):
        """What ``load`` makes of a file.

        Args:
            model: has ``score(items, count)`` → (users, items), and is in evaluation mode.
            tokens: the token of every item id; the first stands for RecBole's [PAD].
            popularity: array (items,), users in training that have the item.
            profiles: user token → ids of the user's items; None where users are not known.
        """
        self.model, self.tokens, self.popularity = model, np.asarray(tokens, dtype=object), np.asarray(popularity)
        self._profiles = profiles
        self._ids = {token: number for number, token in enumerate(tokens) if number}

    @classmethod
    def load(cls, path):
        """Reads a checkpoint of RecBole's, which knows the users of its data, or an export, which knows none.

        A checkpoint is a pickle: open those only whose origin you trust. An export runs no code.

        Args:
            path: a .pth file that RecBole saved, whose data are where they were, or the folder of an export.

        Raises:
            ValueError: it is neither, it is damaged, or its model cannot score a history.
        """
        if pathlib.Path(path).is_dir():
            return cls(*read_export(path))
        checkpoint = Checkpoint.read(path)
        return cls(checkpoint.model, checkpoint.tokens, checkpoint.popularity, profiles=checkpoint.profiles())

    def recommend(self, histories, k=20, *, exclude=()):
        """The k best items for each of some histories.

        A history without a known item is answered with the items that most users of training have, whose numbers are
        then the scores. Items of the history itself are never recommended.

        Args:
            histories: list of lists of item tokens, in any order; repetitions count once.
            k: at least 1.
            exclude: item tokens never to recommend: one list for all, or a list of as many lists as histories.

        Returns:
            Recommendations.

        Raises:
            ValueError: k is no positive integer, a history is no list, or there are more or fewer lists to exclude
                than histories.
        """
        histories, exclude = list(histories), list(exclude)
        if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
            raise ValueError(f"k must be an integer of at least 1, got {k!r}")
        if wrong := [each for each in histories if isinstance(each, (str, bytes)) or not hasattr(each, "__iter__")]:
            raise ValueError(f"a history must be a list of item tokens, got {wrong[0]!r}")
        if not exclude or not isinstance(exclude[0], (list, tuple, set, frozenset, np.ndarray)):
            exclude = [exclude] * len(histories)
        if len(exclude) != len(histories):
            raise ValueError(f"exclude has {len(exclude)} lists for {len(histories)} histories")
        answer = Recommendations([], [], np.zeros(len(histories), dtype=bool), collections.Counter())
        step = max(1, SCORES // len(self.tokens))
        for start in range(0, len(histories), step):
            part = slice(start, start + step)
            answer.popular[part] = self._answer(histories[part], k, exclude[part], answer)
        return answer

    def profile(self, user):
        """All items of a known user, in training or not, as tokens.

        Raises:
            ValueError: the user, or this recommender's knowledge of users, does not exist.
        """
        if self._profiles is None:
            raise ValueError("an export knows no users: give their histories, or load the checkpoint")
        if user not in self._profiles:
            raise ValueError(f"user: there is no {user} in the data; there are {', '.join(self._like(user))}")
        return self.tokens[self._profiles[user]].tolist()

    def recommend_users(self, users, k=20, *, exclude=()):
        """:meth:`recommend` for known users, by all that is known of them: their items outside training count too."""
        return self.recommend([self.profile(user) for user in users], k, exclude=exclude)

    @torch.no_grad()
    def similar(self, item, k=20):
        """The k items most similar to one: by its weights for them in a full-rank linear model, else by the cosine of
        the embeddings with which the decoder scores them.

        Returns:
            tuple: list of item tokens, the best first, and NumPy array of their weights or cosines.

        Raises:
            ValueError: the item is not known.
        """
        if item not in self._ids:
            raise ValueError(f"item: there is no {item}; there are {', '.join(closest_first(item, self._ids)[:5])}, …")
        own = self._ids[item]
        if getattr(self.model, "decoder", self) is None:
            values = self.model.score(torch.tensor([own]), torch.tensor([1]))[0]
        else:
            linear = hasattr(self.model, "decoder")
            embedding = self.model.item_embedding("decoder") if linear else self.model.item_embedding()
            values = F.cosine_similarity(embedding, embedding[own], dim=1)
        values[[0, own]] = -torch.inf
        values, ids = values.topk(min(k, len(self.tokens) - 2))
        return self.tokens[ids.numpy()].tolist(), values.numpy()

    @torch.no_grad()
    def _answer(self, histories, k, exclude, answer):
        row, item = self._entries(histories, answer.unknown)
        count = np.bincount(row, minlength=len(histories))
        scores = self.model.score(torch.from_numpy(item), torch.from_numpy(count))
        popular = count == 0
        scores[torch.from_numpy(popular)] = torch.from_numpy(self.popularity).to(scores.dtype)
        scores[:, 0] = -torch.inf
        scores[row, item] = -torch.inf
        scores[self._entries(exclude, answer.unknown)] = -torch.inf
        scores, ids = scores.topk(min(k, len(self.tokens)))
        left = (scores > -torch.inf).sum(1).tolist()
        scores, tokens = scores.numpy(), self.tokens[ids.numpy()].tolist()
        answer.items.extend(each[:number] for each, number in zip(tokens, left))
        answer.scores.extend(each[:number] for each, number in zip(scores, left))
        return popular

    def _entries(self, lists, unknown):
        """Row and item id of the known tokens, by row and id, each once; the others are counted."""
        find, tokens = self._ids.get, list(itertools.chain.from_iterable(lists))
        ids = np.fromiter(map(find, tokens, itertools.repeat(0)), dtype=np.int64, count=len(tokens))
        row = np.repeat(np.arange(len(lists)), [len(each) for each in lists])
        for place in np.flatnonzero(ids == 0):
            ids[place] = find(str(tokens[place]), 0)  # numbers are tokens too
            if ids[place] == 0:
                unknown[str(tokens[place])] += 1
        known = ids > 0
        entry = np.sort(row[known] * len(self.tokens) + ids[known])
        return np.divmod(entry[np.diff(entry, prepend=-1) > 0], len(self.tokens))

    def _like(self, user):
        return [*closest_first(user, list(self._profiles))[:5], "…"]
