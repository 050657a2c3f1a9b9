r"""
Histories
################################################
What every autoencoder here reads: rows of a sparse matrix, kept as they are in memory, taken out in batches.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
import torch

if TYPE_CHECKING:
    from recbole.data.dataset import Dataset

SCORES = 10_000_000  # of the users of pairs, held at a time


class HistoryMixin:
    r"""Keeps a CSR matrix in buffers that follow the model to its device and stay out of its checkpoints."""

    indptr: torch.Tensor
    indices: torch.Tensor

    # What the models have of RecBole's class.
    USER_ID: str
    ITEM_ID: str
    n_items: int
    register_buffer: Callable[..., None]
    full_sort_predict: Callable[..., torch.Tensor]

    def keep_history(self, matrix: sp.csr_matrix) -> None:
        r"""Keep the rows of a matrix, users x items in most models.

        Args:
            matrix (scipy.sparse.csr_matrix): Its indices sorted in every row; they share memory with the buffer.
        """
        self.register_buffer("indptr", torch.from_numpy(matrix.indptr.astype(np.int64)), persistent=False)
        self.register_buffer("indices", torch.from_numpy(matrix.indices), persistent=False)

    def history(self, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        r"""Return the items that some users are scored from, one after the other.

        Args:
            row (torch.LongTensor): User ids, shape: [batch_size]

        Returns:
            tuple: item ids, shape: [total], and how many each user has, shape: [batch_size]
        """
        position, count = self.positions(row)
        return self.indices[position].long(), count

    def positions(self, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        r"""Return where the entries of some rows stand among all entries, and how many each row has."""
        return positions(self.indptr, row)

    def predict(self, interaction: Any) -> torch.Tensor:
        r"""Score pairs of users and items by the scores of all items, each user once, whatever their pairs are."""
        item = interaction[self.ITEM_ID]
        users, of_pair = interaction[self.USER_ID].unique(return_inverse=True)
        scores = item.new_empty(len(item), dtype=torch.float32)

        # As many users at a time as have SCORES scores of all items.
        size = max(1, SCORES // self.n_items)
        for first in range(0, len(users), size):
            some = type(interaction)({self.USER_ID: users[first : first + size]})
            block = self.full_sort_predict(some).view(-1, self.n_items)

            # Their pairs.
            is_theirs = (of_pair >= first) & (of_pair < first + size)
            pairs = is_theirs.nonzero()[:, 0]
            scores[pairs] = block[of_pair[pairs] - first, item[pairs]]
        return scores


def positions(indptr: torch.Tensor, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Return where the entries of some rows of a CSR matrix stand among all entries, and the length of each row.

    Examples:
        >>> import torch
        >>> positions(torch.tensor([0, 2, 2, 5]), torch.tensor([2, 0]))
        (tensor([2, 3, 4, 0, 1]), tensor([3, 2]))
    """
    start = indptr[row]
    lengths = indptr[row + 1] - start

    # A running number over the result, shifted in each row so that it starts at the row's first entry.
    start_in_result = lengths.cumsum(0) - lengths
    shift = (start - start_in_result).repeat_interleave(lengths)
    return shift + torch.arange(len(shift), device=shift.device), lengths


def interactions_and_histories(
    dataset: "Dataset", read: Callable[["Dataset"], sp.csr_matrix] | None = None
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    r"""Return the matrix to train on, and the one to score from, which has the fold-in of held-out users too.

    They are one, unless a user split holds users out. ``read`` makes the matrix of a dataset.
    """
    from recbole_edlae.data.training_data import with_fold_in

    read = read or binary_interactions
    training = read(dataset)
    complete = with_fold_in(dataset)
    if complete is dataset:
        return training, training
    return training, read(complete)


def binary_interactions(dataset: "Dataset") -> sp.csr_matrix:
    r"""Return the dataset's users x items matrix with 1 wherever there is an interaction, however many."""
    matrix = dataset.inter_matrix(form="csr").astype(np.float32)

    # SciPy has summed repeated interactions.
    matrix.data[:] = 1
    matrix.sort_indices()
    return matrix
