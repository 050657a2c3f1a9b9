r"""
EDLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
    Tianjun Wei et al. "Fine-tuning Partition-aware Item Similarities for Efficient and Scalable Recommendation" in WWW
    2023.
    Seongmin Park et al. "Why is Normalization Necessary for Linear Recommenders?" in SIGIR 2025.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_edlae.model.errors import in_words_of_settings
from recbole_edlae.model.linear import LinearAutoEncoder, Progress, is_user_based
from recbole_edlae.model.paper import STECK_2020
from recbole_edlae.model.resources import check_sparse_memory
from recbole_edlae.solvers import (
    LocalWeights,
    LowPass,
    PackedWeights,
    SparseGram,
    full_rank,
    local_regression,
    low_pass,
    neighbors,
)
from recbole_edlae.solvers.checks import check_count
from recbole_edlae.solvers.memory import low_pass_values as low_pass_size
from recbole_edlae.solvers.types import Symmetric


class EDLAE(LinearAutoEncoder):
    r"""EDLAE is the linear autoencoder that reconstructs dropped interactions from kept ones, solved in closed form
    for all dropout masks at once. Its item weights have a zero diagonal; without dropout it is EASE. With some
    ``emphasis`` on kept interactions too, the diagonal is what the denoising objective makes it, held below
    ``diagonal_bound``. With ``neighbors``, every item has weights for that many others only, for catalogs too large
    for an item x item matrix. With a ``low_pass_weight``, a global low-pass filter of the user-item graph is added, and
    the autoencoder learns what the filter leaves of the interactions.

    """

    paper = STECK_2020
    takes_inverse = True
    unseen_users: Mapping[str, Any] | None = {"based_on": "item"}
    search_space = """
        reg_weight choice [100.0,200.0,300.0,500.0,1000.0]
        dropout_prob choice [0.2,0.33,0.5]
        user_weight_power choice [0.0,0.5]
    """

    def __init__(self, config: Config, dataset: Dataset) -> None:
        self.user_based = is_user_based(config, ("neighbors", "low_pass_weight"))
        super().__init__(config, dataset)
        self.emphasis = config["emphasis"]
        self.diagonal_bound = config["diagonal_bound"]
        self.neighbors = config["neighbors"]
        self.dropout_penalty = config["dropout_penalty"]
        self.zero_diagonal = config["zero_diagonal"]
        self.low_pass_weight = config["low_pass_weight"]
        self.low_pass_rank = config["low_pass_rank"]
        if self.low_pass_weight != 0:
            self._check_low_pass()

    def _check_low_pass(self) -> None:
        check_count("low_pass_rank", self.low_pass_rank)
        if self.neighbors is not None:
            raise ValueError(
                f"low_pass_weight {self.low_pass_weight!r} adds weights for all items: neighbors must be None, got "
                f"{self.neighbors!r}"
            )

    def solution(
        self, user_weight: np.ndarray, given: Callable[..., torch.Tensor] | None, progress: Progress | None
    ) -> torch.Tensor | Any:
        if self.low_pass_weight != 0:
            self.cut_rank("low_pass_rank")
        if self.neighbors is None:
            return super().solution(user_weight, given, progress)

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
            item_count=self.item_count,
            device=self.dummy_param.device,
            announce=announce,
            progress=progress,
        )

    def values_held(self, matrix: int, device: str) -> int:
        held = super().values_held(matrix, device)
        if self.low_pass_weight == 0:
            return held
        return held + low_pass_size(self.n_items, self.low_pass_rank)

    def solve(
        self, G: Symmetric | SparseGram, progress: Progress | None
    ) -> torch.Tensor | PackedWeights | LocalWeights:
        problem: dict[str, Any] = {
            "dropout": self.dropout_prob,
            "l2": self.reg_weight,
            "emphasis": self.emphasis,
            "diagonal_bound": self.diagonal_bound,
            "item_count": self.item_count,
            "overwrite": True,
            "progress": progress,
        }
        if self.low_pass_weight == 0:
            return full_rank(G, **problem)
        with in_words_of_settings(rank="low_pass_rank", X="the interactions"):
            W = low_pass(self.interactions, self.low_pass_rank, dtype=G.dtype)
        W = LowPass(W.left.to(G.device), W.right.to(G.device))
        return local_regression(G, W, low_pass_weight=self.low_pass_weight, **problem)
