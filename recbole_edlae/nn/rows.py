"""Sparse rows in a batch: what an autoencoder reads, and the layer that reads it."""

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
        """Return the same rows with other values or noise.

        Args:
            **changes: attributes by name.

        Returns:
            Rows; these stay as they are.
        """
        return dataclasses.replace(self, **changes)

    @cached_property
    def start(self) -> torch.Tensor:
        """The position of each row's first entry, (batch,)."""
        return self.lengths.cumsum(0) - self.lengths

    @cached_property
    def row_of_entry(self) -> torch.Tensor:
        """The row of each stored entry, (total,)."""
        return torch.arange(len(self.lengths), device=self.lengths.device).repeat_interleave(self.lengths)

    def sum(self, entries: torch.Tensor) -> torch.Tensor:
        """Return the sums over each row of one number per stored entry.

        Args:
            entries: shape (total,).

        Returns:
            torch.Tensor of shape (batch,); 0 for empty rows.
        """
        return entries.new_zeros(len(self.lengths)).index_add_(0, self.row_of_entry, entries)

    def unit_length(self) -> "Rows":
        """Return each row divided by its Euclidean norm; empty rows stay empty.

        Returns:
            Rows.
        """
        norm = self.sum(self.values**2).sqrt()
        return self.replace(values=self.values / norm.repeat_interleave(self.lengths))

    def dense(self, width: int) -> torch.Tensor:
        """Return the rows as a matrix, their noise added.

        Args:
            width: number of columns.

        Returns:
            torch.Tensor of shape (batch, width).
        """
        matrix = self.values.new_zeros(len(self.lengths), width)
        matrix[self.row_of_entry, self.columns] = self.values
        return matrix if self.noise is None else matrix + self.noise


def binary_rows(columns: torch.Tensor, lengths: torch.Tensor) -> Rows:
    """Return rows whose stored entries are all 1.

    Args:
        columns: the column of each stored entry, (total,).
        lengths: how many stored entries each row has, (batch,).

    Returns:
        Rows.

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
        self.weight = nn.Parameter(torch.empty(width, size))
        self.bias = nn.Parameter(torch.zeros(size)) if bias else None
        nn.init.xavier_normal_(self.weight)

    def forward(self, rows: Rows) -> torch.Tensor:
        """Return xW + b, (batch, size).

        Args:
            rows: a batch of rows.

        Returns:
            torch.Tensor of shape (batch, size).
        """
        sums = F.embedding_bag(rows.columns, self.weight, rows.start, mode="sum", per_sample_weights=rows.values)
        if rows.noise is not None:
            sums = sums + rows.noise @ self.weight
        return sums if self.bias is None else sums + self.bias


def positions(indptr: torch.Tensor, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where the entries of some rows of a CSR matrix stand among all entries, and how many each row has."""
    start, count = indptr[row], indptr[row + 1] - indptr[row]
    first = count.cumsum(0) - count
    position = (start - first).repeat_interleave(count)
    return position + torch.arange(len(position), device=position.device), count
