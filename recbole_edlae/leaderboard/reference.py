"""Read published results to show beside those of a leaderboard."""

import csv
import io
import math
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

from recbole.evaluator import metric_types

from recbole_edlae.leaderboard.results import Row

_COMMENT = re.compile(r"#|\s*$")  # comments, and empty lines


def read_reference(path: str | os.PathLike) -> list[Row]:
    """Return the rows of a CSV file of published results.

    Args:
        path: path of a file with columns model and source, one per metric, and mark where a row needs one. Lines that
            begin with # are comments. The source, the mark and a metric may be empty.

    Raises:
        ValueError: the file cannot be read, lacks a column or has a metric that is no number; the message has the line.
    """
    try:
        columns, content = _read(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"reference: {path} cannot be read: {reason}") from None

    # The other columns are metrics, and a mark if a row needs one.
    if missing := {"model", "source"}.difference(columns):
        names = ", ".join(sorted(missing))
        raise ValueError(f"reference: {path} has no column {names}")

    rows = []
    for number, fields in content.items():
        rows.append(_published(fields, f"reference: {path}, line {number}"))
    return rows


def _read(path: str | os.PathLike) -> tuple[Sequence[str], dict[int, dict[str, str]]]:
    """Return the columns of a CSV file, and line number → column → field."""
    text = pathlib.Path(path).read_text(encoding="utf-8-sig")

    # Messages name the lines of the file, in which comments and empty lines count.
    numbers = []
    lines = []
    for number, line in enumerate(io.StringIO(text), 1):
        if not _COMMENT.match(line):
            numbers.append(number)
            lines.append(line)

    # A field with line breaks takes several lines; line_num is the last of them.
    reader = csv.DictReader(lines, restval="", strict=True)
    columns = reader.fieldnames or ()
    content = {}
    for fields in reader:
        content[numbers[reader.line_num - 1]] = fields
    return columns, content


def _published(fields: Mapping[str, str], where: str) -> Row:
    """Return the row of a line of a file of published results."""
    # csv collects fields beyond the header under None.
    if None in fields:
        raise ValueError(f"{where} has more fields than the header")

    # Columns that are no metric may hold anything.
    metrics = {}
    for column, value in fields.items():
        name = column.lower()
        is_metric = "@" in name or name in metric_types
        if is_metric and value.strip():
            metrics[name] = _number(value, f"{where}: {column}")

    model = fields["model"]
    if not model.strip():
        raise ValueError(f"{where} names no model")

    # The source is what the report notes beside the row.
    mark = fields.get("mark", "")
    return Row(model, model, "published", {}, metrics, note=fields["source"], mark=mark)


def _number(text: str, where: str) -> float:
    """Return the finite number that a text represents."""
    # float reads nan and inf too.
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where} must be a number, got {text!r}")
    return number
