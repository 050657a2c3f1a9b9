r"""
ChebyCF
################################################
Reference:
    Chanwoo Kim et al. "Graph Spectral Filtering with Chebyshev Interpolation for Recommendation" in SIGIR 2025.
"""

from recbole_edlae.model.graph import GraphFilterRecommender
from recbole_edlae.model.paper import Paper
from recbole_edlae.solvers import GraphFilter, graph_filter, plateau


class ChebyCF(GraphFilterRecommender):
    r"""ChebyCF filters a user's history on the item graph by a polynomial that is flat in the middle of the spectrum,
    with an ideal low-pass filter beside it and between two powers of the items' popularity. There is nothing to train.

    """

    paper = Paper(
        title="Graph Spectral Filtering with Chebyshev Interpolation for Recommendation",
        authors="Chanwoo Kim, Jinkyu Sung, Yebonn Han and Joonseok Lee",
        venue="SIGIR",
        year=2025,
        link="https://arxiv.org/abs/2505.00552",
    )
    search_space = """
        flatness choice [1.5,5.0,15.0]
        low_pass_weight choice [0.2]
        low_pass_rank choice [128,512]
        degree_power choice [0.0,0.2,0.4]
    """

    setting_names = (*GraphFilterRecommender.setting_names, "order", "flatness", "degree_power")
    order: int
    flatness: float

    def polynomial(self) -> GraphFilter:
        coefficients = plateau(self.order, self.flatness)
        return graph_filter(self.interactions, coefficients, degree_power=self.degree_power)
