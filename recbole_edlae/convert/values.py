"""Check the columns of a CSV file of interactions, and write their values as RecBole's atomic files have them.

A column is a list of texts; each distinct text is converted once.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from recbole_edlae.convert.numerals import MISSING, Numerals
from recbole_edlae.convert.records import BLANKS

# The smallest number of each unit of time since 1970: seconds last until the year 5138.
_UNITS = {"seconds": 0.0, "milliseconds": 1e11, "microseconds": 1e14, "nanoseconds": 1e17}
_LATEST = 2.0**63  # in nanoseconds
_SECONDS_OF_400_YEARS = 146_097 * 86_400

# How a date or a date with a time begins.
_ISO_DATE = re.compile(r"\d{4}-\d\d(?!\d)", re.ASCII)
_DATE_OF_DIGITS = re.compile(  # YYYYMMDDhhmm and perhaps seconds
    r"\s*(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d[0-2]\d[0-5]\d(?:[0-5]\d)?\s*", re.ASCII
)
_UTC = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)


class BadValueError(ValueError):
    """A value cannot be converted; ``row`` is its position in the column, from 0."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row


class Times(NamedTuple):
    """Times as seconds since 1970."""

    texts: list[str]
    units: set[str]  # seconds, milliseconds, …, ISO dates
    first: float  # the earliest; inf without any
    last: float  # the latest; -inf without any


class Tokens:
    """Number the tokens of users or items by first occurrence, over several blocks of a file."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.codes: list[np.ndarray] = []  # of each block: the number of each row's token
        self._code_of_text: dict[str, int] = {}  # texts as the CSV file has them
        self._code_of_token: dict[str, int] = {}
        self._written: list[str] = []  # each token as an atomic file has it

    def __len__(self) -> int:
        return len(self._written)

    def write(self, texts: list[str]) -> list[str]:
        """Return the tokens of a column as they are written.

        Blanks around a token are removed. A token with a quotation mark or a tab is quoted as in CSV.

        Raises:
            BadValueError: A token is missing, or has a line end inside.
        """
        for text in dict.fromkeys(texts):
            if text in self._code_of_text:
                continue
            try:
                self._enter(text)
            except ValueError as error:
                raise BadValueError(texts.index(text), str(error)) from None

        # Each different text was looked at once; the rows are looked up.
        codes = list(map(self._code_of_text.__getitem__, texts))
        self.codes.append(np.array(codes, dtype=np.int64))
        return list(map(self._written.__getitem__, codes))

    def all_match(self, pattern: str) -> bool:
        """Return whether every token matches a regular expression."""
        matches = re.compile(pattern, re.ASCII).fullmatch
        return all(map(matches, self._written))

    def _enter(self, text: str) -> None:
        """Give a text that was not seen before the number of its token."""
        token = text.strip(BLANKS)
        if not token:
            raise ValueError(f"there is no {self.role}")

        # A line of an atomic file cannot hold it, quoted or not.
        if "\n" in token or "\r" in token:
            raise ValueError(f"the {self.role} {token!r} has a line end inside")

        # The same token may have other blanks around it.
        code = self._code_of_token.setdefault(token, len(self._code_of_token))
        if code == len(self._written):
            self._written.append(_quoted(token))
        self._code_of_text[text] = code


def ratings(texts: list[str], numerals: Numerals) -> list[str]:
    """Return the ratings of a column as they are written.

    Raises:
        BadValueError: A rating is not a finite number.
    """
    numbers = {}
    for text in dict.fromkeys(texts):
        # Every spelling that RecBole would not read as a number.
        number = numerals.read(text)
        if number is None:
            reason = f"the rating is {text!r}, not a number{numerals.hint(text)}"
            raise BadValueError(texts.index(text), reason)
        numbers[text] = number
    return list(map(numbers.__getitem__, texts))


def times(texts: list[str], numerals: Numerals) -> Times:
    """Return the times of a column in seconds since 1970.

    Args:
        texts: numbers are seconds, milliseconds, microseconds or nanoseconds by their size; dates are ISO 8601, in UTC
            where they name no time zone.
        numerals: how numbers are written.

    Raises:
        BadValueError: A time is neither a number nor such a date.
    """
    distinct = list(dict.fromkeys(texts))
    seconds, units = _seconds(distinct, numerals)
    written = {}
    for text, value in zip(distinct, seconds.tolist()):
        if value.is_integer():
            written[text] = str(int(value))
        elif math.isfinite(value):
            written[text] = str(value)
        elif text.strip() in MISSING:
            written[text] = ""
        else:
            # A number by other signs, a date in another form, or no time at all.
            reason = (
                f"the timestamp is {text!r}, neither a number nor an ISO date such as 2024-05-01 12:30:00"
            )
            raise BadValueError(texts.index(text), reason)

    # As milliseconds, dates of twelve or fourteen digits are times of 1976, or centuries from now.
    if "milliseconds" in units:
        for text in filter(_DATE_OF_DIGITS.fullmatch, distinct):
            reason = f"the timestamp {text!r} may be a date; write 2024-05-01 12:30:00"
            raise BadValueError(texts.index(text), reason)

    known = seconds[np.isfinite(seconds)]
    first = known.min(initial=np.inf)
    last = known.max(initial=-np.inf)
    return Times(list(map(written.__getitem__, texts)), units, first, last)


def look_like_dates(first: float, last: float) -> bool:
    """Return whether numbers between two others may be dates such as 20240501."""
    # Whole days of the twentieth and twenty-first century.
    for number in (first, last):
        month = number // 100 % 100
        day = number % 100
        if not (19000101 <= number <= 21001231 and 1 <= month <= 12 and 1 <= day <= 31):
            return False
    return True


def _seconds(texts: list[str], numerals: Numerals) -> tuple[np.ndarray, set[str]]:
    """Return the seconds of texts, NaN for what is missing or no time, and the forms that occur."""
    values = np.full(len(texts), np.nan)
    dates = {}
    for position, text in enumerate(texts):
        number = numerals.read(text)
        if number:
            values[position] = float(number)
        elif number is None and _ISO_DATE.match(text.strip()):
            dates[position] = _UTC.sub("", text.strip())
    seconds, units = _scaled(values)

    # All at once, because pandas parses columns.
    if dates:
        seconds[list(dates)] = _seconds_of_dates(list(dates.values()))
        units.add("ISO dates")
    return seconds, units


def _seconds_of_dates(dates: list[str]) -> np.ndarray:
    """Return the seconds of ISO dates of any year, NaN for what is no date."""
    # pandas knows the years 1678 to 2261. The calendar is the same again after 400 years.
    cycles = []
    shifted = []
    for date in dates:
        year = int(date[:4])
        cycle = (year - 1700) // 400
        cycles.append(cycle)
        shifted.append(f"{year - 400 * cycle}{date[4:]}")
    parsed = pd.to_datetime(pd.Series(shifted, dtype=object), format="ISO8601", utc=True, errors="coerce")
    seconds = parsed.dt.as_unit("us").astype("int64").to_numpy() / 1e6
    return np.where(parsed.isna(), np.nan, seconds + np.array(cycles) * _SECONDS_OF_400_YEARS)


def _scaled(numbers: np.ndarray) -> tuple[np.ndarray, set[str]]:
    """Return numbers as seconds, NaN for those beyond all times, and the units that occur."""
    # Each unit is a thousandth of the one before.
    sizes = np.abs(numbers)
    exponents = np.searchsorted(list(_UNITS.values()), sizes, side="right") - 1
    seconds = np.where(sizes < _LATEST, numbers / 1e3**exponents, np.nan)

    # The exponents of missing numbers mean nothing.
    names = list(_UNITS)
    occurring = np.unique(exponents[np.isfinite(seconds)])
    return seconds, {names[exponent] for exponent in occurring}


def _quoted(token: str) -> str:
    """Return a token as an atomic file has it: quoted if it has a quotation mark or a tab."""
    if '"' not in token and "\t" not in token:
        return token
    doubled = token.replace('"', '""')
    return f'"{doubled}"'
