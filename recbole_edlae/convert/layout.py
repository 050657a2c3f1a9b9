"""Find out how a CSV file of interactions is laid out: its separator, its header and what its columns hold.

What the user does not set is guessed from the first rows. The layout lists what was guessed.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from recbole_edlae.convert.columns import (
    choose_columns,
    column_names,
    column_texts,
    has_usual_name,
    is_value,
    label,
    mostly,
)
from recbole_edlae.convert.records import records

_SAMPLE_ROWS = 200
_SEPARATORS = (",", ";", "\t", "|", "::")


class Layout(NamedTuple):
    """How a file is laid out."""

    separator: str
    header: list[str] | None  # names of the columns; None where the first row is data
    width: int  # fields in a row
    columns: dict[str, int]  # role → position from 0; a file may be without ratings and times
    guessed: list[str]  # which of separator, header and columns
    first_row: list[str]

    def name(self, role: str) -> str:
        """Return the name of the column of a role, or its position from 1."""
        return label(self.header, self.columns[role])

    def unused(self) -> list[str]:
        """Return the names of the columns that are not read."""
        names = []
        for position in range(self.width):
            if position not in self.columns.values():
                names.append(label(self.header, position))
        return names


def find_layout(
    lines: Sequence[str],
    *,
    separator: str | None = None,
    header: bool | None = None,
    columns: str | None = None,
    quoting: bool | None = None,
) -> Layout:
    """Return the layout of a file by its first lines and the options of ``convert_csv``; None guesses.

    Examples:
        >>> find_layout(["anna,tea,1700000000"]).columns
        {'user': 0, 'item': 1, 'timestamp': 2}
    """
    options = {"separator": separator, "header": header, "columns": columns}
    guessed = [option for option, value in options.items() if value is None]
    if separator is None:
        separator = _find_separator(lines, quoting)
    rows = _first_rows(lines, separator, quoting)
    if not rows:
        raise ValueError("the file is empty")

    # The first row is a header or the first one of the samples.
    first, *samples = rows
    if header is None:
        header = _has_header(first, samples)
    names = None
    if header:
        names = column_names(first)
    else:
        samples = rows

    # Columns that are named by position need the width.
    width = _width(names, samples)
    positions = choose_columns(columns, names, samples, width)
    return Layout(separator, names, width, positions, guessed, first)


def _first_rows(lines: Iterable[str], separator: str, quoting: bool | None) -> list[list[str]]:
    """Return the first rows of CSV."""
    first = itertools.islice(records(lines, separator, quoting), _SAMPLE_ROWS)
    return [record.fields for record in first]


def _find_separator(lines: Sequence[str], quoting: bool | None) -> str:
    """Return the separator by which most rows have the same number of fields."""
    first = next(filter(None, map(str.strip, lines)), "")
    if not first:
        raise ValueError("the file is empty")

    # A blank comes last, because texts have blanks too.
    for candidates in (_SEPARATORS, (" ",)):
        agreements = {}
        for separator in candidates:
            agreement = _agreement(_first_rows(lines, separator, quoting))
            if agreement[1] > 1:
                agreements[separator] = agreement
        best = max(agreements.values(), default=None)
        separators = [separator for separator, agreement in agreements.items() if agreement == best]

        # Two that agree equally well may both be meant.
        if len(separators) > 1:
            one, other = separators[:2]
            raise ValueError(f"both {one!r} and {other!r} may separate {first[:80]!r}; write --separator")
        if separators:
            return separators[0]
    raise ValueError(f"no separator is found in {first[:80]!r}; write --separator")


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    """Return which share of the rows has the most frequent number of fields, and that number."""
    # Of equally frequent numbers the largest.
    counts = Counter(map(len, rows))
    count, width = max(((count, width) for width, count in counts.items()), default=(0, 0))
    return count / max(len(rows), 1), width


def _has_header(first: list[str], samples: list[list[str]]) -> bool:
    """Guess whether the first row names the columns.

    It does if it has a usual name for users or items, or no value and stands over a column of numbers or dates.
    """
    if has_usual_name(*first):
        return True
    if any(map(is_value, map(str.strip, first))):
        return False

    # An empty field over texts is no name.
    has_values = False
    for position, name in enumerate(first):
        texts = column_texts(samples, position)
        if texts and not name.strip():
            return False
        has_values |= mostly(is_value, texts)
    return has_values


def _width(names: list[str] | None, samples: list[list[str]]) -> int:
    """Return the number of fields in a row: that of the header, or of most rows."""
    width = _agreement(samples)[1]
    if names is None:
        return width

    # Rows may have one separator too many: their last field is empty then.
    if width == len(names) + 1 and not column_texts(samples, width - 1):
        return width
    return len(names)
