"""Split the lines of a CSV file into fields, and tell quotation from marks that belong to the text.

A field is quoted if a quotation mark begins it and a separator or a line end follows the mark that ends it, as in CSV;
blanks around it do not count, and it may span lines. If a mark begins a field and none ends it like this, nothing
says what is meant: the line is split at its separators, and the field is *unclear*.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

BLANKS = " \t"

# Characters of a row of several lines, as in Python's csv.
_LONGEST = 1 << 17


class Record(NamedTuple):
    """A row of a CSV file."""

    number: int  # of the line where it begins, from 1
    last: int  # number of the line where it ends
    fields: list[str]
    unclear: Sequence[int] = ()  # positions of fields that a mark begins and none ends

    # Fields of its first line alone and of its last line alone, if these are equally many.
    line_width: int = 0
    is_broken: bool = False  # another kind of line end is inside, outside of quotation


def records(lines: Iterable[str], separator: str, quoting: bool | None = None) -> Iterator[Record]:
    r"""Yield the rows of a CSV file without blank lines, from lines with their ends.

    Examples:
        >>> [record.fields for record in records(['a,"b, ""c"" d"\n', 'e,"f\n', 'g"\n'], ",")]
        [['a', 'b, "c" d'], ['e', 'f\ng']]
        >>> list(records(['a,"b" c\n'], ","))
        [Record(number=1, last=1, fields=['a', '"b" c'], unclear=[1], line_width=0, is_broken=False)]
    """
    source = _Lines(lines)
    split = _Splitter(separator)
    for number, line in source:
        if '"' in line and quoting is not False:
            yield _quoted_record(number, line, source, split)
            continue

        # Without marks a line is split in one step.
        text = line.rstrip("\r\n")
        fields = text.split(separator)
        if len(fields) > 1 or text.strip(BLANKS):
            yield Record(number, number, fields, is_broken="\r" in text or "\n" in text)


class _Lines:
    """Number lines as they are taken, and take them back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = enumerate(lines, 1)
        self._ahead: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return self

    def __next__(self) -> tuple[int, str]:
        if self._ahead:
            return self._ahead.popleft()
        return next(self._lines)

    def put_back(self, lines: list[tuple[int, str]]) -> None:
        """Take back the lines that were taken last."""
        self._ahead.extendleft(reversed(lines))


class _Fields(NamedTuple):
    """The fields of a text."""

    texts: list[str]
    unclear: list[int]
    is_open: bool  # a quotation goes on after the text
    is_broken: bool  # a line end is outside of quotation


class _Splitter:
    """Split texts with quotation marks into fields."""

    def __init__(self, separator: str) -> None:
        # A blank may be the separator itself.
        sign = re.escape(separator)
        blanks = rf"(?:(?!{sign}) )*"
        end = rf"{blanks}(?={sign}|\Z)"

        # Marks after backslashes are not CSV, but it is clear where such a field ends.
        doubled = r'[^"]*(?:""[^"]*)*'
        escaped = r'(?:[^"\\]|\\.)*'
        quoted = rf'{blanks}"({doubled})"{end}|{blanks}"({escaped})"{end}'
        plain = rf"((?:(?!{sign}).)*)"
        self._field = re.compile(rf"(?:\A|{sign})(?:{quoted}|{plain})", re.DOTALL)
        self._open = re.compile(rf'{blanks}"{doubled}\Z')

    def __call__(self, text: str) -> _Fields:
        """Return the fields of a text."""
        texts: list[str] = []
        unclear: list[int] = []
        is_open = False
        is_broken = False
        for match in self._field.finditer(text):
            # The groups: quoted with doubled marks, quoted with backslashes, plain.
            kind = match.lastindex or 3
            field = match[kind]
            if kind == 1:
                field = field.replace('""', '"')
            elif kind == 2:
                unclear.append(len(texts))
            else:
                is_broken |= "\n" in field or "\r" in field
                if field.lstrip(BLANKS).startswith('"'):
                    unclear.append(len(texts))
                    is_open |= self._open.match(text, match.start(3)) is not None
            texts.append(field)
        return _Fields(texts, unclear, is_open, is_broken)


def _quoted_record(number: int, line: str, source: _Lines, split: _Splitter) -> Record:
    """Return the row that a line with quotation marks begins."""
    first = split(line.rstrip("\r\n"))
    fields = first
    text = line
    added: list[tuple[int, str]] = []

    # Add lines while a quotation is open. One can only end in a line with a mark.
    if first.is_open:
        for numbered in source:
            added.append(numbered)
            text += numbered[1]
            if '"' in numbered[1]:
                fields = split(text.rstrip("\r\n"))
            if not fields.is_open or len(text) >= _LONGEST:
                break

    # A quotation that never ends, or ends inside a field, was none.
    if fields.is_open or fields.is_broken:
        source.put_back(added)
        added = []
        fields = first

    # Stray marks, `"Heroes` in one row and `Soul 12"` in a later one, look like a field of several lines too.
    line_width = 0
    if added:
        last = split(added[-1][1].rstrip("\r\n"))
        if len(last.texts) == len(first.texts):
            line_width = len(last.texts)
    return Record(number, number + len(added), fields.texts, fields.unclear, line_width, fields.is_broken)
