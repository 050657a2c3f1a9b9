"""Parse rows that have the same number of fields: texts by pyarrow, numbers by pandas.

pyarrow gives each different text a code while it parses. That makes texts several times as fast as by pandas. But it
rounds the last bit of long numbers otherwise than pandas, and so RecBole.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

_BLOCK = 1 << 22  # bytes that pyarrow takes at once, and so of the longest line


class Table(NamedTuple):
    """A file of a header and rows without quotation. Empty lines are no rows."""

    content: bytes
    separator: str  # one byte
    fields: list[str]  # in the order of the file


def texts(table: Table, fields: Sequence[str], *, block_size: int | None = None) -> dict[str, pd.Series]:
    r"""Return columns as categories, which are in the order in which they come first; an empty field is missing.

    Args:
        table: whose columns to return.
        fields: names of the columns.
        block_size: bytes of the longest line; None is 4 MiB.

    Raises:
        pyarrow.ArrowInvalid: A line has more or fewer fields than the header, or is longer than a block.

    Examples:
        >>> texts(Table(b"user,item\nanna,tea\nbert,\n", ",", ["user", "item"]), ["item"])["item"].tolist()
        ['tea', nan]
    """
    # The header is skipped here, as pyarrow drops a byte order mark where its input begins. With threads pyarrow before
    # 23 may wait forever after an error.
    parsed = pyarrow.csv.read_csv(
        pa.BufferReader(table.content),
        pyarrow.csv.ReadOptions(
            column_names=table.fields, skip_rows=1, block_size=block_size or _BLOCK, use_threads=False
        ),
        pyarrow.csv.ParseOptions(delimiter=table.separator, quote_char=False),
        pyarrow.csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(table.fields, pa.dictionary(pa.int32(), pa.string())),
            include_columns=list(fields) or table.fields[:1],  # an empty list would mean all
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    return dict(parsed.to_pandas().items())


def numbers(table: Table, fields: Sequence[str]) -> dict[str, pd.Series]:
    """Return columns as numbers, NaN where there is none.

    Args:
        table: whose columns to return.
        fields: names of the columns.

    Raises:
        ValueError: A field is not a number; the message has its line.
    """
    if not fields:
        return {}
    options: dict[str, Any] = {
        "sep": table.separator,
        "header": None,
        "skiprows": 1,
        "names": table.fields,
        "index_col": False,
        "quoting": csv.QUOTE_NONE,
        "usecols": fields,
    }

    # Read again as texts where a field is none, to say which.
    try:
        return dict(pd.read_csv(io.BytesIO(table.content), dtype=np.float64, **options).items())
    except ValueError as error:
        frame = pd.read_csv(io.BytesIO(table.content), dtype=str, **options)
        raise ValueError(next(_not_numbers(table, frame), str(error))) from None


def _not_numbers(table: Table, frame: pd.DataFrame) -> Iterator[str]:
    """Yield what to say of the first text in each column of numbers."""
    line_numbers = [number for number, line in enumerate(table.content.split(b"\n"), 1) if line][1:]
    for field, text in frame.items():
        wrong = np.flatnonzero(pd.to_numeric(text, errors="coerce").isna() & text.notna())
        for row in wrong[:1]:
            yield f"line {line_numbers[row]}: {field}:float is {text.iloc[row]!r}, not a number"
