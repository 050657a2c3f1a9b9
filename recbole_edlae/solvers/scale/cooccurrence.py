"""Find the items that have users in common: the Gram matrix as a sparse triangle, and the best inputs of a target."""

import concurrent.futures
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers.scale.compiled import compiled


class Pairs(NamedTuple):
    """G below its diagonal as CSR with sorted rows, and its diagonal."""

    indptr: np.ndarray  # (n + 1,)
    indices: np.ndarray  # (pairs,)
    values: np.ndarray  # (pairs,), float32 or float64
    diagonal: np.ndarray  # (n,), float64


class Users(NamedTuple):
    """The rows of the users, and by item its users and where each user's row has the item."""

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    item_ptr: np.ndarray
    item_users: np.ndarray
    item_positions: np.ndarray
    weight: np.ndarray


class CoOccurrence:
    """Users × items both ways round, for the sums over the users of an item.

    Args:
        X: SciPy CSR matrix, shape (u, n), duplicates summed.
        weight: array of shape (u,).
    """

    def __init__(self, X: sp.csr_matrix, weight: np.ndarray) -> None:
        # The loops end where a user's row reaches an item, for which the rows must be sorted.
        if not X.has_sorted_indices:
            X = X.sorted_indices()

        # By item.
        by_item = sp.csr_matrix((np.arange(X.nnz), X.indices, X.indptr), shape=X.shape).tocsc()
        data = X.data.astype(np.float64, copy=False)
        self.users = Users(X.indptr, X.indices, data, by_item.indptr, by_item.indices, by_item.data, weight)
        self.items = X.shape[1]

    def pair_counts(self) -> np.ndarray:
        """Return for every item how many of those before it have a user in common with it, (n,)."""
        counts = np.zeros(self.items, np.int64)
        in_threads(_count_pairs, self.users, counts)
        return counts

    def pairs(self, dtype: np.dtype, pair_counts: np.ndarray) -> Pairs:
        """Return G = Xᵀ diag(w) X as Pairs, given ``pair_counts``; 8 bytes (float32) a pair."""
        indptr = np.concatenate([[0], np.cumsum(pair_counts)])
        indices = np.empty(indptr[-1], np.int32)
        values = np.empty(indptr[-1], dtype)
        diagonal = np.zeros(self.items)
        in_threads(_fill_pairs, self.users, indptr, indices, values, diagonal)
        return Pairs(indptr, indices, values, diagonal)

    def best_inputs(self, limit: int, M_diagonal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the items i with the largest G_ij² / M_ii for every target j; of equals the first ones.

        Returns:
            inputs (n, limit), in rising order, and how many of them are filled, (n,).
        """
        inputs = np.empty((self.items, limit), np.int32)
        lengths = np.empty(self.items, np.int64)
        in_threads(_choose_inputs, self.users, M_diagonal, inputs, lengths)
        return inputs, lengths


def in_threads(function: Callable[..., object], *arguments: Any) -> None:
    """Call ``function(*arguments, first, step)`` in each of torch's threads: for every step-th item from first on."""
    threads = torch.get_num_threads()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        # The list waits for all of them, and raises what one of them raises.
        list(pool.map(lambda first: function(*arguments, first, threads), range(threads)))


@compiled
def _count_pairs(
    X: Users,
    counts: np.ndarray,
    first: int,
    step: int,
) -> None:
    """Count for each item the items before it that have a user in common with it."""
    seen = np.full(len(counts), -1, np.int32)
    for i in range(first, len(counts), step):
        for t in range(X.item_ptr[i], X.item_ptr[i + 1]):
            for s in range(X.indptr[X.item_users[t]], X.item_positions[t]):
                if seen[X.indices[s]] != i:
                    seen[X.indices[s]] = i
                    counts[i] += 1


@compiled
def _fill_pairs(
    X: Users,
    pair_ptr: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    diagonal: np.ndarray,
    first: int,
    step: int,
) -> None:
    """Fill rows of G below the diagonal, and their diagonal entries."""
    row = np.empty(len(diagonal))
    seen = np.full(len(diagonal), -1, np.int32)
    for i in range(first, len(diagonal), step):
        # Row i of G up to the diagonal, over the users of item i.
        end = pair_ptr[i]
        for t in range(X.item_ptr[i], X.item_ptr[i + 1]):
            user, position = X.item_users[t], X.item_positions[t]
            diagonal[i] += X.weight[user] * X.data[position] * X.data[position]
            for s in range(X.indptr[user], position):
                j = X.indices[s]

                # A sum of 0 is no sign of a new pair: products may underflow.
                if seen[j] != i:
                    seen[j] = i
                    row[j] = 0.0
                    columns[end] = j
                    end += 1
                row[j] += X.weight[user] * X.data[position] * X.data[s]

        # Users meet the items in any order; lookups want them sorted.
        columns[pair_ptr[i] : end].sort()
        for s in range(pair_ptr[i], end):
            values[s] = row[columns[s]]


@compiled
def _choose_inputs(
    X: Users,
    M_diagonal: np.ndarray,
    inputs: np.ndarray,
    lengths: np.ndarray,
    first: int,
    step: int,
) -> None:
    """Choose the inputs of each target by their gain G_ij² / M_ii."""
    items = len(inputs)
    row = np.empty(items)
    touched = np.empty(items, np.int32)
    seen = np.full(items, -1, np.int32)
    for j in range(first, items, step):
        # Row j of G, over the users of target j.
        candidates = 0
        for t in range(X.item_ptr[j], X.item_ptr[j + 1]):
            user, position = X.item_users[t], X.item_positions[t]
            for s in range(X.indptr[user], X.indptr[user + 1]):
                i = X.indices[s]
                if seen[i] != j:
                    seen[i] = j
                    row[i] = 0.0
                    touched[candidates] = i
                    candidates += 1
                row[i] += X.weight[user] * X.data[position] * X.data[s]

        # The target itself has no gain, and is not chosen.
        row[j] = 0.0

        # G_ij² / M_ii
        gain = np.empty(candidates)
        for c in range(candidates):
            gain[c] = row[touched[c]] ** 2 / M_diagonal[touched[c]]
        lengths[j] = _largest(gain, touched[:candidates], inputs[j])


@compiled
def _largest(gain: np.ndarray, items: np.ndarray, chosen: np.ndarray) -> int:
    """Put the items of the largest gains above 0 into ``chosen``, in rising order; return how many there are."""
    # The least gain that is chosen; 0 where all above it fit.
    limit = len(chosen)
    least = 0.0
    if len(gain) > limit:
        least = np.partition(gain, len(gain) - limit)[len(gain) - limit]

    length = 0
    for c in range(len(gain)):
        if gain[c] > least:
            chosen[length] = items[c]
            length += 1

    # Of equal gains the first items, which are the more popular ones.
    if least > 0.0:
        ties = np.sort(items[gain == least])[: limit - length]
        chosen[length : length + len(ties)] = ties
        length += len(ties)
    chosen[:length].sort()
    return length
