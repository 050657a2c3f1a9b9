"""Load the users of a full ranking with the items to leave out and to find, without two tensors for every user.

RecBole's loader makes both tensors of every user before the training. Here they are made when they are asked for, from
the same sets; and :func:`batch_of` returns a whole batch without any of them.
"""

import functools
from collections.abc import Callable
from logging import getLogger
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.utils import ModelType

from recbole_edlae.data.groups import Groups, are_ids, groups_of, rows_of
from recbole_edlae.data.lazy import LazyArray, as_ids
from recbole_edlae.data.used_ids import UsedIds
from recbole_edlae.settings.vectorized import is_on


class PositiveItems(LazyArray):
    """The items that are to be found for each user, as tensors; None for users without any.

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
        return as_ids(self.set_of(position))


class HistoryItems(LazyArray):
    """The items that are left out of each user's ranking, as tensors; None for users without positive items.

    Args:
        used: the items that each user has up to the phase.
        positives: of the phase.
    """

    def __init__(self, used: UsedIds, positives: PositiveItems) -> None:
        super().__init__(len(positives))
        self.used = used
        self.positives = positives

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed from the pairs."""
        return {name: value for name, value in vars(self).items() if name != "matrix"}

    def make(self, position: int) -> torch.Tensor | None:
        """Return the tensor of a user."""
        positives = self.positives.set_of(position)
        return as_ids(None if positives is None else self.used.make(position) - positives)

    @functools.cached_property
    def matrix(self) -> sp.csr_matrix:
        """Users × items, those of a user in ascending order."""
        used = self.used.matrix
        positives = self.positives.pairs.matrix
        history = used - used.multiply(positives)
        history.eliminate_zeros()
        return history


def init(
    stock: Callable,
    loader: FullSortEvalDataLoader,
    config: Any,
    dataset: Dataset,
    sampler: Any,
    shuffle: bool = False,
) -> None:
    """Construct the loader as RecBole does, with tensors that are made when they are asked for.

    Args:
        stock: RecBole's function.
        loader: to construct.
        config: RecBole's Config.
        dataset: of the phase; sorted by user, in place.
        sampler: of the phase; it knows the users' items.
        shuffle: ignored with a line in the log, as in RecBole.
    """
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL or not _is_vectorizable(loader, config, dataset, sampler):
        stock(loader, config, dataset, sampler, shuffle=shuffle)
        return
    loader.logger = getLogger()
    loader.uid_field = dataset.uid_field
    loader.iid_field = dataset.iid_field
    loader.is_sequential = False
    pairs = groups_of(dataset)  # each user's keep their order when the dataset is sorted
    dataset.sort(by=loader.uid_field, ascending=True)
    loader.uid2items_num = np.diff(pairs.matrix.indptr).astype(np.int64)
    loader.uid_list = torch.from_numpy(np.flatnonzero(loader.uid2items_num))
    loader.uid2positive_item = PositiveItems(pairs)
    loader.uid2history_item = HistoryItems(sampler.used_ids, loader.uid2positive_item)
    loader.user_df = dataset.join(Interaction({loader.uid_field: loader.uid_list}))
    loader.sample_size = len(loader.user_df)
    if shuffle:
        loader.logger.warning("FullSortEvalDataLoader can't shuffle")
    AbstractDataLoader.__init__(loader, config, dataset, sampler, shuffle=False)


def batch_of(
    loader: FullSortEvalDataLoader, rows: np.ndarray
) -> tuple[Interaction, tuple[torch.Tensor, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Return what the loader's collate_fn returns for some rows of its user_df, each user's items in ascending order.

    Args:
        loader: of a full ranking. Where ``vectorized_data`` is off, or the model is sequential, ``collate_fn`` is
            called.
        rows: row numbers in ``user_df``; of the interactions where the model is sequential.

    Returns:
        The users, the rows and items to leave out, the rows of the items to find, and these items.

    Notes:
        Linear in the number of items, without a loop over users. The first call for a loader makes one matrix of all
        that is left out.
    """
    positives = vars(loader).get("uid2positive_item")
    history = vars(loader).get("uid2history_item")
    if not isinstance(positives, PositiveItems) or not isinstance(history, HistoryItems):
        return loader.collate_fn(rows.tolist())
    user_df = loader.user_df[rows]
    users = user_df[loader.uid_field].numpy()
    left_out = _entries(history.matrix[users])
    positive_u, positive_i = _entries(positives.pairs.matrix[users])
    return user_df, left_out, positive_u, positive_i


def _entries(matrix: sp.csr_matrix) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the row and the column of each stored entry."""
    return torch.from_numpy(rows_of(matrix)), torch.from_numpy(matrix.indices.astype(np.int64))


def _is_vectorizable(loader: FullSortEvalDataLoader, config: Any, dataset: Dataset, sampler: Any) -> bool:
    """Return whether the switch is on, no class overrides the loop, and users and items are known by integers."""
    used = getattr(sampler, "used_ids", None)
    is_stock = type(loader)._set_user_property is FullSortEvalDataLoader._set_user_property
    if not is_on(config) or not is_stock or not isinstance(used, UsedIds) or len(used) != dataset.user_num:
        return False
    return are_ids(dataset.inter_feat[dataset.uid_field], dataset.inter_feat[dataset.iid_field])
