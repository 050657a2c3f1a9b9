"""Steck & Garcia 2021, Table 1: how long the closed form takes beside the iterations."""

import statistics
import time
import warnings

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import ConvergenceWarning, gram, inverse_gram, low_rank

TITLE = "Training times of low-rank EDLAE (Steck & Garcia 2021, Table 1)"
CLAIMS = (
    "The closed form takes a fraction of the time of ten iterations of ADMM at a large rank.",
    "So it does at a small one.",
)
ITERATIONS = 10
PROBLEM = {"dropout": 0.33, "l2": 300.0}


def measure(lab):
    """Seconds of both at every rank, from the same Gram matrix; of the inverse, which both need, apart."""
    plan = lab.plan["times"]
    items = plan.get("items")
    repeats = plan.get("repeats", 1 if items else 3)  # made-up data are for sizes at which a run takes minutes
    ranks = [rank for rank in plan["ranks"] if rank <= (items or lab.X.shape[1])]
    return lab.remember("times", _measure, ranks, items, repeats, torch.get_num_threads())


def synthetic(items, users=50_000, each=40, seed=0):
    """Interactions of a given number of items, with Zipf-like popularity: for times, not for accuracy."""
    generator = np.random.default_rng(seed)
    popularity = 1 / np.arange(5, items + 5) ** 0.8
    columns = generator.choice(items, users * each, p=popularity / popularity.sum())
    X = sp.csr_matrix((np.ones(len(columns)), (np.repeat(np.arange(users), each), columns)), shape=(users, items))
    X.data[:] = 1
    return X


def _measure(lab, ranks, items, repeats, threads):
    G = gram(synthetic(items) if items else lab.X)

    def seconds(function, *arguments, **settings):
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            function(G, *arguments, **PROBLEM, **settings)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    admm = {"method": "admm", "start": "random", "tol": 0, "max_iter": ITERATIONS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {
            "items": len(G),
            "threads": threads,
            "inverse": seconds(inverse_gram),
            "ranks": ranks,
            "closed_form": [seconds(low_rank, rank, method="eigen") for rank in ranks],
            "admm": [seconds(low_rank, rank, **admm) for rank in ranks],
        }


def found(data):
    """For each claim whether it holds, and the numbers; a fraction is at most a half."""
    ratios = [admm / closed for admm, closed in zip(data["admm"], data["closed_form"])]
    said = [f"ADMM takes {ratio:.1f} times as long at rank {rank}" for rank, ratio in zip(data["ranks"], ratios)]
    return [(ratios[-1] >= 2, said[-1]), (ratios[0] >= 2, said[0])]


def table(data):
    """Markdown."""
    n, ranks, closed, iterated = data["items"], data["ranks"], data["closed_form"], data["admm"]
    rows = {
        "closed form": [f"{each:.2f}" for each in closed],
        f"ADMM, {ITERATIONS} iterations": [f"{each:.2f}" for each in iterated],
        "ADMM / closed form": [f"{after / before:.1f}" for before, after in zip(closed, iterated)],
        "multiply-adds of an iteration, 2 n²k": [f"{2 * n * n * k:.1e}" for k in ranks],
        "the same in the notebook of Steck 2020, n³ + 5 n²k": [f"{n**3 + 5 * n * n * k:.1e}" for k in ranks],
    }
    threads = f"{data['threads']} thread{'s' if data['threads'] > 1 else ''}"
    lines = [f"| seconds, {n:,} items, {threads} | " + " | ".join(f"rank {rank}" for rank in ranks) + " |"]
    lines.append("|---|" + "---|" * len(ranks))
    lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows.items()]
    return "\n".join([*lines, "", f"The inverse, which is in both: {data['inverse']:.2f} seconds."])


def draw(data, figure):
    """Both against the rank, with the inverse below them."""
    axes = figure.subplots()
    axes.plot(data["ranks"], data["admm"], "k-o", label=f"ADMM, {ITERATIONS} iterations")
    axes.plot(data["ranks"], data["closed_form"], "r--o", label="closed form")
    axes.axhline(data["inverse"], color="grey", linewidth=0.8, label="the inverse in both")
    axes.set(xscale="log", yscale="log", xlabel="rank", ylabel="seconds")
    axes.legend(fontsize="small")
