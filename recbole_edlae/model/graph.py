r"""
Graph filters
################################################
What GF-CF and ChebyCF share: a polynomial of the item graph and an ideal low-pass filter beside it, without training.
"""

from collections.abc import Callable

import torch

from recbole_edlae.model.closed_form import in_words_of_settings
from recbole_edlae.model.filter_weights import Filter
from recbole_edlae.model.linear import LinearAutoEncoder
from recbole_edlae.model.local_weights import Local
from recbole_edlae.model.weights import Factors, Weights
from recbole_edlae.solvers import GraphFilter, ideal_filter, low_pass
from recbole_edlae.solvers.parameters import Progress


class GraphFilterRecommender(LinearAutoEncoder):
    r"""A user's scores are :math:`x^T F`, F a filter of the item graph: a polynomial, and ``low_pass_weight`` times an
    ideal low-pass filter. No items x items matrix is formed; the weights hold the interactions of training.

    A subclass gives :meth:`polynomial` and ``degree_power``.
    """

    setting_names: tuple[str, ...] = ("low_pass_weight", "low_pass_rank")
    low_pass_weight: float
    low_pass_rank: int
    degree_power: float  # the ideal low-pass filter's: V V^T between D_I^-power and D_I^power

    def rank_name(self) -> str | None:
        return None if self.low_pass_weight == 0 else "low_pass_rank"

    def polynomial(self) -> GraphFilter:
        r"""Return the polynomial of the item graph."""
        raise NotImplementedError

    def fit(
        self, progress: Progress | None = None, gram: Callable[..., torch.Tensor] | None = None
    ) -> None:
        r"""Normalize the graph, and find the directions of the low-pass filter.

        Args:
            progress (callable, optional): As in :meth:`LinearAutoEncoder.fit`; not called.
            gram (callable, optional): As in :meth:`LinearAutoEncoder.fit`; not called.

        Raises:
            MemoryError: There is not enough memory, which is found out before any is taken.
            ValueError: The users do not determine the low-pass filter, or a setting is out of range.
        """
        self.cut_rank()
        self._check_memory()
        weights: Weights = Filter.of(self.polynomial())
        if self.low_pass_weight != 0:
            weights = Local(weights, self._low_pass())
        self.weights = weights.on(self.dummy_param.device)

    def _check_memory(self) -> None:
        """Check the memory before any is taken, and log what the filter takes."""
        # A forecast is of a fit alone: a model that was read from a file loads none.
        from recbole_edlae.model.by_gram import check_beside_gram
        from recbole_edlae.solvers.memory import graph_filter_values, low_pass_values

        held = graph_filter_values(self.n_items, self.n_users, self.interactions.nnz)
        if self.low_pass_weight != 0:
            held += low_pass_values(self.n_items, self.low_pass_rank)
        ways_out = (
            "a lower low_pass_rank; fewer items or users, item_inter_num_interval='[10,inf)' or "
            "user_inter_num_interval='[10,inf)'"
        )
        takes = check_beside_gram("a graph filter", f"{self.n_items} items", 4 * held, ways_out)
        self.logger.info(f"{type(self).__name__}: {takes}")

    def _low_pass(self) -> Factors:
        """Return the ideal low-pass filter, with its weight."""
        with in_words_of_settings(rank="low_pass_rank", X="the interactions"):
            W = low_pass(self.interactions, self.low_pass_rank)

        # The models differ in the powers of popularity around V Vᵀ.
        left, right = ideal_filter(W, self.users_of_items(), degree_power=self.degree_power)
        return Factors(encoder=self.low_pass_weight * left, decoder=right)

    def item_embedding(self, side: str = "encoder") -> torch.Tensor:
        raise ValueError(f"{type(self).__name__} is a filter of the item graph and has no item embeddings")
