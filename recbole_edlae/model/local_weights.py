r"""
Local weights
################################################
A matrix or a filter, and a low-pass filter beside it.
"""

from collections.abc import Iterator, Mapping

import torch

from recbole_edlae.model.weight_forms import of_solution, of_tensors
from recbole_edlae.model.weights import Factors, Weights
from recbole_edlae.solvers import LocalWeights


class Local(Weights):
    r"""B = ``matrix`` + ``factors``: a local regression or a filter, and a low-pass filter beside it."""

    names = ("low_pass.encoder", "low_pass.decoder")
    solution = LocalWeights

    def __init__(self, matrix: Weights, factors: Factors) -> None:
        super().__init__()
        self.matrix = matrix
        self.factors = factors

        # Thin, and as unequal as items are popular: half precision would lose the rare ones.
        self.single_precision = (*matrix.single_precision, *self.names)

    def tensors(self) -> dict[str, torch.Tensor]:
        return self.matrix.tensors() | self._filter()

    def portable(self) -> dict[str, torch.Tensor]:
        return self.matrix.portable() | self._filter()

    def on(self, device: torch.device) -> Weights:
        self.matrix = self.matrix.on(device)
        self.factors = self.factors.to(device)
        return self

    def score(self, items: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        # The matrix's scores are new memory, which the sum may take.
        scores = self.matrix.score(items, count)
        return scores.add_(self.factors.score(items, count))

    def set_diagonal(self, values: torch.Tensor) -> None:
        # The factors' product has a diagonal too.
        filtered = torch.linalg.vecdot(self.factors.encoder, self.factors.decoder)
        self.matrix.set_diagonal(values - filtered)

    def users(self) -> int:
        return self.matrix.users()

    def blocks(self) -> Iterator[torch.Tensor]:
        first = 0
        for block in self.matrix.blocks():
            # The factors' product for the same targets.
            last = first + block.shape[1]
            yield torch.addmm(block, self.factors.encoder, self.factors.decoder[first:last].T)
            first = last

    def _filter(self) -> dict[str, torch.Tensor]:
        return dict(zip(self.names, self.factors.tensors().values()))

    @classmethod
    def of(cls, solution: LocalWeights) -> "Local":
        r"""Keep what a solver returned."""
        factors = Factors(encoder=solution.u, decoder=solution.v)
        return cls(of_solution(solution.matrix), factors)

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, torch.Tensor]) -> "Local | None":
        r"""Return the weights of a checkpoint; None where it has the factors alone."""
        matrix = of_tensors({name: tensor for name, tensor in tensors.items() if name not in cls.names})
        if matrix is None:
            return None
        encoder, decoder = (tensors[name] for name in cls.names)
        return cls(matrix, Factors(encoder=encoder, decoder=decoder))
