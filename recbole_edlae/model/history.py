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
    register_buffer: Callable[..., None]  # torch.nn.Module's

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


def positions(indptr: torch.Tensor, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Return the positions of the entries of some rows of a CSR matrix, and the length of each row.

    Args:
        indptr (torch.LongTensor): Where each row starts among all entries, shape: [rows + 1]
        row (torch.LongTensor): The rows, in any order.

    Returns:
        tuple: Positions among all entries, row after row, and the rows' lengths.

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


def score_pairs(model: Any, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
    r"""Score pairs by a model that scores all items at once: each user once, however many pairs are theirs.

    Args:
        model: Has ``history``, ``score`` and ``n_items``.
        user (torch.LongTensor): User ids, shape: [pairs]
        item (torch.LongTensor): Item ids, shape: [pairs]

    Returns:
        torch.Tensor: shape: [pairs]
    """
    return in_blocks(lambda users: model.score(*model.history(users)), user, item, model.n_items)


def in_blocks(
    score: Callable[[torch.Tensor], torch.Tensor], user: torch.Tensor, item: torch.Tensor, n_items: int
) -> torch.Tensor:
    r"""Score pairs by a function that scores all items, each user once.

    Args:
        score (callable): Maps user ids, shape: [users], to scores, shape: [users, n_items]
        user (torch.LongTensor): User ids, shape: [pairs]
        item (torch.LongTensor): Item ids, shape: [pairs]
        n_items (int): How many items there are.

    Returns:
        torch.Tensor: shape: [pairs]
    """
    users, of_pair = user.unique(return_inverse=True)
    scores = item.new_empty(len(item), dtype=torch.float32)

    # As many users at a time as have SCORES scores of all items.
    size = max(1, SCORES // n_items)
    for first in range(0, len(users), size):
        block = score(users[first : first + size])
        is_theirs = (of_pair >= first) & (of_pair < first + size)
        pairs = is_theirs.nonzero()[:, 0]
        scores[pairs] = block[of_pair[pairs] - first, item[pairs]]
    return scores


def interactions_and_histories(
    dataset: "Dataset", read: Callable[["Dataset"], sp.csr_matrix] | None = None
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    r"""Return the matrix to train on, and the one to score from, which has the fold-in of held-out users too.

    They are one, unless a user split holds users out.

    Args:
        dataset (Dataset): The training part of the data.
        read (callable, optional): Makes the matrix of a dataset. Defaults to :func:`binary_interactions`.
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
