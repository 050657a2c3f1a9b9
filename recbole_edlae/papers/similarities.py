"""Steck 2020, Figure 1 centre and right: are similar items alike in U and V?

UVᵀ is the same for U A and V A⁻ᵀ with any invertible A, and cosines are not. They are taken in the balanced basis, in
which U and V share the singular values of UVᵀ equally, as weight decay would have them: in it they are unique.
"""

import numpy as np
import torch

from recbole_edlae.analysis.similarity import median_cosine
from recbole_edlae.solvers import full_rank, gram, low_rank

TITLE = "Embeddings of similar items (Steck 2020, Figure 1 centre and right)"
CLAIMS = (
    "With a free diagonal similar items have similar embeddings: cosines are close to 1, in U and in V.",
    "With a diagonal at zero they have not: cosines are close to 0.",
    "The constraint lowers the cosines, in U and in V.",
)
NAMES = {"zero_diagonal": "diagonal at zero", "free_diagonal": "diagonal free", "EDLAE": "EDLAE by ADMM"}
SIMILAR = 10  # an item and the nine that weigh most for it in the full-rank model, as in the author's notebook
BINS = np.linspace(-0.2, 1, 25)


def measure(lab):
    """Median cosine of all pairs among each item's most similar ones, in the factors of three low-rank models."""
    rank = min(lab.plan["rank"], lab.ranks[-1])
    settings = {row: lab.best(row, rank=rank) for row in NAMES}
    full = lab.best("full_rank")
    return lab.remember("similarities", _measure, rank, settings, full)


def _measure(lab, rank, settings, full):
    G = gram(lab.X)
    B = full_rank(G, dropout=full["dropout_prob"], l2=full["reg_weight"])
    similar = B.fill_diagonal_(torch.inf).topk(SIMILAR, dim=0).indices.T.numpy()
    medians, shares = {}, {}
    for row in NAMES:
        problem = {"dropout": settings[row].get("dropout_prob", 0.0), "l2": settings[row]["reg_weight"]}
        u, v, *_ = low_rank(G, rank, method="admm" if row == "EDLAE" else row, **problem)
        factors = {"U": u, "V": v, **dict(zip(("balanced U", "balanced V"), balanced(u, v)))}
        cosines = {name: median_cosine(each, similar) for name, each in factors.items()}
        medians[row] = {name: float(np.median(each)) for name, each in cosines.items()}
        shares[row] = {name: (np.histogram(each, BINS)[0] / len(each)).tolist() for name, each in cosines.items()}
    return {"rank": rank, "settings": settings, "medians": medians, "shares": shares}


def balanced(u, v):
    """The factors P S^½ and Q S^½ of the product UVᵀ = P S Qᵀ."""
    (p, r), (q, s) = torch.linalg.qr(u), torch.linalg.qr(v)
    left, values, right = torch.linalg.svd(r @ s.T)
    return p @ left * values.sqrt(), q @ right.T * values.sqrt()


def found(data):
    """For each claim whether it holds, and the numbers; close is within a tenth."""
    zero, free = ([data["medians"][row][f"balanced {side}"] for side in "UV"] for row in NAMES if row != "EDLAE")
    return [
        (min(free) >= 0.9, f"medians {free[0]:.2f} in U, {free[1]:.2f} in V"),
        (max(map(abs, zero)) <= 0.1, f"medians {zero[0]:.2f} in U, {zero[1]:.2f} in V"),
        (
            all(z < f for z, f in zip(zero, free)),
            f"lower by {free[0] - zero[0]:.2f} in U, {free[1] - zero[1]:.2f} in V",
        ),
    ]


def table(data):
    """Markdown."""
    columns = ("balanced U", "balanced V", "U", "V")
    lines = [f"| median cosine, rank {data['rank']} | " + " | ".join(columns) + " |", "|---|---|---|---|---|"]
    for row, name in NAMES.items():
        lines.append(f"| {name} | " + " | ".join(f"{data['medians'][row][column]:.3f}" for column in columns) + " |")
    return "\n".join([*lines, "", "Balanced: U and V share the singular values of UVᵀ. The others have VᵀV = I."])


def draw(data, figure):
    """Histograms, a panel a model."""
    panels = figure.subplots(1, len(NAMES), sharey=True)
    for panel, (row, name) in zip(panels, NAMES.items()):
        for side, style in (("U", "b-"), ("V", "r--")):
            panel.stairs(data["shares"][row][f"balanced {side}"], BINS, color=style[0], linestyle=style[1:], label=side)
        panel.set(title=name, xlabel="cosine")
    panels[0].set_ylabel("share of items")
    panels[0].legend(fontsize="small")
