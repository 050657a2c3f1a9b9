"""Find the items that each user has, without a set for every user.

RecBole's samplers add every interaction to the set of its user, once for each phase. Here the interactions are grouped,
and a user's set is made when it is asked for, by the same steps: the order in which a set is iterated, which decides
the order of items in batches, is RecBole's.
"""

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from recbole.sampler import RepeatableSampler, Sampler

from recbole_edlae.integration.fast.rows import (
    Groups,
    are_ids,
    groups_of,
    numbered_pairs,
    with_ones,
    without_computed,
)
from recbole_edlae.settings.corrections import vectorized


class LazyArray:
    """Behave like a one-dimensional NumPy array of objects, of which only those exist that were asked for.

    RecBole holds a set or a tensor for every user in such arrays, and most runs need few of them. Subclasses say how
    an element is made. Whatever else an array can do is done by an array of all elements.

    Args:
        length: number of elements.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._made: dict[int, Any] = {}

    def make(self, position: int) -> Any:
        """Return a new element.

        Args:
            position: from 0 to the length of the array - 1.
        """
        raise NotImplementedError

    __getstate__ = without_computed

    def _element(self, position: int) -> Any:
        if position not in self._made:
            self._made[position] = self.make(position)
        return self._made[position]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        return map(self._element, range(self._length))

    def __getitem__(self, index: Any) -> Any:
        # NumPy itself says what an index of any kind means.
        positions = np.arange(self._length)[index]
        if isinstance(positions, np.integer):
            return self._element(int(positions))
        picked = np.empty(positions.shape, dtype=object)
        elements = [self._element(position) for position in positions.ravel().tolist()]
        picked.ravel()[:] = _objects(elements)
        return picked

    def __setitem__(self, index: Any, value: Any) -> None:
        positions = np.arange(self._length)[index]
        if isinstance(positions, np.integer):
            self._made[int(positions)] = value
            return

        # One value for all, or one for each.
        picked = np.empty(positions.shape, dtype=object)
        picked[...] = value
        self._made.update(zip(positions.ravel().tolist(), picked.ravel()))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = _objects(list(self))
        return array if dtype is None else array.astype(dtype)

    def __getattr__(self, name: str) -> Any:
        # copy and pickle look for methods that an array of all elements must not answer for.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def copy(self) -> "LazyArray":
        """Return a copy that has the elements made so far, and makes equal ones of the others."""
        copied = copy.copy(self)
        copied._made = dict(self._made)
        return copied


def _objects(elements: list) -> np.ndarray:
    """Return an array of objects: NumPy itself would unpack sequences of one length."""
    array = np.empty(len(elements), dtype=object)
    for position, element in enumerate(elements):
        array[position] = element
    return array


class UsedIds(LazyArray):
    """The sets of ids that are used with each key: a user's items.

    Args:
        phases: pairs of key and id of each phase, in the order of the phases.
        length: number of keys.
        width: number of ids.
    """

    def __init__(self, phases: Sequence[Groups], length: int, width: int) -> None:
        super().__init__(length)
        self.phases = tuple(phases)
        self.width = width

    def make(self, position: int) -> set:
        """Return a key's set, made by RecBole's steps: each phase copies the set of the one before."""
        used: set = set()
        for phase in self.phases:
            used = set(used)
            used.update(phase.of(position))
        return used

    @functools.cached_property
    def matrix(self) -> sp.csr_matrix:
        """Keys × ids, each pair once, those of a key in ascending order."""
        if not self.phases:
            return sp.csr_matrix((len(self), self.width), dtype=np.int8)

        # A pair of two phases has the sum 2.
        union = self.phases[0].matrix
        for phase in self.phases[1:]:
            union = with_ones(union + phase.matrix)
        return union

    @functools.cached_property
    def counts(self) -> np.ndarray:
        """Number of ids of each key."""
        return np.diff(self.matrix.indptr).astype(np.int64)

    @functools.cached_property
    def numbers(self) -> np.ndarray:
        """Numbers of all pairs, key × width + id, ascending."""
        return numbered_pairs(self.matrix)

    def contain(self, keys: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Return for each pair whether its id is used with its key.

        Args:
            keys: from 0 to the length of the array - 1.
            ids: from 0 to width - 1.
        """
        requested = keys * self.width + ids
        if not len(self.numbers):
            return np.zeros(len(requested), dtype=bool)

        # A number beyond the last one is none of them, whatever it is compared with.
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

    def contain(self, keys: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Return for each pair whether it is that of a row and the row's item."""
        return self.items[keys] == ids


def used_items(stock: Callable, sampler: Sampler) -> Any:
    """Return what RecBole does: for each phase, the set of items that each user has up to it.

    Notes:
        Cost: linear in the number of interactions; RecBole adds ten million numbers to sets one by one.
    """
    datasets = sampler.datasets
    if not vectorized(datasets[0].config):
        return stock(sampler)
    groups = [groups_of(dataset) for dataset in datasets]
    for pairs in groups:
        if not are_ids(pairs.keys, pairs.values):
            return stock(sampler)

    # Validation excludes what is in training, the test what is in both.
    used = {}
    for number, phase in enumerate(sampler.phases, 1):
        used[phase] = UsedIds(groups[:number], *groups[0].shape)

    # RecBole raises an error where a user has all items.
    if np.any(used[sampler.phases[-1]].counts + 1 == sampler.item_num):
        return stock(sampler)
    return used


def no_items(stock: Callable, sampler: RepeatableSampler) -> Any:
    """Return what RecBole does: an empty set for each user."""
    if not vectorized(sampler.dataset.config):
        return stock(sampler)
    return UsedIds((), sampler.user_num, sampler.item_num)
