r"""
Closed form of LowRankEDLAE
################################################
How its settings become a call of a solver. Knows nothing of RecBole.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from recbole_edlae.model.closed_form import ClosedForm, Progress
from recbole_edlae.solvers import LowRank, low_rank, stationarity
from recbole_edlae.solvers.checks import check_count
from recbole_edlae.solvers.memory import low_rank_values
from recbole_edlae.solvers.types import Symmetric


class LowRankEDLAEForm(ClosedForm):
    r"""The closed form of LowRankEDLAE: two factors, by one of four solvers."""

    rank: int
    solver: str
    tol: float
    max_iter: int

    def check_settings(self) -> None:
        check_count("rank", self.rank)

    def solution(
        self, user_weight: np.ndarray, given: Callable[..., torch.Tensor] | None, progress: Progress | None
    ) -> torch.Tensor | Any:
        self.cut_rank("rank")
        return super().solution(user_weight, given, progress)

    def values_held(self, matrix: int, device: str) -> int:
        return low_rank_values(self.n_items, self.rank, self.solver, matrix, device)

    def solve(self, G: Symmetric, progress: Progress | None) -> LowRank:
        iteration = {} if self.solver == "eigen" else {"tol": self.tol, "max_iter": self.max_iter}
        problem = {"dropout": self.dropout_prob, "l2": self.reg_weight}
        weights = low_rank(G, self.rank, method=self.solver, progress=progress, **iteration, **problem)
        self.logger.info(
            f"{self.solver}: {len(weights.history)} iterations, "
            f"stationarity {stationarity(G, weights.u, weights.v, **problem):.1e}"
        )
        return weights
