"""Steck 2020, Table 1: five ways to train a linear autoencoder of a given rank."""

from recbole_edlae.papers.protocol import ahead, lead, signed, together

TITLE = "Five ways to train a linear autoencoder (Steck 2020, Table 1)"
CLAIMS = (
    "Row 2 over row 1: penalising the product of the factors is better than weight decay on each.",
    "Row 3 over row 2: denoising is better than the L2 penalty alone.",
    "Row 3 over row 4: the closed form over all dropout masks is no worse than sampling them.",
    "Row 5 over rows 1 to 4: emphasis on what was dropped is best.",
)
ROWS = {
    "weight_decay": "1: ‖X − XUVᵀ‖² + λ(‖U‖² + ‖V‖²)",
    "free_diagonal": "2: ‖X − XUVᵀ‖² + λ‖UVᵀ‖²",
    "DLAE": "3: denoising, in closed form",
    "sampled": "4: denoising, sampled masks",
    "EDLAE": "5: EDLAE",
}
# nDCG@100 at rank 1000 on the Million Song Dataset, as printed in the notebook that the paper's author published.
PUBLISHED = {"weight_decay": 0.248, "free_diagonal": 0.266, "DLAE": 0.315, "sampled": 0.309, "EDLAE": 0.319}


def measure(lab):
    """Tests every row with settings chosen on validation."""
    rank = min(lab.plan["rank"], lab.ranks[-1])
    settings = {row: lab.best(row, rank=rank) for row in ROWS}
    tested = lab.test({row: lab.cell(row, rank=rank, **settings[row]) for row in ROWS})
    pairs = [("free_diagonal", "weight_decay"), ("DLAE", "free_diagonal"), ("DLAE", "sampled")]
    pairs += [("EDLAE", row) for row in ROWS if row != "EDLAE"]
    return {
        "rank": rank,
        "metric": lab.metric,
        "settings": settings,
        "metrics": {row: each["metrics"] for row, each in tested.items()},
        "errors": {row: each["error"] for row, each in tested.items()},
        "leads": {f"{one} over {other}": lead(tested[one], tested[other]) for one, other in pairs},
    }


def found(data):
    """For each claim whether it holds, and the numbers."""
    leads = data["leads"]
    best = [name for name in leads if name.startswith("EDLAE over")]
    sampled = leads["DLAE over sampled"]
    return [
        (ahead(leads["free_diagonal over weight_decay"]), signed(leads["free_diagonal over weight_decay"])),
        (ahead(leads["DLAE over free_diagonal"]), signed(leads["DLAE over free_diagonal"])),
        (ahead(sampled) is not False, signed(sampled)),
        (
            together([ahead(leads[name], len(best)) for name in best]),
            ", ".join(f"{signed(leads[name])} over row {ROWS[name.partition(' over ')[2]][0]}" for name in best),
        ),
    ]


def table(data):
    """Markdown."""
    names = _names(data)
    lines = [
        f"| rank {data['rank']} | settings | " + " | ".join(names) + " | MSD, rank 1000 (published) |",
        "|---|---|" + "---|" * (len(names) + 1),
    ]
    for row, label in ROWS.items():
        settings = ", ".join(f"`{key}` {value:g}" for key, value in data["settings"][row].items())
        values = [f"{data['metrics'][row][name]:.4f}" for name in names]
        lines.append(f"| {label} | {settings} | " + " | ".join(values) + f" | {PUBLISHED[row]:.3f} |")
    largest = max(data["errors"].values())
    return "\n".join([*lines, "", f"Standard errors of {data['metric']} are up to {largest:.4f}."])


def draw(data, figure):
    """The validation metric of each row, with two standard errors to both sides."""
    axes = figure.subplots()
    for place, row in enumerate(ROWS):
        error = 2 * data["errors"][row]
        axes.errorbar(data["metrics"][row][data["metric"]], -place, xerr=error, fmt="ko", capsize=3)
    axes.set_yticks([-place for place in range(len(ROWS))], list(ROWS.values()))
    axes.set_xlabel(data["metric"])


def _names(data):
    """The metrics of the paper's table, as far as they were evaluated, and the validation metric."""
    there = next(iter(data["metrics"].values()))
    recall = "liangrecall" if "liangrecall@20" in there else "recall"
    return [name for name in (f"{recall}@20", f"{recall}@50", data["metric"]) if name in there]
