"""`recbole-edlae convert-liang`: data split by Liang et al.'s code, as a RecBole dataset with exactly that user split.

Their five files train.csv, validation_tr.csv, validation_te.csv, test_tr.csv and test_te.csv have columns uid and sid;
these numbers become the tokens of users and items.
"""

import csv
import pathlib

import pandas as pd

from recbole_edlae import _files
from recbole_edlae.cli import checks

PROGRAM = "recbole-edlae convert-liang"
PARTS = ("train", "validation_tr", "validation_te", "test_tr", "test_te")


def main(arguments):
    """Writes OUTPUT/NAME.PART.inter for the five files, NAME being the last part of OUTPUT."""
    parser = checks.Parser(PROGRAM, description=__doc__)
    parser.add_argument("folder", help="where the five files are")
    parser.add_argument("output", help="folder of the dataset to write, DATA_PATH/NAME")
    options = parser.parse_args(arguments)
    with checks.said_in_one_line(PROGRAM):
        counts = convert(options.folder, options.output)
    for part, (interactions, users) in counts.items():
        print(f"{part}: {interactions} interactions of {users} users")
    output = pathlib.Path(options.output).absolute()
    print(f"recbole-edlae run --dataset={output.name} --data_path={output.parent} --config_files=configs/liang.yaml")


def convert(folder, output):
    """Writes the RecBole dataset.

    Args:
        folder: of the five CSV files.
        output: folder of the dataset, named like it.

    Returns:
        dict: part → number of interactions and of users.

    Raises:
        ValueError: a file is missing, is no CSV or has no columns uid and sid.
    """
    frames = {part: _read(pathlib.Path(folder) / f"{part}.csv") for part in PARTS}
    output = pathlib.Path(output).absolute()
    output.mkdir(parents=True, exist_ok=True)
    for part, frame in frames.items():
        path = output / f"{output.name}.{part}.inter"
        frame.columns = ["user_id:token", "item_id:token"]
        _files.write_whole(path, frame.to_csv(sep="\t", index=False, quoting=csv.QUOTE_NONE, quotechar=None))
    return {part: (len(frame), frame["user_id:token"].nunique()) for part, frame in frames.items()}


def _read(path):
    if not path.is_file():
        raise ValueError(f"folder: there is no {path}; Liang et al.'s split has {', '.join(f'{p}.csv' for p in PARTS)}")
    try:
        return pd.read_csv(path, usecols=["uid", "sid"], dtype=str, keep_default_na=False)[["uid", "sid"]]
    except ValueError as error:
        raise ValueError(f"folder: {path} is no CSV with columns uid and sid: {error}") from None
