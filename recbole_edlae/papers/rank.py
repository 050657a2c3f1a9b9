"""Steck 2020, Figure 1 left, and the red curve of Steck & Garcia 2021: accuracy against rank."""

import math

from recbole_edlae.papers.protocol import ahead, lead, never_behind, signed

TITLE = "Accuracy against rank (Steck 2020, Figure 1 left; Steck & Garcia 2021's closed form)"
CLAIMS = (
    "With the diagonal left out of the objective (ADMM), low-rank EDLAE is at every rank at least as accurate as "
    "with a diagonal that is held at zero or left free.",
    "At a small rank a free diagonal is the better of these two.",
    "At a large rank a diagonal at zero is.",
    "The closed form of Algorithm 1 is at every rank at least as accurate as the iterations.",
)
CURVES = {
    "EDLAE": ("EDLAE by ADMM", "k-"),
    "closed_form": ("closed form (Algorithm 1)", "r--"),
    "zero_diagonal": ("diagonal at zero", "g-"),
    "free_diagonal": ("diagonal free", "b:"),
}


def measure(lab):
    """Tests every curve at every rank, with settings chosen on validation at the plan's ``rank``."""
    rank = min(lab.plan["rank"], lab.ranks[-1])
    settings = {row: lab.best(row, rank=rank) for row in CURVES if row != "closed_form"}
    settings["closed_form"], full = settings["EDLAE"], lab.best("full_rank")
    wanted = {(row, k): lab.cell(row, rank=k, **settings[row]) for row in CURVES for k in lab.ranks}
    tested = lab.test({**wanted, "full_rank": lab.cell("full_rank", **full)})

    def leads(first, second):
        return [lead(tested[first, k], tested[second, k]) for k in lab.ranks]

    return {
        "metric": lab.metric,
        "ranks": lab.ranks,
        "curves": {row: [[tested[row, k]["mean"], tested[row, k]["error"]] for k in lab.ranks] for row in CURVES},
        "full_rank": [tested["full_rank"]["mean"], tested["full_rank"]["error"]],
        "settings": {**settings, "full_rank": full},
        "leads": {
            "EDLAE over zero_diagonal": leads("EDLAE", "zero_diagonal"),
            "EDLAE over free_diagonal": leads("EDLAE", "free_diagonal"),
            "free_diagonal over zero_diagonal": leads("free_diagonal", "zero_diagonal"),
            "closed_form over EDLAE": leads("closed_form", "EDLAE"),
        },
    }


def found(data):
    """For each claim whether it holds, and the numbers."""
    ranks, leads = data["ranks"], data["leads"]
    over = [
        (what, k, each) for what in ("zero", "free") for k, each in zip(ranks, leads[f"EDLAE over {what}_diagonal"])
    ]
    closed = leads["closed_form over EDLAE"]
    small, large = (leads["free_diagonal over zero_diagonal"][place] for place in (0, -1))
    what, k, least = min(over, key=_standardised)
    worst = min(zip(ranks, closed), key=_standardised)
    return [
        (never_behind([each for *_, each in over]), f"least ahead over a {what} diagonal at rank {k}, {signed(least)}"),
        (ahead(small), f"free over zero {signed(small)} at rank {ranks[0]}"),
        (ahead([-large[0], large[1]]), f"free over zero {signed(large)} at rank {ranks[-1]}"),
        (never_behind(closed), f"least ahead at rank {worst[0]}, {signed(worst[1])}"),
    ]


def _standardised(lead):
    """The lead that stands last in a tuple, in its standard errors."""
    mean, deviation = lead[-1]
    return mean / deviation if deviation > 0 else mean * math.inf if mean else 0.0


def table(data):
    """Markdown."""
    lines = [
        f"| {data['metric']} | " + " | ".join(f"rank {k}" for k in data["ranks"]) + " |",
        "|---|" + "---|" * len(data["ranks"]),
    ]
    for row, (label, _) in CURVES.items():
        lines.append(f"| {label} | " + " | ".join(f"{mean:.4f}" for mean, _ in data["curves"][row]) + " |")
    full, deviation = data["full_rank"]
    chosen = "; ".join(
        f"{name} " + ", ".join(f"`{key}` {value:g}" for key, value in settings.items())
        for name, settings in data["settings"].items()
        if name != "closed_form"
    )
    return "\n".join([*lines, "", f"Full rank: {full:.4f} ± {deviation:.4f}. Chosen on validation: {chosen}."])


def draw(data, figure):
    """The curves, with a band of one standard error around the first."""
    axes = figure.subplots()
    for row, (label, style) in CURVES.items():
        axes.plot(data["ranks"], [mean for mean, _ in data["curves"][row]], style, label=label)
    low, high = zip(*((mean - error, mean + error) for mean, error in data["curves"]["EDLAE"]))
    axes.fill_between(data["ranks"], low, high, color="k", alpha=0.1)
    axes.axhline(data["full_rank"][0], color="grey", linewidth=0.8, label="EDLAE, full rank")
    axes.set(xscale="log", xlabel="rank", ylabel=data["metric"])
    axes.legend(fontsize="small")
