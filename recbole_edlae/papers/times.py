"""Steck & Garcia 2021, Table 1: training times of the closed form and of the iterations."""

import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.papers.claims import Verdict
from recbole_edlae.papers.figure import Figure, cells, markdown_table
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
        plan = study.plan["times"]
        items = plan.get("items")
        if items:
            # Synthetic data are for sizes at which a run takes minutes, and need no repeats.
            repeats = plan.get("repeats", 1)
            ranks = [rank for rank in plan["ranks"] if rank <= items]
        else:
            repeats = plan.get("repeats", 3)
            ranks = study.up_to_items(plan["ranks"])
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
        # The number of threads is part of a time.
        n = data["items"]
        threads = f"{data['threads']} threads"
        if data["threads"] == 1:
            threads = "1 thread"
        head = [f"seconds, {n:,} items, {threads}", *map("rank {}".format, data["ranks"])]

        # The counts show whether times follow the operations.
        k = np.array(data["ranks"], dtype=float)
        operations = 2 * n**2 * k
        of_notebook = n**3 + 5 * n**2 * k
        closed_form = np.array(data["closed_form"])
        admm = np.array(data["admm"])
        rows = [
            ["closed form", *cells(closed_form, ".2f")],
            [f"ADMM, {ITERATIONS} iterations", *cells(admm, ".2f")],
            ["ADMM / closed form", *cells(admm / closed_form, ".1f")],
            ["multiply-adds of an iteration, 2 n²k", *cells(operations, ".1e")],
            ["the same in the notebook of Steck 2020, n³ + 5 n²k", *cells(of_notebook, ".1e")],
        ]
        note = f"The inverse, which is in both: {data['inverse']:.2f} seconds."
        return f"{markdown_table(head, rows)}\n\n{note}"

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

    Examples:
        >>> synthetic(100, users=5, items_per_user=3).shape
        (5, 100)
    """
    # The shift keeps the first items from dominating.
    generator = np.random.default_rng(seed)
    popularity = 1 / np.arange(5, items + 5) ** 0.8
    popularity /= popularity.sum()
    columns = generator.choice(items, users * items_per_user, p=popularity)
    rows = np.repeat(np.arange(users), items_per_user)

    # SciPy adds repeated entries up.
    X = sp.csr_matrix((np.ones(len(columns)), (rows, columns)), shape=(users, items))
    X.data[:] = 1
    return X


def _measure(
    study: Study, ranks: Sequence[int], items: int | None, repeats: int, threads: int
) -> dict[str, Any]:
    """Return the median seconds of each solver at each rank."""
    # The Gram matrix is part of neither time.
    X = synthetic(items) if items else study.X
    G = gram(X)

    def seconds(function: Callable, *arguments: Any, **settings: Any) -> float:
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            function(G, *arguments, **PROBLEM, **settings)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    # Both need the inverse.
    inverse = seconds(inverse_gram)
    closed_form = []
    for rank in ranks:
        closed_form.append(seconds(low_rank, rank, method="eigen"))

    # With a tolerance of 0 ADMM never converges, and takes all iterations.
    settings = {"start": "random", "tol": 0, "max_iter": ITERATIONS}
    admm = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for rank in ranks:
            admm.append(seconds(low_rank, rank, method="admm", **settings))
    return {
        "items": len(G),
        "threads": threads,
        "inverse": inverse,
        "ranks": ranks,
        "closed_form": closed_form,
        "admm": admm,
    }
