r"""
DLAE
################################################
Reference:
    Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.
    Jaewan Moon et al. "It's Enough: Relaxing Diagonal Constraints in Linear Autoencoders for Recommendation" in
    SIGIR 2023.
    Seongmin Park et al. "Why is Normalization Necessary for Linear Recommenders?" in SIGIR 2025.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data.dataset import Dataset

from recbole_edlae.model.linear import LinearAutoEncoder, Progress, is_user_based
from recbole_edlae.model.paper import STECK_2020
from recbole_edlae.solvers import LowRank, PackedWeights, SparseGram, full_rank, low_rank
from recbole_edlae.solvers.checks import check_count
from recbole_edlae.solvers.memory import low_rank_values as low_rank_size
from recbole_edlae.solvers.types import Symmetric


class DLAE(LinearAutoEncoder):
    r"""DLAE is the linear denoising autoencoder, which reconstructs dropped and kept interactions alike, solved in
    closed form for all dropout masks at once. Its item weights have a diagonal, shrunk by the dropout and held below
    ``diagonal_bound``, with which it is RDLAE. With a ``rank``, the weights are a product of two factors, penalized as
    a product or, as weight decay does it, one by one.

    """

    paper = STECK_2020
    unseen_users: Mapping[str, Any] | None = {"based_on": "item"}
    search_space = """
        reg_weight choice [200.0,300.0,500.0,700.0]
        dropout_prob choice [0.2,0.33,0.5,0.6,0.7]
        user_weight_power choice [0.0,0.5,0.7]
    """

    def __init__(self, config: Config, dataset: Dataset) -> None:
        self.user_based = is_user_based(config, ("rank",))
        super().__init__(config, dataset)
        self.diagonal_bound = config["diagonal_bound"]
        self.rank = config["rank"]
        self.solver = config["solver"]
        self.dropout_penalty = config["dropout_penalty"]
        self.zero_diagonal = config["zero_diagonal"]
        if self.rank is not None:
            self._check_low_rank()

    def _check_low_rank(self) -> None:
        check_count("rank", self.rank)
        for name, off in (("dropout_penalty", "weighted"), ("zero_diagonal", False)):
            if getattr(self, name) != off:
                value = getattr(self, name)
                raise ValueError(f"{name} must be {off!r} with a rank, as it is of full rank only; got {value!r}")

    def solution(
        self, user_weight: np.ndarray, given: Callable[..., torch.Tensor] | None, progress: Progress | None
    ) -> torch.Tensor | Any:
        if self.rank is not None:
            self.cut_rank("rank")
        return super().solution(user_weight, given, progress)

    def values_held(self, matrix: int, device: str) -> int:
        if self.rank is None:
            return super().values_held(matrix, device)
        return low_rank_size(self.n_items, self.rank, self.solver, matrix, device)

    @property
    def takes_inverse(self) -> bool:  # type: ignore[override]
        return self.rank is None

    def solve(self, G: Symmetric | SparseGram, progress: Progress | None) -> torch.Tensor | PackedWeights | LowRank:
        problem: dict[str, Any] = {"dropout": self.dropout_prob, "l2": self.reg_weight, "progress": progress}
        if self.rank is not None:
            assert not isinstance(G, SparseGram)
            return low_rank(G, self.rank, method=self.solver, **problem)
        problem |= {"diagonal_bound": self.diagonal_bound, "item_count": self.item_count}
        return full_rank(G, emphasis=(1.0, 1.0), overwrite=True, **problem)
