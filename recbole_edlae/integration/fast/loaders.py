"""Construct RecBole's data loaders without its loops over rows and users.

RecBole's loader of a full ranking makes two tensors for every user before the training. Here they are made when they
are asked for, from the same sets; and :func:`batch_of` returns a whole batch without any of them.
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
from recbole.data.transform import construct_transform
from recbole.utils import ModelType

from recbole_edlae.integration.fast.rows import Groups, are_ids, groups_of, rows_of
from recbole_edlae.integration.fast.used_ids import LazyArray, UsedIds
from recbole_edlae.integration.models import Armed
from recbole_edlae.settings.corrections import vectorized


class Positions(torch.utils.data.Dataset):
    """The numbers from 0 to ``length - 1``, which PyTorch's loader takes a batch at a time.

    Args:
        length: how many there are.
    """

    def __init__(self, length: int) -> None:
        self._numbers = range(length)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> Any:
        numbers = self._numbers[index]
        return list(numbers) if isinstance(index, slice) else numbers

    def __getitems__(self, indices: list[int]) -> list[int]:
        """Return the numbers at the positions of a batch, which are the positions themselves."""
        return list(indices)


def abstract_loader(
    stock: Callable,
    loader: AbstractDataLoader,
    config: Any,
    dataset: Dataset,
    sampler: Any,
    shuffle: bool = False,
) -> None:
    """Construct a loader as RecBole does, without a list of the row numbers, and mark it for worker processes.

    Args:
        stock: RecBole's function.
        loader: to construct; a subclass has set its ``sample_size``.
        config: RecBole's Config.
        dataset: of the phase.
        sampler: of the phase.
        shuffle: whether the rows are shuffled before each epoch.
    """
    if vectorized(config) and config["single_spec"]:
        _number_rows(loader, config, dataset, sampler, shuffle)
    else:
        stock(loader, config, dataset, sampler, shuffle=shuffle)
    loader.recbole_edlae = Armed()


def _number_rows(
    loader: AbstractDataLoader, config: Any, dataset: Dataset, sampler: Any, shuffle: bool
) -> None:
    """Construct a loader, step by step as RecBole, that gives PyTorch a range instead of a list."""
    loader.shuffle = shuffle
    loader.config = config
    loader._dataset = dataset
    loader._sampler = sampler
    loader._batch_size = loader.step = loader.model = None

    # The subclass's method sets the sizes.
    loader._init_batch_size_and_step()

    # Shuffling draws from a generator of the loader's own, as in RecBole.
    loader.generator = torch.Generator()
    loader.generator.manual_seed(config["seed"])
    loader.transform = construct_transform(config)
    loader.is_sequential = config["MODEL_TYPE"] == ModelType.SEQUENTIAL
    torch.utils.data.DataLoader.__init__(
        loader,
        dataset=Positions(loader.sample_size),
        batch_size=loader.step,
        collate_fn=loader.collate_fn,
        num_workers=config["worker"],
        shuffle=shuffle,
        sampler=None,
        generator=loader.generator,
    )


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

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed from the pairs."""
        state = dict(vars(self))
        state.pop("matrix", None)
        return state

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
    if config["MODEL_TYPE"] == ModelType.SEQUENTIAL or not _is_vectorizable(loader, config, dataset, sampler):
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
    if (
        not vectorized(config)
        or not is_stock
        or not isinstance(used, UsedIds)
        or len(used) != dataset.user_num
    ):
        return False
    return are_ids(dataset.inter_feat[dataset.uid_field], dataset.inter_feat[dataset.iid_field])


def batch_of(
    loader: FullSortEvalDataLoader, rows: np.ndarray
) -> tuple[Interaction, tuple[torch.Tensor, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Return what the loader's collate_fn returns for some rows of its user_df, each user's items in ascending order.

    Args:
        loader: of a full ranking. Where ``vectorized_data`` is off, or the model is sequential, ``collate_fn`` is
            called.
        rows: row numbers in ``user_df``; of the interactions where the model is sequential.

    Returns:
        The users, the rows and items to mask, the rows of the positives, and their items.

    Notes:
        Linear in the number of items, without a loop over users. The first call for a loader makes one matrix of all
        that is masked.
    """
    positives = vars(loader).get("uid2positive_item")
    history = vars(loader).get("uid2history_item")
    if not isinstance(positives, PositiveItems) or not isinstance(history, HistoryItems):
        return loader.collate_fn(rows.tolist())

    # Slices of the two matrices that the loader has.
    user_df = loader.user_df[rows]
    users = user_df[loader.uid_field].numpy()
    masked = _entries(history.matrix[users])
    positive_u, positive_i = _entries(positives.pairs.matrix[users])
    return user_df, masked, positive_u, positive_i


def _entries(matrix: sp.csr_matrix) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the row and the column of each stored entry."""
    return torch.from_numpy(rows_of(matrix)), torch.from_numpy(matrix.indices.astype(np.int64))
