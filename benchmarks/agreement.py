"""How far are the weights in single precision from those in double precision, computed by NumPy alone?

    python benchmarks/agreement.py [--items 6000] [--out agreement.json]

The paper's settings: dropout .33 with l2 500, and l2 1,000 without dropout. Errors relative to the largest weight, and
of the whole matrix (Frobenius).
"""

import argparse

import numpy as np
from common import report, synthetic

from recbole_edlae.solvers import full_rank, gram

SETTINGS = [
    {"dropout": 0.33, "l2": 500.0},
    {"dropout": 0.0, "l2": 1000.0},
    {"dropout": 0.33, "l2": 500.0, "emphasis": (1.0, 1.0)},
]


def reference(G, dropout, l2, emphasis=(1.0, 0.0)):
    """EDLAE, or DLAE for emphasis (1, 1), as the papers print them, in double precision."""
    penalty = l2 + dropout / (1 - dropout) * np.diag(G)
    C = np.linalg.inv(G + np.diag(penalty))
    if emphasis == (1.0, 1.0):
        return np.eye(len(C)) - C * penalty
    return np.eye(len(C)) - C / np.diag(C)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=6000)
    parser.add_argument("--out", help="JSON file")
    options = parser.parse_args()
    X = synthetic(10 * options.items, options.items, 730 * options.items)
    exact = (X.T.astype(np.float64) @ X).toarray()
    rows = []
    for setting in SETTINGS:
        B, expected = full_rank(gram(X), **setting).numpy(), reference(exact, **setting)
        rows.append(
            {
                **{"emphasis": (1.0, 0.0), **setting},
                "largest error / largest weight": float(abs(B - expected).max() / abs(expected).max()),
                "error of the whole": float(np.linalg.norm(B - expected) / np.linalg.norm(expected)),
            }
        )
    report(rows, options.out, items=options.items)


if __name__ == "__main__":
    main()
