"""Convert data that were split by the code of Liang et al. (2018) into a RecBole dataset with exactly that split."""

import os
import pathlib

from recbole_edlae._files import atomic_folder
from recbole_edlae.convert.conversion import write_interactions
from recbole_edlae.convert.rows import Rows
from recbole_edlae.convert.values import Numerals

PARTS = ("train", "validation_tr", "validation_te", "test_tr", "test_te")


def convert(folder: str | os.PathLike, output: str | os.PathLike) -> dict[str, tuple[int, int]]:
    """Write the RecBole dataset, a user split in five files ``OUTPUT/NAME.PART.inter``.

    Args:
        folder: of the five CSV files train.csv, validation_tr.csv, validation_te.csv, test_tr.csv and test_te.csv, with
            columns uid and sid, which become the tokens of users and items.
        output: folder of the dataset, whose last part is the dataset's NAME.

    Returns:
        Part → number of interactions and of users.

    Raises:
        ValueError: A file is missing, is no CSV or has no columns uid and sid, or the dataset exists already.
        OSError: A file cannot be read or written.
    """
    output = pathlib.Path(output).absolute()
    names = {part: f"{output.name}.{part}.inter" for part in PARTS}
    tables = {part: _read(pathlib.Path(folder) / f"{part}.csv") for part in PARTS}

    sizes = {}
    with atomic_folder(output, list(names.values()), beside_others=True) as written:
        for part, rows in tables.items():
            conversion = write_interactions(rows, written / names[part], Numerals())
            sizes[part] = (conversion.interactions, conversion.users)
    return sizes


def _read(path: pathlib.Path) -> Rows:
    """Return a CSV file with columns uid and sid."""
    if not path.is_file():
        names = ", ".join(f"{part}.csv" for part in PARTS)
        raise ValueError(f"folder: there is no {path}; Liang et al.'s split has {names}")
    try:
        return Rows(path, separator=",", header=True, columns="uid,sid")
    except ValueError as error:
        raise ValueError(f"folder: {path} is no CSV with columns uid and sid: {error}") from None
