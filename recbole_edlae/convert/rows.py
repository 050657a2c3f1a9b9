"""Read the rows of a CSV file of interactions, and note what is odd in them."""

import io
import os
from collections.abc import Iterator
from typing import NamedTuple

from recbole_edlae.convert.content import read_text
from recbole_edlae.convert.layout import Layout, column_names, find_layout, has_usual_name, plain_name
from recbole_edlae.convert.records import BLANKS, Record, records

_SAMPLE = 1 << 16  # bytes whose lines tell the layout
_ROWS = 100_000  # in a block


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

    numbers: list[int]  # of the lines where they begin
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
        self._users: set[str] = set()  # of rows that were looked at
        self._odd: dict[str, list[int]] = {}  # what is odd → numbers of lines

    def blocks(self) -> Iterator[Block]:
        """Yield the rows.

        Raises:
            ValueError: A row is no CSV, has too many fields, or may be something else; the message has file and line.
        """
        columns = self._file.layout.columns
        block = Block([], {role: [] for role in columns})
        try:
            for number, fields in self._rows():
                block.numbers.append(number)
                for role, position in columns.items():
                    block.columns[role].append(fields[position])
                if len(block.numbers) == _ROWS:
                    yield block
                    block = Block([], {role: [] for role in columns})
        except ValueError as error:
            raise ValueError(f"{self._file.path}, {error}") from None
        if block.numbers:
            yield block

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

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the fields of each row with the number of its line; an error has the line alone."""
        layout = self._file.layout
        lines = _lines(self._file.content, self._file.line_end)
        source = records(lines, layout.separator, self._file.quoting)
        if layout.header is not None:
            self._checked(next(source))

        # A user who was looked at once is neither missing nor the name of the column: a dataset has many rows of each.
        user = layout.columns["user"]
        for record in source:
            fields = self._checked(record)
            if fields[user] in self._users or not self._is_left_out(record.number, fields):
                yield record.number, fields

    def _is_left_out(self, number: int, fields: list[str]) -> bool:
        """Return whether a row is empty or the header again."""
        if not "".join(fields).strip(BLANKS):
            self.empty += 1
            return True
        user = fields[self._file.layout.columns["user"]]
        if self._may_name(user):
            return self._is_header(number, fields)
        if user.strip(BLANKS):
            self._users.add(user)
        return False

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
