"""Read the rows of a CSV file of interactions, and note what is odd in them."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from recbole_edlae.data.csv_content import read_text
from recbole_edlae.data.csv_layout import Layout, column_names, find_layout, has_usual_name, plain_name
from recbole_edlae.data.csv_records import BLANKS, Lines, Record, records

_SAMPLE = 1 << 16  # bytes whose lines tell the layout
_LINES = 500  # that are read at once: Python's garbage collector looks at the rows of many again and again


class Content(NamedTuple):
    """A file in UTF-8 without a byte order mark, and how it is laid out."""

    path: str | os.PathLike
    content: bytes
    encoding: str  # that it had
    line_end: str
    layout: Layout
    quoting: bool | None  # whether quotation marks are CSV's; None where it is guessed


def read(
    path: str | os.PathLike,
    *,
    separator: str | None = None,
    header: bool | None = None,
    columns: str | None = None,
    encoding: str | None = None,
    quoting: bool | None = None,
) -> Content:
    """Return a file whose rows are CSV, with its layout.

    Args:
        path: of the file.
        separator: as in ``convert_csv``; the following too.
        header: whether the first row names the columns.
        columns: names or positions of the columns.
        encoding: of the file.
        quoting: whether quotation marks are CSV's.

    Raises:
        ValueError: It cannot be read; the message has the number of the line.
        OSError: It cannot be read.
    """
    if separator is not None and (not separator or set(separator) & set('"\r\n')):
        raise ValueError(f"--separator must be a sign or several, no quotation mark or line end; got {separator!r}")
    content, encoding, line_end = read_text(path, encoding)
    sample = content[: content.find(line_end.encode(), _SAMPLE) + 1 or len(content)]
    try:
        lines = list(_lines(sample, line_end))
        layout = find_layout(lines, separator=separator, header=header, columns=columns, quoting=quoting)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return Content(path, content, encoding, line_end, layout, quoting)


class Block(NamedTuple):
    """Some rows."""

    numbers: Sequence[int]  # of the lines where they begin
    columns: dict[str, list[str]]  # role → texts


class Rows:
    """The rows of a file in their order.

    Blank rows and repeated headers are left out; a row with too few fields has empty ones.

    Attributes:
        empty: number of rows of separators only, so far.
    """

    def __init__(self, file: Content) -> None:
        self.empty = 0
        self._file = file
        self._users: set[str] = set()  # that were looked at
        self._odd: dict[str, list[int]] = {}  # what is odd → numbers of lines

    def blocks(self) -> Iterator[Block]:
        """Yield the rows.

        Raises:
            ValueError: A row is no CSV, has too many fields, or may be something else; the message has file and line.
        """
        layout = self._file.layout
        lines = Lines(_lines(self._file.content, self._file.line_end))
        try:
            if layout.header is not None:
                self._checked(next(records(lines, layout.separator, self._file.quoting)))
            while taken := lines.take(_LINES):
                first = lines.number - len(taken) + 1
                rows = self._plain_rows(taken)
                numbers: Sequence[int] = range(first, lines.number + 1)
                if rows is None:
                    lines.put_back(taken)
                    odd = list(self._odd_rows(lines, lines.number + len(taken)))
                    numbers, rows = [number for number, _ in odd], [fields for _, fields in odd]
                yield Block(numbers, {role: [row[at] for row in rows] for role, at in layout.columns.items()})
        except ValueError as error:
            raise ValueError(f"{self._file.path}, {error}") from None

    def notes(self) -> list[str]:
        """Return what was odd in the rows so far, and how it was taken."""
        layout = self._file.layout
        notes = []
        if "header" in layout.guessed and layout.header and not has_usual_name(*layout.header):
            names = ", ".join(layout.header)
            notes.append(f"the first row, {names}, is taken for the names of the columns; if it is data: --no-header")
        for what, numbers in self._odd.items():
            rows = "1 row" if len(numbers) == 1 else f"{len(numbers)} rows, the first"
            notes.append(f"{what}: {rows} in line {numbers[0]}")
        return notes

    def _plain_rows(self, lines: list[str]) -> list[list[str]] | None:
        """Return the rows of some lines as Python's csv has them; None where a row is odd in any way."""
        layout = self._file.layout
        options: dict[str, Any] = {
            "delimiter": layout.separator,
            "quoting": csv.QUOTE_NONE if self._file.quoting is False else csv.QUOTE_MINIMAL,
            "skipinitialspace": layout.separator != " ",
        }
        if len(layout.separator) > 1:  # csv does not know any
            return None
        try:
            rows = list(csv.reader(lines, strict=True, **options))
        except csv.Error:
            return None
        if len(rows) != len(lines) or any(len(row) != layout.width for row in rows):
            return None

        # A user may be missing, or the name of the column: a row may be empty, or the header once more.
        users = {row[layout.columns["user"]] for row in rows} - self._users
        if any(not user.strip(BLANKS) or self._may_name(user) for user in users):
            return None
        self._users |= users
        return rows

    def _odd_rows(self, lines: Lines, last: int) -> Iterator[tuple[int, list[str]]]:
        """Yield rows that are looked at one by one, up to a line; an error has the line alone."""
        layout = self._file.layout
        user = layout.columns["user"]
        for record in records(lines, layout.separator, self._file.quoting):
            fields = self._checked(record)
            if not "".join(fields).strip(BLANKS):
                self.empty += 1
            elif not self._may_name(fields[user]) or not self._is_header(record.number, fields):
                yield record.number, fields
            if lines.number >= last:
                return

    def _may_name(self, user: str) -> bool:
        """Return whether a text in the column of users may name it."""
        layout = self._file.layout
        return has_usual_name(user) or bool(layout.header and user.strip() == layout.name("user"))

    def _checked(self, record: Record) -> list[str]:
        """Return the fields of a row, as many as all have, or refuse it."""
        number, last, fields, unclear, line_width, is_broken = record
        layout = self._file.layout
        if is_broken:
            raise ValueError(f"line {number} has a line end inside that differs from those of the other lines")
        if line_width in (layout.width, len(fields)) and self._file.quoting is None:
            raise ValueError(
                f"line {number}: a quotation mark begins a field that ends in line {last}, or is part of the text; "
                "write --quoting or --no-quoting"
            )
        has_more = any(field.strip(BLANKS) for field in fields[layout.width :])
        if unclear and (has_more or len(fields) < layout.width or set(unclear) & set(layout.columns.values())):
            raise ValueError(
                f"line {number} is not CSV: the quotation in {fields[unclear[0]][:80]!r} does not end, or not where "
                "the field does; write --no-quoting if quotation marks are part of the text"
            )
        if has_more:
            others = "the header has" if layout.header else "most rows have"
            raise ValueError(f"line {number} has {len(fields)} fields, {others} {layout.width}: {fields}")
        if unclear:
            self._note("quotation that is not CSV, in columns that are not read", number)
        if last != number:
            self._note("fields of several lines; if quotation marks are part of the text: --no-quoting", number)
        return fields + [""] * (layout.width - len(fields))

    def _is_header(self, number: int, fields: list[str]) -> bool:
        """Return whether a row repeats the header, and refuse another header."""
        layout = self._file.layout
        user, item = fields[layout.columns["user"]], fields[layout.columns["item"]]
        if layout.header is not None:
            names = column_names(fields[: len(layout.header)])
            if names == layout.header or (has_usual_name(*names) and _plain(names) == _plain(layout.header)):
                self._note("the header again, which is left out", number)
                return True
        if has_usual_name(user) and has_usual_name(item) and (layout.header or "header" in layout.guessed):
            hint = "" if layout.header else ", or write --no-header if it is data"
            raise ValueError(f"line {number} looks like a header, {fields}; remove it{hint}")
        return False

    def _note(self, what: str, number: int) -> None:
        """Remember that a line is odd."""
        self._odd.setdefault(what, []).append(number)


def _lines(content: bytes, line_end: str) -> io.TextIOWrapper:
    """Return content as lines of text, with the line ends that it has."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline=line_end)


def _plain(names: list[str]) -> list[str]:
    """Return names without case and signs."""
    return [plain_name(name) for name in names]
