"""Read RecBole's atomic files by one set of rules, so that every command and checkpoint reads a file alike.

A line is a row. The rules, where they differ from what RecBole makes of the same bytes:

* A token is what stands between two separators: ``NA``, ``null``, ``None``, ``nan``, ``007`` and ``1e5`` are tokens.
  Only an empty field is a missing value. In columns of numbers RecBole's words for a missing value keep that meaning.
* A field that is quoted as a whole is unquoted, as in CSV, if the line is valid CSV. Every other quotation mark is part
  of its token; it never joins lines.
* A byte order mark, Windows line ends, blanks at line ends, empty lines and one separator at a line's end do not count.
* A first row with more fields than the header, a carriage return or NUL inside a line, bytes that are not in the
  encoding and text in a column of numbers are errors that name file and line. RecBole shifts columns, breaks lines or
  stops. Later rows with more fields are read as RecBole reads them, without those beyond, and counted in a warning.

On files without any of these the result equals RecBole's to the last bit.
"""

import contextlib
import csv
import io
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
from recbole.utils import FeatureType

from recbole_edlae._files import where_undecodable
from recbole_edlae._warnings import warn
from recbole_edlae.data.parsing import Table, numbers, texts

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()
_SPARE = (
    b"\x1f",
    b"\x1e",
    b"\x1d",
    b"\x1c",
)  # stand in for separators of several characters or in quoted fields


class AtomicFileError(ValueError):
    """A file of the dataset cannot be read; the message names it."""


class Column(NamedTuple):
    """One column of an atomic file: ``field:type`` in its header."""

    field: str
    type: FeatureType

    @property
    def is_float(self) -> bool:
        """Whether a field of the column is one number."""
        return self.type == FeatureType.FLOAT


def read_header(path: str | os.PathLike, separator: str = "\t", encoding: str | None = None) -> list[Column]:
    """Return the columns that an atomic file has.

    Args:
        path: of the file.
        separator: RecBole's ``field_separator``.
        encoding: RecBole's ``encoding``; None is UTF-8.

    Raises:
        AtomicFileError: The file is empty or its first line is not ``field:type`` columns with different names.
    """
    with _open(path) as file:
        line = file.readline()
    return _columns(path, _decoded(path, line, encoding), separator)


def has_rows(path: str | os.PathLike) -> bool:
    """Return whether anything but blanks follows the first line of a file."""
    with _open(path) as file:
        file.readline()
        return any(line.strip() for line in file)


def read_atomic(
    path: str | os.PathLike,
    fields: Sequence[str],
    *,
    separator: str = "\t",
    encoding: str | None = None,
    categories: Sequence[str] = (),
) -> pd.DataFrame:
    """Return some columns of an atomic file, by the rules above.

    Args:
        path: of the file.
        fields: names of the columns, in the order of the file.
        separator: RecBole's ``field_separator``: one character or several, which are taken literally.
        encoding: RecBole's ``encoding``; None is UTF-8, whatever the machine's default is.
        categories: which of ``fields`` to return as pandas categories, which are faster to read than texts and a third
            of their size.

    Returns:
        DataFrame with the fields as columns: float64 for ``float``, text for all other types, NaN where missing.

    Raises:
        AtomicFileError: The file cannot be read by these rules; the message names it and, where there is one, the line.

    Notes:
        Cost: the file's bytes once, and for a million rows about 0.1 seconds, or 0.2 if they come as texts.
    """
    # UTF-8, lines that end in \n, no byte order mark.
    with _open(path) as file:
        content = file.read()
    if not content.isascii():
        content = _decoded(path, content, encoding).encode()
    content = _one_kind_of_line_end(path, content.removeprefix(_BOM), separator)

    # The header, and something after it.
    start = content.find(b"\n") + 1 or len(content)
    columns = _columns(path, content[:start].decode().removesuffix("\n"), separator)
    if re.compile(rb"\S").search(content, start) is None:
        raise AtomicFileError(f"{path} has a header and no rows")

    # Texts tell at the same time whether all rows have the fields of the header.
    requested = [column for column in columns if column.field in fields]
    text_fields = [column.field for column in requested if not column.is_float]
    table, values = _table(path, content, start, columns, text_fields, separator)
    for field in text_fields:
        if field not in categories:
            values[field] = values[field].astype(object)

    # Numbers need rows that have.
    float_fields = [column.field for column in requested if column.is_float]
    try:
        values |= numbers(table, float_fields)
    except ValueError as error:
        raise AtomicFileError(f"{path}, {error}") from None
    return pd.DataFrame({column.field: values[column.field] for column in requested}, copy=False)


def _open(path: str | os.PathLike) -> io.BufferedReader:
    """Open a file for reading bytes."""
    try:
        return open(path, "rb")
    except OSError as error:
        raise AtomicFileError(f"{path} cannot be read: {error.strerror}") from None


def _decoded(path: str | os.PathLike, content: bytes, encoding: str | None) -> str:
    """Return content as text; an error names the line and the byte."""
    try:
        return content.decode(encoding or "utf-8")
    except LookupError:
        raise ValueError(f"encoding: Python knows no encoding {encoding!r}") from None
    except UnicodeDecodeError as error:
        where = where_undecodable(path, content, error)
        raise AtomicFileError(f"{where}; set `encoding`, for example latin-1") from None


def _one_kind_of_line_end(path: str | os.PathLike, content: bytes, separator: str) -> bytes:
    """Remove Windows line ends and blanks at line ends; refuse what would break a line in two."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    for byte, name in ((b"\r", "a carriage return"), (b"\0", "a NUL byte")):
        offset = content.find(byte)
        if offset >= 0:
            line = content.count(b"\n", 0, offset) + 1
            raise AtomicFileError(f"{path}, line {line} has {name} inside")

    # A blank that is the separator stands for an empty field. The search costs less than the replacement.
    blanks = [blank for blank in (b" ", b"\t") if blank not in separator.encode()]
    if any(blank + b"\n" in content or content.endswith(blank) for blank in blanks):
        content = re.sub(rb"[%b]+(?=\n|\Z)" % b"".join(blanks), b"", content)
    return content


def _columns(path: str | os.PathLike, head: str, separator: str) -> list[Column]:
    """Return the columns of a header; an error shows it as it was read."""
    head = head.removeprefix(_BOM.decode()).rstrip("\r\n ")
    if "\r" in head:
        raise AtomicFileError(
            f"{path}, line 1 has a carriage return inside; a line must end in \\n or \\r\\n"
        )
    head = head.removesuffix(separator)
    if not head.strip():
        raise AtomicFileError(
            f"{path} is empty or begins with an empty line; it must begin with field:type columns"
        )

    # Each column is field:type.
    types = {feature_type.value: feature_type for feature_type in FeatureType}
    columns = []
    for text in head.split(separator):
        field, colon, kind = text.partition(":")
        if not (field and colon and kind in types):
            hint = _separator_hint(head, separator)
            raise AtomicFileError(
                f"{path} must begin with columns of the form field:type, type one of {', '.join(types)}, separated by "
                f"field_separator {separator!r}; its first line is {head[:120]!r}{hint}"
            )
        columns.append(Column(field, types[kind]))

    # Columns of one name could not be told apart.
    fields = [column.field for column in columns]
    for field in fields:
        if fields.count(field) > 1:
            raise AtomicFileError(f"{path} has two columns {field}; its first line is {head[:120]!r}")
    return columns


def _separator_hint(head: str, separator: str) -> str:
    """Return a sentence on the separator that a header seems to have, if it is another one."""
    for other, name in (("\t", r'"\t"'), (",", '","'), (";", '";"'), ("|", '"|"')):
        if other != separator and other in head:
            return f". To read it, set field_separator: {name}"
    return ""


def _table(
    path: str | os.PathLike,
    content: bytes,
    start: int,
    columns: list[Column],
    text_fields: list[str],
    separator: str,
) -> tuple[Table, dict[str, pd.Series]]:
    """Return the rows, and some columns of texts; most files are parsed as they are."""
    table = Table(content, separator, [column.field for column in columns])

    # pyarrow refuses lines of more or fewer fields than the header, and those that are longer than a block.
    if len(separator.encode()) == 1 and content.find(b'"', start) < 0:
        with contextlib.suppress(pa.ArrowInvalid):
            return table, texts(table, text_fields)

    # Other files are brought into that form line by line.
    table = _regular(path, content[start:], table.fields, separator)
    return table, texts(table, text_fields, block_size=min(len(table.content), 1 << 30))


def _regular(path: str | os.PathLike, rows: bytes, names: list[str], separator: str) -> Table:
    """Return rows as lines of as many fields as the header has."""
    spare = next((character for character in _SPARE if character not in rows), None)
    if spare is None:
        raise AtomicFileError(f"{path} has control characters 0x1c to 0x1f inside")
    width = len(names)
    lines: list[str] = []
    shorter: list[int] = []
    longer: list[int] = []
    for number, line in enumerate(rows.decode().split("\n"), 2):
        # Control characters are tokens, blanks are an empty line.
        if not line.strip(" \t"):
            lines.append("")
            continue

        # A separator at the end does not count. A first row that is too long belongs to another header.
        fields = _fields(line, separator, width)
        if len(fields) == width + 1 and not fields[-1]:
            fields.pop()
        if len(fields) > width and not any(lines):
            raise AtomicFileError(
                f"{path}, line {number} has {len(fields)} fields, the header has {width}: {line[:80]!r}"
            )

        if len(fields) < width:
            shorter.append(number)
            fields += [""] * (width - len(fields))
        elif len(fields) > width:
            longer.append(number)
        lines.append(spare.decode().join(fields[:width]))

    _warn_of_odd_lines(path, shorter, "fewer", "the others are missing values")
    _warn_of_odd_lines(path, longer, "more", "those beyond are not read")

    # A single column may have nothing but quoted fields of nothing.
    if not any(lines):
        raise AtomicFileError(f"{path} has a header and no rows")
    return Table("\n".join(["header", *lines]).encode(), spare.decode(), names)


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
