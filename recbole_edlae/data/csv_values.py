"""Check the columns of a CSV file of interactions, and write their values as RecBole's atomic files have them.

A column comes as pandas reads it; each different value is looked at once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from recbole_edlae.data.csv_layout import ISO_DATE, is_number

# Texts that RecBole reads as a missing number.
_MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
# The smallest number of each unit of time since 1970: seconds last until the year 5138.
_UNITS = {"seconds": 0.0, "milliseconds": 1e11, "microseconds": 1e14, "nanoseconds": 1e17}
_LATEST = 2.0**63  # in nanoseconds


class BadValueError(ValueError):
    """A value cannot be converted; ``row`` is its label in the column."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row


class Texts:
    """What is written for the rows of a column.

    Args:
        distinct: the different texts.
        codes: which of them each row has, -1 for an empty one.
        is_as_read: whether each row's text stands in the file like this.
    """

    def __init__(self, distinct: Sequence[str], codes: np.ndarray, is_as_read: bool) -> None:
        self.distinct = distinct
        self.codes = codes
        self.is_as_read = is_as_read

    def of_rows(self) -> list[str]:
        """Return the text of each row."""
        return np.array([*self.distinct, ""], dtype=object)[self.codes].tolist()

    def missing(self) -> int:
        """Return how many rows have an empty text."""
        empty = [-1, *(code for code, text in enumerate(self.distinct) if not text)]
        return int(np.isin(self.codes, empty).sum())

    def size(self) -> int:
        """Return how many bytes the texts of all rows have."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.distinct))
        return int(counts @ np.array([len(text.encode()) for text in self.distinct], dtype=int))


class Integers(Texts):
    """Integers that are written as they are.

    Args:
        values: integers, in int64.
        is_as_read: whether none is below 0. Signs, blanks and zeros before a number are seen by the size of the lines.
    """

    def __init__(self, values: np.ndarray, is_as_read: bool) -> None:
        self.values = values
        self.is_as_read = is_as_read

    def of_rows(self) -> list[str]:
        """Return the text of each row."""
        return list(map(str, self.values.tolist()))

    def missing(self) -> int:
        """Return 0."""
        return 0

    def size(self) -> int:
        """Return how many digits all rows have, where none is below 0."""
        powers = 10 ** np.arange(1, 19, dtype=np.int64)
        return int(np.searchsorted(powers, self.values, side="right").sum()) + len(self.values)


class Times(NamedTuple):
    """Times as seconds since 1970."""

    texts: Texts
    units: set[str]  # seconds, milliseconds, …, ISO dates
    first: float  # the earliest; inf without any
    last: float  # the latest; -inf without any


class Tokens:
    """Number the tokens of users or of items as they come first, over several parts of a file."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.written: list[str] = []  # each different token as an atomic file has it
        self._number_of_text: dict[str, int] = {}  # as it stands in the CSV file
        self._number_of_token: dict[str, int] = {}

    def add(self, column: pd.Series) -> Texts:
        """Return the tokens of a column as they are written, whose codes are their numbers.

        Blanks around a token are removed. A token with a quotation mark or a tab is quoted as in CSV.

        Raises:
            BadValueError: A token is missing, or has a line end inside.
        """
        codes, distinct = _factorized(column)
        if (codes < 0).any():
            raise BadValueError(column.index[np.argmax(codes < 0)], f"there is no {self.role}")
        numbers = [self._number_of_text.get(text, -1) for text in distinct]
        for code, number in enumerate(numbers):
            if number < 0:
                try:
                    numbers[code] = self._enter(distinct[code])
                except ValueError as error:
                    raise BadValueError(column.index[np.argmax(codes == code)], str(error)) from None
        is_as_read = all(self.written[number] == text for number, text in zip(numbers, distinct))
        return Texts(self.written, np.array(numbers, dtype=np.int32)[codes], is_as_read)

    def _enter(self, text: str) -> int:
        """Return the number of a text that was not seen before."""
        token = text.strip(" \t")
        if not token:
            raise ValueError(f"there is no {self.role}")
        if "\n" in token or "\r" in token:
            raise ValueError(f"the {self.role} {token!r} has a line end inside")
        number = self._number_of_token.setdefault(token, len(self._number_of_token))
        if number == len(self.written):
            self.written.append(_quoted(token))
        self._number_of_text[text] = number
        return number


def ratings(column: pd.Series, decimal: str) -> Texts:
    """Return the ratings of a column as they are written.

    Args:
        column: of texts.
        decimal: the decimal sign in them.

    Raises:
        BadValueError: A rating is not a finite number.
    """
    codes, distinct = _factorized(column)
    numbers = []
    for code, text in enumerate(distinct):
        number = _number(text, decimal)
        if number is None:
            hint = "; is the comma its decimal sign? write --decimal=," if _number(text, ",") is not None else ""
            raise BadValueError(column.index[np.argmax(codes == code)], f"the rating is {text!r}, not a number{hint}")
        numbers.append(number)
    return Texts(numbers, codes, numbers == list(distinct))


def times(column: pd.Series, decimal: str) -> Times:
    """Return the times of a column in seconds since 1970.

    Args:
        column: of integers, of floats or of texts. Numbers are seconds, milliseconds, microseconds or nanoseconds by
            their size; dates are ISO 8601, in UTC where they name no time zone.
        decimal: the decimal sign in texts.

    Raises:
        BadValueError: A time is neither a number nor such a date.
    """
    if column.dtype.kind == "i" and len(column) and column.abs().max() < _UNITS["milliseconds"]:
        first, last = int(column.min()), int(column.max())
        values = column.to_numpy(dtype=np.int64)
        texts = Integers(values, is_as_read=first >= 0)
        return Times(texts, {"seconds"}, float(first), float(last))
    codes, distinct = pd.factorize(column.to_numpy() if column.dtype.kind in "if" else column.to_numpy(dtype=object))
    seconds, units = _seconds(distinct, decimal) if distinct.dtype == object else _scaled(distinct.astype(float))
    if not np.isfinite(seconds[_known(distinct)]).all():
        code = int(np.argmax(~np.isfinite(seconds) & _known(distinct)))
        reason = (
            f"the timestamp is {str(distinct[code])!r}, neither a number nor an ISO date such as 2024-05-01 12:30:00"
        )
        raise BadValueError(column.index[np.argmax(codes == code)], reason)
    known = seconds[np.isfinite(seconds)]
    written = ["" if np.isnan(value) else repr(value).removesuffix(".0") for value in seconds.tolist()]
    return Times(Texts(written, codes, False), units, known.min(initial=np.inf), known.max(initial=-np.inf))


def look_like_dates(first: float, last: float) -> bool:
    """Return whether numbers between two others may be dates such as 20240501."""

    def is_date(number: float) -> bool:
        return 19000101 <= number <= 21001231 and 1 <= number // 100 % 100 <= 12 and 1 <= number % 100 <= 31

    return is_date(first) and is_date(last)


def _factorized(column: pd.Series) -> tuple[np.ndarray, Sequence[str]]:
    """Return the number of each row's text, -1 where it is missing, and the different texts."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), column.cat.categories.tolist()
    return pd.factorize(column.to_numpy())


def _number(text: str, decimal: str) -> str | None:
    """Return the text of a finite number, an empty one where it is missing, None where it is something else."""
    text = text.strip()
    if text in _MISSING:
        return ""
    text = text.replace(decimal, ".") if decimal != "." and "." not in text else text
    return text if is_number(text) and np.isfinite(float(text)) else None


def _known(distinct: np.ndarray) -> np.ndarray:
    """Return which values are not missing."""
    if distinct.dtype != object:
        return np.ones(len(distinct), dtype=bool)
    return np.array([str(text).strip() not in _MISSING for text in distinct], dtype=bool)


def _seconds(distinct: Sequence[str], decimal: str) -> tuple[np.ndarray, set[str]]:
    """Return the seconds of texts, NaN for what is missing or no time, and the forms that occur."""
    texts = [str(text).strip() for text in distinct]
    numbers = [_number(text, decimal) for text in texts]
    seconds, units = _scaled(np.array([float(number) if number else np.nan for number in numbers]))
    is_date = np.array([ISO_DATE.match(text) is not None for text in texts], dtype=bool)
    if is_date.any():
        dates = pd.Series(texts, dtype=object)[is_date]
        parsed = pd.to_datetime(dates, format="ISO8601", utc=True, errors="coerce")
        microseconds = parsed.dt.as_unit("us").astype("int64").to_numpy() / 1e6
        seconds[is_date] = np.where(parsed.isna(), np.nan, microseconds)
        units.add("ISO dates")
    return seconds, units


def _scaled(numbers: np.ndarray) -> tuple[np.ndarray, set[str]]:
    """Return numbers as seconds, NaN for those beyond all times, and the units that occur."""
    sizes = np.abs(numbers)
    seconds = numbers.copy()
    units = set()
    for exponent, (unit, smallest) in enumerate(_UNITS.items()):
        has_unit = sizes >= smallest
        following = list(_UNITS.values())[exponent + 1 :]
        has_unit &= sizes < (following[0] if following else _LATEST)
        seconds[has_unit] = numbers[has_unit] / 1e3**exponent
        if has_unit.any():
            units.add(unit)
    seconds[sizes >= _LATEST] = np.nan
    return seconds, units


def _quoted(token: str) -> str:
    """Return a token as it stands in an atomic file: quoted if it has a quotation mark or a tab."""
    return '"' + token.replace('"', '""') + '"' if '"' in token or "\t" in token else token
