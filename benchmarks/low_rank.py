"""What do the low-rank solvers cost: an iteration, the leading eigenvectors, and all of `eigen` and of `admm`?

    python benchmarks/low_rank.py [--items 6000] [--ranks 100 1000] [--repeats 3] [--exact] [--out low_rank.json]

For each rank, seconds (medians) of: the inverse that every method begins with; one iteration of admm, als and
zero_diagonal; the eigenvectors after the inverse; `eigen` and ten iterations of admm in all. ``--exact`` adds the
largest relative error of the eigenvalues against LAPACK's in double precision, up to 8,000 items.
"""

import argparse
import time
import warnings

import scipy.linalg
import torch
from common import matmul_rate, median, report, side_by_side, synthetic

from recbole_edlae.solvers import _spectral as spectral
from recbole_edlae.solvers import gram, inverse_gram, low_rank
from recbole_edlae.solvers._system import System

PROBLEM = {"dropout": 0.33, "l2": 500.0}


def iteration(G, rank, method, repeats):
    """Seconds of each iteration after the first."""
    times = []
    low_rank(
        G, rank, method=method, start="random", tol=0, max_iter=1 + repeats, generator=torch.Generator().manual_seed(0),
        progress=lambda done, total: times.append(time.perf_counter()), **PROBLEM,
    )  # fmt: skip
    return [later - earlier for earlier, later in zip(times[-repeats - 1 :], times[-repeats:])]


def eigenvalue_error(system, C, rank):
    """The largest relative error of the top eigenvalues, against those of the same matrix by LAPACK in float64."""
    mu = (1 / C.diagonal()).double()
    N = C.double().mul_(mu[:, None]).mul_(mu).add_(system.G)
    N.diagonal().add_(system.Lambda - 2 * mu)
    n = len(N)
    exact = scipy.linalg.eigh(
        N.numpy(), eigvals_only=True, subset_by_index=[n - rank, n - 1], overwrite_a=True
    )[::-1]
    _, V = spectral.truncate(system, C, mu.to(C), rank)
    found = (V.double() * _product(system, C, mu, V.double())).sum(0).sort(descending=True).values
    return float(abs(found.numpy() / exact - 1).max())


def _product(system, C, mu, V):
    x = mu[:, None] * V
    return system.G.double() @ V + mu[:, None] * (C.double() @ x) + (system.Lambda - 2 * mu)[:, None] * V


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=6000)
    parser.add_argument("--ranks", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--out", help="JSON file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    n = options.items
    G = gram(synthetic(10 * n, n, 730 * n))
    system, C = System(G, **PROBLEM), inverse_gram(G, **PROBLEM)[0]
    inversion = median(
        side_by_side({"inverse": lambda: inverse_gram(G, **PROBLEM)}, 1, warm=False)["inverse"]
    )
    rows = []
    for rank in options.ranks:
        whole = {
            "eigenvectors": lambda rank=rank: spectral.truncate(system, C, 1 / C.diagonal(), rank),
            "eigen": lambda rank=rank: low_rank(G, rank, method="eigen", **PROBLEM),
            "admm, 10": lambda rank=rank: low_rank(G, rank, method="admm", tol=0, max_iter=10, **PROBLEM),
        }
        seconds = {
            name: median(each) for name, each in side_by_side(whole, options.repeats, warm=False).items()
        }
        for method in ("admm", "als", "zero_diagonal"):
            seconds[f"1 of {method}"] = median(iteration(G, rank, method, 4))
        rows.append(
            {
                "rank": rank,
                "inverse": inversion,
                **seconds,
                "admm, 10 / eigen": seconds["admm, 10"] / seconds["eigen"],
                "eigenvalue error": eigenvalue_error(system, C, rank) if options.exact else None,
            }
        )
    report(rows, options.out, items=n, product_rate=matmul_rate(min(n, 6000)))


if __name__ == "__main__":
    main()
