"""Convert a CSV file of interactions into a RecBole dataset: one atomic file ``NAME.inter``.

What is written reads back as the same tokens and numbers by the rules of :mod:`recbole_edlae.data.atomic`.
"""

import codecs
import csv
import os
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from recbole_edlae._choices import invalid
from recbole_edlae._files import atomic_file, atomic_folder
from recbole_edlae._warnings import warn
from recbole_edlae.convert.layout import Layout
from recbole_edlae.convert.rows import Rows
from recbole_edlae.convert.values import Numerals, Times, Tokens, read_rating

_FIELDS = {
    "user": "user_id:token",
    "item": "item_id:token",
    "rating": "rating:float",
    "timestamp": "timestamp:float",
}
# What tokens have in common where somebody wrote them otherwise than they are meant.
_ODD_TOKENS = {
    r"-?\d+\.0": "ends in .0, as pandas writes integers beside missing values",
    r"'.*'": "stands in single quotation marks",
}


class Conversion(NamedTuple):
    """What a converted file has."""

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
    thousands: str | None = None,
    quoting: bool | None = None,
) -> Conversion:
    r"""Write the interactions of a CSV file as the RecBole dataset ``OUTPUT/NAME.inter``.

    All rows are kept in their order, repeated ones too. Times become seconds since 1970. The dataset is written
    completely or not at all.

    Args:
        path: of the CSV file.
        output: folder of the dataset, whose last part is the dataset's NAME.
        columns: names or positions (from 1) of the columns of users, items, ratings and times, separated by commas; an
            empty one is not read. None guesses by the usual names.
        separator: between fields; None guesses.
        header: whether the first row names the columns; None guesses.
        encoding: of the file; None is UTF-8, or what its byte order mark says.
        decimal: the decimal sign of ratings and times, a point or a comma.
        thousands: the sign between thousands in ratings and times, if there is one.
        quoting: whether quotation marks are those of CSV, or part of the text; None guesses and refuses what is not
            clear.

    Returns:
        The layout and the counts, guesses included.

    Raises:
        ValueError: The file cannot be read, the message has the number of the line; or the dataset exists already.
        OSError: A file cannot be read or written.

    Warns:
        DataWarning: Something in the file is odd and was read.

    Notes:
        Memory: the file's bytes twice, each token once, and 16 bytes a row.

    Examples:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "shop.csv").write_text("customer,product,date\nanna,tea,2024-05-01\n")
        >>> conversion = convert_csv(folder / "shop.csv", folder / "shop")
        >>> print(conversion.path.read_text().expandtabs(16))
        user_id:token   item_id:token   timestamp:float
        anna            tea             1714521600
        <BLANKLINE>
    """
    folder = pathlib.Path(output).absolute()
    if folder.suffix in (".inter", ".csv", ".txt", ".tsv"):
        raise ValueError(
            f"output: {folder.name} looks like a file; write the folder of the dataset, dataset/NAME"
        )
    if separator is not None and (not separator or set(separator) & set('"\r\n')):
        raise invalid("--separator", "a sign or several, no quotation mark or line end", separator)
    name = f"{folder.name}.inter"
    numerals = Numerals(decimal, thousands)
    rows = Rows(
        path, separator=separator, header=header, columns=columns, encoding=encoding, quoting=quoting
    )

    # The folder may have other files of the dataset.
    with atomic_folder(folder, [name], beside_others=True) as temporary:
        conversion = write_interactions(rows, temporary / name, numerals)
    return conversion._replace(path=folder / name)


def write_interactions(rows: Rows, path: pathlib.Path, numerals: Numerals) -> Conversion:
    """Write the interactions of a CSV file as an atomic file; raise as :func:`convert_csv` does."""
    converter = _Converter(rows.layout, numerals)
    with atomic_file(path) as written:
        writer = csv.writer(codecs.getwriter("utf-8")(written), "excel-tab", lineterminator="\n")
        writer.writerow(_FIELDS[role] for role in rows.layout.columns)
        try:
            for number, fields in rows:
                writer.writerow(converter.convert(number, fields))
        except ValueError as error:
            raise ValueError(f"{rows.path}, {error}") from None

        # Before the file gets its name.
        try:
            converter.check()
        except ValueError as error:
            raise ValueError(f"{rows.path} {error}") from None
    for note in [*rows.notes(), *converter.notes()]:
        warn(f"{rows.path}: {note}")
    return converter.conversion(path, rows.encoding, rows.empty)


class _Converter:
    """Convert a file row by row, and count."""

    def __init__(self, layout: Layout, numerals: Numerals) -> None:
        self.layout = layout
        self.tokens = {role: Tokens(role) for role in ("user", "item")}
        self.times = Times(numerals)
        self.missing = {role: 0 for role in layout.columns if role in ("rating", "timestamp")}
        readers: dict[str, Callable[[str], str]] = {
            "user": self.tokens["user"].read,
            "item": self.tokens["item"].read,
            "rating": lambda text: read_rating(text, numerals),
            "timestamp": self.times.read,
        }
        self._columns = [(role, position, readers[role]) for role, position in layout.columns.items()]

    def convert(self, number: int, fields: list[str]) -> list[str]:
        """Return a row as an atomic file has it; an error names the line."""
        written = []
        try:
            for role, position, read_value in self._columns:
                value = read_value(fields[position])
                written.append(value)

                # Ratings and times may be missing, users and items may not.
                if not value:
                    self.missing[role] += 1
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        return written

    def check(self) -> None:
        """Raise ValueError if the file has no row, or a column no value."""
        interactions = len(self.tokens["item"].codes)
        if not interactions and self.layout.header:
            raise ValueError("has no interactions, only a header")
        if not interactions:
            raise ValueError("has no interactions")
        for role, count in self.missing.items():
            if count < interactions:
                continue

            # An empty name leaves the column out.
            names = {other: self.layout.name(other) for other in self.layout.columns}
            name = names[role]
            names[role] = ""
            others = ",".join(names.values()).rstrip(",")
            raise ValueError(f"has no {role} in any row of column {name}; write --columns={others}")

    def notes(self) -> list[str]:
        """Return what is odd in the values, and how it was taken."""
        notes = []
        for role, tokens in self.tokens.items():
            for pattern, oddity in _ODD_TOKENS.items():
                if tokens.all_match(pattern):
                    notes.append(f"every {role} {oddity}; it is part of the token")
        return notes

    def conversion(self, path: pathlib.Path, encoding: str, empty_rows: int) -> Conversion:
        """Return the layout and the counts."""
        # A pair of user and item as one number.
        users = self.tokens["user"]
        items = self.tokens["item"]
        pairs = np.array(users.codes) * len(items) + np.array(items.codes)
        return Conversion(
            path=path,
            encoding=encoding,
            layout=self.layout,
            interactions=len(pairs),
            users=len(users),
            items=len(items),
            repeats=len(pairs) - len(np.unique(pairs)),
            empty_rows=empty_rows,
            missing=self.missing,
            units=sorted(self.times.units),
            first=self.times.first,
            last=self.times.last,
        )
