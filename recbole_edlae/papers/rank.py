"""Steck 2020, Figure 1 left, and the red curve of Steck & Garcia 2021: accuracy against rank."""

import math
from collections.abc import Sequence
from typing import Any

from recbole_edlae.papers.claims import Verdict, ahead, lead, never_behind, signed
from recbole_edlae.papers.figure import Figure, markdown_table
from recbole_edlae.papers.study import Study

CURVES = {
    "EDLAE": ("EDLAE by ADMM", "k-"),
    "closed_form": ("closed form (Algorithm 1)", "r--"),
    "zero_diagonal": ("diagonal at zero", "g-"),
    "free_diagonal": ("diagonal free", "b:"),
}


class Ranks(Figure):
    """Accuracy of low-rank models against their rank."""

    name = "rank"
    title = "Accuracy against rank (Steck 2020, Figure 1 left; Steck & Garcia 2021's closed form)"
    claims = (
        "At every rank low-rank EDLAE, its diagonal left out of the objective, is at least as accurate as with the "
        "diagonal at zero or free.",
        "At a small rank a free diagonal is the better of these two.",
        "At a large rank a diagonal at zero is.",
        "The closed form of Algorithm 1 is at every rank at least as accurate as the iterations.",
    )

    def measure(self, study: Study) -> dict[str, Any]:
        """Test every curve at every rank, with settings chosen on validation at the plan's ``rank``."""
        # The closed form solves the problem of ADMM, and takes its settings.
        ranks = study.ranks
        rank = min(study.plan["rank"], ranks[-1])
        settings = {row: study.best(row, rank=rank) for row in CURVES if row != "closed_form"}
        settings["closed_form"] = settings["EDLAE"]
        full = study.best("full_rank")

        # One test of everything: runs are on the same data and share the Gram matrix.
        runs = {(row, k): study.protocol.run(row, rank=k, **settings[row]) for row in CURVES for k in ranks}
        tested = study.test({**runs, "full_rank": study.protocol.run("full_rank", **full)})

        def leads(first: str, second: str) -> list[list[float]]:
            return [lead(tested[first, k], tested[second, k]) for k in ranks]

        return {
            "metric": study.metric,
            "ranks": ranks,
            "curves": {row: [[tested[row, k]["mean"], tested[row, k]["error"]] for k in ranks] for row in CURVES},
            "full_rank": [tested["full_rank"]["mean"], tested["full_rank"]["error"]],
            "settings": {**settings, "full_rank": full},
            "leads": {
                "EDLAE over zero_diagonal": leads("EDLAE", "zero_diagonal"),
                "EDLAE over free_diagonal": leads("EDLAE", "free_diagonal"),
                "free_diagonal over zero_diagonal": leads("free_diagonal", "zero_diagonal"),
                "closed_form over EDLAE": leads("closed_form", "EDLAE"),
            },
        }

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, and the numbers."""
        ranks = data["ranks"]
        leads = data["leads"]

        # The first claim has two comparisons at every rank; the page names the one that is nearest to failing.
        over_both = []
        for diagonal in ("zero", "free"):
            for k, difference in zip(ranks, leads[f"EDLAE over {diagonal}_diagonal"]):
                over_both.append((diagonal, k, difference))
        diagonal, k, least = min(over_both, key=lambda entry: _standardized(entry[-1]))
        closed = leads["closed_form over EDLAE"]
        small = leads["free_diagonal over zero_diagonal"][0]
        large = leads["free_diagonal over zero_diagonal"][-1]
        worst_rank, worst = min(zip(ranks, closed), key=lambda entry: _standardized(entry[-1]))
        return [
            never_behind(
                [difference for *_, difference in over_both],
                f"least ahead over a {diagonal} diagonal at rank {k}, {signed(least)}",
            ),
            Verdict(ahead(small), f"free over zero {signed(small)} at rank {ranks[0]}"),
            Verdict(ahead([-large[0], large[1]]), f"free over zero {signed(large)} at rank {ranks[-1]}"),
            never_behind(closed, f"least ahead at rank {worst_rank}, {signed(worst)}"),
        ]

    def table(self, data: dict[str, Any]) -> str:
        """Return a curve a line, a rank a column."""
        head = [data["metric"], *(f"rank {k}" for k in data["ranks"])]
        rows = []
        for row, (label, _) in CURVES.items():
            rows.append([label, *(f"{mean:.4f}" for mean, _ in data["curves"][row])])

        # The settings of the closed form are those of ADMM.
        chosen = []
        for name, settings in data["settings"].items():
            if name != "closed_form":
                chosen.append(f"{name} " + ", ".join(f"`{key}` {value:g}" for key, value in settings.items()))

        full, deviation = data["full_rank"]
        note = f"Full rank: {full:.4f} ± {deviation:.4f}. By validation: {'; '.join(chosen)}."
        return f"{markdown_table(head, rows)}\n\n{note}"

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw the curves, with a band of one standard error around the first."""
        # The ranks of a plan span two orders of magnitude, hence the logarithmic axis.
        axes = figure.subplots()
        for row, (label, style) in CURVES.items():
            axes.plot(data["ranks"], [mean for mean, _ in data["curves"][row]], style, label=label)

        # The other curves have errors of about the same size.
        low = [mean - error for mean, error in data["curves"]["EDLAE"]]
        high = [mean + error for mean, error in data["curves"]["EDLAE"]]
        axes.fill_between(data["ranks"], low, high, color="k", alpha=0.1)
        axes.axhline(data["full_rank"][0], color="grey", linewidth=0.8, label="EDLAE, full rank")
        axes.set(xscale="log", xlabel="rank", ylabel=data["metric"])
        axes.legend(fontsize="small")


def _standardized(difference: Sequence[float]) -> float:
    """Return a mean difference in its standard errors."""
    mean, deviation = difference
    if deviation > 0:
        return mean / deviation

    # Every user has the same difference; 0 times infinity would be NaN.
    return mean * math.inf if mean else 0.0
