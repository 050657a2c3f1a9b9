r"""
Linear autoencoders
################################################
What EDLAE and its relatives share: the users' histories, one fit, scores that are sums of item weights.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from recbole.config import Config
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import GeneralRecommender
from recbole.utils import InputType, ModelType

from recbole_edlae._warnings import warn
from recbole_edlae.model.errors import in_words_of_settings
from recbole_edlae.model.gram_memory import GramMemory, GramSource
from recbole_edlae.model.history import HistoryMixin, in_blocks, interactions_and_histories
from recbole_edlae.model.resources import check_memory, too_large
from recbole_edlae.model.stored_weights import check_tensors
from recbole_edlae.model.trainer import ClosedFormTrainer
from recbole_edlae.model.weights import NAMES, Unfitted, Weights, of_solution, of_tensors
from recbole_edlae.solvers import (
    LocalWeights,
    LowRank,
    PackedWeights,
    SingularError,
    SparseGram,
    activity_weight,
)
from recbole_edlae.solvers.memory import gram_workspace as workspace
from recbole_edlae.solvers.memory import packed_values as tiles_size
from recbole_edlae.solvers.steps import penalties
from recbole_edlae.solvers.types import Symmetric

PAIRS = 4096  # scored at a time
DENSE_ITEMS = 4096  # up to so many, the whole matrix takes 64 MiB: half of that is not worth the slower access
Progress = Callable[[float, float], Any]


class LinearAutoEncoder(HistoryMixin, GeneralRecommender):
    r"""A user's scores are :math:`x^T B`, x the user's binary history, B the item x item :class:`Weights`.

    The trainer calls :meth:`fit` once, which solves for the weights; a checkpoint is loaded without fitting. An
    unfitted model scores 0.

    With users and items exchanged (``based_on`` user), B is user x user: a user's scores are the rows of the other
    users, weighted. Below, "items" then are users, and the other way round.

    A subclass gives :meth:`solve`.
    """

    input_type = InputType.POINTWISE
    type = ModelType.TRADITIONAL
    trainer = ClosedFormTrainer
    unseen_users: Mapping[str, Any] | None = {}
    user_based = False
    dropout_penalty = "weighted"  # and False, for models without these settings
    zero_diagonal = False
    gram_memory = GramMemory  # where the runs of a sweep take the Gram matrix from
    takes_inverse = False  # whether `solve` needs nothing of the Gram matrix but its regularized inverse

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        self.read_settings(config)
        self.dummy_param = torch.nn.Parameter(torch.zeros(1))  # RecBole's optimizers want one
        interactions, histories = interactions_and_histories(dataset)
        if self.user_based:
            interactions = histories = interactions.T.tocsr()
        self.size = interactions.shape[1]  # of the weights
        # Ones need not take four bytes each; the indices are shared with the histories.
        ones = np.ones(interactions.nnz, dtype=np.int8)
        parts = ones, interactions.indices, interactions.indptr
        self.interactions = sp.csr_matrix(parts, shape=interactions.shape)
        self.keep_history(histories)
        self.weights: Weights
        self.unfit()

    def read_settings(self, config: Config) -> None:
        r"""Keep the settings that every fit by way of the Gram matrix takes."""
        self.reg_weight = config["reg_weight"]
        self.dropout_prob = config["dropout_prob"]
        self.user_weight_power = config["user_weight_power"]
        self.item_weight_power = config["item_weight_power"]

    def fit(self, progress: Progress | None = None, gram: Callable[..., torch.Tensor] | None = None) -> None:
        r"""Solve for the weights.

        Args:
            progress (callable, optional): Called as ``progress(done, total)``. Defaults to ``None``.
            gram (callable, optional): Returns the Gram matrix, which may be overwritten, for the arguments of
                ``solvers.gram``: one that is there already, or from shards. Defaults to ``None``: it is made of the
                interactions or, where that is quicker, its inverse through the users (``solvers.SparseGram``).

        Raises:
            MemoryError: There is not enough memory, which is found out before any is taken.
            ValueError: The users do not determine the weights, or a setting is out of range; it names the settings.
        """
        with in_words_of_settings(power="user_weight_power"):
            user_weight = activity_weight(np.diff(self.interactions.indptr), self.user_weight_power)
        popularity = np.bincount(self.interactions.indices, minlength=self.size)
        try:
            with in_words_of_settings(user_weight="user_weight_power"):
                weights = of_solution(self.solution(user_weight, gram, progress))
        except ValueError as error:
            if not isinstance(error.__cause__, SingularError):
                raise
            users, items = np.count_nonzero(np.diff(self.interactions.indptr)), np.count_nonzero(popularity)
            columns, rows = ("users", "items") if self.user_based else ("items", "users")
            raise ValueError(
                f"reg_weight {self.reg_weight!r} and dropout_prob {self.dropout_prob!r} leave the weights of {items} "
                f"{columns} undetermined by {users} {rows}: raise reg_weight or dropout_prob"
            ) from error
        if self.item_weight_power != 0:
            with in_words_of_settings(power="item_weight_power"):
                weights.scale_items(popularity, self.item_weight_power)
        if self.zero_diagonal:
            weights.set_diagonal(torch.zeros(self.size, device=self.dummy_param.device))
        if self.user_based:
            weights = weights.transposed()  # a row is a user to score
        self.weights = weights.on(self.dummy_param.device)

    def solution(
        self, user_weight: np.ndarray, given: Callable[..., torch.Tensor] | None, progress: Progress | None
    ) -> torch.Tensor | LowRank | Any:
        r"""Return what a solver finds for users of these weights, by way of the Gram matrix and :meth:`solve`."""
        source = given or GramSource()
        if isinstance(source, GramSource) and self.packed and self.takes_inverse:
            sparse = source.sparse(self.interactions, user_weight)
            if self._fits_by_users(sparse):
                return self.solve(sparse, progress)  # type: ignore[arg-type]  # which `takes_inverse` allows
        device = self.dummy_param.device
        packed = self.packed
        matrix = tiles_size(self.size) if packed else self.size**2
        held = self.values_held(matrix, device.type)
        data = workspace(self.interactions, packed)
        if device.type != "cpu":
            check_memory(self.size, matrix, data, torch.device("cpu"))  # which sums the Gram matrix
        self.logger.info(f"{type(self).__name__}: {check_memory(self.size, held, data, device)}")
        try:
            return self.solve(source(self.interactions, user_weight, device=device, packed=packed), progress)
        except torch.cuda.OutOfMemoryError as error:
            raise too_large(self.size, held, data, device) from error

    def _fits_by_users(self, G: SparseGram) -> bool:
        r"""Return whether the way through the users is quicker, and there is the memory for it; log what it takes."""
        diagonal = G.diagonal()
        if not diagonal.isfinite().all():
            return False
        problem = {"dropout": self.dropout_prob, "l2": self.reg_weight, "item_count": self.item_count}
        if not G.is_quicker(penalties(diagonal, **problem)):
            return False
        held, data = self.values_held(G.values_held(), "cpu"), 2 * workspace(self.interactions, True)
        try:
            takes = check_memory(self.size, held, data, torch.device("cpu"), G.operations)
        except MemoryError:
            return False
        self.logger.info(f"{type(self).__name__}: {G.X.shape[0]} users, {takes}")
        return True

    def solve(self, G: Symmetric, progress: Progress | None) -> torch.Tensor | PackedWeights | LowRank | LocalWeights:
        r"""Return the weights for a Gram matrix, which may be overwritten.

        Args:
            G (torch.Tensor or SymmetricTiles): Gram matrix, shape: [n_items, n_items]; SparseGram too, where
                ``takes_inverse``
            progress (callable): As in :meth:`fit`.

        Returns:
            torch.Tensor, PackedWeights, LowRank or LocalWeights: item x item weights, shape: [n_items, n_items], or
            their factors, or both
        """
        raise NotImplementedError

    def values_held(self, matrix: int, device: str) -> int:
        r"""Return how many numbers :meth:`solve` holds at most.

        Args:
            matrix (int): Numbers in the Gram matrix.
            device (str): Type of the device.
        """
        return matrix if device == "cpu" else 3 * matrix  # torch's inverse is not in place

    def cut_rank(self, name: str) -> None:
        r"""Lower a setting that is a rank to the number of items, where it is more: there are no more directions.

        Args:
            name (str): The setting.

        Warns:
            DataWarning: The rank is lowered.
        """
        rank, items = getattr(self, name), self.n_items - 1  # without [PAD]
        if rank > items:
            warn(f"{name} {rank} is more than the {items} items of the data: {items} is taken")
            setattr(self, name, items)

    def unfit(self) -> None:
        r"""Drop the weights, as in a model that was never fitted."""
        self.weights = Unfitted(encoder=self.dummy_param.new_zeros(self.size, 0))

    @property
    def item_count(self) -> torch.Tensor | None:
        r"""The users of each item, where the dropout's penalty counts them whatever they weigh; otherwise None."""
        if self.dropout_penalty == "weighted":
            return None
        return torch.from_numpy(np.bincount(self.interactions.indices, minlength=self.size))

    @property
    def packed(self) -> bool:
        r"""Whether a fit holds its matrices packed."""
        return self.dummy_param.device.type == "cpu" and self.size > DENSE_ITEMS

    @property
    def fitted(self) -> bool:
        r"""Whether there are weights."""
        return not isinstance(self.weights, Unfitted)

    def item_embedding(self, side: str = "encoder") -> torch.Tensor:
        r"""Return the item embeddings of a low-rank model.

        Args:
            side (str): ``encoder`` for what an item means in a user's history (U), ``decoder`` for what makes it
                score (V).

        Returns:
            torch.Tensor: shape: [n_items, rank]
        """
        if side not in ("encoder", "decoder"):
            raise ValueError(f"side must be 'encoder' or 'decoder', got {side!r}")
        return self.weights.item_embedding(side)

    def similarity(self, item: int) -> torch.Tensor:
        r"""Return how similar all items are to one: its weights for them or, at low rank, cosines of embeddings.

        Raises:
            ValueError: The weights are those of users.
        """
        if self.user_based:
            raise ValueError("with based_on user there are weights of users for each other, and none of items")
        return self.weights.similarity(item)

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        r"""Return zero; fit on the first call if the trainer does not call :meth:`fit`."""
        if not self.fitted:
            self.fit()
        return self.dummy_param.sum() * 0

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        r"""Score all items for histories given one after the other, as from :meth:`history`.

        Returns:
            torch.Tensor: shape: [len(count), n_items]

        Raises:
            ValueError: The weights are those of users: it scores the users of its training only.
        """
        if self.user_based:
            raise ValueError("with based_on user the model knows the users of its training only; set it to 'item'")
        return self.weights.score(items, count)

    def scores_by_weights(self) -> bool:
        r"""Return whether scores are those of the weights: no subclass or instance has another way to score."""
        if self.user_based:
            return False
        names = ("full_sort_predict", "score", "history")
        is_own = [getattr(type(self), name) is getattr(LinearAutoEncoder, name) for name in names]
        return all(is_own) and not any(name in vars(self) for name in names)

    def predict(self, interaction: Interaction) -> torch.Tensor:
        users, items = interaction[self.USER_ID], interaction[self.ITEM_ID]
        if self.user_based:
            return in_blocks(self._score_users, users, items, self.n_items)
        pairs = zip(users.split(PAIRS), items.split(PAIRS))
        return torch.cat([self.weights.score_pairs(*self.history(user), item) for user, item in pairs])

    def full_sort_predict(self, interaction: Interaction) -> torch.Tensor:
        if self.user_based:
            return self._score_users(interaction[self.USER_ID]).reshape(-1)
        return self.score(*self.history(interaction[self.USER_ID])).view(-1)

    def _score_users(self, users: torch.Tensor) -> torch.Tensor:
        """Score all items for some users by the rows of the other users, shape: [users, n_items]"""
        weights = self.weights.score(users, torch.ones_like(users))
        # The history of an item are its users, whose weights are added up.
        return F.embedding_bag(self.indices.long(), weights.T.contiguous(), self.indptr[:-1], mode="sum").T

    def _apply(self, *arguments: Any, **options: Any) -> "LinearAutoEncoder":
        """Move to a device as modules do; packed weights become dense on a GPU."""
        super()._apply(*arguments, **options)
        self.weights = self.weights.on(self.dummy_param.device)
        return self

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination.update({prefix + name: tensor for name, tensor in self.weights.tensors().items()})

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *arguments: Any) -> None:
        """Take the checkpoint's tensors as they are, whatever their form and rank, instead of copying into place."""
        _, _, missing, *_ = arguments
        saved = {name: state_dict.pop(prefix + name) for name in NAMES if prefix + name in state_dict}
        check_tensors(saved, self.size, "users" if self.user_based else "items")
        weights = of_tensors(saved)
        if weights is None:
            missing.append(f"{prefix}encoder")
        else:
            self.weights = weights.on(self.dummy_param.device)
        super()._load_from_state_dict(state_dict, prefix, *arguments)


def is_user_based(config: Config, of_items: tuple[str, ...]) -> bool:
    r"""Return whether a model's weights are those of users for each other.

    Args:
        config (Config): All settings.
        of_items (tuple of str): Settings that only weights of items have.

    Raises:
        ValueError: One of them is set beside ``based_on`` user.
    """
    if config["based_on"] == "item":
        return False
    for name in of_items:
        if config[name]:
            raise ValueError(f"{name} {config[name]!r} is for weights of items: based_on must be 'item', got 'user'")
    return True
