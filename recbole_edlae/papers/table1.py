"""Steck 2020, Table 1: five ways to train a linear autoencoder of a given rank."""

from typing import Any

import numpy as np

from recbole_edlae.papers.claims import Verdict, ahead, lead, never_behind, signed, together
from recbole_edlae.papers.figure import Figure, cells, markdown_table, settings_text
from recbole_edlae.papers.study import Study

LABELS = {
    "weight_decay": "1: ‖X − XUVᵀ‖² + λ(‖U‖² + ‖V‖²)",
    "free_diagonal": "2: ‖X − XUVᵀ‖² + λ‖UVᵀ‖²",
    "DLAE": "3: denoising, in closed form",
    "sampled": "4: denoising, sampled masks",
    "EDLAE": "5: EDLAE",
}
OTHERS = ("weight_decay", "free_diagonal", "DLAE", "sampled")
COMPARED = (  # what the claims are about: the first of two rows over the second
    ("free_diagonal", "weight_decay"),
    ("DLAE", "free_diagonal"),
    ("DLAE", "sampled"),
    *zip(["EDLAE"] * len(OTHERS), OTHERS),
)
# nDCG@100 at rank 1000 on the Million Song Dataset, as printed in the notebook that the paper's author published.
PUBLISHED = {
    "weight_decay": 0.248,
    "free_diagonal": 0.266,
    "DLAE": 0.315,
    "sampled": 0.309,
    "EDLAE": 0.319,
}


class Table1(Figure):
    """Accuracy of five training objectives at one rank."""

    name = "table1"
    title = "Five ways to train a linear autoencoder (Steck 2020, Table 1)"
    claims = (
        "Row 2 over row 1: penalizing the product of the factors is better than weight decay on each.",
        "Row 3 over row 2: denoising is better than the L2 penalty alone.",
        "Row 3 over row 4: the closed form over all dropout masks is no worse than sampling them.",
        "Row 5 over rows 1 to 4: emphasis on what was dropped is best.",
    )

    def measure(self, study: Study) -> dict[str, Any]:
        """Test every row with settings chosen on validation."""
        settings = study.best_of_each(LABELS)
        runs = {}
        for row in LABELS:
            runs[row] = study.protocol.run(row, rank=study.rank, **settings[row])
        tested = study.test(runs)

        metrics = {}
        errors = {}
        for row, outcome in tested.items():
            metrics[row] = outcome["metrics"]
            errors[row] = outcome["error"]

        # Values of users are too many for the page, so their comparisons are kept.
        leads = {}
        for first, second in COMPARED:
            leads[f"{first} over {second}"] = lead(tested[first], tested[second])
        return {
            "rank": study.rank,
            "metric": study.metric,
            "settings": settings,
            "metrics": metrics,
            "errors": errors,
            "leads": leads,
        }

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, and the numbers."""
        leads = data["leads"]
        product = leads["free_diagonal over weight_decay"]
        denoising = leads["DLAE over free_diagonal"]
        sampled = leads["DLAE over sampled"]

        # The last claim is about four comparisons at once, and so is its level.
        emphasis = []
        numbers = []
        for row in OTHERS:
            difference = leads[f"EDLAE over {row}"]
            emphasis.append(ahead(difference, len(OTHERS)))
            numbers.append(f"{signed(difference)} over row {LABELS[row][0]}")

        return [
            Verdict(ahead(product), signed(product)),
            Verdict(ahead(denoising), signed(denoising)),
            never_behind([sampled], signed(sampled)),
            Verdict(together(emphasis), ", ".join(numbers)),
        ]

    def table(self, data: dict[str, Any]) -> str:
        """Return a row of the paper's table a line."""
        names = _shown_metrics(data)
        rows = []
        for row, label in LABELS.items():
            settings = settings_text(data["settings"][row])
            metrics = data["metrics"][row]
            published = f"{PUBLISHED[row]:.3f}"
            rows.append([label, settings, *cells(map(metrics.get, names)), published])

        # The last column is of other data: only the order of its rows is comparable.
        head = [f"rank {data['rank']}", "settings", *names, "MSD, rank 1000 (published)"]
        largest = max(data["errors"].values())
        note = f"Standard errors of {data['metric']} are up to {largest:.4f}."
        return f"{markdown_table(head, rows)}\n\n{note}"

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw the validation metric of each row, with two standard errors to both sides."""
        # The first row of the table is at the top.
        axes = figure.subplots()
        metric = data["metric"]
        positions = -np.arange(len(LABELS))
        for position, row in zip(positions, LABELS):
            value = data["metrics"][row][metric]
            axes.errorbar(value, position, xerr=2 * data["errors"][row], fmt="ko", capsize=3)
        axes.set_yticks(positions, list(LABELS.values()))
        axes.set_xlabel(metric)


def _shown_metrics(data: dict[str, Any]) -> list[str]:
    """Return the metrics of the paper's table, as far as they were evaluated, and the validation metric."""
    # The paper's recall is that of Liang et al.
    evaluated = data["metrics"]["EDLAE"]
    recall = "recall"
    if "liangrecall@20" in evaluated:
        recall = "liangrecall"

    names = (f"{recall}@20", f"{recall}@50", data["metric"])
    return [name for name in names if name in evaluated]
