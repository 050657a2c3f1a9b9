"""Hold a batch of sparse rows, and apply a linear layer to it."""

import dataclasses
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass(frozen=True)
class Rows:
    """A batch of sparse rows x, one after the other, with optional noise on all their entries.

    A user's row holds items; an item's row, in item-based models, holds users.

    Attributes:
        columns: the column of each stored entry, (total,).
        lengths: how many stored entries each row has, (batch,).
        values: the stored entries, (total,).
        noise: added to the dense rows, (batch, width); None for none.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import Rows
        >>> rows = Rows(torch.tensor([0, 2, 1]), torch.tensor([2, 1]), torch.tensor([5.0, 6.0, 7.0]))
        >>> rows.dense(3).tolist()
        [[5.0, 0.0, 6.0], [0.0, 7.0, 0.0]]
        >>> rows.row_of_entry.tolist()
        [0, 0, 1]
    """

    columns: torch.Tensor
    lengths: torch.Tensor
    values: torch.Tensor
    noise: torch.Tensor | None = None

    def replace(self, **changes: Any) -> "Rows":
        """Return the same rows with other attributes, such as values or noise; these stay as they are."""
        # Not in place: the cached properties belong to the lengths, and the loss needs the rows as they were.
        return dataclasses.replace(self, **changes)

    @cached_property
    def start(self) -> torch.Tensor:
        """Position of each row's first entry, (batch,)."""
        # The sum of the lengths before each row.
        return self.lengths.cumsum(0) - self.lengths

    @cached_property
    def row_of_entry(self) -> torch.Tensor:
        """Row of each stored entry, (total,)."""
        # Row i stands once for each of its entries.
        row = torch.arange(len(self.lengths), device=self.lengths.device)
        return row.repeat_interleave(self.lengths)

    def sum(self, entries: torch.Tensor) -> torch.Tensor:
        """Return the sums over each row, (batch,), of one number per stored entry, (total,); 0 for empty rows."""
        # index_add_ takes one entry after the other: empty rows stay 0.
        sums = entries.new_zeros(len(self.lengths))
        return sums.index_add_(0, self.row_of_entry, entries)

    def unit_length(self) -> "Rows":
        """Return each row divided by its Euclidean norm; empty rows stay empty."""
        # An empty row has norm 0, but no entry to divide by it.
        norm = self.sum(self.values**2).sqrt()
        return self.replace(values=self.values / norm.repeat_interleave(self.lengths))

    def dense(self, width: int) -> torch.Tensor:
        """Return the rows as a matrix of this width, (batch, width), their noise added."""
        matrix = self.values.new_zeros(len(self.lengths), width)
        matrix[self.row_of_entry, self.columns] = self.values

        # Noise is on all entries, stored or not.
        if self.noise is None:
            return matrix
        return matrix + self.noise


def binary_rows(columns: torch.Tensor, lengths: torch.Tensor) -> Rows:
    """Return rows whose stored entries are all 1.

    Args:
        columns: the column of each stored entry, (total,).
        lengths: how many stored entries each row has, (batch,).

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import binary_rows
        >>> binary_rows(torch.tensor([0, 2, 1]), torch.tensor([2, 1])).dense(3).tolist()
        [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    return Rows(columns, lengths, torch.ones(len(columns), device=columns.device))


class SparseLinear(nn.Module):
    """A linear layer x ↦ xW + b for sparse rows.

    Args:
        width: number of columns of the rows.
        size: number of outputs.
        bias: whether there is a b.

    Notes:
        Equivalent to: ``torch.nn.Linear`` on ``rows.dense(width)``.

        Cost: stored entries × size instead of width × size multiply-adds a row, forwards and backwards, unless the rows
        carry noise.

    Examples:
        >>> import torch
        >>> from recbole_edlae.nn import SparseLinear, binary_rows
        >>> layer, rows = SparseLinear(3, 2), binary_rows(torch.tensor([0, 2, 1]), torch.tensor([2, 1]))
        >>> torch.allclose(layer(rows), rows.dense(3) @ layer.weight + layer.bias)
        True
    """

    def __init__(self, width: int, size: int, bias: bool = True) -> None:
        super().__init__()

        # (inputs, outputs), the other way round than torch.nn.Linear: embedding_bag sums rows.
        self.weight = nn.Parameter(torch.empty(width, size))
        self.bias = None
        if bias:
            self.bias = nn.Parameter(torch.zeros(size))
        nn.init.xavier_normal_(self.weight)

    def forward(self, rows: Rows) -> torch.Tensor:
        """Return xW + b, (batch, size), for a batch of rows."""
        # xW as a sum of rows of W, one for each stored entry.
        sums = F.embedding_bag(
            rows.columns,
            self.weight,
            rows.start,
            mode="sum",
            per_sample_weights=rows.values,
        )

        # Noise is dense, and takes a product of its own.
        if rows.noise is not None:
            sums = sums + rows.noise @ self.weight
        if self.bias is None:
            return sums
        return sums + self.bias
