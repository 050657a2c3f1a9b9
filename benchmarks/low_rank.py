"""What does an iteration of the low-rank solvers cost against the inverse before it, and eigenvectors by which routine?

    python benchmarks/low_rank.py [items] [rank]            # 6,000 and 100 if not given

Prints seconds for the inverse, ten iterations of each iterative method and the top eigenvectors by ARPACK and by
LAPACK, on co-occurrences of synthetic users with Zipf-like popularity, in float64 and float32.
"""

import sys
import time
import warnings

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import gram, inverse_gram, low_rank, spectral
from recbole_edlae.solvers.system import System


def interactions(items, users=20_000, mean=25, groups=40, seed=0):
    generator = np.random.default_rng(seed)
    popularity = 1 / np.arange(5, items + 5) ** 0.8
    group = generator.integers(groups, size=items)
    rows, columns = [], []
    for user in range(users):
        taste = popularity * np.where(group == user % groups, 10, 1)
        chosen = generator.choice(items, size=1 + generator.poisson(mean), p=taste / taste.sum())
        columns.append(np.unique(chosen))
        rows.append(np.full(len(columns[-1]), user))
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    return sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(users, items))


def ten_iterations(G, rank, method):
    """Seconds from the end of the first iteration to that of the eleventh."""
    times = []
    low_rank(
        G, rank, dropout=0.33, l2=20, method=method, start="random", tol=0, max_iter=11,
        progress=lambda done, total: times.append(time.perf_counter()), generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    return times[-1] - times[-11]


def eigenvectors(G, C, rank, krylov):
    spectral._KRYLOV = 1 if krylov else len(G) + 1
    start = time.perf_counter()
    spectral.truncate(System(G, dropout=0.33, l2=20), C, 1 / C.diagonal(), rank)
    return time.perf_counter() - start


def main(items=6000, rank=100):
    warnings.simplefilter("ignore")
    X = interactions(items)
    for dtype in (torch.float64, torch.float32):
        G = gram(X, dtype=dtype)
        start = time.perf_counter()
        C, _ = inverse_gram(G, dropout=0.33, l2=20)
        print(f"{dtype}, {items} items, rank {rank}\n  inverse {time.perf_counter() - start:.2f}")
        for method in ("admm", "als", "zero_diagonal"):
            print(f"  ten iterations of {method} {ten_iterations(G, rank, method):.2f}")
        krylov, dense = eigenvectors(G, C, rank, True), eigenvectors(G, C, rank, False)
        print(f"  eigenvectors by ARPACK {krylov:.2f}, LAPACK {dense:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
