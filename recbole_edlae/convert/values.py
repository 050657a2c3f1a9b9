"""Check the values of a CSV file of interactions, and return them as RecBole's atomic files have them."""

import math
import re
from array import array

import pandas as pd

from recbole_edlae._choices import invalid
from recbole_edlae.convert.records import BLANKS

# Texts that pandas, and so RecBole, reads as a missing number.
MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)

# Three digits after each sign: it may separate thousands.
_THOUSANDS = re.compile(
    r"[+-]?\d{1,3}([.,' \u00a0\u202f_])\d{3}(?:\1\d{3})*(?P<fraction>[.,]\d+)?", re.ASCII
)

# The smallest number of each unit of time since 1970, and its parts of a second: seconds last until the year 5138.
_UNITS = {"nanoseconds": (1e17, 1e9), "microseconds": (1e14, 1e6), "milliseconds": (1e11, 1e3)}
_LATEST = 2.0**63  # in nanoseconds

# What pandas reads as ISO 8601, without the UTC that it knows by other names.
_ISO_DATE = re.compile(
    r"\d{4}-\d\d(?:-\d\d?(?:[T ]\d\d?(?::\d\d?(?::\d\d?(?:\.\d*)?)?|\d\d(?:\d\d(?:\.\d*)?)?)?"
    r" *(?:[+-]\d\d?(?::?[0-5]?\d)?)?)?)?",
    re.ASCII,
)
_BEYOND_MICROSECONDS = re.compile(r"(?<=\.\d{6})\d+", re.ASCII)
_UTC = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
_DATE_OF_DIGITS = re.compile(  # YYYYMMDDhhmm and perhaps seconds
    r"\s*(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d[0-2]\d[0-5]\d(?:[0-5]\d)?\s*", re.ASCII
)


class Numerals:
    """How a file writes numbers: by a decimal point or comma, and perhaps with a sign between thousands."""

    def __init__(self, decimal: str = ".", thousands: str | None = None) -> None:
        if decimal not in (".", ","):
            raise invalid("--decimal", "a point or a comma", decimal)
        if thousands is not None and (not re.fullmatch(r"[^\w+-]|_", thousands) or thousands == decimal):
            raise invalid("--thousands", f"one sign, no letter, digit or {decimal!r}", thousands)
        self._decimal = decimal
        self._thousands = thousands

        # A point is no mistake beside decimal commas, unless it may stand between thousands.
        sign = re.escape(decimal)
        digits = r"\d+"
        ambiguous = ""
        if thousands is not None:
            digits = rf"(?:\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+)"
        elif decimal == ",":
            sign = "[.,]"
            ambiguous = r"(?![+-]?\d{1,3}\.\d{3}\Z)"
        self._number = re.compile(
            rf"{ambiguous}[+-]?(?:{digits}(?:{sign}\d*)?|{sign}\d+)(?:[eE][+-]?\d+)?", re.ASCII
        )

    def read(self, text: str) -> str | None:
        """Return a finite number as Python writes it, an empty text where it is missing, None for anything else."""
        text = text.strip()
        if text in MISSING:
            return ""
        if self._number.fullmatch(text) is None:
            return None

        text = text.replace(self._thousands or "", "").replace(self._decimal, ".")
        if not math.isfinite(float(text)):
            return None
        return text

    def hint(self, text: str) -> str:
        """Return what to add to an error about a text that is a number by other signs."""
        match = _THOUSANDS.fullmatch(text.strip())
        if match is None:
            if Numerals(",").read(text):
                return "; is the comma its decimal sign? write --decimal=,"
            return ""

        # A shell drops a blank or an apostrophe without quotation.
        sign = match[1]
        fraction = match["fraction"] or ""
        option = f'--thousands="{sign}"'
        if sign in ".,_":
            option = f"--thousands={sign}"
        if sign == "." or fraction.startswith(","):
            option += " --decimal=,"
        hint = f"; write {option} if {sign!r} stands between thousands"

        # In 1,234 the sign may be either.
        if sign in ".," and not fraction and text.count(sign) == 1:
            hint += f", --decimal={sign} if it is the decimal sign"
        return hint


class Tokens:
    """Read users or items, and number them by first occurrence."""

    def __init__(self, role: str) -> None:
        self.codes = array("q")  # the number of each row's token
        self._role = role
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, text: str) -> str:
        """Return a token without blanks around it; raise ValueError if there is none, or a line end inside."""
        token = text.strip(BLANKS)
        if not token:
            raise ValueError(f"there is no {self._role}")

        # A line of an atomic file cannot hold it, quoted or not.
        if "\n" in token or "\r" in token:
            raise ValueError(f"the {self._role} {token!r} has a line end inside")
        self.codes.append(self._numbers.setdefault(token, len(self._numbers)))
        return token

    def all_match(self, pattern: str) -> bool:
        """Return whether every token matches a regular expression."""
        matches = re.compile(pattern, re.ASCII).fullmatch
        return all(map(matches, self._numbers))


class Times:
    """Read times as seconds since 1970."""

    def __init__(self, numerals: Numerals) -> None:
        self.units: set[str] = set()  # those that occur: seconds, milliseconds, …, ISO dates
        self.first = math.inf
        self.last = -math.inf
        self._numerals = numerals

    def read(self, text: str) -> str:
        """Return a time in seconds, an empty text where it is missing.

        Numbers are seconds, milliseconds, microseconds or nanoseconds by their size; dates are ISO 8601, in UTC where
        they name no time zone.
        """
        number = self._numerals.read(text)
        if number == "":
            return ""
        if number is None:
            unit = "ISO dates"
            seconds = _seconds_of_date(text.strip())
        else:
            unit, seconds = _scaled(float(number))

        # A number by other signs, a date in another form, or no time at all.
        if math.isnan(seconds):
            raise ValueError(
                f"the timestamp is {text!r}, neither a number nor an ISO date such as 2024-05-01 12:30:00"
            )

        # As milliseconds, dates of twelve or fourteen digits are times of 1976, or centuries from now.
        if unit == "milliseconds" and _DATE_OF_DIGITS.fullmatch(text):
            raise ValueError(f"the timestamp {text!r} may be a date; write 2024-05-01 12:30:00")

        self.units.add(unit)
        self.first = min(self.first, seconds)
        self.last = max(self.last, seconds)
        if seconds.is_integer():
            return str(int(seconds))
        return str(seconds)


def read_rating(text: str, numerals: Numerals) -> str:
    """Return a rating, an empty text where it is missing; raise ValueError if it is not a finite number."""
    # Every spelling that RecBole would not read as a number.
    number = numerals.read(text)
    if number is None:
        raise ValueError(f"the rating is {text!r}, not a number{numerals.hint(text)}")
    return number


def look_like_dates(first: float, last: float) -> bool:
    """Return whether numbers between two others may be dates such as 20240501."""
    # Whole days of the twentieth and twenty-first century.
    for number in (first, last):
        month = number // 100 % 100
        day = number % 100
        if not (19000101 <= number <= 21001231 and 1 <= month <= 12 and 1 <= day <= 31):
            return False
    return True


def _scaled(number: float) -> tuple[str, float]:
    """Return the unit of a number and its seconds, NaN beyond all times."""
    size = abs(number)
    if size >= _LATEST:
        return "", math.nan
    for unit, (smallest, parts) in _UNITS.items():
        if size >= smallest:
            return unit, number / parts
    return "seconds", number


def _seconds_of_date(text: str) -> float:
    """Return the seconds of an ISO date of any year, NaN for what is no date."""
    # The form is checked here, because pandas reads many others too.
    text = _UTC.sub("", text)
    if _ISO_DATE.fullmatch(text) is None:
        return math.nan
    try:
        # Nanoseconds would leave the years 1678 to 2261 only.
        return pd.Timestamp(_BEYOND_MICROSECONDS.sub("", text)).timestamp()
    except ValueError:
        return math.nan
