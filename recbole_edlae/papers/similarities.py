"""Steck 2020, Figure 1 center and right: are similar items alike in U and V?

For any invertible A, the factors U A and V A⁻ᵀ have the same product UVᵀ, but other cosines. So cosines are taken in
the balanced basis, where U and V share the singular values of UVᵀ equally, as under weight decay. There cosines are
unique.
"""

from typing import Any

import numpy as np
import torch

from recbole_edlae.analysis.similarity import median_cosine
from recbole_edlae.papers.claims import Verdict
from recbole_edlae.papers.figure import Figure, cells, markdown_table
from recbole_edlae.papers.study import Study
from recbole_edlae.solvers import full_rank, gram, low_rank

LABELS = {
    "zero_diagonal": "diagonal at zero",
    "free_diagonal": "diagonal free",
    "EDLAE": "EDLAE by ADMM",
}
# An item and the nine that weigh most for it in the full-rank model, as in the author's notebook.
SIMILAR = 10
BINS = np.linspace(-0.2, 1, 25)


class Similarities(Figure):
    """Cosines between the embeddings of similar items."""

    name = "similarities"
    title = "Embeddings of similar items (Steck 2020, Figure 1 center and right)"
    claims = (
        "With a free diagonal similar items have similar embeddings: "
        "cosines are close to 1 (at least 0.9), in U and in V.",
        "With a diagonal at zero they have not: cosines are close to 0 (at most 0.1).",
        "The constraint lowers the cosines, in U and in V.",
    )
    size = (9, 2.8)

    def measure(self, study: Study) -> dict[str, Any]:
        """Return the median cosine of all pairs among each item's most similar ones, in three low-rank models."""
        settings = study.best_of_each(LABELS)
        full = study.best("full_rank")
        return study.remember("similarities", _measure, study.rank, settings, full)

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        """Return for each claim whether it holds, decided on the numbers as they are shown."""
        zero_u, zero_v = _shown_medians(data, "zero_diagonal")
        free_u, free_v = _shown_medians(data, "free_diagonal")

        # Each claim is about both factors.
        is_close = min(free_u, free_v) >= 0.9
        is_orthogonal = max(abs(zero_u), abs(zero_v)) <= 0.1
        is_lower = zero_u < free_u and zero_v < free_v
        in_u = f"{zero_u:.2f} against {free_u:.2f} in U"
        in_v = f"{zero_v:.2f} against {free_v:.2f} in V"
        return [
            Verdict(is_close, f"medians {free_u:.2f} in U, {free_v:.2f} in V"),
            Verdict(is_orthogonal, f"medians {zero_u:.2f} in U, {zero_v:.2f} in V"),
            Verdict(is_lower, f"medians {in_u}, {in_v}"),
        ]

    def table(self, data: dict[str, Any]) -> str:
        """Return a model a line."""
        # The claims are about the balanced basis.
        columns = ("balanced U", "balanced V", "U", "V")
        rows = []
        for row, name in LABELS.items():
            medians = data["medians"][row]
            rows.append([name, *cells(map(medians.get, columns), ".3f")])

        head = [f"median cosine, rank {data['rank']}", *columns]
        note = "Balanced: U and V share the singular values of UVᵀ. The others have VᵀV = I."
        return f"{markdown_table(head, rows)}\n\n{note}"

    def draw(self, data: dict[str, Any], figure: Any) -> None:
        """Draw histograms, a panel a model."""
        panels = figure.subplots(1, len(LABELS), sharey=True)
        for panel, (row, name) in zip(panels, LABELS.items()):
            for side, style in (("U", "b-"), ("V", "r--")):
                shares = data["shares"][row][f"balanced {side}"]
                panel.stairs(shares, BINS, color=style[0], linestyle=style[1:], label=side)
            panel.set(title=name, xlabel="cosine")

        # The panels share their axis and legend.
        panels[0].set_ylabel("share of items")
        panels[0].legend(fontsize="small")


def _measure(study: Study, rank: int, settings: dict[str, Any], full: dict[str, Any]) -> dict[str, Any]:
    """Return medians and histograms of the cosines in the factors of each model."""
    # An infinite diagonal makes each item the first of its group.
    G = gram(study.X)
    B = full_rank(G, dropout=full["dropout_prob"], l2=full["reg_weight"])
    similar = B.fill_diagonal_(torch.inf).topk(SIMILAR, dim=0).indices.T.numpy()

    medians: dict[str, dict[str, float]] = {}
    shares: dict[str, dict[str, list[float]]] = {}
    for row in LABELS:
        # The constrained models are without dropout, and named after their solvers.
        dropout = settings[row].get("dropout_prob", 0.0)
        method = row
        if row == "EDLAE":
            method = "admm"
        l2 = settings[row]["reg_weight"]
        u, v, *_ = low_rank(G, rank, method=method, dropout=dropout, l2=l2)

        # Both bases are on the page, to show that cosines depend on the basis.
        balanced_u, balanced_v = balanced(u, v)
        factors = {"U": u, "V": v, "balanced U": balanced_u, "balanced V": balanced_v}
        medians[row] = {}
        shares[row] = {}
        for name, factor in factors.items():
            cosines = median_cosine(factor.numpy(), similar)
            counts, _ = np.histogram(cosines, BINS)
            medians[row][name] = float(np.median(cosines))
            shares[row][name] = (counts / len(cosines)).tolist()
    return {"rank": rank, "settings": settings, "medians": medians, "shares": shares}


def _shown_medians(data: dict[str, Any], row: str) -> tuple[float, float]:
    """Return the median cosines in both factors of a model, as the page shows them."""
    medians = data["medians"][row]
    return round(medians["balanced U"], 2), round(medians["balanced V"], 2)


def balanced(u: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the factors P S^½ and Q S^½ of the product UVᵀ = P S Qᵀ.

    Examples:
        >>> p, q = balanced(torch.tensor([[4.0]]), torch.tensor([[1.0]]))
        >>> abs(p.item()), abs(q.item())
        (2.0, 2.0)
    """
    # U = P₁ R and V = Q₁ S with orthonormal columns, so the singular values are those of the small matrix R Sᵀ.
    p, r = torch.linalg.qr(u)
    q, s = torch.linalg.qr(v)
    left, values, right = torch.linalg.svd(r @ s.T)
    return p @ left * values.sqrt(), q @ right.T * values.sqrt()
