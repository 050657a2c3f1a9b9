"""Read the numbers of a CSV file by its decimal sign and its sign between thousands."""

import math
import re

from recbole_edlae._choices import invalid

# Texts that pandas, and so RecBole, reads as a missing number.
MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)

# Three digits after each sign: it may separate thousands.
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,' \u00a0\u202f_])\d{3}(?:\1\d{3})*(?P<fraction>[.,]\d+)?", re.ASCII)


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
        if thousands is not None:
            digits = rf"(?:\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|\d+)"
        elif decimal == ",":
            sign = "[.,]"
        self._number = re.compile(rf"[+-]?(?:{digits}(?:{sign}\d*)?|{sign}\d+)(?:[eE][+-]?\d+)?", re.ASCII)

    def read(self, text: str) -> str | None:
        """Return a finite number as Python writes it, an empty text where it is missing, None for anything else."""
        # Most numbers are integers as they are.
        if text.isascii() and text.isdigit():
            return text
        text = text.strip()
        if text in MISSING:
            return ""
        if self._number.fullmatch(text) is None or self._is_ambiguous(text):
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

    def _is_ambiguous(self, text: str) -> bool:
        """Return whether a point, beside decimal commas, may stand between thousands."""
        if self._decimal == "." or self._thousands is not None:
            return False
        match = _THOUSANDS.fullmatch(text)
        return match is not None and match[1] == "."
