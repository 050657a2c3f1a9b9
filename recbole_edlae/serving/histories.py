"""Read files of histories, JSON lines or CSV, one user at a time; errors name file and line."""

import csv
import difflib
import itertools
import json
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from recbole_edlae._choices import choose
from recbole_edlae.serving.tokens import check_encodable, token_of

BLANKS = " \t\r\n"
BOM = b"\xef\xbb\xbf"
KEYS = ("user", "items", "exclude")
EXAMPLE = '{"user": "u1", "items": ["a", "b"]}'


class User(NamedTuple):
    """One user of a file."""

    user: str
    items: list[str] | None  # None: the user's items in the data
    exclude: list[str]
    location: str  # file and line, for messages


def open_histories(path: str) -> Iterator[User]:
    """Return an iterator of the users of a file with a suffix of READERS.

    Raises:
        ValueError: The file is missing, of an unknown kind or begins wrongly; and from the iterator, when it gets to an
            invalid line.
    """
    read = choose("histories", pathlib.Path(path).suffix, READERS)
    if not pathlib.Path(path).is_file():
        raise ValueError(f"histories: no file {path}")

    # The first user is read at once, so that a wrong file is refused before a model is read.
    users = read(path)
    first = list(itertools.islice(users, 1))
    return itertools.chain(first, users)


def read_lines(path: str, name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 file with their numbers, without a byte order mark; messages name the argument."""
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if number == 1:
                    line = line.removeprefix(BOM)

                # Line by line, so that the error can name the line.
                try:
                    yield number, line.decode("utf-8")
                except UnicodeDecodeError as error:
                    byte = f"byte 0x{line[error.start]:02x} at position {error.start + 1}"
                    raise ValueError(f"{name}: {path}, line {number} is not UTF-8: {byte}") from None
    except OSError as error:
        raise ValueError(f"{name}: {path} cannot be read: {error.strerror}") from None


def read_items(path: str) -> list[str]:
    """Return the items of a file, one a line, without blanks around them and empty lines."""
    return list(filter(None, (line.strip(BLANKS) for _, line in read_lines(path, "exclude"))))


def read_jsonl(path: str) -> Iterator[User]:
    """Yield the users of a file of JSON lines, without empty lines."""
    for number, line in read_lines(path, "histories"):
        if not line.strip(BLANKS):
            continue

        # Deep nesting exceeds json's recursion.
        location = f"histories: {path}, line {number}"
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or "user" not in content:
            raise ValueError(f"{location} is not like {EXAMPLE}: {line.strip(BLANKS)[:80]!r}")
        _check_keys(content, location)

        items = content.get("items")
        exclude = content.get("exclude")
        for name, value in (("items", items), ("exclude", exclude)):
            if value is not None and not isinstance(value, list):
                raise ValueError(
                    f"{location} is not like {EXAMPLE}: {name} is {json.dumps(value)[:80]}, not a list"
                )

        # The output has the user again.
        user = token_of(content["user"], f"{location}: user")
        check_encodable(user, f"{location}: user {user!r}")

        history = None
        if items is not None:
            history = _tokens(items, f"{location}: items")
        yield User(user, history, _tokens(exclude or [], f"{location}: exclude"), location)


def read_csv(path: str) -> Iterator[User]:
    """Yield the users of a CSV file; a line whose item is empty makes a user without history."""
    # Users alone are users of the data, who have their items there.
    rows = _csv_rows(path)
    _, head = next(rows, (0, []))
    if head[:2] not in (["user_id"], ["user_id", "item_id"]):
        raise ValueError(
            f"histories: {path} must begin with user_id,item_id or user_id, got {','.join(head)!r}"
        )
    has_items = len(head) > 1

    def user_of(numbered: tuple[int, list[str]]) -> str:
        number, row = numbered
        if len(row) != len(head):
            raise ValueError(f"histories: {path}, line {number} has {len(row)} fields of {len(head)}")
        if not row[0]:
            raise ValueError(f"histories: {path}, line {number} has no user")
        return row[0]

    # Hashes take less memory than the users of a large file.
    seen: set[int] = set()
    for user, group in itertools.groupby(rows, user_of):
        number, row = next(group)
        location = f"histories: {path}, line {number}"
        if hash(user) in seen:
            raise ValueError(f"{location}: user {user} was there before; sort the file by user")
        seen.add(hash(user))

        # An empty item makes a user without history.
        items = None
        if has_items:
            column = [row[1], *(fields[1] for _, fields in group)]
            items = list(filter(None, column))
        yield User(user, items, [], location)


READERS = {".jsonl": read_jsonl, ".csv": read_csv}


def _csv_rows(path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and fields of a CSV file, without blanks around them and empty lines."""
    text = (line for _, line in read_lines(path, "histories"))
    lines = csv.reader(text, skipinitialspace=True, strict=True)
    try:
        for row in lines:
            fields = [field.strip(BLANKS) for field in row]

            # A line of blanks alone has one empty field.
            if len(fields) > 1 or any(fields):
                yield lines.line_num, fields
    except csv.Error as error:
        raise ValueError(f"histories: {path}, line {lines.line_num} is not CSV: {error}") from None


def _check_keys(content: dict[str, Any], location: str) -> None:
    """Refuse a misspelled key, without which the data's history would be taken, or nothing excluded."""
    for key in content:
        if key in KEYS:
            continue

        # Without items, any unknown key may be meant for them.
        nearest = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.7)
        if not nearest and "items" not in content:
            nearest = ["items"]
        if nearest:
            raise ValueError(f"{location}: unknown key {key!r}; did you mean {nearest[0]}?")


def _tokens(values: list, name: str) -> list[str]:
    """Return the tokens that the values of a list stand for."""
    return [token_of(value, name) for value in values]
