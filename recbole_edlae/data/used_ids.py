"""Find the items that each user has, without a set for every user.

RecBole's samplers add every interaction to the set of its user, once for each phase. Here the interactions are grouped,
and a user's set is made when it is asked for, by the same steps: the order in which a set is iterated, which decides
the order of items in batches, is RecBole's.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from recbole.sampler import KGSampler, RepeatableSampler, Sampler

from recbole_edlae.data.groups import Groups, are_ids, groups_of, numbered_pairs, with_ones
from recbole_edlae.data.lazy import LazyArray
from recbole_edlae.settings.vectorized import is_on


class UsedIds(LazyArray):
    """The sets of ids that are used with each key: a user's items, or the tails of a head entity.

    Args:
        parts: pairs of key and id; those of later phases come after those of earlier ones.
        length: number of keys.
        width: number of ids.
    """

    def __init__(self, parts: Sequence[Groups], length: int, width: int) -> None:
        super().__init__(length)
        self.parts = tuple(parts)
        self.width = width

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed from the pairs."""
        return {name: value for name, value in vars(self).items() if name not in ("matrix", "numbers", "counts")}

    def make(self, position: int) -> set:
        """Return a key's set, made by RecBole's steps: each phase copies the set of the one before."""
        used: set = set()
        for part in self.parts:
            used = set(used)
            used.update(part.of(position))
        return used

    @functools.cached_property
    def matrix(self) -> sp.csr_matrix:
        """Keys × ids, each pair once, those of a key in ascending order."""
        if not self.parts:
            return sp.csr_matrix((len(self), self.width), dtype=np.int8)
        whole = self.parts[0].matrix
        for part in self.parts[1:]:
            whole = with_ones(whole + part.matrix)
        return whole

    @functools.cached_property
    def counts(self) -> np.ndarray:
        """Number of ids of each key."""
        return np.diff(self.matrix.indptr).astype(np.int64)

    @functools.cached_property
    def numbers(self) -> np.ndarray:
        """Numbers of all pairs, key × width + id, ascending."""
        return numbered_pairs(self.matrix)

    def ids_of(self, key: int) -> np.ndarray:
        """Return a key's ids in ascending order."""
        matrix = self.matrix
        return matrix.indices[matrix.indptr[key] : matrix.indptr[key + 1]]

    def contain(self, keys: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Return for each pair whether its id is used with its key.

        Args:
            keys: from 0 to the length of the array - 1.
            ids: from 0 to width - 1.
        """
        requested = keys * self.width + ids
        if not len(self.numbers):
            return np.zeros(len(requested), dtype=bool)
        positions = np.searchsorted(self.numbers, requested)
        positions[positions == len(self.numbers)] = 0
        return self.numbers[positions] == requested


class ChosenItems(LazyArray):
    """A set for each row that has the row's own item alone.

    Args:
        items: of the rows.
    """

    def __init__(self, items: np.ndarray) -> None:
        super().__init__(len(items))
        self.items = items

    def make(self, position: int) -> set:
        """Return the set of a row."""
        return {self.items[position]}

    def ids_of(self, key: int) -> np.ndarray:
        """Return the item of a row."""
        return self.items[key : key + 1]

    def contain(self, keys: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Return for each pair whether it is that of a row and the row's item."""
        return self.items[keys] == ids


def used_items(stock: Callable, sampler: Sampler) -> dict[str, Any]:
    """Return what RecBole does: phase → the set of items that each user has up to that phase.

    Raises:
        ValueError: A user has all items.

    Notes:
        Two counting sorts of the interactions; RecBole adds ten million numbers to sets one by one.
    """
    datasets = sampler.datasets
    if not is_on(datasets[0].config) or not all(_has_ids(sampler, dataset) for dataset in datasets):
        return stock(sampler)
    length, width = datasets[0].user_num, datasets[0].item_num
    parts = [groups_of(dataset) for dataset in datasets]
    used = {phase: UsedIds(parts[: n + 1], length, width) for n, phase in enumerate(sampler.phases)}
    if np.any(used[sampler.phases[-1]].counts + 1 == sampler.item_num):
        return stock(sampler)  # which says so
    return used


def used_tails(stock: Callable, sampler: KGSampler) -> Any:
    """Return what RecBole does: the set of tail entities of each head entity.

    Raises:
        ValueError: A head entity has relations with all entities.
    """
    heads, tails = np.asarray(sampler.hid_list), np.asarray(sampler.tid_list)
    if not is_on(sampler.dataset.config) or not are_ids(heads, tails):
        return stock(sampler)
    used = UsedIds(
        [Groups(heads, tails, sampler.entity_num, sampler.entity_num)], sampler.entity_num, sampler.entity_num
    )
    if np.any(used.counts + 1 == sampler.entity_num):
        return stock(sampler)  # which says so
    return used


def no_items(stock: Callable, sampler: RepeatableSampler) -> Any:
    """Return what RecBole does: an empty set for each user."""
    if not is_on(sampler.dataset.config):
        return stock(sampler)
    return UsedIds((), sampler.user_num, sampler.item_num)


def _has_ids(sampler: Sampler, dataset: Any) -> bool:
    """Return whether a dataset's interactions have the users and items of a sampler."""
    fields = [sampler.uid_field, sampler.iid_field]
    feat = dataset.inter_feat
    if [dataset.uid_field, dataset.iid_field] != fields or not all(field in feat for field in fields):
        return False
    return are_ids(*(feat[field] for field in fields))
