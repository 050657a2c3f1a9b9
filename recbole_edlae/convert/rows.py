"""Read the rows of a CSV file of interactions, and note what is odd in them."""

import io
import os
from collections.abc import Iterator
from typing import Any

from recbole_edlae.convert.columns import column_names, has_usual_name, plain_name
from recbole_edlae.convert.content import read_text
from recbole_edlae.convert.layout import find_layout
from recbole_edlae.convert.records import BLANKS, Record, records

# Bytes whose lines tell the layout.
_SAMPLE = 1 << 16


class Rows:
    """The rows of a CSV file in their order, each with the number of its line.

    Blank rows and repeated headers are left out; a row with too few fields has empty ones.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        encoding: str | None = None,
        quoting: bool | None = None,
        **options: Any,
    ) -> None:
        """Read a file and its layout; arguments and errors are those of ``convert_csv``."""
        content, self.encoding, line_end = read_text(path, encoding)

        # The layout is guessed from complete lines.
        end = content.find(line_end.encode(), _SAMPLE)
        sample = content
        if end >= 0:
            sample = content[: end + 1]
        lines = list(_lines(sample, line_end))
        try:
            self.layout = find_layout(lines, quoting=quoting, **options)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

        self.path = path
        self.empty = 0  # rows of separators only, so far
        self._records = records(_lines(content, line_end), self.layout.separator, quoting)
        self._quoting = quoting
        self._odd: dict[str, list[int]] = {}  # oddity → numbers of lines
        self._positions = set(self.layout.columns.values())

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of the line and the fields of each row; refuse one that is not clear, by its line."""
        if self.layout.header is not None:
            self._checked(next(self._records))

        for record in self._records:
            fields = self._checked(record)
            if not "".join(fields).strip(BLANKS):
                self.empty += 1
            elif not self._is_header(record.number, fields):
                yield record.number, fields

    def notes(self) -> list[str]:
        """Return what was odd in the rows so far, and how it was taken."""
        layout = self.layout
        notes = []
        if "header" in layout.guessed and layout.header and not has_usual_name(*layout.header):
            names = ", ".join(layout.header)
            notes.append(
                f"the first row, {names}, is taken for the names of the columns; if it is data: --no-header"
            )
        for oddity, numbers in self._odd.items():
            rows = "1 row"
            if len(numbers) > 1:
                rows = f"{len(numbers)} rows, the first"
            notes.append(f"{oddity}: {rows} in line {numbers[0]}")
        return notes

    def _checked(self, record: Record) -> list[str]:
        """Return the fields of a row, as many as all have, or refuse it."""
        number = record.number
        fields = record.fields
        layout = self.layout

        # The guess of the line end, from the first line, was wrong.
        if record.is_broken:
            raise ValueError(
                f"line {number} has a line end inside that differs from those of the other lines"
            )

        # Two complete rows with a stray mark each look like one row of several lines.
        if record.line_width in (layout.width, len(fields)) and self._quoting is None:
            raise ValueError(
                f"line {number}: a quotation mark begins a field that ends in line {record.last}, or is part of the "
                "text; write --quoting or --no-quoting"
            )

        # An unclear field does not matter in a column that is not read, if the others are where they belong.
        missing = layout.width - len(fields)
        has_more = any(field.strip(BLANKS) for field in fields[layout.width :])
        if record.unclear and (has_more or missing > 0 or not self._positions.isdisjoint(record.unclear)):
            field = fields[record.unclear[0]][:80]
            raise ValueError(
                f"line {number} is not CSV: the quotation in {field!r} does not end, or not where the field does; "
                "write --no-quoting if quotation marks are part of the text"
            )
        if has_more:
            others = "most rows have"
            if layout.header:
                others = "the header has"
            raise ValueError(f"line {number} has {len(fields)} fields, {others} {layout.width}: {fields}")

        if record.unclear:
            self._note("quotation that is not CSV, in columns that are not read", number)
        if record.last != number:
            self._note(
                "fields of several lines; if quotation marks are part of the text: --no-quoting", number
            )
        return fields + [""] * missing

    def _is_header(self, number: int, fields: list[str]) -> bool:
        """Return whether a row repeats the header, and refuse another header."""
        # Files that were joined have the header again, perhaps with other signs or another one.
        layout = self.layout
        user = fields[layout.columns["user"]]
        header = layout.header
        if header is not None and plain_name(user) == plain_name(layout.name("user")):
            names = column_names(fields[: len(header)])
            plain = list(map(plain_name, names))
            if names == header or (has_usual_name(*names) and plain == list(map(plain_name, header))):
                self._note("the header again, which is left out", number)
                return True

        # Usual names of both columns are no ids, unless the user said that no row is a header.
        if has_usual_name(user) and has_usual_name(fields[layout.columns["item"]]):
            advice = f"line {number} looks like a header, {fields}; remove it"
            if header:
                raise ValueError(advice)
            if "header" in layout.guessed:
                raise ValueError(f"{advice}, or write --no-header if it is data")
        return False

    def _note(self, oddity: str, number: int) -> None:
        """Remember that a line is odd."""
        self._odd.setdefault(oddity, []).append(number)


def _lines(content: bytes, line_end: str) -> io.TextIOWrapper:
    """Return content as lines of text, with the line ends that it has."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline=line_end)
