"""Convert data that were split by the code of Liang et al. (2018) into a RecBole dataset with exactly that split."""

import csv
import os
import pathlib

import pandas as pd

from recbole_edlae._files import write_whole

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
        ValueError: A file is missing, is no CSV or has no columns uid and sid.
    """
    frames = {part: _read(pathlib.Path(folder) / f"{part}.csv") for part in PARTS}
    output = pathlib.Path(output).absolute()
    output.mkdir(parents=True, exist_ok=True)
    for part, frame in frames.items():
        frame.columns = ["user_id:token", "item_id:token"]
        # quotechar None: a quotation mark is part of its token
        content = frame.to_csv(sep="\t", index=False, quoting=csv.QUOTE_NONE, quotechar=None)  # type: ignore[call-overload]
        write_whole(output / f"{output.name}.{part}.inter", content)
    return {part: (len(frame), frame["user_id:token"].nunique()) for part, frame in frames.items()}


def _read(path: pathlib.Path) -> pd.DataFrame:
    """Return the columns uid and sid of a CSV file as text."""
    if not path.is_file():
        names = ", ".join(f"{part}.csv" for part in PARTS)
        raise ValueError(f"folder: there is no {path}; Liang et al.'s split has {names}")
    try:
        return pd.read_csv(path, usecols=["uid", "sid"], dtype=str, keep_default_na=False)[["uid", "sid"]]
    except ValueError as error:
        raise ValueError(f"folder: {path} is no CSV with columns uid and sid: {error}") from None
