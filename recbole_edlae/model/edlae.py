r"""
EDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_edlae.model.linear import LinearAutoEncoder, Progress
from recbole_edlae.model.paper import STECK_2020
from recbole_edlae.model.resources import check_sparse_memory
from recbole_edlae.solvers import PackedWeights, full_rank, neighbors
from recbole_edlae.solvers._tiles import Symmetric


class EDLAE(LinearAutoEncoder):
    r"""EDLAE is the linear autoencoder that reconstructs dropped interactions from kept ones, solved in closed form
    for all dropout masks at once. Its item weights have a zero diagonal; without dropout it is EASE. With some
    ``emphasis`` on kept interactions too, the diagonal is what the denoising objective makes it, held below
    ``diagonal_bound``. With ``neighbors``, every item has weights for that many others only, for catalogs too large
    for an item x item matrix.

    """

    paper = STECK_2020
    search_space = """
        reg_weight choice [100.0,200.0,300.0,500.0,1000.0]
        dropout_prob choice [0.2,0.33,0.5]
        user_weight_power choice [0.0,0.5]
    """

    def __init__(self, config: Config, dataset: Dataset) -> None:
        super().__init__(config, dataset)
        self.emphasis = config["emphasis"]
        self.diagonal_bound = config["diagonal_bound"]
        self.neighbors = config["neighbors"]

    def solution(
        self, user_weight: np.ndarray, gram: Callable[..., torch.Tensor], progress: Progress | None
    ) -> torch.Tensor | Any:
        if self.neighbors is None:
            return super().solution(user_weight, gram, progress)

        def announce(size: int) -> None:
            takes = check_sparse_memory(self.n_items, self.neighbors, size)
            self.logger.info(f"{type(self).__name__}: {takes}")

        return neighbors(
            self.interactions,
            self.neighbors,
            user_weight,
            dropout=self.dropout_prob,
            l2=self.reg_weight,
            emphasis=self.emphasis,
            diagonal_bound=self.diagonal_bound,
            device=self.dummy_param.device,
            announce=announce,
            progress=progress,
        )

    def solve(self, G: Symmetric, progress: Progress | None) -> torch.Tensor | PackedWeights:
        problem = {"dropout": self.dropout_prob, "l2": self.reg_weight, "progress": progress}
        return full_rank(G, emphasis=self.emphasis, diagonal_bound=self.diagonal_bound, overwrite=True, **problem)
