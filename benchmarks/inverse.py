"""How near to the machine's limit is the inverse, and what do the usual routines take?

    python benchmarks/inverse.py [--items 6000] [--repeats 3] [--ours-only] [--lapack] [--out inverse.json]

Seconds (medians, by turns), n³ operations a second against the rate of a float32 matrix product of order up to 6,000 in
the same run, peak memory beyond the matrix, each in a process of its own, and the error against the inverse in float64.
The matrix is G + diag Λ of synthetic users, dropout .33, l2 500. Up to 8,000 items the error is measured.
With --lapack the contenders are this package's tiles and LAPACK's potrf, trtri and lauum on the whole matrix in place,
as this package does it with a dense one, by the same OpenBLAS, and nothing else. From 29,000 items on the latter
ends the process where there is AVX-512.
"""

import argparse

import numpy as np
import torch
from common import Peak, fresh, matmul_rate, median, report, side_by_side, synthetic
from scipy.linalg import get_lapack_funcs

from recbole_edlae.solvers import SymmetricTiles, gram
from recbole_edlae.solvers._matrix import mirror
from recbole_edlae.solvers._system import System
from recbole_edlae.solvers.steps import inverse


def regularised_gram(items):
    G = gram(synthetic(7 * items, items, 500 * items))
    G.diagonal().add_(System(G, dropout=0.33, l2=500.0).Lambda)
    return G


def lapack(M):
    """LAPACK on the whole matrix, in place."""
    lower = M.numpy().T
    potrf, trtri, lauum = get_lapack_funcs(("potrf", "trtri", "lauum"), (lower,))
    potrf(lower, lower=True, clean=False, overwrite_a=True)
    trtri(lower, lower=True, overwrite_c=True)
    lauum(lower, lower=True, overwrite_c=True)
    mirror(M.numpy())
    return M


METHODS = {
    "this package, packed": lambda M: inverse(SymmetricTiles.of(M), overwrite=True).dense(),
    "torch Cholesky": lambda M: torch.cholesky_inverse(torch.linalg.cholesky(M)),
    "LAPACK on the whole matrix": lapack,
    "numpy.linalg.inv": lambda M: torch.from_numpy(np.linalg.inv(M.numpy())),
}


def peak(items, name):
    M = regularised_gram(items)
    METHODS[name](M[:600, :600].clone())
    with Peak() as peak:
        METHODS[name](M)
    return peak.above


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=6000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ours-only", action="store_true", help="leave out the other routines")
    parser.add_argument("--out", help="JSON file")
    parser.add_argument(
        "--lapack", action="store_true", help="this package and LAPACK on the whole matrix only"
    )
    options = parser.parse_args()
    methods = dict(METHODS)
    if options.ours_only or options.lapack:
        chosen = ["this package, packed", "LAPACK on the whole matrix"][: 1 if options.ours_only else 2]
        methods = {name: METHODS[name] for name in chosen}
    n, M = options.items, regularised_gram(options.items)
    work = torch.empty_like(M)
    seconds = side_by_side(
        {name: lambda method=method: method(work.copy_(M)) for name, method in methods.items()},
        options.repeats,
        False,
    )
    rate = matmul_rate(min(n, 6000))
    exact = torch.linalg.inv(M.double()) if n <= 8000 else None
    ours = median(next(iter(seconds.values())))
    rows = [
        {
            "method": name,
            "seconds": median(times),
            "of ours": median(times) / ours,
            "GFLOP/s": n**3 / median(times) / 1e9,
            "of the product's rate": n**3 / median(times) / rate,
            "peak / matrix": fresh(peak, n, name) / M.nbytes,
            "error": None if exact is None else _error(methods[name](work.copy_(M)), exact),
            "all seconds": times,
        }
        for name, times in seconds.items()
    ]
    report(rows, options.out, items=n, product_rate=rate)


def _error(C, exact):
    return ((C - exact).abs().max() / exact.abs().max()).item()


if __name__ == "__main__":
    main()
