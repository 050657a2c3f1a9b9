"""Find out how a CSV file of interactions is laid out: its separator, its header and what its columns hold.

What a user says is taken; the rest is guessed from the first rows, and the layout remembers what was guessed.
"""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from recbole_edlae._choices import closest_first

ROLES = ("user", "item", "rating", "timestamp")
SAMPLE_ROWS = 200
ISO_DATE = re.compile(r"\d{4}-\d\d(?!\d)")  # how a date or a date with a time begins
_SEPARATORS = (",", ";", "\t", "|", "::")  # a blank comes last: texts have blanks too
_EARLIEST_EPOCH = 1e8  # seconds; smaller numbers are not guessed to be times
# How columns are usually called, without case and signs, the surest name first.
_NAMES = {
    "user": (
        *("userid", "user", "uid", "username", "customerid", "customer", "reviewerid", "visitorid", "memberid"),
        *("accountid", "playerid"),
    ),
    "item": (
        *("itemid", "item", "iid", "sid", "movieid", "movie", "productid", "product", "parentasin", "asin", "isbn"),
        *("bookid", "book", "trackid", "songid", "artistid", "businessid", "articleid", "gameid", "videoid"),
    ),
    "rating": ("rating", "ratings", "stars", "score", "overall", "playcount", "plays", "count", "weight"),
    "timestamp": (
        *("timestamp", "time", "unixreviewtime", "unixtime", "datetime", "date", "createdat", "eventtime", "ts"),
    ),
}


class Layout(NamedTuple):
    """How a file is laid out."""

    separator: str
    header: list[str] | None  # names of the columns; None where the first row is data
    width: int  # fields in a row
    columns: dict[str, int]  # user, item and, if there are any, rating and timestamp → position from 0
    guessed: list[str]  # which of separator, header and columns

    def name(self, role: str) -> str:
        """Return what to call the column of a role: its name, or its position from 1."""
        return _label(self.header, self.columns[role])

    def unused(self) -> list[str]:
        """Return the names of the columns that are not read."""
        positions = sorted(set(range(self.width)) - set(self.columns.values()))
        return [_label(self.header, position) for position in positions]


def find_layout(
    lines: Sequence[str], *, separator: str | None = None, header: bool | None = None, columns: str | None = None
) -> Layout:
    """Return the layout of a file.

    Args:
        lines: the first lines of the file.
        separator: between fields, of one character or several; None guesses.
        header: whether the first row names the columns; None guesses.
        columns: names or positions (from 1) of the columns of users, items, ratings and times, separated by commas; an
            empty one is not read. None guesses.

    Raises:
        ValueError: The layout cannot be found out, or there is no such column.

    Examples:
        >>> layout = find_layout(["who;what;stars", "anna;tea;5", "bert;cup;4"])
        >>> layout.separator, layout.header, layout.columns
        (';', ['who', 'what', 'stars'], {'user': 0, 'item': 1, 'rating': 2})
        >>> find_layout(["anna,tea,1700000000"]).columns
        {'user': 0, 'item': 1, 'timestamp': 2}
    """
    options = {"separator": separator, "header": header, "columns": columns}
    guessed = [option for option, value in options.items() if value is None]
    if separator is None:
        separator = _find_separator(lines)
    rows = first_rows(lines, separator)
    if not rows:
        raise ValueError("the file is empty")
    if header is None:
        header = _has_header(rows)
    names = [name.strip().partition(":")[0] for name in rows[0]] if header else None
    samples = rows[1:] if header else rows
    width = _width(names, samples)
    positions = _find_columns(names, samples, width) if columns is None else _read_columns(columns, names, width)
    return Layout(separator, names, width, positions, guessed)


def records(lines: Iterable[str], separator: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield each row of CSV that is not blank, and the number of the line where it begins.

    Args:
        lines: of the file.
        separator: between fields; where it has several characters, quotation marks have no meaning.
        strict: whether a wrong quotation is an error.

    Raises:
        ValueError: The row is not CSV; the message begins with the number of its line.
    """
    if len(separator) > 1:
        fields_of_lines = ((number, line.rstrip("\r\n").split(separator)) for number, line in enumerate(lines, 1))
        yield from ((number, fields) for number, fields in fields_of_lines if not _is_blank(fields))
        return
    reader = csv.reader(lines, delimiter=separator, strict=strict)
    while True:
        number = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise ValueError(f"line {number} is not CSV: {error}") from None
        if fields is None:
            return
        if not _is_blank(fields):
            yield number, fields


def first_rows(lines: Iterable[str], separator: str) -> list[list[str]]:
    """Return the first rows of CSV that are not blank."""
    return [fields for _, fields in itertools.islice(records(lines, separator), SAMPLE_ROWS)]


def is_number(text: str) -> bool:
    """Return whether a text is a finite number, as pandas reads one."""
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text, re.ASCII) is not None


def _is_blank(fields: list[str]) -> bool:
    """Return whether a row is a line of blanks, which pandas passes over."""
    return len(fields) <= 1 and not "".join(fields).strip()


def _label(header: list[str] | None, position: int) -> str:
    """Return what to call a column."""
    return header[position] if header and position < len(header) and header[position] else str(position + 1)


def _find_separator(lines: Sequence[str]) -> str:
    """Return the separator by which most rows have the same number of fields."""
    first = next((line.strip() for line in lines if line.strip()), None)
    if first is None:
        raise ValueError("the file is empty")
    best: tuple[float, int] = (0.0, 0)
    found = None
    for separator in _SEPARATORS:
        share, width = _agreement(first_rows(lines, separator))
        if width > 1 and (share, width) > best:
            best = (share, width)
            found = separator
    if found is None and _agreement(first_rows(lines, " "))[1] > 1:
        found = " "
    if found is None:
        raise ValueError(f"no separator is found in {first[:80]!r}; write --separator")
    return found


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    """Return which share of the rows has the most frequent number of fields, and that number."""
    if not rows:
        return 0.0, 0
    width, count = max(Counter(map(len, rows)).items(), key=lambda entry: (entry[1], entry[0]))
    return count / len(rows), width


def _has_header(rows: list[list[str]]) -> bool:
    """Guess whether the first row names the columns.

    It does if it has a usual name for users or items, or no value and stands over a column of numbers or dates.
    """
    first = rows[0]
    names = [_plain(name) for name in first]
    if any(name in _NAMES["user"] or name in _NAMES["item"] for name in names):
        return True
    if any(_is_value(text) for text in first):
        return False
    width = min(len(first), max(map(len, rows)))
    return any(_share(_column(rows[1:], position), _is_value) > 0.5 for position in range(width))


def _width(names: list[str] | None, samples: list[list[str]]) -> int:
    """Return the number of fields in a row: that of the header, or of most rows, with one separator too many or not."""
    if names is None:
        return _agreement(samples)[1]
    width = _agreement(samples)[1]
    has_one_too_many = width == len(names) + 1 and all(
        not fields[-1].strip() for fields in samples if len(fields) == width
    )
    return width if has_one_too_many else len(names)


def _find_columns(names: list[str] | None, samples: list[list[str]], width: int) -> dict[str, int]:
    """Guess which columns to read: by their names, else by their order and what is in them."""
    columns: dict[str, int] = {}
    plain = [_plain(name) for name in names or []]
    for role in ROLES:
        usual = [name for name in _NAMES[role] if name in plain]
        if usual:
            columns[role] = plain.index(usual[0])
    if "user" in columns and "item" in columns:
        if "timestamp" not in columns:
            rest = [position for position in range(width) if position not in columns.values()]
            dates = [position for position in rest if _share(_column(samples, position), _is_date) > 0.5]
            columns |= {"timestamp": dates[0]} if dates else {}
        return columns
    shown = f"the columns {', '.join(names)}" if names else f"{width} columns without names"
    if "user" in columns or "item" in columns or width > len(ROLES):
        raise ValueError(
            f"the file has {shown}, of which the user and the item are not known; "
            "write --columns=USER,ITEM,RATING,TIMESTAMP with names or positions"
        )
    if width < 2:
        raise ValueError(f"the file has {shown}; it must have users and items; another --separator?")
    columns = {"user": 0, "item": 1}
    for position in range(2, width):
        texts = _column(samples, position)
        if "timestamp" not in columns and _share(texts, _is_time) > 0.5:
            columns["timestamp"] = position
        elif "rating" not in columns and _share(texts, is_number) > 0.5:
            columns["rating"] = position
    return {role: columns[role] for role in ROLES if role in columns}


def _read_columns(text: str, names: list[str] | None, width: int) -> dict[str, int]:
    """Return the positions of the columns that a user names."""
    requested = [name.strip() for name in next(csv.reader([text]), [])]
    if not 2 <= len(requested) <= len(ROLES) or not (requested[0] and requested[1]):
        raise ValueError(f"--columns must be USER,ITEM, USER,ITEM,RATING or USER,ITEM,RATING,TIMESTAMP; got {text!r}")
    columns = {role: _position(name, names, width) for role, name in zip(ROLES, requested) if name}
    for role, position in columns.items():
        if list(columns.values()).count(position) > 1:
            raise ValueError(f"--columns: the {role} is column {_label(names, position)}, which is given twice")
    return columns


def _position(requested: str, names: list[str] | None, width: int) -> int:
    """Return the position of a column, given by its name or its position from 1."""
    known = names or []
    if known.count(requested) > 1:
        raise ValueError(f"--columns: two columns are called {requested}; write their positions, from 1")
    if requested in known:
        return known.index(requested)
    if re.fullmatch(r"\d+", requested, re.ASCII) and 1 <= int(requested) <= width:
        return int(requested) - 1
    choices = f"{', '.join(closest_first(requested, known))} or a position" if known else "a position"
    raise ValueError(f"--columns: there is no column {requested!r}; write {choices} from 1 to {width}")


def _plain(name: str) -> str:
    """Return the name of a column without case and signs, and without the type that RecBole adds."""
    return "".join(letter for letter in name.partition(":")[0].lower() if letter.isalnum())


def _column(rows: list[list[str]], position: int) -> list[str]:
    """Return the texts of a column that are not empty."""
    return [fields[position] for fields in rows if len(fields) > position and fields[position].strip()]


def _share(texts: list[str], condition: Callable[[str], bool]) -> float:
    """Return the share of texts that meet a condition."""
    return sum(map(condition, texts)) / len(texts) if texts else 0.0


def _is_date(text: str) -> bool:
    """Return whether a text begins like an ISO date."""
    return ISO_DATE.match(text.strip()) is not None


def _is_time(text: str) -> bool:
    """Return whether a text looks like a time: an ISO date or a large number."""
    return _is_date(text) or (is_number(text) and abs(float(text)) >= _EARLIEST_EPOCH)


def _is_value(text: str) -> bool:
    """Return whether a text is a number or a date, and so no name of a column."""
    return is_number(text) or _is_time(text)
