"""How do fit, scoring and memory grow with the items and the users?

    python benchmarks/growth.py [--items 1000 3000 10000 20000 40000] [--users 10000 100000 1000000]
                                [--ease-items 20000] [--out growth.json] [--figure growth.svg]

EDLAE beside RecBole's EASE, which is left out above ``--ease-items``. First the items grow, for the middle number of
users, then the users, for the middle number of items; each user has 40 items on average. Every model is in a process of
its own. Columns: seconds of the fit, scored users a second (5,000 users in one batch), additions of weights a second,
and peak memory beyond the interactions.

The figure has two limits of the machine, measured in the same run: n³ operations at the rate of a float32 matrix
product, and the additions a second if every weight came from memory.
"""

import argparse
import time

import numpy as np
import torch
from common import Peak, fresh, matmul_rate, report, synthetic

PER_USER = 40
SCORED = 5000


def measure(name, users, items):
    """What the docstring's columns say of one model, in this process."""
    from models import fitted

    X = synthetic(users, items, PER_USER * users)
    fitted(name, X[:2000].tocsr(), reg_weight=500.0)  # what is compiled or loaded the first time
    with Peak() as peak:
        start = time.perf_counter()
        model = fitted(name, X, reg_weight=500.0)
        fit = time.perf_counter() - start
        some = X[: min(SCORED, users)]
        score = scorer(name, model, some)
        score()
        start = time.perf_counter()
        score()
        seconds = time.perf_counter() - start
    return {
        "fit s": fit,
        "users/s": some.shape[0] / seconds,
        "additions/s": some.nnz * items / seconds,
        "peak MiB": peak.above / 2**20,
    }


def scorer(name, model, X):
    """A function of no arguments that scores all items for some users, as the model does."""
    if name == "EASE":
        return lambda: X @ model.item_similarity
    items = torch.from_numpy(X.indices.astype(np.int64))
    count = torch.from_numpy(np.diff(X.indptr).astype(np.int64))
    return lambda: model.score(items, count)


def bandwidth():
    """Bytes a second that this machine reads from memory."""
    numbers = torch.rand(2**27)
    numbers.sum()
    start = time.perf_counter()
    numbers.sum()
    return numbers.nbytes / (time.perf_counter() - start)


def draw(rows, product_rate, read_rate, path):
    """Write the figure."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    titles = {
        "fit s": "fit, seconds",
        "additions/s": "additions of weights a second",
        "peak MiB": "peak memory, MiB",
    }
    figure, axes = pyplot.subplots(2, len(titles), figsize=(12, 7), layout="constrained")
    for line, grows in zip(axes, ("items", "users")):
        shown = [row for row in rows if row["grows"] == grows]
        x = np.array(sorted({row[grows] for row in shown}), dtype=float)
        limits = {"additions/s": (np.full(len(x), read_rate / 4), "if read from memory")}
        if grows == "items":
            limits["fit s"] = x**3 / product_rate, "n³ operations"
            limits["peak MiB"] = 4 * x**2 / 2**20, "4 n² bytes"
        for axis, (column, title) in zip(line, titles.items()):
            for name in dict.fromkeys(row["model"] for row in shown):
                points = [(row[grows], row[column]) for row in shown if row["model"] == name]
                axis.plot(*zip(*points), marker="o", label=name)
            if column in limits:
                limit, label = limits[column]
                axis.plot(x, limit, color="gray", linestyle=":", label=label)
            axis.set(xscale="log", yscale="log", xlabel=grows, title=title)
            axis.legend()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=[1000, 3000, 10_000, 20_000, 40_000])
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--ease-items", type=int, default=20_000)
    parser.add_argument("--out", help="JSON file")
    parser.add_argument("--figure", help="SVG or PNG file")
    options = parser.parse_args()
    middle_users = options.users[len(options.users) // 2]
    middle_items = options.items[len(options.items) // 2]
    shapes = [("items", middle_users, items) for items in options.items]
    shapes += [("users", users, middle_items) for users in options.users]
    rows = []
    for grows, users, items in shapes:
        for name in ["EDLAE", "EASE"][: 1 + (items <= options.ease_items)]:
            found = fresh(measure, name, users, items)
            rows.append({"grows": grows, "users": users, "items": items, "model": name, **found})
            print(rows[-1], flush=True)
    limits = {"product_rate": matmul_rate(min(6000, max(options.items))), "read_rate": bandwidth()}
    report(rows, options.out, question="growth", **limits)
    print(
        f"limits: {limits['product_rate']:.3g} operations/s, {limits['read_rate'] / 4:.3g} numbers read/s"
    )
    if options.figure:
        draw(rows, limits["product_rate"], limits["read_rate"], options.figure)


if __name__ == "__main__":
    main()
