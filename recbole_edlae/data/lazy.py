"""Make the elements of an object array when they are asked for, and each of them once."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch


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

    def _element(self, position: int) -> Any:
        if position not in self._made:
            self._made[position] = self.make(position)
        return self._made[position]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        return map(self._element, range(self._length))

    def __getitem__(self, index: Any) -> Any:
        positions = np.arange(self._length)[index]
        if isinstance(positions, np.integer):
            return self._element(int(positions))
        picked = np.empty(positions.shape, dtype=object)
        picked.ravel()[:] = _objects([self._element(position) for position in positions.ravel().tolist()])
        return picked

    def __setitem__(self, index: Any, value: Any) -> None:
        positions = np.arange(self._length)[index]
        if isinstance(positions, np.integer):
            self._made[int(positions)] = value
            return
        picked = np.empty(positions.shape, dtype=object)
        picked[...] = value
        self._made.update(zip(positions.ravel().tolist(), picked.ravel()))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = _objects(list(self))
        return whole if dtype is None else whole.astype(dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what copy and pickle look for
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def copy(self) -> "LazyArray":
        """Return a copy that has the same elements, as an array's copy has."""
        copied = copy.copy(self)
        copied._made = dict(self._made)
        return copied


def _objects(elements: list) -> np.ndarray:
    """Return an array of objects: NumPy itself would unpack sequences of one length."""
    array = np.empty(len(elements), dtype=object)
    for position, element in enumerate(elements):
        array[position] = element
    return array


def as_ids(items: set | None) -> torch.Tensor | None:
    """Return a set of ids as RecBole's loaders do, in the order in which the set has them; None for None."""
    return None if items is None else torch.tensor(list(items), dtype=torch.int64)
