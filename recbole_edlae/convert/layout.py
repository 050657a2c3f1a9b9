"""Find out how a CSV file of interactions is laid out: its separator, its header and what its columns hold.

What a user says is taken; the rest is guessed from the first rows, and the layout remembers what was guessed.
"""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from recbole_edlae._choices import closest_first
from recbole_edlae.convert.records import records

ROLES = ("user", "item", "rating", "timestamp")
_SAMPLE_ROWS = 200
_SEPARATORS = (",", ";", "\t", "|", "::")  # a blank comes last: texts have blanks too
_EARLIEST_EPOCH = 1e8  # seconds; smaller numbers are not guessed to be times
# A guess takes what anybody may mean by a number or a date. Whether it can be read is found out later, aloud.
_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,' ])\d{3}(?:\1\d{3})*(?:[.,]\d+)?", re.ASCII)
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_ISO_DATE = re.compile(r"\d{4}-\d\d(?!\d)")
_DATE = re.compile(
    _ISO_DATE.pattern + r"|\d{4}[/.]\d\d?[/.]\d\d?(?!\d)|\d\d?[-/.]\d\d?[-/.]\d{4}(?!\d)"
    rf"|(?:[a-z]+,? )?(?:\d\d?[- ]{_MONTH}|{_MONTH} \d\d?,?)\b.*\d{{4}}",
    re.ASCII | re.IGNORECASE,
)
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
_USERS_AND_ITEMS = {*_NAMES["user"], *_NAMES["item"]}


class Layout(NamedTuple):
    """How a file is laid out."""

    separator: str
    header: list[str] | None  # names of the columns; None where the first row is data
    width: int  # fields in a row
    columns: dict[str, int]  # user, item and, if there are any, rating and timestamp → position from 0
    guessed: list[str]  # which of separator, header and columns
    first_row: list[str]

    def name(self, role: str) -> str:
        """Return what to call the column of a role: its name, or its position from 1."""
        return _label(self.header, self.columns[role])

    def unused(self) -> list[str]:
        """Return the names of the columns that are not read."""
        positions = sorted(set(range(self.width)) - set(self.columns.values()))
        return [_label(self.header, position) for position in positions]


def find_layout(
    lines: Sequence[str],
    *,
    separator: str | None = None,
    header: bool | None = None,
    columns: str | None = None,
    quoting: bool | None = None,
) -> Layout:
    """Return the layout of a file.

    Args:
        lines: the first lines of the file.
        separator: between fields, of one character or several; None guesses.
        header: whether the first row names the columns; None guesses.
        columns: names or positions (from 1) of the columns of users, items, ratings and times, separated by commas; an
            empty one is not read. None guesses.
        quoting: False if quotation marks are part of the text.

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
        separator = _find_separator(lines, quoting)
    rows = _first_rows(lines, separator, quoting)
    if not rows:
        raise ValueError("the file is empty")
    if header is None:
        header = _has_header(rows)
    names = column_names(rows[0]) if header else None
    samples = rows[1:] if header else rows
    width = _width(names, samples)
    positions = _find_columns(names, samples, width) if columns is None else _read_columns(columns, names, width)
    return Layout(separator, names, width, positions, guessed, rows[0])


def _first_rows(lines: Iterable[str], separator: str, quoting: bool | None) -> list[list[str]]:
    """Return the first rows of CSV."""
    return [record.fields for record in itertools.islice(records(lines, separator, quoting), _SAMPLE_ROWS)]


def plain_name(name: str) -> str:
    """Return the name of a column without case and signs, and without the type that RecBole adds."""
    return "".join(letter for letter in name.partition(":")[0].lower() if letter.isalnum())


def _label(header: list[str] | None, position: int) -> str:
    """Return what to call a column."""
    return header[position] if header and position < len(header) and header[position] else str(position + 1)


def _find_separator(lines: Sequence[str], quoting: bool | None) -> str:
    """Return the separator by which most rows have the same number of fields."""
    first = next((line.strip() for line in lines if line.strip()), None)
    if first is None:
        raise ValueError("the file is empty")
    for candidates in (_SEPARATORS, (" ",)):
        agreements = {separator: _agreement(_first_rows(lines, separator, quoting)) for separator in candidates}
        best = max((agreement for agreement in agreements.values() if agreement[1] > 1), default=None)
        equals = [separator for separator, agreement in agreements.items() if agreement == best]
        if len(equals) > 1:
            raise ValueError(f"both {equals[0]!r} and {equals[1]!r} may separate {first[:80]!r}; write --separator")
        if equals:
            return equals[0]
    raise ValueError(f"no separator is found in {first[:80]!r}; write --separator")


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    """Return which share of the rows has the most frequent number of fields, and that number."""
    if not rows:
        return 0.0, 0
    width, count = max(Counter(map(len, rows)).items(), key=lambda entry: (entry[1], entry[0]))
    return count / len(rows), width


def column_names(fields: Iterable[str]) -> list[str]:
    """Return the names of columns that a row has, without the types that RecBole adds."""
    return [field.strip().partition(":")[0] for field in fields]


def has_usual_name(*fields: str) -> bool:
    """Return whether one of some fields is a usual name for users or items."""
    return any(plain_name(field) in _USERS_AND_ITEMS for field in fields)


def _has_header(rows: list[list[str]]) -> bool:
    """Guess whether the first row names the columns.

    It does if it has a usual name for users or items, or no value and stands over a column of numbers or dates.
    """
    first = rows[0]
    if has_usual_name(*first):
        return True
    if any(map(_is_value, first)):
        return False
    columns = [_column(rows[1:], position) for position in range(len(first))]

    # An empty field is no name.
    if any(texts and not name.strip() for name, texts in zip(first, columns)):
        return False
    return any(_share(texts, _is_value) > 0.5 for texts in columns)


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
    plain = [plain_name(name) for name in names or []]
    for role in ROLES:
        usual = [name for name in _NAMES[role] if name in plain]
        if usual:
            columns[role] = plain.index(usual[0])
    if "user" in columns and "item" in columns:
        if "timestamp" not in columns:
            rest = [position for position in range(width) if position not in columns.values()]
            dates = [position for position in rest if _share(_column(samples, position), _is_iso_date) > 0.5]
            columns |= {"timestamp": dates[0]} if dates else {}
        return columns
    shown = f"the columns {', '.join(names)}" if names else f"{width} columns without names"
    if "user" in columns or "item" in columns or width > len(ROLES):
        raise ValueError(
            f"the file has {shown}, of which the user and the item are not known; "
            "write --columns=USER,ITEM,RATING,TIMESTAMP with names or positions"
        )
    columns = _columns_by_content([_column(samples, position) for position in range(width)])
    if "item" not in columns:
        raise ValueError(f"the file has {shown}; it must have users and items; another --separator?")
    return columns


def _columns_by_content(texts: list[list[str]]) -> dict[str, int]:
    """Guess which of some columns to read by their order and what is in them."""
    # Dates are times, wherever they stand. Users and items are the first two other columns.
    dates = [position for position, column in enumerate(texts) if _share(column, _is_date) > 0.5]
    rest = [position for position in range(len(texts)) if position not in dates]
    columns = dict(zip(("user", "item"), rest))
    if dates:
        columns["timestamp"] = dates[0]
    for position in rest[2:]:
        if "timestamp" not in columns and _share(texts[position], _is_time) > 0.5:
            columns["timestamp"] = position
        elif "rating" not in columns and _share(texts[position], _is_number) > 0.5:
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


def _column(rows: list[list[str]], position: int) -> list[str]:
    """Return the texts of a column that are not empty."""
    return [fields[position] for fields in rows if len(fields) > position and fields[position].strip()]


def _share(texts: list[str], condition: Callable[[str], bool]) -> float:
    """Return the share of texts that meet a condition."""
    return sum(map(condition, texts)) / len(texts) if texts else 0.0


def _is_iso_date(text: str) -> bool:
    """Return whether a text begins like an ISO date."""
    return _ISO_DATE.match(text.strip()) is not None


def _is_date(text: str) -> bool:
    """Return whether a text begins like a date."""
    return _DATE.match(text.strip()) is not None


def _is_number(text: str) -> bool:
    """Return whether a text is a number, whatever its signs."""
    text = text.strip()
    return _NUMBER.fullmatch(text) is not None or _THOUSANDS.fullmatch(text) is not None


def _is_time(text: str) -> bool:
    """Return whether a text looks like a time: a date or a large number."""
    text = text.strip()
    is_number = _NUMBER.fullmatch(text) is not None
    return _is_date(text) or (is_number and abs(float(text.replace(",", "."))) >= _EARLIEST_EPOCH)


def _is_value(text: str) -> bool:
    """Return whether a text is a number or a date, and so no name of a column."""
    return _is_number(text) or _is_date(text)
