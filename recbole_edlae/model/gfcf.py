r"""
GFCF
################################################
Reference:
    Yifei Shen et al. "How Powerful is Graph Convolution for Recommendation?" in CIKM 2021.
"""

from recbole_edlae.model.graph import GraphFilterRecommender
from recbole_edlae.model.paper import Paper
from recbole_edlae.solvers import GraphFilter, graph_filter
from recbole_edlae.solvers.steps import LINEAR_FILTER


class GFCF(GraphFilterRecommender):
    r"""GF-CF filters a user's history on the item graph: one step to the neighbors of its items, and an ideal low-pass
    filter beside it. There is nothing to train.

    """

    degree_power = 0.5
    paper = Paper(
        title="How Powerful is Graph Convolution for Recommendation?",
        authors="Yifei Shen, Yongji Wu, Yao Zhang, Caihua Shan, Jun Zhang, Khaled B. Letaief and Dongsheng Li",
        venue="CIKM",
        year=2021,
        link="https://doi.org/10.1145/3459637.3482264",
    )
    search_space = """
        low_pass_weight choice [0.0,0.1,0.3,0.5]
        low_pass_rank choice [64,256]
    """

    def polynomial(self) -> GraphFilter:
        return graph_filter(self.interactions, LINEAR_FILTER)
