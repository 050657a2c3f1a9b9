r"""
Packed weights
################################################
Full-rank weights of large catalogs, in half the memory.
"""

from collections.abc import Iterator

import torch

from recbole_edlae.model.weights import Dense, Weights
from recbole_edlae.solvers import PackedWeights, SymmetricTiles


class Packed(Weights):
    r"""``solvers.PackedWeights``: a scaled symmetric matrix in tiles, and a diagonal; on the CPU only."""

    names = ("packed.values", "packed.bounds", "packed.left", "packed.right", "packed.diagonal")
    single_precision = names[2:]
    takes_room = True
    solution = PackedWeights
    values: torch.Tensor
    bounds: torch.Tensor
    left: torch.Tensor  # shape: [n_items], or [0] where it is 1
    right: torch.Tensor
    diagonal: torch.Tensor

    @classmethod
    def of(cls, weights: PackedWeights) -> "Packed":
        r"""Keep what a solver returned."""
        left = weights.left
        if left is None:
            left = weights.right.new_zeros(0)
        tensors = weights.C.values, weights.C.bounds, left, weights.right, weights.diagonal
        return cls(**dict(zip(cls.names, tensors)))

    @property
    def matrix(self) -> PackedWeights:
        r"""The weights as the solver returned them; it shares memory with this."""
        C = SymmetricTiles(self.values, self.bounds)

        # A checkpoint has a tensor even where the scale is 1.
        left = self.left if len(self.left) else None
        return PackedWeights(C, left, self.right, self.diagonal)

    def tensors(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor, with an ``encoder`` of no columns, which every checkpoint has."""
        empty = self.right.new_zeros(len(self.right), 0)
        return {"encoder": empty} | super().tensors()

    def portable(self) -> dict[str, torch.Tensor]:
        r"""Return name → tensor with a matrix of unit scale: C is as small as a user is one of many."""
        return Packed.of(self.matrix.balanced()).tensors()

    def on(self, device: torch.device) -> Weights:
        r"""Return these weights, or dense ones on a GPU, which has no compiled sums of rows."""
        if device.type == "cpu":
            return self
        return Dense(encoder=self.cpu().matrix.dense().to(device))

    def score(
        self, items: torch.Tensor, count: torch.Tensor, room: torch.Tensor | None = None
    ) -> torch.Tensor:
        r"""Score all items as all weights do; the scores take the first rows of ``room``, if there is one."""
        return self.matrix.scores(items, count, room)

    def transposed(self) -> "Packed":
        weights = self.matrix
        left = weights.left
        if left is None:
            left = torch.ones_like(weights.right)

        # C is symmetric, so that only its scales change sides.
        return Packed.of(weights._replace(left=weights.right, right=left))

    def set_diagonal(self, values: torch.Tensor) -> None:
        self.diagonal.copy_(values)

    def blocks(self) -> Iterator[torch.Tensor]:
        for tile in range(len(self.bounds) - 1):
            yield self.matrix.columns(tile)
