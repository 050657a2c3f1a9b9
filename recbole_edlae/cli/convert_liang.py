"""`recbole-edlae convert-liang`: data split by Liang et al.'s code, as a RecBole dataset with exactly that user split.

Their five files train.csv, validation_tr.csv, validation_te.csv, test_tr.csv and test_te.csv have columns uid and sid;
these numbers become the tokens of users and items. All five files are written, or none; nothing is overwritten.
"""

import argparse
import pathlib
from collections.abc import Sequence

from recbole_edlae.cli.parser import Parser
from recbole_edlae.data.liang import convert

PROGRAM = "recbole-edlae convert-liang"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("folder", help="where the five files are")
    parser.add_argument("output", help="folder of the dataset to write, DATA_PATH/NAME")


def main(words: Sequence[str]) -> None:
    """Write OUTPUT/NAME.PART.inter for the five files, where NAME is the last part of OUTPUT."""
    parser = Parser(PROGRAM, description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(words)

    counts = convert(options.folder, options.output)
    for split, (interactions, users) in counts.items():
        print(f"{split}: {interactions} interactions of {users} users")

    # The last line can be pasted into the shell, from any folder.
    output = pathlib.Path(options.output).absolute()
    print(f"recbole-edlae run --dataset={output.name} --data_path={output.parent} --config_files=liang")
