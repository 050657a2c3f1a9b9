"""Convert a CSV file of interactions into a RecBole dataset: one atomic file ``NAME.inter``.

What is written reads back as the same tokens and numbers by the rules of :mod:`recbole_edlae.data.atomic`.
"""

import contextlib
import math
import os
import pathlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from recbole_edlae._files import whole
from recbole_edlae.data.csv_layout import Layout
from recbole_edlae.data.csv_rows import Content, frames, line_number, read
from recbole_edlae.data.csv_values import BadValueError, Texts, Tokens, ratings, times

_FIELDS = {
    "user": "user_id:token",
    "item": "item_id:token",
    "rating": "rating:float",
    "timestamp": "timestamp:float",
}


class Conversion(NamedTuple):
    """What was found in a file."""

    path: pathlib.Path  # of the atomic file
    encoding: str
    layout: Layout
    interactions: int
    users: int
    items: int
    repeats: int  # interactions of a pair of user and item that came before
    empty_rows: int  # left out: separators and nothing between them
    missing: dict[str, int]  # rating or timestamp → rows without one
    units: list[str]  # of the times
    first: float  # time in seconds since 1970; inf without any
    last: float


def convert_csv(
    path: str | os.PathLike,
    output: str | os.PathLike,
    *,
    columns: str | None = None,
    separator: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    decimal: str = ".",
) -> Conversion:
    r"""Write the interactions of a CSV file as the RecBole dataset ``OUTPUT/NAME.inter``.

    All rows are kept in their order, repeated ones too. Times become seconds since 1970. The dataset is whole or not
    written at all.

    Args:
        path: of the CSV file.
        output: folder of the dataset, whose last part is the dataset's NAME.
        columns: names or positions (from 1) of the columns of users, items, ratings and times, separated by commas; an
            empty one is not read. None guesses by the usual names.
        separator: between fields; None guesses. Where it has several characters, quotation marks have no meaning.
        header: whether the first row names the columns; None guesses.
        encoding: of the file; None is UTF-8, or UTF-16 where the file begins with its byte order mark.
        decimal: the decimal sign of ratings and times, a point or a comma.

    Returns:
        What was found, guesses included.

    Raises:
        ValueError: The file cannot be read, the message has the number of the line; or the dataset exists already.
        OSError: A file cannot be read or written.

    Notes:
        Cost: the file's bytes twice, a million rows at a time as texts, and 8 bytes a row. 5 million rows take 10 s on
        a core, where the file is regular and the values are written as they are.

    Examples:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "shop.csv").write_text("customer,product,date\nanna,tea,2024-05-01\n")
        >>> found = convert_csv(folder / "shop.csv", folder / "shop")
        >>> print(found.path.read_text().expandtabs(16))
        user_id:token   item_id:token   timestamp:float
        anna            tea             1714521600
        <BLANKLINE>
    """
    folder = pathlib.Path(output).absolute()
    _check_output(folder)
    if decimal not in (".", ","):
        raise ValueError(f"--decimal must be a point or a comma, got {decimal!r}")
    file = read(path, separator, header, columns, encoding)
    parts = _Parts(file.layout, decimal)
    try:
        with _new_dataset(folder) as written:
            written.write(("\t".join(_FIELDS[role] for role in file.layout.columns) + "\n").encode())
            for part, lines in frames(file):
                written.write(parts.convert(part, lines))
            parts.check()
    except BadValueError as error:
        raise ValueError(f"{path}, line {line_number(file, error.row)}: {error}") from None
    except pd.errors.ParserError as error:
        raise ValueError(f"{path}: {error}") from None
    except _NothingError as error:
        raise ValueError(f"{path} {error}") from None
    return parts.conversion(folder / f"{folder.name}.inter", file)


class _NothingError(ValueError):
    """A file or one of its columns has no value."""


class _Parts:
    """Convert a file part by part, and count."""

    def __init__(self, layout: Layout, decimal: str) -> None:
        self.layout = layout
        self.decimal = decimal
        self.tokens = {role: Tokens(role) for role in ("user", "item")}
        self.numbers: dict[str, list[np.ndarray]] = {"user": [], "item": []}
        self.missing = {role: 0 for role in layout.columns if role in ("rating", "timestamp")}
        self.interactions = 0
        self.empty_rows = 0
        self.units: set[str] = set()
        self.first = math.inf
        self.last = -math.inf

    def convert(self, part: pd.DataFrame, given: bytes | None) -> bytes:
        """Return the lines of an atomic file for some rows.

        Args:
            part: the rows.
            given: the lines of a regular file that they are.

        Raises:
            BadValueError: A value cannot be converted; its row is the label in the frame.
        """
        if part[self.layout.columns["user"]].isna().any():
            is_empty = part.isna().all(axis=1)
            self.empty_rows += int(is_empty.sum())
            part = part[~is_empty]
        self.interactions += len(part)
        texts = [self._texts(role, part[position]) for role, position in self.layout.columns.items()]
        if given is not None and self._are_written(texts, given, len(part)):
            return given.replace(self.layout.separator.encode(), b"\t")
        lines = "\n".join(map("\t".join, zip(*(column.of_rows() for column in texts))))
        return f"{lines}\n".encode() if lines else b""

    def _are_written(self, texts: list[Texts], lines: bytes, rows: int) -> bool:
        """Return whether lines hold these texts and nothing else, so that only the separator differs."""
        in_order = list(self.layout.columns.values()) == list(range(self.layout.width))
        if not in_order or not lines.endswith(b"\n") or not all(column.is_as_read for column in texts):
            return False
        return len(lines) == rows * self.layout.width + sum(column.size() for column in texts)

    def check(self) -> None:
        """Raise _NothingError if the file has no row, or a column no value."""
        if not self.interactions:
            raise _NothingError("has no interactions" + (", only a header" if self.layout.header else ""))
        for role, count in self.missing.items():
            if count == self.interactions:
                rest = ",".join(self.layout.name(other) if other != role else "" for other in self.layout.columns)
                name = self.layout.name(role)
                raise _NothingError(f"has no {role} in any row of column {name}; write --columns={rest.rstrip(',')}")

    def conversion(self, path: pathlib.Path, file: Content) -> Conversion:
        """Return what was found."""
        items = len(self.tokens["item"].written)
        pairs = np.concatenate(self.numbers["user"]).astype(np.int64) * items + np.concatenate(self.numbers["item"])
        return Conversion(
            path=path,
            encoding=file.encoding,
            layout=self.layout,
            interactions=self.interactions,
            users=len(self.tokens["user"].written),
            items=items,
            repeats=self.interactions - len(np.unique(pairs)),
            empty_rows=self.empty_rows,
            missing=self.missing,
            units=sorted(self.units),
            first=self.first,
            last=self.last,
        )

    def _texts(self, role: str, column: pd.Series) -> Texts:
        """Return the texts of a column as they are written, and count what is in it."""
        if role in self.tokens:
            tokens = self.tokens[role].add(column)
            self.numbers[role].append(tokens.codes)
            return tokens
        if role == "rating":
            texts = ratings(column, self.decimal)
        else:
            texts, units, first, last = times(column, self.decimal)
            self.units |= units
            self.first = min(self.first, first)
            self.last = max(self.last, last)
        self.missing[role] += texts.missing()
        return texts


def _check_output(folder: pathlib.Path) -> None:
    """Refuse a dataset that exists, and a name that is one of a file."""
    if folder.suffix in (".inter", ".csv", ".txt", ".tsv"):
        raise ValueError(f"output: {folder.name} looks like a file; write the folder of the dataset, dataset/NAME")
    if os.path.lexists(folder) and not folder.is_dir():
        raise ValueError(f"output: {folder} is there already and not a folder")
    path = folder / f"{folder.name}.inter"
    if os.path.lexists(path):
        raise ValueError(f"output: {path} is there already; remove it, or choose another name for the dataset")


@contextlib.contextmanager
def _new_dataset(folder: pathlib.Path) -> Iterator[BinaryIO]:
    """Open a dataset's file for writing; an error leaves neither a file nor a new folder behind."""
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with whole(folder / f"{folder.name}.inter") as file:
            yield file
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
