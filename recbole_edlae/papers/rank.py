"""Steck 2020, Figure 1 left, and the red curve of Steck & Garcia 2021: accuracy against rank."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recbole_edlae.papers.claims import Verdict, ahead, lead, never_behind, signed
from recbole_edlae.papers.figure import Figure, cells, markdown_table, settings_text
from recbole_edlae.papers.study import Study
from recbole_edlae.runs.run import Run

CURVES = {
    "EDLAE": ("EDLAE by ADMM", "k-"),
    "closed_form": ("closed form (Algorithm 1)", "r--"),
    "zero_diagonal": ("diagonal at zero", "g-"),
    "free_diagonal": ("diagonal free", "b:"),
}
COMPARED = (  # what the claims are about: the first of two curves over the second
    ("EDLAE", "zero_diagonal"),
    ("EDLAE", "free_diagonal"),
    ("free_diagonal", "zero_diagonal"),
    ("closed_form", "EDLAE"),
)


class Ranks(Figure):
    """Accuracy of low-rank models against their rank."""

    name = "rank"
    title = "Accuracy against rank (Steck 2020, Figure 1 left; Steck & Garcia 2021's closed form)"
    claims = (
        "At every rank low-rank EDLAE, its diagonal left out of the objective, "
        "is at least as accurate as with the diagonal at zero or free.",
        "At a small rank a free diagonal is the better of these two.",
        "At a large rank a diagonal at zero is.",
        "The closed form of Algorithm 1 is at every rank at least as accurate as the iterations.",
    )

    def measure(self, study: Study) -> dict[str, Any]:
        """Test every curve at every rank, with settings chosen on validation at the plan's ``rank``."""
        # The closed form solves the problem of ADMM, and takes its settings.
        settings = study.best_of_each(["EDLAE", "zero_diagonal", "free_diagonal"])
        settings["closed_form"] = settings["EDLAE"]
        full = study.best("full_rank")

        # One test of everything: runs are on the same data and share the Gram matrix.
        ranks = study.up_to_items(study.plan["ranks"])
        runs: dict[Any, Run] = {}
        for row in CURVES:
            for k in ranks:
                runs[row, k] = study.protocol.run(row, rank=k, **settings[row])
        runs["full_rank"] = study.protocol.run("full_rank", **full)
        tested = study.test(runs)

        # Means with their standard errors.
        curves: dict[str, list] = {}
        leads: dict[str, list] = {}
        for row in CURVES:
            curves[row] = []
            for k in ranks:
                outcome = tested[row, k]
                curves[row].append([outcome["mean"], outcome["error"]])

        # A lead at each rank, over the same users.
        for first, second in COMPARED:
            name = f"{first} over {second}"
            leads[name] = []
            for k in ranks:
                leads[name].append(lead(tested[first, k], tested[second, k]))

        return {
            "metric": study.metric,
            "ranks": ranks,
            "curves": curves,
            "full_rank": [tested["full_rank"]["mean"], tested["full_rank"]["error"]],
            "settings": {**settings, "full_rank": full},
            "leads": leads,
        }

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, and the numbers."""
        ranks = data["ranks"]
        leads = data["leads"]

        # The first claim has two comparisons at every rank.
        differences = []
        places = []
        for diagonal in ("zero", "free"):
            for k, difference in zip(ranks, leads[f"EDLAE over {diagonal}_diagonal"]):
                differences.append(difference)
                places.append(f"over a {diagonal} diagonal at rank {k}")
        over_both = never_behind(differences, _least_ahead(differences, places))

        # The second and the third are on the same curves, at both ends.
        difference = leads["free_diagonal over zero_diagonal"][0]
        numbers = f"free over zero {signed(difference)} at rank {ranks[0]}"
        at_small = Verdict(ahead(difference), numbers)
        difference = leads["free_diagonal over zero_diagonal"][-1]
        numbers = f"free over zero {signed(difference)} at rank {ranks[-1]}"
        mean, error = difference
        at_large = Verdict(ahead([-mean, error]), numbers)

        differences = leads["closed_form over EDLAE"]
        places = list(map("at rank {}".format, ranks))
        closed = never_behind(differences, _least_ahead(differences, places))
        return [over_both, at_small, at_large, closed]

    def table(self, data: dict[str, Any]) -> str:
        """Return a curve a line, a rank a column."""
        # The standard errors are in the picture.
        rows = []
        for row, (label, _) in CURVES.items():
            means, _ = np.transpose(data["curves"][row])
            rows.append([label, *cells(means)])
        head = [data["metric"], *map("rank {}".format, data["ranks"])]

        # The settings of the closed form are those of ADMM.
        chosen = []
        for name, settings in data["settings"].items():
            if name != "closed_form":
                chosen.append(f"{name} {settings_text(settings)}")

        full, error = data["full_rank"]
        note = f"Full rank: {full:.4f} ± {error:.4f}. By validation: {'; '.join(chosen)}."
        return f"{markdown_table(head, rows)}\n\n{note}"

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw the curves, with a band of one standard error around the first."""
        # The ranks of a plan span two orders of magnitude, hence the logarithmic axis.
        axes = figure.subplots()
        for row, (label, style) in CURVES.items():
            means, _ = np.transpose(data["curves"][row])
            axes.plot(data["ranks"], means, style, label=label)

        # The other curves have errors of about the same size.
        means, errors = np.transpose(data["curves"]["EDLAE"])
        axes.fill_between(data["ranks"], means - errors, means + errors, color="k", alpha=0.1)
        axes.axhline(data["full_rank"][0], color="grey", linewidth=0.8, label="EDLAE, full rank")
        axes.set(xscale="log", xlabel="rank", ylabel=data["metric"])
        axes.legend(fontsize="small")


def _least_ahead(differences: Sequence[Sequence[float]], places: Sequence[str]) -> str:
    """Return the difference that is nearest to failing a claim, with its place among the comparisons."""
    means, errors = np.transpose(differences)

    # Where every user has the same difference its error is 0, and 0 / 0 no number.
    with np.errstate(divide="ignore", invalid="ignore"):
        worst = int(np.nan_to_num(means / errors).argmin())
    return f"least ahead {places[worst]}, {signed(differences[worst])}"
