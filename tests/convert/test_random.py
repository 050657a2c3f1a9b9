"""Random tables, written as CSV in random layouts: read as they are, or refused with file and line."""

import re
import shutil

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.convert.csv_files import convert

NAMES = ["user", "item", "rating", "timestamp", "title"]
CHARACTERS = "ab1é,;|:\t\"'#{}[]\\.-_\x1f\u2028 "
TOKENS = st.text(CHARACTERS, min_size=1, max_size=6).map(lambda text: text.strip(" \t")).filter(bool)
TITLES = st.text(CHARACTERS + '\n\r""', max_size=8)
RATINGS = st.one_of(st.none(), st.sampled_from([1.0, 2.5, -3.0, 0.125, 1234.5, 1e6]))
TIMES = st.one_of(st.none(), st.integers(0, 10**11 - 1).map(float))
ROWS = st.lists(st.tuples(TOKENS, TOKENS, RATINGS, TIMES, TITLES), min_size=1, max_size=8).filter(
    lambda rows: all(any(row[column] is not None for row in rows) for column in (2, 3))
)


def number(value, decimal, thousands):
    if value is None:
        return ""
    text = f"{value:,}" if thousands else repr(value)
    return text.translate({ord(","): thousands, ord("."): decimal})


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    separator=st.sampled_from([",", ";", "\t", "|", "::", " "]),
    quotation=st.sampled_from(["minimal", "all", "none"]),
    has_header=st.booleans(),
    signs=st.sampled_from([(".", None), (",", None), (".", ","), (",", ".")]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    blank_lines=st.integers(0, 2),
    ends=st.booleans(),
)
@example(  # marks of the text in a column that is not read
    rows=[("a", "x", 1.0, 0.0, '"Heroes'), ("b", "y", 1.0, 0.0, ""), ("c", "z", 1.0, 0.0, 'Soul 12"')],
    separator="\t",
    quotation="none",
    has_header=True,
    signs=(".", None),
    line_end="\n",
    encoding="utf-8",
    blank_lines=0,
    ends=True,
)
def test_a_table_is_read_as_it_is_or_refused(
    rows, separator, quotation, has_header, signs, line_end, encoding, blank_lines, ends
):
    shutil.rmtree("dataset", ignore_errors=True)
    table = [
        [user, item, *(number(value, *signs) for value in numbers), title]
        for user, item, *numbers, title in rows
    ]
    table = [NAMES, *table] if has_header else table
    options = [f"--decimal={signs[0]}", *([f"--thousands={signs[1]}"] if signs[1] else [])]
    if not has_header:  # nothing else tells the layout
        options += [f"--separator={separator}", "--no-header", "--columns=1,2,3,4"]

    if quotation == "none":
        # Then no field can have a separator or a line end, and marks in tokens have to be named.
        table = [
            [re.sub(rf"[{re.escape(separator)}\r\n]", "_", field) for field in fields] for fields in table
        ]
        rows = [
            (user.strip(" \t"), item.strip(" \t"), *row[2:])
            for (user, item, *_), row in zip(table[has_header:], rows, strict=True)
        ]
        options += ["--no-quoting"] * any('"' in user + item for user, item, *_ in rows)
    else:
        table = [[quoted(field, separator, quotation) for field in fields] for fields in table]
    lines = [separator.join(fields) for fields in table]
    text = line_end.join([*lines[:1], *[""] * blank_lines, *lines[1:]]) + line_end * ends

    found, printed = convert(text.encode(encoding), *options)
    if found is None:
        assert re.search(r"given\.csv(, line \d+|: )", printed)
    else:
        assert found == [row[:4] for row in rows]


def quoted(field, separator, quotation):
    """A field of CSV, also for a separator of several characters."""
    if quotation == "minimal" and not set(field) & set(separator + '"\r\n'):
        return field
    return '"' + field.replace('"', '""') + '"'
