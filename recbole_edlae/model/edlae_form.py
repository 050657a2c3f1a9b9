r"""
From settings of EDLAE to its solver
################################################
``solvers.full_rank`` checks the arguments and calls the formula, ``solvers._full_rank.solve``. Knows nothing of
RecBole.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from recbole_edlae.model.closed_form import ClosedForm, in_words_of_settings
from recbole_edlae.solvers.parameters import Progress


class EDLAEForm(ClosedForm):
    r"""The closed form of EDLAE: exact, with ``neighbors``, or beside a low-pass filter."""

    takes_inverse = True
    setting_names = (
        *ClosedForm.setting_names,
        "based_on",
        "emphasis",
        "diagonal_bound",
        "neighbors",
        "dropout_penalty",
        "zero_diagonal",
        "low_pass_weight",
        "low_pass_rank",
    )
    emphasis: tuple[float, float]
    diagonal_bound: float | None
    neighbors: Any  # int or None
    low_pass_weight: float
    low_pass_rank: int

    def check_settings(self) -> None:
        self.check_of_items("neighbors", "low_pass_weight")
        super().check_settings()
        if self.low_pass_weight != 0 and self.neighbors is not None:
            raise ValueError(
                f"low_pass_weight {self.low_pass_weight!r} adds weights for all items: neighbors must be None, got "
                f"{self.neighbors!r}"
            )

    def rank_name(self) -> str | None:
        return None if self.low_pass_weight == 0 else "low_pass_rank"

    def solution(
        self, user_weight: np.ndarray, given: Callable[..., torch.Tensor] | None, progress: Progress | None
    ) -> Any:
        if self.neighbors is None:
            return super().solution(user_weight, given, progress)

        return self._by_neighbors(user_weight, progress)

    def _by_neighbors(self, user_weight: np.ndarray, progress: Progress | None) -> Any:
        """Return weights of a few items for every item, without a Gram matrix."""
        from recbole_edlae.model.by_gram import check_beside_gram
        from recbole_edlae.solvers import neighbors

        # Called before the pairs of items take their memory.
        def announce(size: int) -> None:
            ways_out = (
                "fewer neighbors, at 24 bytes each for every item; fewer items or shorter histories, "
                "item_inter_num_interval='[10,inf)' or user_inter_num_interval='[0,1000]', as every two items of a "
                "user take 8 bytes"
            )
            what = f"{self.n_items} items with {self.neighbors} neighbors"
            takes = check_beside_gram("a fit", what, size, ways_out)
            self.logger.info(f"{type(self).__name__}: {takes}")

        return neighbors(
            self.interactions,
            self.neighbors,
            user_weight,
            device=self.fit_device,
            announce=announce,
            progress=progress,
            **self.problem(),
        )

    def problem(self) -> dict[str, Any]:
        r"""Return the arguments that every solver of this model takes."""
        return {
            "dropout": self.dropout_prob,
            "l2": self.reg_weight,
            "emphasis": self.emphasis,
            "diagonal_bound": self.diagonal_bound,
            "item_count": self.item_count,
        }

    def peak_values(self, matrix: int, device: str) -> int:
        held = super().peak_values(matrix, device)
        if self.low_pass_weight == 0:
            return held
        from recbole_edlae.solvers.memory import low_pass_values

        return held + low_pass_values(self.n_items, self.low_pass_rank)

    def solve(self, G: Any, progress: Progress | None) -> Any:
        from recbole_edlae.solvers import full_rank

        if self.low_pass_weight != 0:
            return self._beside_low_pass(G, progress)
        return full_rank(G, overwrite=True, progress=progress, **self.problem())

    def _beside_low_pass(self, G: Any, progress: Progress | None) -> Any:
        """Return the weights of what a low-pass filter leaves, and the filter."""
        from recbole_edlae.solvers import LowPass, local_regression, low_pass

        with in_words_of_settings(rank="low_pass_rank", X="the interactions"):
            W = low_pass(self.interactions, self.low_pass_rank, dtype=G.dtype)

        # The filter is made by the CPU, from the interactions.
        W = LowPass(W.left.to(G.device), W.right.to(G.device))
        return local_regression(
            G, W, low_pass_weight=self.low_pass_weight, overwrite=True, progress=progress, **self.problem()
        )
