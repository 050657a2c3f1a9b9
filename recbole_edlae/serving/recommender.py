"""Recommend for any user, seen in training or not, by a history of raw item tokens."""

import collections
import dataclasses
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from recbole_edlae._choices import unknown
from recbole_edlae.serving.frames import COLUMNS, answer_frame, is_frame, read_interactions, warn_of_unknown
from recbole_edlae.serving.ids import Ids, object_array
from recbole_edlae.serving.ranking import Ranker, leave_the_parents_threads
from recbole_edlae.serving.tokens import checked_list, lists_to_exclude, positive_int, token_of

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """Answers to n histories, in their order.

    Attributes:
        items: a list of item tokens for each history, the best first; shorter than k if no more items are left.
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
        self.tokens = object_array(tokens)
        self._profiles = profiles
        self._ids = Ids(self.tokens[1:])
        self._ranker = Ranker(model, self._ids, self.popularity)

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
        leave_the_parents_threads()

        # Both modules import RecBole, which a Recommender of other models does without.
        if pathlib.Path(path).is_dir():
            from recbole_edlae.serving.export_reader import read_export

            return cls(*read_export(path))
        from recbole_edlae.serving.checkpoint import Checkpoint

        checkpoint = Checkpoint.read(path)
        profiles = checkpoint.profiles()
        return cls(checkpoint.scorer, checkpoint.tokens, checkpoint.popularity, profiles=profiles)

    @overload
    def recommend(
        self, histories: Iterable, k: int = ..., *, exclude: Iterable | None = ...
    ) -> Recommendations: ...
    @overload
    def recommend(
        self,
        histories: "pd.DataFrame",
        k: int = ...,
        *,
        exclude: Iterable | None = ...,
        user: Any = ...,
        item: Any = ...,
    ) -> "pd.DataFrame": ...
    def recommend(
        self,
        histories: "Iterable | pd.DataFrame",
        k: int = 20,
        *,
        exclude: Iterable | None = (),
        user: Any = COLUMNS[0],
        item: Any = COLUMNS[1],
    ) -> "Recommendations | pd.DataFrame":
        """Return the k best items for each of some histories.

        A history without a known item gets the most popular items, with their numbers of users in training as scores.
        An item that nobody had in training is not known: the model learned nothing of it.
        Items of the history itself are never recommended. A number stands for the token of its digits: 196 and 196.0
        for "196".

        Args:
            histories: list of lists of item tokens, in any order; repetitions count once. Or a DataFrame with a row for
                each user and item; a row without an item makes a user without history.
            k: at least 1.
            exclude: item tokens never to recommend: one list for all, or a list of as many lists as histories, None
                for an empty one. The histories of a DataFrame are in the order of their users' first rows.
            user: column of the users in a DataFrame; one of two columns may have any name.
            item: the same of the items.

        Returns:
            Recommendations; a DataFrame of user, item, score and rank where a DataFrame came.

        Raises:
            ValueError: k is no positive integer, a history or exclude is no list, a token is no text or number, there
                are more or fewer lists to exclude than histories, a column is missing, or a score is not finite.

        Warns:
            DataWarning: With a DataFrame: items are not known, or histories were answered by popularity.
        """
        k = positive_int(k, "k")
        skipped: collections.Counter = collections.Counter()
        frame = None
        if is_frame(histories):
            frame = read_interactions(histories, (user, item), allow_empty=True)
            number = len(frame.users)
            known = self._ids.entries_of_rows(frame.row, frame.items.tolist(), "histories", skipped)
        else:
            lists = checked_list(histories, "histories", "histories")
            lists = [checked_list(history, "a history") for history in lists]
            number = len(lists)
            known = self._ids.entries(lists, "histories", skipped)

        # An item that is excluded for all counts once for each history.
        for_all, for_each = lists_to_exclude(exclude, number)
        excluded = self._ids.entries(for_each, "exclude", skipped)
        of_each: collections.Counter = collections.Counter()
        _, never = self._ids.entries([for_all], "exclude", of_each)
        skipped += collections.Counter({token: times * number for token, times in of_each.items()})

        # A DataFrame of recommendations does not show what was skipped.
        answer = self._ranker.recommend(number, known, k, skipped, never=never, excluded=excluded)
        if frame is not None:
            warn_of_unknown(skipped, answer.popular)
            return answer_frame(frame.columns, frame.users, answer.items, answer.scores)
        tokens = [items.tolist() for items in answer.items]
        return Recommendations(tokens, answer.scores, answer.popular, skipped)

    def profile(self, user: Any) -> list[str]:
        """Return all items of a known user, in training or not, as tokens.

        Raises:
            ValueError: The user is not known, or an export was loaded, which knows no users.
        """
        leave_the_parents_threads()
        user = token_of(user, "user")
        if self._profiles is None:
            raise ValueError("an export knows no users: give their histories, or load the checkpoint")
        if user not in self._profiles:
            raise unknown("user", user, self._profiles, shown=5)
        return self._profiles[user]

    def recommend_users(
        self, users: Iterable, k: int = 20, *, exclude: Iterable | None = ()
    ) -> Recommendations:
        """Recommend for known users, by all their items in the data, in training or not, as :meth:`recommend` does."""
        users = checked_list(users, "users", "user tokens")
        histories = [self.profile(user) for user in users]
        return self.recommend(histories, k, exclude=exclude)

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
        tokens, values = self._ranker.similar(item, positive_int(k, "k"))
        return tokens.tolist(), values
