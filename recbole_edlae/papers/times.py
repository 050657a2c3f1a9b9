"""Steck & Garcia 2021, Table 1: how long the closed form takes beside the iterations."""

import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.papers.claims import Verdict
from recbole_edlae.papers.figure import Figure, markdown_table
from recbole_edlae.papers.study import Study
from recbole_edlae.solvers import ConvergenceWarning, gram, inverse_gram, low_rank

ITERATIONS = 10
PROBLEM = {"dropout": 0.33, "l2": 300.0}


class Times(Figure):
    """Training times of the closed form and of ADMM against the rank."""

    name = "times"
    title = "Training times of low-rank EDLAE (Steck & Garcia 2021, Table 1)"
    claims = (
        "The closed form takes a fraction (at most half) of the time of ten iterations of ADMM at a large rank.",
        "So it does at a small one.",
    )

    def measure(self, study: Study) -> dict[str, Any]:
        """Return seconds of both at every rank, from the same Gram matrix, and seconds of the inverse in both."""
        # Synthetic data are for sizes at which a run takes minutes, and need no repeats.
        plan = study.plan["times"]
        items = plan.get("items")
        repeats = plan.get("repeats", 1 if items else 3)
        ranks = [rank for rank in plan["ranks"] if rank <= (items or study.X.shape[1])]
        return study.remember("times", _measure, ranks, items, repeats, torch.get_num_threads())

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, decided on the numbers as they are shown."""
        # The largest rank, and then the smallest.
        verdicts = []
        for position in (-1, 0):
            ratio = round(data["admm"][position] / data["closed_form"][position], 1)
            numbers = f"ADMM takes {ratio} times as long at rank {data['ranks'][position]}"
            verdicts.append(Verdict(ratio >= 2, numbers))
        return verdicts

    def table(self, data: dict[str, Any]) -> str:
        """Return a measure a line, a rank a column."""
        n = data["items"]
        ranks = data["ranks"]
        ratios = [admm / closed for closed, admm in zip(data["closed_form"], data["admm"])]
        threads = "1 thread" if data["threads"] == 1 else f"{data['threads']} threads"

        # The counts show whether times follow the operations.
        head = [f"seconds, {n:,} items, {threads}", *(f"rank {k}" for k in ranks)]
        rows = [
            ["closed form", *(f"{seconds:.2f}" for seconds in data["closed_form"])],
            [f"ADMM, {ITERATIONS} iterations", *(f"{seconds:.2f}" for seconds in data["admm"])],
            ["ADMM / closed form", *(f"{ratio:.1f}" for ratio in ratios)],
            ["multiply-adds of an iteration, 2 n²k", *(f"{2 * n * n * k:.1e}" for k in ranks)],
            ["the same in the notebook of Steck 2020, n³ + 5 n²k", *(f"{n**3 + 5 * n * n * k:.1e}" for k in ranks)],
        ]
        return f"{markdown_table(head, rows)}\n\nThe inverse, which is in both: {data['inverse']:.2f} seconds."

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw both against the rank, with the inverse below them."""
        axes = figure.subplots()
        axes.plot(data["ranks"], data["admm"], "k-o", label=f"ADMM, {ITERATIONS} iterations")
        axes.plot(data["ranks"], data["closed_form"], "r--o", label="closed form")
        axes.axhline(data["inverse"], color="grey", linewidth=0.8, label="the inverse in both")
        axes.set(xscale="log", yscale="log", xlabel="rank", ylabel="seconds")
        axes.legend(fontsize="small")


def synthetic(items: int, users: int = 50_000, items_per_user: int = 40, seed: int = 0) -> sp.csr_matrix:
    """Return synthetic interactions with Zipf-like popularity, for times and not for accuracy.

    Args:
        items: number of columns.
        users: number of rows.
        items_per_user: number of draws for each user; repeated items count once.
        seed: seed of the random numbers.

    Examples:
        >>> synthetic(100, users=5, items_per_user=3).shape
        (5, 100)
    """
    # The shift keeps the first items from dominating.
    generator = np.random.default_rng(seed)
    popularity = 1 / np.arange(5, items + 5) ** 0.8
    columns = generator.choice(items, users * items_per_user, p=popularity / popularity.sum())
    rows = np.repeat(np.arange(users), items_per_user)

    # SciPy adds repeated entries up.
    X = sp.csr_matrix((np.ones(len(columns)), (rows, columns)), shape=(users, items))
    X.data[:] = 1
    return X


def _measure(study: Study, ranks: Sequence[int], items: int | None, repeats: int, threads: int) -> dict[str, Any]:
    """Return the median seconds of each solver at each rank."""
    # The Gram matrix is part of neither time.
    G = gram(synthetic(items) if items else study.X)

    def seconds(function: Callable, *arguments: Any, **settings: Any) -> float:
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            function(G, *arguments, **PROBLEM, **settings)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    # With a tolerance of 0 ADMM never converges, and takes all iterations.
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
