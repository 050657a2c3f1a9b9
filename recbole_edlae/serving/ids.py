"""Look up raw ids: of any type where they are those of a matrix or DataFrame, text where they are a file's tokens."""

import collections
import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from recbole_edlae._choices import unknown
from recbole_edlae.serving.tokens import token_of

# Row and item number of the entries of some lists, sorted.
Entries = tuple[np.ndarray, np.ndarray]


def object_array(values: Sequence) -> np.ndarray:
    """Return an array that keeps each value as it is; NumPy would make text of a fixed width, and rows of lists."""
    objects = np.empty(len(values), dtype=object)
    objects[:] = list(values)
    return objects


class Ids:
    """Raw ids, and the numbers from 1 on that stand for them; 0 is RecBole's padding.

    Where all ids are text, a number stands for the text of its digits.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, value: Any) -> bool:
        return value in self._numbers

    def __iter__(self) -> Iterator:
        return iter(self._numbers)

    def named(self, number: np.ndarray) -> np.ndarray:
        """Return the ids of some numbers, which are above 0."""
        return self.values[number - 1]

    def number(self, value: Any, name: str) -> int:
        """Return the number of one id; raise ValueError, with the nearest one, if it is not known."""
        missing: collections.Counter = collections.Counter()
        (number,) = self.numbers([value], name, missing)
        if number:
            return int(number)

        # The message has the text that a number was read as.
        (value,) = missing
        raise unknown(name, value, self, shown=5)

    def numbers(self, values: Sequence, name: str, missing: collections.Counter) -> np.ndarray:
        """Return the numbers of some ids, 0 for those that are not known, which are counted.

        Raises:
            ValueError: A value is missing, or neither text nor a number; the message begins with the name.
        """
        # All at once, as most values are ids. A list among them is no key: the loop below names it.
        number_of = self._numbers.get
        try:
            numbers = np.fromiter(
                map(number_of, values, itertools.repeat(0)), dtype=np.int64, count=len(values)
            )
        except TypeError:
            numbers = np.zeros(len(values), dtype=np.int64)

        # True equals 1, so bools may have been taken for ids.
        if not {bool, np.bool_}.isdisjoint(map(type, values)):
            numbers[:] = 0
        for position in np.flatnonzero(numbers == 0).tolist():
            value = values[position]
            token = token_of(value, name)
            if self._are_text:
                value = token
            numbers[position] = number_of(value, 0)
            if numbers[position] == 0:
                missing[value] += 1
        return numbers

    def entries(self, lists: Sequence[Sequence], name: str, missing: collections.Counter) -> Entries:
        """Return row and number of the known ids of lists, as :meth:`entries_of_rows` does."""
        row = np.repeat(np.arange(len(lists)), list(map(len, lists)))
        return self.entries_of_rows(row, list(itertools.chain.from_iterable(lists)), name, missing)

    def entries_of_rows(
        self, row: np.ndarray, values: Sequence, name: str, missing: collections.Counter
    ) -> Entries:
        """Return row and number of the known ids, sorted and without repetitions; count the unknown ones."""
        # One number for each entry.
        numbers = self.numbers(values, name, missing)
        known = numbers > 0
        entry = np.unique(row[known].astype(np.int64) * (len(self) + 1) + numbers[known])
        return np.divmod(entry, len(self) + 1)

    @functools.cached_property
    def _numbers(self) -> dict[Any, int]:
        """Number by id."""
        return {value: number for number, value in enumerate(self.values.tolist(), 1)}

    @functools.cached_property
    def _are_text(self) -> bool:
        """Whether all ids are text."""
        return all(isinstance(value, str) for value in self._numbers)
