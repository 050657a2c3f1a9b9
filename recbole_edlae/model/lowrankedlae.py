r"""
LowRankEDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
    Harald Steck and Dario Garcia Garcia. "On the Regularization of Autoencoders" in 2021.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_edlae.model.linear import LinearAutoEncoder, Progress
from recbole_edlae.model.paper import STECK_2020
from recbole_edlae.solvers import LowRank, low_rank, stationarity
from recbole_edlae.solvers.checks import check_count
from recbole_edlae.solvers.memory import low_rank_values as low_rank_size
from recbole_edlae.solvers.types import Symmetric


class LowRankEDLAE(LinearAutoEncoder):
    r"""LowRankEDLAE is EDLAE with item weights :math:`U V^T` of a given rank: the scores of a user with history x are
    :math:`x^T U V^T`, as in the paper with the diagonal that training left out of the objective. The rows of U and V
    are item embeddings.

    """

    paper = STECK_2020
    search_space = """
        rank choice [200,400,800]
        solver choice ["eigen","admm"]
        reg_weight choice [300.0,500.0]
        user_weight_power choice [0.5]
    """

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        self.rank = config["rank"]
        self.solver = config["solver"]
        self.iteration = {"tol": config["tol"], "max_iter": config["max_iter"]} if self.solver != "eigen" else {}
        check_count("rank", self.rank)

    def solution(
        self, user_weight: np.ndarray, given: Callable[..., torch.Tensor] | None, progress: Progress | None
    ) -> torch.Tensor | Any:
        self.cut_rank("rank")
        return super().solution(user_weight, given, progress)

    def values_held(self, matrix: int, device: str) -> int:
        return low_rank_size(self.n_items, self.rank, self.solver, matrix, device)

    def solve(self, G: Symmetric, progress: Progress | None) -> LowRank:
        problem = {"dropout": self.dropout_prob, "l2": self.reg_weight}
        weights = low_rank(G, self.rank, method=self.solver, progress=progress, **self.iteration, **problem)
        self.logger.info(
            f"{self.solver}: {len(weights.history)} iterations, "
            f"stationarity {stationarity(G, weights.u, weights.v, **problem):.1e}"
        )
        return weights
