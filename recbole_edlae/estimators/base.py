"""Fit linear autoencoders to a matrix or DataFrame, recommend, score, and find similar items."""

import pathlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from recbole_edlae.estimators.queries import Columns, Histories, interactions_of, read_histories
from recbole_edlae.model.closed_form import ClosedForm
from recbole_edlae.model.weights import Weights
from recbole_edlae.serving.export_files import complete
from recbole_edlae.serving.frames import answer_frame, warn_of_unknown
from recbole_edlae.serving.ids import Ids
from recbole_edlae.serving.ranking import Ranker, checked
from recbole_edlae.serving.recommender import Recommendations
from recbole_edlae.serving.tokens import checked_list, positive_int
from recbole_edlae.settings.schema import Setting, read_schema

if TYPE_CHECKING:
    import pandas as pd

PROPERTIES = pathlib.Path(__file__).parents[1] / "properties" / "model"
Self = TypeVar("Self", bound="LinearEstimator")


class LinearEstimator(BaseEstimator):
    """Fit a linear autoencoder to a matrix or DataFrame, and recommend for users or for any histories.

    A subclass has a constructor with the settings of its model, ``model`` and ``form``.

    Attributes:
        items_: array of the item ids, in the order of the columns of a matrix.
        users_: array of the user ids, in the order of their rows; empty for an estimator that was read from a file.
        popularity_: array of the number of users of each item.
        weights_: the weights, as ``recbole_edlae.model.weights`` has them; item 0 is RecBole's padding.
        n_features_in_: number of items.
    """

    model: str
    form: type[ClosedForm]
    user: Any
    item: Any
    weights_: Weights
    items_: np.ndarray
    users_: np.ndarray
    popularity_: np.ndarray
    _items: Ids

    # Only after a fit: a file has no users.
    _users: Ids | None = None
    _matrix: sp.csr_matrix | None = None
    _columns: Columns | None = None

    def fit(self: Self, X: Any, y: None = None) -> Self:
        """Solve for the weights.

        Args:
            X: users × items, a SciPy sparse matrix or 2-D array: every value above 0 is one interaction. Or a DataFrame
                of one interaction a row, with the columns ``user`` and ``item``, or with two columns of any names.
                Other columns, ratings too, are ignored. Repeated interactions count once.
            y: ignored, as scikit-learn has it.

        Raises:
            ValueError: A setting is out of range, a value is missing or negative, or there is no interaction.
            MemoryError: There is not enough memory, which is found out before any is taken.
        """
        # Settings first: data may take long to read.
        settings = self._checked_settings()
        data = interactions_of(X, (self.user, self.item))
        form = self.form(settings, data.matrix)
        form.fit()

        # Nothing of an earlier fit is lost where this one fails.
        popularity = np.bincount(data.matrix.indices, minlength=form.n_items)
        self._learn(form.weights, data.items, popularity)
        self.users_ = data.users
        self._users = Ids(data.users)
        self._matrix = data.matrix
        self._columns = data.columns
        return self

    def recommend(
        self, users_or_histories: Any, k: int = 10, *, exclude: Iterable | None = ()
    ) -> "Recommendations | pd.DataFrame":
        """Return the k best items for users of the training data, or for any histories.

        Items of the history are never recommended. Unknown items are skipped. A history without a known item gets the
        most popular items, with their numbers of users as scores.

        Args:
            users_or_histories: a list of user ids, a list of lists of item ids, a users × items matrix, or a DataFrame
                as :meth:`fit` takes it. A row of such a DataFrame without an item is a user without history. A Series
                may hold user ids, or lists of item ids.
            k: at least 1.
            exclude: item ids never to recommend.

        Returns:
            A DataFrame of user, item, score and rank, if a DataFrame or Series came here or to :meth:`fit`. Otherwise
            Recommendations.

        Raises:
            ValueError: A user is not known, an id is missing, or k is no positive integer.

        Warns:
            DataWarning: With a DataFrame: items are not known, or histories were answered by popularity.
        """
        check_is_fitted(self)
        k = positive_int(k, "k")
        histories = self._read(users_or_histories)

        # None means the same here as in Recommender.recommend.
        if exclude is None:
            exclude = ()
        ids = checked_list(exclude, "exclude", "item ids")
        _, never = self._items.entries([ids], "exclude", histories.unknown)
        number = len(histories.users)
        answer = self._ranker().recommend(number, histories.known, k, histories.unknown, never=never)

        # A DataFrame has no place for what was skipped, so a warning says it.
        if histories.from_frame:
            warn_of_unknown(histories.unknown, answer.popular)
            return answer_frame(histories.columns, histories.users, answer.items, answer.scores)
        lists_of_ids = [items.tolist() for items in answer.items]
        return Recommendations(lists_of_ids, answer.scores, answer.popular, histories.unknown)

    @torch.no_grad()
    def score(self, users_or_histories: Any, y: None = None) -> "np.ndarray | pd.DataFrame":
        """Return the scores of all items, those of the history too: large numbers of users take much memory.

        Args:
            users_or_histories: as in :meth:`recommend`.
            y: ignored, as scikit-learn has it.

        Returns:
            Array (users, items) in the order of ``items_``; a DataFrame, with users as index and items as columns,
            where :meth:`recommend` returns one.

        Raises:
            ValueError: As in :meth:`recommend`.

        Warns:
            DataWarning: Items are not known.
        """
        # Weights score a batch of histories from their items, one after the other, and the length of each.
        check_is_fitted(self)
        histories = self._read(users_or_histories)
        row, item = histories.known
        length = np.bincount(row, minlength=len(histories.users))
        padded = checked(self.weights_.score(torch.from_numpy(item), torch.from_numpy(length)))

        # No history is answered by popularity here.
        warn_of_unknown(histories.unknown, np.zeros(0, dtype=bool))
        scores = padded[:, 1:].numpy()
        if not histories.from_frame:
            return scores
        import pandas as pd

        users = pd.Index(histories.users, name=histories.columns[0])
        return pd.DataFrame(scores, index=users, columns=self.items_)

    def similar(self, item: Any, k: int = 10) -> "tuple[list, np.ndarray] | pd.DataFrame":
        """Return the k items most similar to one, of those that somebody had in training.

        Args:
            item: its id.
            k: at least 1.

        Returns:
            List of item ids, the best first, and array of their similarities: the item's weights for them, or the
            cosine of embeddings at low rank. A DataFrame of item, score and rank after a fit to a DataFrame.

        Raises:
            ValueError: The item is not known, nobody had it in training, or k is no positive integer.
        """
        check_is_fitted(self)
        items, values = self._ranker().similar(item, positive_int(k, "k"))
        if self._columns is None:
            return items.tolist(), values

        # A frame of recommendations has a column of users; here it would repeat the item.
        frame = answer_frame(self._columns, [item], [items], [values])
        return frame.drop(columns=self._columns[0])

    def _learn(self, weights: Weights, items: np.ndarray, popularity: np.ndarray) -> None:
        """Keep weights, item ids and popularity; the popularity begins with the padding's."""
        self.weights_ = weights
        self.items_ = items
        self._items = Ids(items)
        self.popularity_ = popularity[1:]
        self.n_features_in_ = len(items)

    def _read(self, users_or_histories: Any) -> Histories:
        """Return the histories of an argument, in the kind of frame that the fit had."""
        columns = self._columns or (self.user, self.item)
        histories = read_histories(users_or_histories, columns, self._items, self._users, self._matrix)

        # Who fitted to a DataFrame gets DataFrames, whatever the histories are.
        return histories._replace(from_frame=histories.from_frame or self._columns is not None)

    def _ranker(self) -> Ranker:
        """Return what ranks the items."""
        return Ranker(self.weights_, self._items, self._padded_popularity())

    def _padded_popularity(self) -> np.ndarray:
        """Return the popularity by item number, with that of the padding."""
        return np.append(0, self.popularity_)

    def _checked_settings(self) -> dict[str, Any]:
        """Return all settings of the model, checked against their ranges."""
        # The columns of a DataFrame are parameters of the estimator, and no settings of the model.
        schema = self._schema()
        parameters = self.get_params(deep=False)
        return complete(schema, {name: parameters[name] for name in schema.keys() & parameters.keys()})

    @classmethod
    def _schema(cls) -> dict[str, Setting]:
        """Return the settings of the RecBole model, with their defaults and ranges."""
        return read_schema(PROPERTIES / f"{cls.model}.yaml")

    def __sklearn_tags__(self) -> Any:
        # scikit-learn's checks then make sparse matrices without negative values.
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags
