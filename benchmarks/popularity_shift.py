"""Whether a published split was drawn at random: how popular its held-out items are, against random draws.

python benchmarks/popularity_shift.py DATA/gowalla/gowalla.train.inter DATA/gowalla/gowalla.test.inter

A shift is the mean of log(1 + n) over the held-out interactions less that over the training interactions, where n
counts an item in the training part. Each draw holds out as many interactions of each user, at random.
"""

import argparse

import numpy as np
import pandas as pd
from common import report

from recbole_edlae.data.atomic import read_atomic, read_header


def shift(item: np.ndarray, held_out: np.ndarray) -> float:
    popularity = np.log1p(np.bincount(item[~held_out], minlength=item.max() + 1))[item]
    return popularity[held_out].mean() - popularity[~held_out].mean()


def draw(user: np.ndarray, held_out: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    order = np.lexsort((rng.random(len(user)), user))
    counts = np.bincount(user)
    place = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    drawn = np.empty(len(user), bool)
    drawn[order] = place < np.repeat(np.bincount(user, held_out), counts)
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", help="atomic file, users in the first column and items in the second")
    parser.add_argument("held_out", help="atomic file of the same users and items")
    parser.add_argument(
        "--draws", type=int, default=5, metavar="N", help="random splits (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the draws (default: %(default)s)"
    )
    parser.add_argument("--out")
    options = parser.parse_args()
    fields = [column.field for column in read_header(options.train)[:2]]
    parts = [read_atomic(path, fields) for path in (options.train, options.held_out)]
    user, item = (pd.factorize(pd.concat([part[field] for part in parts]))[0] for field in fields)
    held_out = np.arange(len(user)) >= len(parts[0])
    rng = np.random.default_rng(options.seed)
    drawn = [shift(item, draw(user, held_out, rng)) for _ in range(options.draws)]
    rows = [
        {"split": "published", "shift": shift(item, held_out), "deviation": 0.0},
        {"split": f"{options.draws} drawn", "shift": np.mean(drawn), "deviation": np.std(drawn, ddof=1)},
    ]
    report(rows, options.out)


if __name__ == "__main__":
    main()
