"""`recbole-edlae convert`: a CSV file of interactions as a RecBole dataset.

FILE has one interaction a row: user, item and, if there are any, rating and timestamp. It may be compressed. Encoding,
separator, header, columns and quotation are guessed. What was guessed is printed; what has two meanings is an error.
Times are seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO dates; they are written as seconds. All
rows are kept. An error names the line, and nothing is written. Nothing is overwritten.
"""

import argparse
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from recbole_edlae.cli.parser import Parser
from recbole_edlae.convert import Conversion, convert_csv
from recbole_edlae.convert.values import look_like_dates

PROGRAM = "recbole-edlae convert"

# What people write for a sign that a shell does not pass.
_SEPARATORS = {r"\t": "\t", "tab": "\t", "space": " "}
_OPTIONS = {"separator": "--separator", "header": "--header or --no-header", "columns": "--columns"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the CSV file")
    add("output", metavar="OUTPUT", help="folder of the dataset to write, dataset/NAME")
    add(
        "--columns",
        metavar="USER,ITEM,RATING,TIMESTAMP",
        help="names or positions from 1 of these columns; the last two may be left out, or empty as in 1,2,,3",
    )
    add("--separator", metavar="SIGN", help="between columns: a sign, several, tab or space")
    add("--header", action=argparse.BooleanOptionalAction, help="whether the first row names the columns")
    add("--encoding", metavar="NAME", help="of the file, for example latin-1 (default: utf-8)")
    add("--decimal", metavar="SIGN", default=".", help="decimal sign of numbers (default: %(default)s)")
    add("--thousands", metavar="SIGN", help="sign between thousands of numbers, as in 1,234")
    add(
        "--quoting",
        action=argparse.BooleanOptionalAction,
        help="whether quotation marks are those of CSV or, with --no-quoting, part of the text",
    )


def main(words: Sequence[str]) -> None:
    """Write OUTPUT/NAME.inter, where NAME is the last part of OUTPUT, and print the layout and the counts."""
    parser = Parser(PROGRAM, description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(words)
    conversion = convert_csv(
        options.file,
        options.output,
        columns=options.columns,
        separator=_SEPARATORS.get(options.separator, options.separator),
        header=options.header,
        encoding=options.encoding,
        decimal=options.decimal,
        thousands=options.thousands,
        quoting=options.quoting,
    )
    for line in [*_layout_lines(conversion), *_content_lines(conversion)]:
        print(line)
    print(f"written: {conversion.path}")
    print(f"next: {_next_command(conversion)}")


def _layout_lines(conversion: Conversion) -> list[str]:
    """Return lines on the layout of the file, and on the options that would set what was guessed."""
    # A first row that is shown proves that it is no header.
    layout = conversion.layout
    if layout.header is None:
        header = f"none, the first row is {', '.join(layout.first_row)}"
    else:
        header = ", ".join(layout.header)

    columns = ", ".join(f"{role} from {layout.name(role)}" for role in layout.columns)
    if layout.unused():
        columns += f"; not read: {', '.join(layout.unused())}"

    lines = [
        f"encoding: {conversion.encoding}",
        f"separator: {layout.separator!r}",
        f"header: {header}",
        f"columns: {columns}",
    ]
    if layout.guessed:
        options = ", ".join(_OPTIONS[guess] for guess in layout.guessed)
        lines.append(f"guessed: {', '.join(layout.guessed)}; set them by {options}")
    return lines


def _content_lines(conversion: Conversion) -> list[str]:
    """Return lines on the times, the rows and the interactions of the file."""
    # The range of the dates shows whether the unit was guessed right.
    lines = []
    first = conversion.first
    last = conversion.last
    if conversion.units:
        lines.append(
            f"timestamp: {' and '.join(conversion.units)}, from {_date(first)} to {_date(last)} UTC"
        )
        if look_like_dates(first, last):
            lines.append(
                "timestamp: these numbers look like dates YYYYMMDD; they are kept as they are, in their order"
            )

    if conversion.empty_rows:
        lines.append(f"left out: {_count(conversion.empty_rows, 'row')} of separators only")
    for role, count in conversion.missing.items():
        if count:
            lines.append(f"{role}: missing in {_count(count, 'row')}")

    users_and_items = f"{_count(conversion.users, 'user')} with {_count(conversion.items, 'item')}"
    lines.append(f"interactions: {conversion.interactions}, of {users_and_items}")
    if conversion.repeats:
        repeats = f"{_count(conversion.repeats, 'interaction')} have"
        if conversion.repeats == 1:
            repeats = "1 interaction has"
        lines.append(f"repeated: {repeats} a user and an item that came together before; all are kept")
    return lines


def _count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    if number == 1:
        return f"{number} {noun}"
    return f"{number} {noun}s"


def _date(seconds: float) -> str:
    """Return a time as a date."""
    # datetime ends with the year 9999, and numbers of another meaning can be larger.
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    try:
        return f"{epoch + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"
    except OverflowError:
        return f"{seconds:g} seconds"


def _next_command(conversion: Conversion) -> str:
    """Return a command that trains on the dataset."""
    # RecBole reads user and item only, unless load_col names the other columns.
    fields = ["user_id", "item_id", *conversion.missing]
    load_col = f"\"--load_col={{'inter': {fields}}}\""
    folder = conversion.path.parent
    return f"recbole-edlae run --model=EDLAE --dataset={folder.name} --data_path={folder.parent} {load_col}"
