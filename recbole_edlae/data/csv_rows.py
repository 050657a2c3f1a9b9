"""Read the rows of a CSV file of interactions in parts, and say where in the file a row is."""

import codecs
import csv
import io
import os
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from recbole_edlae.data.csv_layout import Layout, find_layout, records
from recbole_edlae.data.decoding import where_undecodable
from recbole_edlae.data.token_columns import is_regular, read_categories

_ROWS = 1_000_000  # of a file that are read at once
_SAMPLE = 1 << 16  # bytes whose lines tell the layout
_SPARE = "\x1f"  # stands for a separator of several characters


class Content(NamedTuple):
    """A file in UTF-8 without a byte order mark, and how it is laid out."""

    content: bytes
    encoding: str  # that it had
    layout: Layout
    regular: bool  # all rows are lines with the same number of fields, without quotation


def read(
    path: str | os.PathLike, separator: str | None, header: bool | None, columns: str | None, encoding: str | None
) -> Content:
    """Return a file whose rows are CSV, with its layout.

    Args:
        path: of the file.
        separator: as in ``convert_csv``; the following too.
        header: whether the first row names the columns.
        columns: names or positions of the columns.
        encoding: of the file.

    Raises:
        ValueError: It cannot be read; the message has the number of the line.
        OSError: It cannot be read.
    """
    content = pathlib.Path(path).read_bytes()
    if encoding is None and content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    content = _utf8(path, content, encoding or "utf-8").removeprefix(codecs.BOM_UTF8)
    if (offset := content.find(b"\0")) >= 0:
        line = content.count(b"\n", 0, offset) + 1
        raise ValueError(f"{path}, line {line} has a NUL byte inside; is it text? --encoding=utf-16-le may read it")
    if b'"' not in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    sample = content[: content.find(b"\n", _SAMPLE) + 1 or len(content)] if len(content) > _SAMPLE else content
    try:
        layout = find_layout(list(_lines(sample)), separator=separator, header=header, columns=columns)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    regular = is_regular(content, 0, layout.separator.encode(), layout.width)
    file = Content(content, encoding or "utf-8", layout, regular)
    if not regular:
        _check_rows(path, file)
    return file


def _utf8(path: str | os.PathLike, content: bytes, encoding: str) -> bytes:
    """Return content in UTF-8; an error names the line and the byte."""
    try:
        is_utf8 = codecs.lookup(encoding).name == "utf-8"
        text = "" if is_utf8 and content.isascii() else content.decode(encoding)
    except LookupError:
        raise ValueError(f"--encoding: Python knows no encoding {encoding!r}") from None
    except UnicodeDecodeError as error:
        where = where_undecodable(path, content, error)
        raise ValueError(f"{where}; write --encoding, for example --encoding=latin-1") from None
    return content if is_utf8 else text.encode()


def _lines(content: bytes) -> io.TextIOWrapper:
    """Return content as lines of text, with the line ends that it has."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")


def _check_rows(path: str | os.PathLike, file: Content) -> None:
    """Refuse a row that is no CSV or has more fields than the others."""
    content, layout = file.content, file.layout
    width = layout.width
    others = "the header has" if layout.header else "most rows have"
    try:
        for number, fields in records(_lines(content), layout.separator, strict=True):
            if len(fields) > width and any(field.strip() for field in fields[width:]):
                raise ValueError(f"line {number} has {len(fields)} fields, {others} {width}: {fields}")
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from None


def frames(file: Content) -> Iterator[tuple[pd.DataFrame, bytes | None]]:
    """Yield the rows in parts, and the lines that they are where the file is regular.

    Args:
        file: as ``read`` returned it.

    Yields:
        Columns by position: times as pandas finds them, the others as texts or categories, NaN where a field is empty.
        The rows are numbered from the first one of the data.
    """
    yield from _regular_frames(file) if file.regular else _any_frames(file)


def _any_frames(file: Content) -> Iterator[tuple[pd.DataFrame, None]]:
    """Yield the parts of a file that is not regular."""
    content, layout = file.content, file.layout
    separator, more = layout.separator, {"quoting": csv.QUOTE_MINIMAL}
    if len(separator) > 1:
        content = content.replace(separator.encode(), _SPARE.encode())
        separator, more = _SPARE, {"quoting": csv.QUOTE_NONE}
    elif b"\r" in content.replace(b"\r\n", b""):
        content = _with_line_feeds(content, separator)
    header = None if layout.header is None else 0
    with _parsed(content, layout, separator, header=header, chunksize=_ROWS, **more) as reader:
        yield from ((part, None) for part in reader)


def _with_line_feeds(content: bytes, separator: str) -> bytes:
    """Return rows of CSV with the line ends of today: pandas fails on some of old Macs, or finds rows between them."""
    rows = io.StringIO()
    writer = csv.writer(rows, delimiter=separator, lineterminator="\n")
    writer.writerows(fields for _, fields in records(_lines(content), separator))
    return rows.getvalue().encode()


def _regular_frames(file: Content) -> Iterator[tuple[pd.DataFrame, bytes]]:
    """Yield the parts of a regular file, without a text for every row."""
    content, layout = file.content, file.layout
    start = 0 if layout.header is None else content.find(b"\n") + 1 or len(content)
    ends = np.flatnonzero(np.frombuffer(content, np.uint8)[start:] == ord("\n")) + start + 1
    stops = [*ends[_ROWS - 1 : len(ends) - 1 : _ROWS].tolist(), len(content)]
    for number, (first, stop) in enumerate(zip([start, *stops], stops)):
        if first < stop:
            lines = content[first:stop]
            yield _regular_part(lines, layout, number * _ROWS), lines


def _regular_part(lines: bytes, layout: Layout, row: int) -> pd.DataFrame:
    """Return the needed columns of some lines, the first of which has a label; all columns where a user is missing."""
    time = layout.columns.get("timestamp")
    tokens = [position for position in layout.columns.values() if position != time]
    found: dict[int, Any] = read_categories(lines, 0, layout.separator.encode(), layout.width, tokens)
    others = [position for position in layout.columns.values() if position not in found]
    user = layout.columns["user"]
    if user in found and ((found[user].codes < 0).any() or not all(map(str.strip, found[user].categories))):
        found, others = {}, list(range(layout.width))
    if others:
        found |= dict(_parsed(lines, layout, layout.separator, header=None, usecols=others).items())
    frame = pd.DataFrame(found, copy=False)
    return frame.set_axis(pd.RangeIndex(row, row + len(frame)))


def _parsed(content: bytes, layout: Layout, separator: str, **options: Any) -> Any:
    """Return what pandas reads: columns by position as texts, NaN where a field is empty, times as it finds them."""
    positions = range(layout.width)
    return pd.read_csv(
        io.BytesIO(content),
        sep=separator,
        names=positions,
        index_col=False,
        dtype={position: str for position in positions if position != layout.columns.get("timestamp")},
        engine="c",
        encoding="utf-8",
        low_memory=False,
        float_precision="round_trip",
        keep_default_na=False,
        na_values=[""],
        **options,
    )


def line_number(file: Content, row: int) -> int:
    """Return the number of the line where a row of the data begins.

    Args:
        file: as ``read`` returned it.
        row: its number in the data, from 0.
    """
    first = 0 if file.layout.header is None else 1
    for position, (number, _) in enumerate(records(_lines(file.content), file.layout.separator), -first):
        if position == row:
            return number
    raise AssertionError(f"the file has no row {row}")
