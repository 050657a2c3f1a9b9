"""Sparse rows in a batch: what an autoencoder reads, and the layer that reads it."""

import dataclasses
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass(frozen=True)
class Rows:
    """A batch of sparse rows x, one after the other, and noise on all their entries if there is any.

    A user's row holds items; an item's row, in item-based models, holds users.
    """

    columns: torch.Tensor  # (total,) where each stored entry stands
    count: torch.Tensor  # (batch,) how many entries each row has
    values: torch.Tensor  # (total,)
    noise: torch.Tensor | None = None  # (batch, width), added to the dense rows

    def replace(self, **changes):
        """The same rows with other values or noise."""
        return dataclasses.replace(self, **changes)

    @cached_property
    def start(self):
        """Where each row begins, (batch,)."""
        return self.count.cumsum(0) - self.count

    @cached_property
    def number(self):
        """The row of each entry, (total,)."""
        return torch.arange(len(self.count), device=self.count.device).repeat_interleave(self.count)

    def sum(self, entries):
        """Sums over each row of a number per entry: (total,) → (batch,)."""
        return entries.new_zeros(len(self.count)).index_add_(0, self.number, entries)

    def unit_length(self):
        """Each row divided by its Euclidean norm; empty rows stay empty."""
        norm = self.sum(self.values**2).sqrt()
        return self.replace(values=self.values / norm.repeat_interleave(self.count))

    def dense(self, width):
        """The rows as a matrix, (batch, width)."""
        matrix = self.values.new_zeros(len(self.count), width)
        matrix[self.number, self.columns] = self.values
        return matrix if self.noise is None else matrix + self.noise


def binary_rows(columns, count):
    """Rows whose stored entries are all 1."""
    return Rows(columns, count, torch.ones(len(columns), device=columns.device))


class SparseLinear(nn.Module):
    """x ↦ xW + b for sparse rows.

    Equivalent to: ``torch.nn.Linear`` on ``rows.dense(width)``. It costs stored entries × size instead of
    width × size multiply-adds a row, forwards and backwards, unless the rows carry noise.
    """

    def __init__(self, width, size, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, size))
        self.bias = nn.Parameter(torch.zeros(size)) if bias else None
        nn.init.xavier_normal_(self.weight)

    def forward(self, rows):
        sums = F.embedding_bag(rows.columns, self.weight, rows.start, mode="sum", per_sample_weights=rows.values)
        if rows.noise is not None:
            sums = sums + rows.noise @ self.weight
        return sums if self.bias is None else sums + self.bias
