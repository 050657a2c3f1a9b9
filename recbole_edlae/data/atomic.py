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

On files without any of these the result equals RecBole's to the last bit. pyarrow parses the texts, because it gives
each different one a code, and pandas the numbers, whose last bit pyarrow rounds otherwise.
"""

import csv
import io
import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from recbole.utils import FeatureType

from recbole_edlae._files import where_undecodable

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()
_BLOCK = 1 << 22  # bytes that pyarrow takes at once, and so of the longest line


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


def read_header(
    path: str | os.PathLike, separator: str = "\t", encoding: str | None = None
) -> list[Column]:
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

    # Texts tell at the same time whether all rows have the fields of the header, which numbers need.
    table = _Table(path, content, separator, [column.field for column in columns])
    requested = [column for column in columns if column.field in fields]
    text_fields = [column.field for column in requested if not column.is_float]
    try:
        table, values = _with_texts(table, start, text_fields)
        values |= _numbers(table, [column.field for column in requested if column.is_float])
    except ValueError as error:
        raise AtomicFileError(str(error)) from None

    for field in text_fields:
        if field not in categories:
            values[field] = values[field].astype(object)
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


class _Table(NamedTuple):
    """A header and rows, of which empty lines are none."""

    path: str | os.PathLike  # for messages
    content: bytes
    separator: str
    fields: list[str]  # in the order of the file


def _with_texts(table: _Table, start: int, fields: list[str]) -> tuple[_Table, dict[str, pd.Series]]:
    """Return a table whose rows, which begin at ``start``, have the fields of the header, and its columns of texts."""
    # pyarrow refuses lines of more or fewer fields than the header, and those that are longer than a block.
    if len(table.separator.encode()) == 1 and table.content.find(b'"', start) < 0:
        try:
            return table, _texts(table, fields)
        except pa.ArrowInvalid:
            pass

    # Most files need none of it.
    from recbole_edlae.data.odd_lines import regular

    content, separator = regular(table.path, table.content[start:], len(table.fields), table.separator)
    table = table._replace(content=content, separator=separator)
    return table, _texts(table, fields, block_size=min(len(content), 1 << 30))


def _texts(table: _Table, fields: list[str], *, block_size: int | None = None) -> dict[str, pd.Series]:
    """Return columns as categories in the order in which they come first; an empty field is missing."""
    # The header is skipped here, as pyarrow drops a byte order mark where its input begins. With threads pyarrow before
    # 23 may wait forever after an error.
    parsed = pyarrow.csv.read_csv(
        pa.BufferReader(table.content),
        pyarrow.csv.ReadOptions(
            column_names=table.fields, skip_rows=1, block_size=block_size or _BLOCK, use_threads=False
        ),
        pyarrow.csv.ParseOptions(delimiter=table.separator, quote_char=False),
        pyarrow.csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(table.fields, pa.dictionary(pa.int32(), pa.string())),
            include_columns=fields or table.fields[:1],  # an empty list would mean all
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    return dict(parsed.to_pandas().items())


def _numbers(table: _Table, fields: list[str]) -> dict[str, pd.Series]:
    """Return columns as numbers, NaN where there is none; raise ValueError with the line of a text among them."""
    if not fields:
        return {}
    options: dict[str, Any] = {
        "sep": table.separator,
        "header": None,
        "skiprows": 1,
        "names": table.fields,
        "index_col": False,
        "quoting": csv.QUOTE_NONE,
        "usecols": fields,
    }
    try:
        return dict(pd.read_csv(io.BytesIO(table.content), dtype=np.float64, **options).items())
    except ValueError as error:
        from recbole_edlae.data.odd_lines import first_text

        # Read again as texts, to say which is no number.
        frame = pd.read_csv(io.BytesIO(table.content), dtype=str, **options)
        message = first_text(table.content, frame) or error
        raise ValueError(f"{table.path}, {message}") from None
