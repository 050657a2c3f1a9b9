"""Check the columns of a CSV file of interactions, and write their values as RecBole's atomic files have them.

A column comes as texts; each different text is looked at once.
"""

import math
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from recbole_edlae.convert.records import BLANKS

# Texts that pandas, and so RecBole, reads as a missing number.
MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
# The smallest number of each unit of time since 1970: seconds last until the year 5138.
_UNITS = {"seconds": 0.0, "milliseconds": 1e11, "microseconds": 1e14, "nanoseconds": 1e17}
_LATEST = 2.0**63  # in nanoseconds
_SECONDS_OF_400_YEARS = 146_097 * 86_400
_ISO_DATE = re.compile(r"\d{4}-\d\d(?!\d)", re.ASCII)  # how a date or a date with a time begins
_DATE_OF_DIGITS = re.compile(  # YYYYMMDDhhmm and perhaps seconds
    r"\s*(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d[0-2]\d[0-5]\d(?:[0-5]\d)?\s*", re.ASCII
)
_UTC = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
# Three digits behind each sign: the sign may stand between thousands.
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,' \u00a0\u202f_])\d{3}(?:\1\d{3})*(?P<fraction>[.,]\d+)?", re.ASCII)


class BadValueError(ValueError):
    """A value cannot be converted; ``row`` is its position in the column, from 0."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row


class Numerals:
    """How a file writes numbers.

    Args:
        decimal: the decimal sign, a point or a comma.
        thousands: the sign between thousands, if there is one.

    Raises:
        ValueError: The signs cannot be these.
    """

    def __init__(self, decimal: str = ".", thousands: str | None = None) -> None:
        if decimal not in (".", ","):
            raise ValueError(f"--decimal must be a point or a comma, got {decimal!r}")
        if thousands is not None and (not re.fullmatch(r"[^\w+-]|_", thousands) or thousands == decimal):
            raise ValueError(f"--thousands must be one sign, no letter, digit or {decimal!r}; got {thousands!r}")
        self._decimal = decimal
        self._thousands = thousands
        # A point is no mistake beside decimal commas, unless it may stand between thousands.
        sign = "[.,]" if decimal == "," and thousands is None else re.escape(decimal)
        whole = r"\d+" if thousands is None else rf"(?:\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+)"
        self._number = re.compile(rf"[+-]?(?:{whole}(?:{sign}\d*)?|{sign}\d+)(?:[eE][+-]?\d+)?", re.ASCII)

    def read(self, text: str) -> str | None:
        """Return a finite number as Python writes it, an empty text where it is missing, None for anything else."""
        if text.isascii() and text.isdigit():
            return text
        text = text.strip()
        if text in MISSING:
            return ""
        if self._number.fullmatch(text) is None or (self._decimal == "," and self._thousands_of(text) == "."):
            return None
        text = text.replace(self._thousands or "", "").replace(self._decimal, ".")
        return text if math.isfinite(float(text)) else None

    def hint(self, text: str) -> str:
        """Return what to add to an error about a text that is a number by other signs."""
        match = _THOUSANDS.fullmatch(text.strip())
        if match is None:
            return "; is the comma its decimal sign? write --decimal=," if Numerals(",").read(text) else ""
        sign = match[1]
        shown = sign if sign in ".,_" else f'"{sign}"'
        decimal = " --decimal=," if sign == "." or (match["fraction"] or "").startswith(",") else ""
        hint = f"; write --thousands={shown}{decimal} if {sign!r} stands between thousands"
        is_clear = sign not in ".," or match["fraction"] or text.count(sign) > 1
        return hint if is_clear else f"{hint}, --decimal={sign} if it is the decimal sign"

    def _thousands_of(self, text: str) -> str | None:
        """Return the sign that may stand between thousands and is not known to."""
        match = None if self._thousands else _THOUSANDS.fullmatch(text)
        return match[1] if match else None


class Times(NamedTuple):
    """Times as seconds since 1970."""

    texts: list[str]
    units: set[str]  # seconds, milliseconds, …, ISO dates
    first: float  # the earliest; inf without any
    last: float  # the latest; -inf without any


class Tokens:
    """Number the tokens of users or of items as they come first, over several parts of a file."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.codes: list[np.ndarray] = []  # of each part: the number of each row's token
        self._code_of_text: dict[str, int] = {}  # as it stands in the CSV file
        self._code_of_token: dict[str, int] = {}
        self._written: list[str] = []  # each different token as an atomic file has it

    def __len__(self) -> int:
        return len(self._written)

    def write(self, texts: list[str]) -> list[str]:
        """Return the tokens of a column as they are written.

        Blanks around a token are removed. A token with a quotation mark or a tab is quoted as in CSV.

        Raises:
            BadValueError: A token is missing, or has a line end inside.
        """
        for text in dict.fromkeys(texts):
            if text not in self._code_of_text:
                try:
                    self._enter(text)
                except ValueError as error:
                    raise BadValueError(texts.index(text), str(error)) from None
        codes = list(map(self._code_of_text.__getitem__, texts))
        self.codes.append(np.array(codes, dtype=np.int64))
        return list(map(self._written.__getitem__, codes))

    def all_match(self, pattern: str) -> bool:
        """Return whether every token matches a regular expression."""
        return all(re.fullmatch(pattern, token, re.ASCII) for token in self._written)

    def _enter(self, text: str) -> None:
        """Give a text that was not seen before the number of its token."""
        token = text.strip(BLANKS)
        if not token:
            raise ValueError(f"there is no {self.role}")
        if "\n" in token or "\r" in token:
            raise ValueError(f"the {self.role} {token!r} has a line end inside")
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
        if math.isfinite(value):
            written[text] = str(int(value) if value.is_integer() else value)
        elif text.strip() in MISSING:
            written[text] = ""
        else:
            reason = f"the timestamp is {text!r}, neither a number nor an ISO date such as 2024-05-01 12:30:00"
            raise BadValueError(texts.index(text), reason)
    if "milliseconds" in units:  # of 1976, or centuries from now
        for text in filter(_DATE_OF_DIGITS.fullmatch, distinct):
            raise BadValueError(texts.index(text), f"the timestamp {text!r} may be a date; write 2024-05-01 12:30:00")
    known = seconds[np.isfinite(seconds)]
    return Times(list(map(written.__getitem__, texts)), units, known.min(initial=np.inf), known.max(initial=-np.inf))


def look_like_dates(first: float, last: float) -> bool:
    """Return whether numbers between two others may be dates such as 20240501."""

    def is_date(number: float) -> bool:
        return 19000101 <= number <= 21001231 and 1 <= number // 100 % 100 <= 12 and 1 <= number % 100 <= 31

    return is_date(first) and is_date(last)


def _seconds(texts: list[str], numerals: Numerals) -> tuple[np.ndarray, set[str]]:
    """Return the seconds of texts, NaN for what is missing or no time, and the forms that occur."""
    numbers = [numerals.read(text) for text in texts]
    seconds, units = _scaled(np.array([float(number) if number else np.nan for number in numbers]))

    others = [position for position, number in enumerate(numbers) if number is None]
    dates = [position for position in others if _ISO_DATE.match(texts[position].strip())]
    if dates:
        moments = [_UTC.sub("", texts[position].strip()) for position in dates]
        seconds[dates] = _seconds_of_dates(moments)
        units.add("ISO dates")
    return seconds, units


def _seconds_of_dates(dates: list[str]) -> np.ndarray:
    """Return the seconds of ISO dates of any year, NaN for what is no date."""
    # pandas knows the years 1678 to 2261. The calendar is the same again after 400 years.
    cycles = [(int(date[:4]) - 1700) // 400 for date in dates]
    known = [f"{int(date[:4]) - 400 * cycle}{date[4:]}" for date, cycle in zip(dates, cycles)]
    parsed = pd.to_datetime(pd.Series(known, dtype=object), format="ISO8601", utc=True, errors="coerce")
    seconds = parsed.dt.as_unit("us").astype("int64").to_numpy() / 1e6
    return np.where(parsed.isna(), np.nan, seconds + np.array(cycles) * _SECONDS_OF_400_YEARS)


def _scaled(numbers: np.ndarray) -> tuple[np.ndarray, set[str]]:
    """Return numbers as seconds, NaN for those beyond all times, and the units that occur."""
    sizes = np.abs(numbers)
    exponents = np.searchsorted(list(_UNITS.values()), sizes, side="right") - 1
    seconds = np.where(sizes < _LATEST, numbers / 1e3**exponents, np.nan)
    names = list(_UNITS)
    units = {names[exponent] for exponent in np.unique(exponents[np.isfinite(seconds)])}
    return seconds, units


def _quoted(token: str) -> str:
    """Return a token as it stands in an atomic file: quoted if it has a quotation mark or a tab."""
    return '"' + token.replace('"', '""') + '"' if '"' in token or "\t" in token else token
