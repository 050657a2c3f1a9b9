"""Construct RecBole's data loaders without its loops over rows and users, and evaluate many users at a time.

RecBole's loader of a full ranking makes two tensors for every user before the training. Here they are made when they
are asked for, from the same sets; and :func:`batch_of` returns a whole batch without any of them.

That loader has ``eval_batch_size // items`` users in a batch, and at least one. With RecBole's default of 4,096 that is
a single user on larger catalogs. A thousand users at once are scored and ranked much faster (:class:`LargeBatches`).
"""

import functools
from collections.abc import Callable, Iterator
from logging import getLogger
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.utils import ModelType

from recbole_edlae.integration.fast.rows import Groups, are_ids, groups_of, rows_of
from recbole_edlae.integration.fast.used_ids import LazyArray, UsedIds
from recbole_edlae.integration.models import Armed
from recbole_edlae.settings.corrections import vectorized

# RecBole's models that score each user alone, by item weights or stored rows. They copy scores several times, so they
# get few bytes of scores at a time.
OF_RECBOLE = ("ADMMSLIM", "EASE", "ItemKNN", "SLIMElastic")
OF_RECBOLE_BYTES = 2**26


def abstract_loader(
    stock: Callable,
    loader: AbstractDataLoader,
    config: Any,
    dataset: Dataset,
    sampler: Any,
    shuffle: bool = False,
) -> None:
    """Construct a loader as RecBole does, with a range for its list of row numbers, and mark it for other processes."""
    stock(loader, config, dataset, sampler, shuffle=shuffle)
    loader.recbole_edlae = Armed()

    # The list would take 36 bytes a row for the whole run. PyTorch's loader allows no other one by assignment.
    if vectorized(config) and config["single_spec"]:
        numbers = range(loader.sample_size)
        vars(loader)["dataset"] = loader.sampler.data_source = numbers


class PositiveItems(LazyArray):
    """The positives of each user, as tensors; None for users without any.

    Args:
        pairs: users and items of the phase.
    """

    def __init__(self, pairs: Groups) -> None:
        super().__init__(pairs.shape[0])
        self.pairs = pairs

    def set_of(self, user: int) -> set | None:
        """Return a user's items as the set that RecBole makes of them; None for a user without any."""
        items = self.pairs.of(user)
        return set(items) if len(items) else None

    def make(self, position: int) -> torch.Tensor | None:
        """Return the tensor of a user."""
        return _as_ids(self.set_of(position))


class HistoryItems(LazyArray):
    """The items that are masked in each user's ranking, as tensors; None for users without positives.

    Args:
        used: the items that each user has up to the phase.
        positives: of the phase.
    """

    def __init__(self, used: UsedIds, positives: PositiveItems) -> None:
        super().__init__(len(positives))
        self.used = used
        self.positives = positives

    def make(self, position: int) -> torch.Tensor | None:
        """Return the tensor of a user."""
        positives = self.positives.set_of(position)
        if positives is None:
            return None

        # A difference of sets has an order of its own, which is that of RecBole's tensor.
        return _as_ids(self.used.make(position) - positives)

    @functools.cached_property
    def matrix(self) -> sp.csr_matrix:
        """Users × items, those of a user in ascending order."""
        used = self.used.matrix
        positives = self.positives.pairs.matrix

        # All entries are 1, so the product has the pairs that are in both.
        history = used - used.multiply(positives)
        history.eliminate_zeros()
        return history


def _as_ids(items: set | None) -> torch.Tensor | None:
    """Return a set of ids as RecBole's loaders do, in the order in which the set has them; None for None."""
    return None if items is None else torch.tensor(list(items), dtype=torch.int64)


def full_sort_loader(
    stock: Callable,
    loader: FullSortEvalDataLoader,
    config: Any,
    dataset: Dataset,
    sampler: Any,
    shuffle: bool = False,
) -> None:
    """Construct a loader of a full ranking as RecBole does, with tensors that are made when they are asked for.

    Args:
        stock: RecBole's function.
        loader: to construct.
        config: RecBole's Config.
        dataset: of the phase; sorted by user, in place.
        sampler: of the phase; it knows the users' items.
        shuffle: ignored with a line in the log, as in RecBole.
    """
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL or not _is_vectorizable(
        loader, config, dataset, sampler
    ):
        stock(loader, config, dataset, sampler, shuffle=shuffle)
        return
    loader.logger = getLogger()
    loader.uid_field = dataset.uid_field
    loader.iid_field = dataset.iid_field
    loader.is_sequential = False

    # Grouped before the dataset is sorted: each user's items keep their order either way.
    pairs = groups_of(dataset)
    dataset.sort(by=loader.uid_field, ascending=True)
    loader.uid2items_num = np.diff(pairs.matrix.indptr).astype(np.int64)
    loader.uid_list = torch.from_numpy(np.flatnonzero(loader.uid2items_num))
    loader.uid2positive_item = PositiveItems(pairs)
    loader.uid2history_item = HistoryItems(sampler.used_ids, loader.uid2positive_item)

    # A row for each user, with the user's features.
    loader.user_df = dataset.join(Interaction({loader.uid_field: loader.uid_list}))
    loader.sample_size = len(loader.user_df)
    if shuffle:
        loader.logger.warning("FullSortEvalDataLoader can't shuffle")
    AbstractDataLoader.__init__(loader, config, dataset, sampler, shuffle=False)


def _is_vectorizable(loader: FullSortEvalDataLoader, config: Any, dataset: Dataset, sampler: Any) -> bool:
    """Return whether the switch is on, no class overrides the loop, and users and items are known by integers."""
    used = getattr(sampler, "used_ids", None)
    is_stock = type(loader)._set_user_property is FullSortEvalDataLoader._set_user_property
    if not vectorized(config) or not is_stock:
        return False
    if not isinstance(used, UsedIds) or len(used) != dataset.user_num:
        return False
    return are_ids(dataset.inter_feat[dataset.uid_field], dataset.inter_feat[dataset.iid_field])


class UserBatch(NamedTuple):
    """A batch of RecBole's loader of full ranking."""

    interaction: Interaction  # the users
    history: tuple[torch.Tensor, torch.Tensor]  # row and item of each score that is masked
    positive_u: torch.Tensor  # row of each positive
    positive_i: torch.Tensor  # item of each positive

    def of_rows(self, rows: torch.Tensor) -> "UserBatch":
        """Return the batch of some of its users, in their order, without their positives.

        Args:
            rows: whether each user is one of them, of shape (users,).
        """
        user, item = self.history

        # Users move up into the rows of those who are left out, and their masks with them.
        new_row = rows.cumsum(0) - 1
        is_selected = rows[user]
        history = new_row[user[is_selected]], item[is_selected]

        interaction = self.interaction[rows.nonzero().squeeze(1)]
        return UserBatch(interaction, history, positive_u=user[:0], positive_i=item[:0])


def batch_of(loader: FullSortEvalDataLoader, rows: np.ndarray) -> UserBatch:
    """Return what the loader's collate_fn returns for some rows of its user_df, each user's items in ascending order.

    Args:
        loader: of a full ranking. Where ``vectorized_data`` is off, or the model is sequential, ``collate_fn`` is
            called.
        rows: row numbers in ``user_df``; of the interactions where the model is sequential.

    Notes:
        Linear in the number of items, without a loop over users. The first call for a loader makes one matrix of all
        that is masked.
    """
    positives = vars(loader).get("uid2positive_item")
    history = vars(loader).get("uid2history_item")
    if not isinstance(positives, PositiveItems) or not isinstance(history, HistoryItems):
        return UserBatch(*loader.collate_fn(rows.tolist()))

    # Slices of the two matrices that the loader has.
    user_df = loader.user_df[rows]
    users = user_df[loader.uid_field].numpy()
    masked = _entries(history.matrix[users])
    return UserBatch(user_df, masked, *_entries(positives.pairs.matrix[users]))


def _entries(matrix: sp.csr_matrix) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the row and the column of each stored entry."""
    return torch.from_numpy(rows_of(matrix)), torch.from_numpy(matrix.indices.astype(np.int64))


class LargeBatches(FullSortEvalDataLoader):
    """Stand in for a loader of full ranking: the same users in the same order, in larger batches.

    RecBole's trainers ask a loader for its class, its length and its dataset, and go through its batches.

    Args:
        loader: of the validation or test part; it stays as it is.
        scores_bytes: bytes that the scores of a batch may take in single precision.
    """

    def __init__(self, loader: FullSortEvalDataLoader, scores_bytes: int) -> None:
        self.loader = loader
        self._dataset = loader._dataset
        self.users = max(1, scores_bytes // (4 * loader._dataset.item_num))

    def __len__(self) -> int:
        return -(-len(self.loader.user_df) // self.users)

    def __iter__(self) -> Iterator[UserBatch]:
        rows = np.arange(len(self.loader.user_df))
        for first in range(0, len(rows), self.users):
            yield batch_of(self.loader, rows[first : first + self.users])


def has_users(loader: Any, config: Any) -> bool:
    """Return whether a loader is RecBole's own loader of full ranking, with a row for each user, in one process."""
    return (
        type(loader) is FullSortEvalDataLoader and not loader.is_sequential and bool(config["single_spec"])
    )


def evaluate(stock: Callable, trainer: Any, eval_data: Any, *arguments: Any, **options: Any) -> Any:
    """Evaluate as RecBole does; models in ``OF_RECBOLE``, and those with ``batch_bytes``, get large batches."""
    # Other models may score a user differently in another batch, or need more memory than is known here.
    model = type(trainer.model)
    batch_bytes = getattr(model, "batch_bytes", None)
    if model.__name__ in OF_RECBOLE and model.__module__.startswith("recbole.model."):
        batch_bytes = OF_RECBOLE_BYTES

    if eval_data and batch_bytes and vectorized(trainer.config) and has_users(eval_data, trainer.config):
        eval_data = LargeBatches(eval_data, batch_bytes)
    return stock(trainer, eval_data, *arguments, **options)
