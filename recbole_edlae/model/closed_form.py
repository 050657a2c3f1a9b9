r"""
Closed forms
################################################
How settings and interactions become weights: by way of the Gram matrix and one solver. The RecBole models inherit it,
and the estimators use it alone. Knows nothing of RecBole.
"""

import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.model.weights import Dense, Weights
from recbole_edlae.solvers.parameters import Progress

if TYPE_CHECKING:
    from recbole.config import Config

# Up to so many, the whole matrix takes 64 MiB: half of that is not worth the slower access.
DENSE_ITEMS = 4096

# What the solvers call it, what the settings call it.
SETTINGS = {"l2": "reg_weight", "dropout": "dropout_prob", "method": "solver", "count": "neighbors"}


class ClosedForm:
    r"""The settings of a linear model, the interactions to fit to, and :meth:`fit`.

    A subclass gives :meth:`solve`, and names its settings in ``setting_names``. Without RecBole, an instance is made of
    settings and interactions. A RecBole model has its own constructor, which sets the same attributes.

    Args:
        settings (Mapping): Setting → value; those of ``setting_names`` become attributes.
        interactions (scipy.sparse.csr_matrix): Users x items, of ones, sorted; row and column 0 are RecBole's padding.
    """

    setting_names: tuple[str, ...] = (
        "reg_weight",
        "dropout_prob",
        "user_weight_power",
        "item_weight_power",
    )
    reg_weight: float
    dropout_prob: float
    user_weight_power: float
    item_weight_power: float

    # Models without these settings have these values.
    dropout_penalty = "weighted"
    zero_diagonal = False
    based_on = "item"  # or "user": users and items are exchanged
    takes_inverse = False  # whether `solve` needs nothing of the Gram matrix but its regularized inverse
    interactions: sp.csr_matrix
    n_items: int
    logger: logging.Logger
    weights: Weights

    def __init__(self, settings: Mapping[str, Any], interactions: sp.csr_matrix) -> None:
        self.read_settings(settings)
        self.interactions = interactions
        self.n_items = interactions.shape[1]
        self.logger = logging.getLogger(__name__)
        self.check_settings()

    def read_settings(self, settings: "Mapping[str, Any] | Config") -> None:
        r"""Keep the settings of ``setting_names`` as attributes."""
        for name in self.setting_names:
            setattr(self, name, settings[name])

    def check_settings(self) -> None:
        r"""Check the settings that depend on each other, when an instance is made; their ranges are in the YAML file.

        Raises:
            ValueError: Two settings exclude each other, or a rank is no number of directions.
        """
        name = self.rank_name()
        if name is not None:
            # What only some settings take is loaded with them.
            from recbole_edlae.solvers.parameters import check_count

            check_count(name, getattr(self, name))

    def rank_name(self) -> str | None:
        r"""Return the setting that is a rank; None where the others ask for none."""
        return None

    def fit(
        self, progress: Progress | None = None, gram: Callable[..., torch.Tensor] | None = None
    ) -> None:
        r"""Solve for the weights.

        Args:
            progress (callable, optional): Called as ``progress(done, total)``. Defaults to ``None``.
            gram (callable, optional): Returns the Gram matrix, which may be overwritten, for the arguments of
                ``solvers.gram``: one that is there already, or from shards. Defaults to ``None``: it is made of the
                interactions or, where that is quicker, its inverse through the users (``solvers.SparseGram``). A
                ``runs.cache.Cache`` makes them in the same ways, and keeps them for other fits.

        Raises:
            MemoryError: There is not enough memory, which is found out before any is taken.
            ValueError: The users do not determine the weights, or a setting is out of range; it names the settings.
        """
        # The solvers are loaded by the first fit: a model that was read from a file needs none.
        from recbole_edlae.solvers import SingularError, activity_weight

        # A user's weight counts in the Gram matrix alone.
        count = np.diff(self.interactions.indptr)
        with in_words_of_settings(power="user_weight_power"):
            user_weight = activity_weight(count, self.user_weight_power)
        self.cut_rank()
        try:
            with in_words_of_settings(user_weight="user_weight_power"):
                B = self.solution(user_weight, gram, progress)
        except ValueError as error:
            if isinstance(error.__cause__, SingularError):
                raise self._undetermined() from error
            raise

        # DAN's item side: N^a B N^-a. Weights of users leave it to the scores.
        power = self.item_weight_power
        if power != 0 and not self.user_based:
            from recbole_edlae.solvers import normalize_items

            popularity = self.users_of_items().to(self.fit_device)
            with in_words_of_settings(power="item_weight_power"):
                B = normalize_items(B, popularity, power=power, overwrite=True)

        # Other forms than a matrix are loaded with their solvers.
        if isinstance(B, torch.Tensor):
            weights: Weights = Dense(encoder=B)
        else:
            from recbole_edlae.model.weight_forms import of_solution

            weights = of_solution(B)

        if self.zero_diagonal:
            weights.set_diagonal(torch.zeros(self.size, device=self.fit_device))

        # A row of user x user weights is a user to score.
        if self.user_based:
            weights = weights.transposed()
        self.weights = weights.on(self.fit_device)

    def _undetermined(self) -> ValueError:
        """Return the error of a system that is singular, in words of the settings."""
        # Those without an interaction determine nothing.
        users = np.count_nonzero(np.diff(self.interactions.indptr))
        items = len(np.unique(self.interactions.indices))
        columns, rows = "items", "users"
        if self.user_based:
            columns, rows = rows, columns
        return ValueError(
            f"reg_weight {self.reg_weight!r} and dropout_prob {self.dropout_prob!r} leave the weights of {items} "
            f"{columns} undetermined by {users} {rows}: raise reg_weight or dropout_prob"
        )

    def solution(
        self, user_weight: np.ndarray, given: Callable[..., torch.Tensor] | None, progress: Progress | None
    ) -> Any:
        r"""Return what a solver finds for users of these weights, by way of the Gram matrix and :meth:`solve`."""
        from recbole_edlae.model.by_gram import by_gram

        return by_gram(self, user_weight, given, progress)

    def solve(self, G: Any, progress: Progress | None) -> Any:
        r"""Return the weights for a Gram matrix, which may be overwritten.

        Args:
            G (torch.Tensor or SymmetricTiles): Gram matrix, shape: [n_items, n_items]; SparseGram too, where
                ``takes_inverse``
            progress (callable): As in :meth:`fit`.

        Returns:
            torch.Tensor or PackedWeights: item x item weights, shape: [n_items, n_items]; or LowRank: their factors;
            or LocalWeights: item x item weights and the factors of a filter beside them
        """
        raise NotImplementedError

    def peak_values(self, matrix: int, device: str) -> int:
        r"""Return how many numbers :meth:`solve` holds at most.

        Args:
            matrix (int): Numbers in the Gram matrix.
            device (str): Type of the device.
        """
        if device == "cpu":
            return matrix

        # torch's inverse is not in place.
        return 3 * matrix

    def cut_rank(self) -> None:
        r"""Lower a rank to the number of items, where it is more: there are no more directions.

        Warns:
            DataWarning: The rank is lowered.
        """
        name = self.rank_name()
        if name is None:
            return
        rank = getattr(self, name)
        items = self.size - 1  # without [PAD]
        if rank > items:
            from recbole_edlae._warnings import warn

            warn(f"{name} {rank} is more than the {items} items of the data: {items} is taken")
            setattr(self, name, items)

    @property
    def user_based(self) -> bool:
        r"""Whether the weights are those of users for each other."""
        return self.based_on == "user"

    @property
    def size(self) -> int:
        r"""Rows and columns of the weights: the items, or the users where these are exchanged."""
        return self.interactions.shape[1]

    def check_of_items(self, *names: str) -> None:
        r"""Check that settings which only weights of items have are not set beside ``based_on`` user.

        Raises:
            ValueError: One of them is.
        """
        for name in names:
            if self.user_based and getattr(self, name):
                value = getattr(self, name)
                raise ValueError(
                    f"{name} {value!r} is for weights of items: based_on must be 'item', got 'user'"
                )

    @property
    def fit_device(self) -> torch.device:
        r"""Where the fit computes and the weights are kept."""
        return torch.device("cpu")

    @property
    def item_count(self) -> torch.Tensor | None:
        r"""The users of each item, where the dropout's penalty counts them whatever they weigh; otherwise None."""
        if self.dropout_penalty == "weighted":
            return None
        return self.users_of_items()

    def users_of_items(self) -> torch.Tensor:
        r"""Return how many users each item has, shape: [n_items]"""
        count = np.bincount(self.interactions.indices, minlength=self.size)
        return torch.from_numpy(count)

    @property
    def packed(self) -> bool:
        r"""Whether a fit holds its matrices packed."""
        return self.fit_device.type == "cpu" and self.size > DENSE_ITEMS


@contextlib.contextmanager
def in_words_of_settings(**names: str) -> Iterator[None]:
    r"""Raise a solver's ValueError again with the names of the settings.

    Args:
        names (str): The setting of an argument, beside those in ``SETTINGS``.
    """
    try:
        yield
    except ValueError as error:
        text = str(error)

        # Whole words only: "count" is no part of "item_count".
        for argument, setting in (SETTINGS | names).items():
            text = re.sub(rf"(?<![\w-]){argument}(?![\w-])", setting, text)
        raise ValueError(text) from error
