"""Read the lines of atomic files that have quotation, a long separator or another number of fields than the header.

Few files have any: :mod:`recbole_edlae.data.atomic` parses the others as they are.
"""

import csv
import os

import numpy as np
import pandas as pd

from recbole_edlae._warnings import warn

# Stand in for separators of several characters or in quoted fields.
_SPARE = ("\x1f", "\x1e", "\x1d", "\x1c")


def regular(path: str | os.PathLike, rows: bytes, width: int, separator: str) -> tuple[bytes, str]:
    """Return rows as lines of a table, behind that of a header, and the character that separates their fields.

    Args:
        path: of the file, for messages.
        rows: the lines behind the header.
        width: the number of the header's fields.
        separator: of the fields, one character or several.

    Raises:
        ValueError: The rows cannot be read so; the message names the file.

    Warns:
        DataWarning: Rows have fewer or more fields than the header.
    """
    text = rows.decode()
    spare = next((character for character in _SPARE if character not in text), None)
    if spare is None:
        raise ValueError(f"{path} has control characters 0x1c to 0x1f inside")

    lines: list[str] = []
    shorter: list[int] = []
    longer: list[int] = []
    for number, line in enumerate(text.split("\n"), 2):
        # Control characters are tokens, blanks are an empty line.
        if not line.strip(" \t"):
            lines.append("")
            continue

        # A separator at the end does not count. A first row that is too long belongs to another header.
        fields = _fields(line, separator, width)
        if len(fields) == width + 1 and not fields[-1]:
            fields.pop()
        if len(fields) > width and not any(lines):
            raise ValueError(
                f"{path}, line {number} has {len(fields)} fields, the header has {width}: {line[:80]!r}"
            )

        if len(fields) < width:
            shorter.append(number)
            fields += [""] * (width - len(fields))
        elif len(fields) > width:
            longer.append(number)
        lines.append(spare.join(fields[:width]))

    _warn_of_odd_lines(path, shorter, "fewer", "the others are missing values")
    _warn_of_odd_lines(path, longer, "more", "those beyond are not read")

    # A single column may have nothing but quoted fields of nothing.
    if not any(lines):
        raise ValueError(f"{path} has a header and no rows")
    return "\n".join(["header", *lines]).encode(), spare


def first_text(content: bytes, frame: pd.DataFrame) -> str | None:
    """Return what to say of the first text in columns of numbers; None where all are numbers.

    Args:
        content: of a table.
        frame: its columns of numbers, as texts.
    """
    line_numbers = [number for number, line in enumerate(content.split(b"\n"), 1) if line][1:]
    for field, text in frame.items():
        wrong = np.flatnonzero(pd.to_numeric(text, errors="coerce").isna() & text.notna())
        if len(wrong):
            row = wrong[0]
            return f"line {line_numbers[row]}: {field}:float is {text.iloc[row]!r}, not a number"
    return None


def _warn_of_odd_lines(path: str | os.PathLike, line_numbers: list[int], kind: str, meaning: str) -> None:
    """Count the lines with fewer, or with more, fields than the header."""
    if line_numbers:
        first = f"the first in line {line_numbers[0]}"
        warn(f"{path}: {len(line_numbers)} rows have {kind} fields than the header, {first}; {meaning}")


def _fields(line: str, separator: str, width: int) -> list[str]:
    """Return the fields of a line: those of CSV if it is valid and has ``width``, else what is between separators."""
    if '"' in line and len(separator) == 1:
        try:
            (fields,) = csv.reader([line], delimiter=separator, strict=True)
        except csv.Error:
            fields = []
        if len(fields) == width:
            return fields
    return line.split(separator)
