"""Read published results to show beside those of a leaderboard."""

import csv
import io
import math
import os
import pathlib
import re
from collections.abc import Mapping

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
        text = pathlib.Path(path).read_text(encoding="utf-8-sig")

        # Messages name the lines of the file, in which comments and empty lines count.
        lines = {number: line for number, line in enumerate(io.StringIO(text), 1) if not _COMMENT.match(line)}
        numbers = list(lines)
        reader = csv.DictReader(lines.values(), restval="", strict=True)
        columns = reader.fieldnames or ()
        content = [(numbers[reader.line_num - 1], line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"reference: {path} cannot be read: {' '.join(str(error).split())}") from None

    if missing := {"model", "source"}.difference(columns):
        raise ValueError(f"reference: {path} has no column {', '.join(sorted(missing))}")
    return [_published(line, f"reference: {path}, line {number}") for number, line in content]


def _published(line: Mapping[str, str], where: str) -> Row:
    """Return the row of a line of a file of published results."""
    # csv collects fields beyond the header under None.
    if None in line:
        raise ValueError(f"{where} has more fields than the header")

    # Columns that are no metric may hold anything.
    metrics = {}
    for column, value in line.items():
        name = column.lower()
        if value.strip() and ("@" in name or name in metric_types):
            metrics[name] = _number(value, f"{where}: {column}")

    model = line["model"]
    if not model.strip():
        raise ValueError(f"{where} names no model")
    return Row(model, model, "published", {}, metrics, note=line["source"], mark=line.get("mark", ""))


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
