"""What does the Gram matrix cost, straight into a dense array against SciPy's sparse product made dense?

    python benchmarks/gram.py [--shape 6k] [--repeats 5] [--out gram.json]

Seconds (median of the repeats, taken by turns) and peak memory beyond the data, each in a process of its own.
"""

import argparse

import numpy as np
from common import SHAPES, Peak, fresh, median, report, side_by_side, synthetic

from recbole_edlae.solvers import gram


def scipy_gram(X):
    return (X.T @ X).toarray()


def weighted_gram(X):
    return gram(X, np.linspace(0.5, 1.5, X.shape[0]))


METHODS = {"gram": gram, "gram, weighted users": weighted_gram, "SciPy": scipy_gram}


def peak(shape, name):
    X = synthetic(*SHAPES[shape])
    METHODS[name](X[:100])  # compiled code stays out of the account
    with Peak() as peak:
        METHODS[name](X)
    return peak.above


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=SHAPES, default="6k")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", help="JSON file")
    options = parser.parse_args()
    X = synthetic(*SHAPES[options.shape])
    seconds = side_by_side(
        {name: lambda method=method: method(X) for name, method in METHODS.items()}, options.repeats
    )
    matrix = 4 * X.shape[1] ** 2
    rows = [
        {
            "method": name,
            "seconds": median(times),
            "SciPy / it": median(seconds["SciPy"]) / median(times),
            "peak MiB": (bytes_ := fresh(peak, options.shape, name)) / 2**20,
            "peak / result": bytes_ / matrix,
            "all seconds": times,
        }
        for name, times in seconds.items()
    ]
    report(rows, options.out, shape=SHAPES[options.shape])


if __name__ == "__main__":
    main()
