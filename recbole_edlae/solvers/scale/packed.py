"""The weights of a full-rank model in half the memory."""

from typing import NamedTuple

import torch

from recbole_edlae.solvers.scale.row_sums import row_sums
from recbole_edlae.solvers.scale.tiles import SymmetricTiles


class PackedWeights(NamedTuple):
    """Item × item weights B = diag(left) C diag(right) + diag(diagonal), C symmetric with zeros on its diagonal.

    Every full-rank model has this form: off the diagonal, its columns are those of C = (G + diag Λ)⁻¹, scaled
    (``full_rank``), and item normalization scales rows and columns (``normalize_items``).

    Attributes:
        C: SymmetricTiles of shape (n, n), its diagonal 0.
        left: shape (n,), by input item; None for 1.
        right: shape (n,), by target item.
        diagonal: shape (n,), that of B.

    Examples:
        >>> import scipy.sparse as sp
        >>> import torch
        >>> from recbole_edlae.solvers import full_rank, gram
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 1, 1]])
        >>> B = full_rank(gram(X, packed=True), dropout=0.5, l2=1.0)
        >>> torch.allclose(B.dense(), full_rank(gram(X), dropout=0.5, l2=1.0))
        True
    """

    C: SymmetricTiles
    left: torch.Tensor | None
    right: torch.Tensor
    diagonal: torch.Tensor

    def scores(
        self, items: torch.Tensor, count: torch.Tensor, out: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the scores of all items for some histories, shape (users, n).

        Args:
            items: int64, shape (total,): the items of each history, one history after the other.
            count: int64, shape (users,): how many items each history has.
            out: as in ``row_sums``.

        Notes:
            Cost: that of ``row_sums``.
        """
        scores = row_sums(self.C, items, count, self.left, self.right, out)

        # C has no diagonal: the weights of items for themselves are added.
        if self.diagonal.any():
            user = torch.arange(len(count)).repeat_interleave(count)
            scores.index_put_((user, items), self.diagonal[items], accumulate=True)
        return scores

    def entries(self, items: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the weights B[items, targets] for two tensors of item numbers of one shape."""
        weights = self.C.entries(items, targets) * self.right[targets]
        if self.left is not None:
            weights *= self.left[items]
        return torch.where(items == targets, self.diagonal[targets], weights)

    def balanced(self) -> "PackedWeights":
        """Return the same weights with the rows of C scaled by their largest entries: half precision holds them."""
        C = self.C.clone()

        # The largest magnitude in each row, over the tiles of both triangles.
        largest = torch.zeros(len(C), dtype=C.dtype)
        for i, j in C.lower():
            tile = torch.from_numpy(C.tile(i, j)).abs()
            rows = C.part(i)
            columns = C.part(j)
            largest[rows] = largest[rows].maximum(tile.amax(1))
            largest[columns] = largest[columns].maximum(tile.amax(0))

        # C loses the root on both sides, which keeps it symmetric; left and right take it.
        scale = torch.where(largest > 0, largest, 1).sqrt()
        for i, j in C.lower():
            tile = torch.from_numpy(C.tile(i, j))
            tile.div_(scale[C.part(i), None])
            tile.div_(scale[C.part(j)])
        left = scale
        if self.left is not None:
            left = scale * self.left
        return self._replace(C=C, left=left, right=scale * self.right)

    def columns(self, part: int) -> torch.Tensor:
        """Return the weights of the targets of one part of C, shape (n, targets)."""
        C = self.C
        targets = C.part(part)
        columns = torch.empty(len(C), targets.stop - targets.start, dtype=C.dtype)

        # Above the diagonal, a tile is the transpose of the stored one.
        for source in range(part + 1):
            columns[C.part(source)] = torch.from_numpy(C.tile(part, source).T)
        for source in range(part + 1, C.parts):
            columns[C.part(source)] = torch.from_numpy(C.tile(source, part))

        # diag(left) C diag(right) + diag(diagonal)
        columns *= self.right[targets]
        if self.left is not None:
            columns *= self.left[:, None]
        columns[targets].diagonal().copy_(self.diagonal[targets])
        return columns

    def dense(self) -> torch.Tensor:
        """Return B, shape (n, n)."""
        return torch.cat([self.columns(part) for part in range(self.C.parts)], dim=1)
