"""How long do the scores of many users take, by the packed matrix and by other ways to the same sums?

    python benchmarks/scoring.py [--users 6675] [--items 20108] [--threads 1] [--against CHECKOUT] [--out scoring.json]

Processor seconds (medians), additions a second of them, and the largest error of a score against the sum in float64,
relative to the sum of magnitudes. Histories are those of synthetic users with the activity of MovieLens 20M; the matrix
is random. Each contender runs in a process of its own: this package's ``row_sums``, that of another checkout, torch's
``embedding_bag`` and SciPy's product on the dense matrix.
"""

import argparse
import pathlib
import time

import numpy as np
import torch
from common import SHAPES, measured, median, options_of, report, synthetic

PACKAGE = pathlib.Path(__file__).parents[1]


def histories(users, items):
    """CSR matrix of the synthetic users."""
    everyone, _, interactions = SHAPES["ml-20m"]
    return synthetic(users, items, interactions * users // everyone)


def matrix(items):
    """A random symmetric matrix, packed."""
    from recbole_edlae.solvers import SymmetricTiles

    M = SymmetricTiles.empty(items)
    M.values.normal_(generator=torch.Generator().manual_seed(0))
    M.mirror()
    return M


def contender(name, X, M):
    """A function of no arguments that returns the scores as a NumPy array."""
    items = torch.from_numpy(X.indices.astype(np.int64))
    count = torch.from_numpy(np.diff(X.indptr).astype(np.int64))
    if name == "row_sums":
        from recbole_edlae.solvers.scale.row_sums import row_sums

        return lambda: row_sums(M, items, count).numpy()
    dense = M.dense()
    if name == "embedding_bag":
        offsets = count.cumsum(0) - count
        return lambda: torch.nn.functional.embedding_bag(items, dense, offsets, mode="sum").numpy()
    return lambda: X @ dense.numpy()


def measure(name, users, items, threads, repeats):
    """Processor seconds of some calls, and the error of a few users' scores."""
    torch.set_num_threads(threads)
    X, M = histories(users, items), matrix(items)
    score = contender(name, X, M)
    seconds = []
    for turn in range(-1, repeats):
        start = time.process_time()
        scores = score()
        if turn >= 0:
            seconds.append(time.process_time() - start)
    some, dense = X[:20].astype(np.float64), M.dense().numpy().astype(np.float64)
    error = float((abs(scores[:20] - some @ dense) / np.maximum(some @ abs(dense), 1e-300)).max())
    return {"seconds": seconds, "additions": int(X.nnz) * items, "error": error}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=6675)
    parser.add_argument("--items", type=int, default=20_108)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = options_of(parser, measure)
    if options is None:
        return
    contenders = {"row_sums": ("row_sums", PACKAGE)}
    if options.against:
        contenders["row_sums, against"] = ("row_sums", options.against.resolve())
    contenders |= {"embedding_bag, dense": ("embedding_bag", PACKAGE), "SciPy, dense": ("scipy", PACKAGE)}
    rows = []
    for label, (name, checkout) in contenders.items():
        job = [name, options.users, options.items, options.threads, options.repeats]
        found = measured(__file__, job, checkout)
        seconds = median(found["seconds"])
        rows.append(
            {
                "contender": label,
                "seconds": seconds,
                "of ours": seconds / (rows[0]["seconds"] if rows else seconds),
                "additions/s": found["additions"] / seconds,
                "error": found["error"],
                "all seconds": found["seconds"],
            }
        )
    report(rows, options.out, users=options.users, items=options.items, threads=options.threads)


if __name__ == "__main__":
    main()
