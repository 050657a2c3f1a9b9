r"""
Filter weights
################################################
A filter of the item graph, as weights.
"""

import scipy.sparse as sp
import torch

from recbole_edlae.model.weights import Weights
from recbole_edlae.solvers import GraphFilter
from recbole_edlae.solvers.steps import filter_of_parts


class Filter(Weights):
    r"""``solvers.GraphFilter``: a polynomial of the normalized item graph, by products of sparse matrices.

    The interactions of training are part of it.
    """

    names = ("graph.indptr", "graph.items", "graph.values", "graph.coefficients", "graph.scale")
    single_precision = names[3:]
    solution = GraphFilter
    indptr: torch.Tensor
    items: torch.Tensor
    values: torch.Tensor
    coefficients: torch.Tensor
    scale: torch.Tensor

    def __init__(self, **tensors: torch.Tensor) -> None:
        super().__init__(**tensors)
        self.graph = self._built()

    @classmethod
    def of(cls, graph: GraphFilter) -> "Filter":
        r"""Keep what a solver returned."""
        matrix = graph.normalized
        indices = matrix.crow_indices(), matrix.col_indices()
        tensors = *indices, matrix.values(), graph.coefficients, graph.scale
        return cls(**dict(zip(cls.names, tensors)))

    def tensors(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor, with an ``encoder`` of no columns, which every checkpoint has."""
        return {"encoder": self.scale.new_zeros(len(self.scale), 0)} | super().tensors()

    def on(self, device: torch.device) -> Weights:
        r"""Return these weights on a device, where the matrices of the graph are made again."""
        self.to(device)

        # The graph's matrices are no buffers, and do not follow.
        if self.graph.scale.device != self.scale.device:
            self.graph = self._built()
        return self

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        return self.graph.scores(items, count)

    def users(self) -> int:
        r"""Return how many users have interactions in the graph."""
        return int((self.indptr.diff() > 0).sum())

    def _built(self) -> GraphFilter:
        """Return the filter of these tensors, which it shares but for the graph."""
        values = self.values.cpu().numpy()
        items = self.items.cpu().numpy()
        indptr = self.indptr.cpu().numpy()
        shape = len(self.indptr) - 1, len(self.scale)
        normalized = sp.csr_matrix((values, items, indptr), shape=shape)
        return filter_of_parts(normalized, self.coefficients, self.scale)
