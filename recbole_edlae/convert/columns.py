"""Find the columns of users, items, ratings and times in a CSV file, by their names or their content."""

import csv
import re
from collections.abc import Callable, Iterable

from recbole_edlae._choices import invalid, unknown

ROLES = ("user", "item", "rating", "timestamp")

# Seconds; smaller numbers are not guessed to be times.
_EARLIEST_EPOCH = 1e8

# A guess takes what anybody may mean by a number or a date. What cannot be read is an error later.
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
_USUAL = {
    "user": "userid user uid username customerid customer reviewerid visitorid memberid accountid playerid",
    "item": "itemid item iid sid movieid movie productid product parentasin asin isbn bookid book trackid songid "
    "artistid businessid articleid gameid videoid",
    "rating": "rating ratings stars score overall playcount plays count weight",
    "timestamp": "timestamp time unixreviewtime unixtime datetime date createdat eventtime ts",
}
_NAMES = {role: names.split() for role, names in _USUAL.items()}
_USERS_AND_ITEMS = {*_NAMES["user"], *_NAMES["item"]}


def plain_name(name: str) -> str:
    """Return the name of a column without case and signs, and without the type that RecBole adds."""
    return "".join(filter(str.isalnum, name.partition(":")[0].lower()))


def label(header: list[str] | None, position: int) -> str:
    """Return the name of a column, or its position from 1 if it has none."""
    if header and position < len(header) and header[position]:
        return header[position]
    return str(position + 1)


def column_names(fields: Iterable[str]) -> list[str]:
    """Return the names of columns that a row has, without the types that RecBole adds."""
    return [field.strip().partition(":")[0] for field in fields]


def has_usual_name(*fields: str) -> bool:
    """Return whether one of some fields is a usual name for users or items."""
    return not _USERS_AND_ITEMS.isdisjoint(map(plain_name, fields))


def choose_columns(
    requested: str | None, names: list[str] | None, samples: list[list[str]], width: int
) -> dict[str, int]:
    """Return role → position of the columns that ``--columns`` requests, or guess them by names, else by content."""
    if requested is not None:
        return _requested_columns(requested, names, width)
    texts = [column_texts(samples, position) for position in range(width)]
    columns = _columns_by_name(names or [])
    if "user" in columns and "item" in columns:
        # A column of dates is one of times, whatever its name.
        for position in range(width):
            if position not in columns.values() and mostly(_ISO_DATE.match, texts[position]):
                columns.setdefault("timestamp", position)
        return columns

    described = f"{width} columns without names"
    if names:
        described = f"the columns {', '.join(names)}"
    if "user" in columns or "item" in columns or width > len(ROLES):
        raise ValueError(
            f"the file has {described}, but the user and the item are not known; "
            "write --columns=USER,ITEM,RATING,TIMESTAMP with names or positions"
        )
    columns = _columns_by_content(texts)
    if "item" not in columns:
        raise ValueError(f"the file has {described}; it must have users and items; another --separator?")
    return columns


def _columns_by_name(names: list[str]) -> dict[str, int]:
    """Return role → position of the columns with a usual name."""
    columns = {}
    plain = list(map(plain_name, names))
    for role in ROLES:
        # The surest name comes first.
        known = [name for name in _NAMES[role] if name in plain]
        if known:
            columns[role] = plain.index(known[0])
    return columns


def _columns_by_content(texts: list[list[str]]) -> dict[str, int]:
    """Guess which of some columns to read by their order and content."""
    # Dates are times, wherever they are. Users and items are the first two other columns.
    dates = []
    others = []
    for position, column in enumerate(texts):
        if mostly(_DATE.match, column):
            dates.append(position)
        else:
            others.append(position)
    columns = dict(zip(("user", "item"), others))
    if dates:
        columns["timestamp"] = dates[0]

    # A large number is a time, any other one a rating.
    for position in others[2:]:
        if "timestamp" not in columns and mostly(_is_time, texts[position]):
            columns["timestamp"] = position
        elif "rating" not in columns and mostly(_is_number, texts[position]):
            columns["rating"] = position
    return {role: columns[role] for role in ROLES if role in columns}


def _requested_columns(text: str, names: list[str] | None, width: int) -> dict[str, int]:
    """Return the positions of the columns that a user names."""
    # CSV itself, because the name of a column may have a comma.
    requested = [name.strip() for name in next(csv.reader([text]), [])]
    if not 2 <= len(requested) <= len(ROLES) or "" in requested[:2]:
        raise invalid("--columns", "USER,ITEM, USER,ITEM,RATING or USER,ITEM,RATING,TIMESTAMP", text)

    columns: dict[str, int] = {}
    for role, name in zip(ROLES, requested):
        if not name:
            continue
        position = _position(name, names or [], width)
        if position in columns.values():
            raise ValueError(
                f"--columns: the {role} is column {label(names, position)}, which is given twice"
            )
        columns[role] = position
    return columns


def _position(requested: str, names: list[str], width: int) -> int:
    """Return the position of a column, given by its name or its position from 1."""
    if names.count(requested) > 1:
        raise ValueError(f"--columns: two columns are called {requested}; write their positions, from 1")
    if requested in names:
        return names.index(requested)
    if re.fullmatch(r"\d+", requested, re.ASCII) and 1 <= int(requested) <= width:
        return int(requested) - 1

    choices = [*names, f"positions 1 to {width}"]
    raise ValueError(f"--columns: {unknown('column', requested, choices)}")


def column_texts(rows: list[list[str]], position: int) -> list[str]:
    """Return the texts of a column that are not empty, without blanks around them."""
    texts = []
    for fields in rows:
        # A row may be cut off.
        if len(fields) > position:
            texts.append(fields[position].strip())
    return list(filter(None, texts))


def mostly(condition: Callable[[str], object], texts: list[str]) -> bool:
    """Return whether more than half of some texts meet a condition."""
    return sum(map(bool, map(condition, texts))) > len(texts) / 2


def is_value(text: str) -> bool:
    """Return whether a text is a number or a date, and so no name of a column."""
    return _is_number(text) or _DATE.match(text) is not None


def _is_number(text: str) -> bool:
    """Return whether a text is a number, whatever its signs."""
    return _NUMBER.fullmatch(text) is not None or _THOUSANDS.fullmatch(text) is not None


def _is_time(text: str) -> bool:
    """Return whether a text looks like a time: a date or a large number."""
    if _NUMBER.fullmatch(text):
        return abs(float(text.replace(",", "."))) >= _EARLIEST_EPOCH
    return _DATE.match(text) is not None
