"""Steck 2020, Table 1: five ways to train a linear autoencoder of a given rank."""

from typing import Any

from recbole_edlae.papers.claims import Verdict, ahead, lead, never_behind, signed, together
from recbole_edlae.papers.figure import Figure, markdown_table
from recbole_edlae.papers.study import Study

LABELS = {
    "weight_decay": "1: ‖X − XUVᵀ‖² + λ(‖U‖² + ‖V‖²)",
    "free_diagonal": "2: ‖X − XUVᵀ‖² + λ‖UVᵀ‖²",
    "DLAE": "3: denoising, in closed form",
    "sampled": "4: denoising, sampled masks",
    "EDLAE": "5: EDLAE",
}
# nDCG@100 at rank 1000 on the Million Song Dataset, as printed in the notebook that the paper's author published.
PUBLISHED = {"weight_decay": 0.248, "free_diagonal": 0.266, "DLAE": 0.315, "sampled": 0.309, "EDLAE": 0.319}


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
        rank = min(study.plan["rank"], study.ranks[-1])
        settings = {row: study.best(row, rank=rank) for row in LABELS}
        tested = study.test({row: study.protocol.run(row, rank=rank, **settings[row]) for row in LABELS})

        # The comparisons of the claims.
        pairs = [("free_diagonal", "weight_decay"), ("DLAE", "free_diagonal"), ("DLAE", "sampled")]
        pairs += [("EDLAE", row) for row in LABELS if row != "EDLAE"]
        return {
            "rank": rank,
            "metric": study.metric,
            "settings": settings,
            "metrics": {row: outcome["metrics"] for row, outcome in tested.items()},
            "errors": {row: outcome["error"] for row, outcome in tested.items()},
            "leads": {f"{first} over {second}": lead(tested[first], tested[second]) for first, second in pairs},
        }

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, and the numbers."""
        leads = data["leads"]
        product = leads["free_diagonal over weight_decay"]
        denoising = leads["DLAE over free_diagonal"]
        sampled = leads["DLAE over sampled"]

        # The last claim is about four comparisons at once, and so is its level.
        others = [row for row in LABELS if row != "EDLAE"]
        emphasis = []
        numbers = []
        for row in others:
            difference = leads[f"EDLAE over {row}"]
            emphasis.append(ahead(difference, len(others)))
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
            settings = ", ".join(f"`{key}` {value:g}" for key, value in data["settings"][row].items())
            values = [f"{data['metrics'][row][name]:.4f}" for name in names]
            rows.append([label, settings, *values, f"{PUBLISHED[row]:.3f}"])

        head = [f"rank {data['rank']}", "settings", *names, "MSD, rank 1000 (published)"]
        largest = max(data["errors"].values())
        note = f"Standard errors of {data['metric']} are up to {largest:.4f}."
        return f"{markdown_table(head, rows)}\n\n{note}"

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw the validation metric of each row, with two standard errors to both sides."""
        # The first row of the table is at the top.
        axes = figure.subplots()
        for position, row in enumerate(LABELS):
            error = 2 * data["errors"][row]
            axes.errorbar(data["metrics"][row][data["metric"]], -position, xerr=error, fmt="ko", capsize=3)
        axes.set_yticks([-position for position in range(len(LABELS))], list(LABELS.values()))
        axes.set_xlabel(data["metric"])


def _shown_metrics(data: dict[str, Any]) -> list[str]:
    """Return the metrics of the paper's table, as far as they were evaluated, and the validation metric."""
    # The paper's recall is that of Liang et al.
    evaluated = next(iter(data["metrics"].values()))
    recall = "liangrecall" if "liangrecall@20" in evaluated else "recall"
    return [name for name in (f"{recall}@20", f"{recall}@50", data["metric"]) if name in evaluated]
