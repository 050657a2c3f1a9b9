"""Steck 2020, Figure 1 center and right: are similar items alike in U and V?

UVᵀ is the same for U A and V A⁻ᵀ with any invertible A, and cosines are not. They are taken in the balanced basis, in
which U and V share the singular values of UVᵀ equally, as weight decay would have them: in it they are unique.
"""

from typing import Any

import numpy as np
import torch

from recbole_edlae.analysis.similarity import median_cosine
from recbole_edlae.papers.claims import Verdict
from recbole_edlae.papers.figure import Figure
from recbole_edlae.papers.study import Study
from recbole_edlae.solvers import full_rank, gram, low_rank

LABELS = {"zero_diagonal": "diagonal at zero", "free_diagonal": "diagonal free", "EDLAE": "EDLAE by ADMM"}
SIMILAR = 10  # an item and the nine that weigh most for it in the full-rank model, as in the author's notebook
BINS = np.linspace(-0.2, 1, 25)


class Similarities(Figure):
    """Cosines between the embeddings of similar items."""

    name = "similarities"
    title = "Embeddings of similar items (Steck 2020, Figure 1 center and right)"
    claims = (
        "With a free diagonal similar items have similar embeddings: cosines are close to 1 (at least 0.9), in U "
        "and in V.",
        "With a diagonal at zero they have not: cosines are close to 0 (at most 0.1).",
        "The constraint lowers the cosines, in U and in V.",
    )
    size = (9, 2.8)

    def measure(self, study: Study) -> dict[str, Any]:
        """Return the median cosine of all pairs among each item's most similar ones, in three low-rank models."""
        rank = min(study.plan["rank"], study.ranks[-1])
        settings = {row: study.best(row, rank=rank) for row in LABELS}
        full = study.best("full_rank")
        return study.remember("similarities", _measure, rank, settings, full)

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, decided on the numbers as they are shown."""
        zero = [round(data["medians"]["zero_diagonal"][f"balanced {side}"], 2) for side in "UV"]
        free = [round(data["medians"]["free_diagonal"][f"balanced {side}"], 2) for side in "UV"]
        return [
            Verdict(min(free) >= 0.9, f"medians {free[0]:.2f} in U, {free[1]:.2f} in V"),
            Verdict(max(map(abs, zero)) <= 0.1, f"medians {zero[0]:.2f} in U, {zero[1]:.2f} in V"),
            Verdict(
                all(z < f for z, f in zip(zero, free)),
                f"medians {zero[0]:.2f} against {free[0]:.2f} in U, {zero[1]:.2f} against {free[1]:.2f} in V",
            ),
        ]

    def table(self, data: dict[str, Any]) -> str:
        """Return a model a line."""
        columns = ("balanced U", "balanced V", "U", "V")
        lines = [f"| median cosine, rank {data['rank']} | " + " | ".join(columns) + " |", "|---|---|---|---|---|"]
        for row, name in LABELS.items():
            medians = data["medians"][row]
            lines.append(f"| {name} | " + " | ".join(f"{medians[column]:.3f}" for column in columns) + " |")
        return "\n".join([*lines, "", "Balanced: U and V share the singular values of UVᵀ. The others have VᵀV = I."])

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw histograms, a panel a model."""
        panels = figure.subplots(1, len(LABELS), sharey=True)
        for panel, (row, name) in zip(panels, LABELS.items()):
            for side, style in (("U", "b-"), ("V", "r--")):
                shares = data["shares"][row][f"balanced {side}"]
                panel.stairs(shares, BINS, color=style[0], linestyle=style[1:], label=side)
            panel.set(title=name, xlabel="cosine")
        panels[0].set_ylabel("share of items")
        panels[0].legend(fontsize="small")


def _measure(study: Study, rank: int, settings: dict[str, Any], full: dict[str, Any]) -> dict[str, Any]:
    """Return medians and histograms of the cosines in the factors of each model."""
    G = gram(study.X)
    B = full_rank(G, dropout=full["dropout_prob"], l2=full["reg_weight"])
    similar = B.fill_diagonal_(torch.inf).topk(SIMILAR, dim=0).indices.T.numpy()
    medians = {}
    shares = {}
    for row in LABELS:
        problem = {"dropout": settings[row].get("dropout_prob", 0.0), "l2": settings[row]["reg_weight"]}
        u, v, *_ = low_rank(G, rank, method="admm" if row == "EDLAE" else row, **problem)
        factors = {"U": u, "V": v, **dict(zip(("balanced U", "balanced V"), balanced(u, v)))}
        cosines = {name: median_cosine(factor.numpy(), similar) for name, factor in factors.items()}
        medians[row] = {name: float(np.median(values)) for name, values in cosines.items()}
        shares[row] = {name: (np.histogram(values, BINS)[0] / len(values)).tolist() for name, values in cosines.items()}
    return {"rank": rank, "settings": settings, "medians": medians, "shares": shares}


def balanced(u: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the factors P S^½ and Q S^½ of the product UVᵀ = P S Qᵀ.

    Args:
        u: U, of shape (n, k).
        v: V, of shape (n, k).

    Examples:
        >>> p, q = balanced(torch.tensor([[4.0]]), torch.tensor([[1.0]]))
        >>> abs(p.item()), abs(q.item())
        (2.0, 2.0)
    """
    p, r = torch.linalg.qr(u)
    q, s = torch.linalg.qr(v)
    left, values, right = torch.linalg.svd(r @ s.T)
    return p @ left * values.sqrt(), q @ right.T * values.sqrt()
