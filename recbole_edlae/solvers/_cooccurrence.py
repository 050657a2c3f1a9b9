"""Which items have users in common: the Gram matrix as a sparse triangle, and the best inputs for every target."""

import concurrent.futures
from typing import NamedTuple

import numba
import numpy as np
import scipy.sparse as sp
import torch


class Pairs(NamedTuple):
    """G below its diagonal as CSR with sorted rows, and its diagonal."""

    indptr: np.ndarray  # (n + 1,)
    indices: np.ndarray  # (pairs,)
    values: np.ndarray  # (pairs,), float32 or float64
    diagonal: np.ndarray  # (n,), float64


class CoOccurrence:
    """Users × items both ways round, for the sums over the users of an item.

    Args:
        X: SciPy CSR matrix, shape (u, n), duplicates summed.
        weight: array of shape (u,).
    """

    def __init__(self, X, weight):
        X = X if X.has_sorted_indices else X.sorted_indices()
        by_item = sp.csr_matrix((np.arange(X.nnz), X.indices, X.indptr), shape=X.shape).tocsc()
        data = X.data.astype(np.float64, copy=False)
        self.arrays = X.indptr, X.indices, data, by_item.indptr, by_item.indices, by_item.data, weight
        self.items = X.shape[1]

    def pair_counts(self):
        """For every item, how many of those before it have a user in common with it, (n,)."""
        size = np.zeros(self.items, np.int64)
        in_threads(_count, *self.arrays, size)
        return size

    def pairs(self, dtype, size):
        """G = Xᵀ diag(w) X as Pairs, given ``pair_counts``; 8 bytes (float32) a pair."""
        indptr = np.concatenate([[0], np.cumsum(size)])
        indices, values = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], dtype)
        diagonal = np.zeros(self.items)
        in_threads(_fill, *self.arrays, indptr, indices, values, diagonal)
        return Pairs(indptr, indices, values, diagonal)

    def best_inputs(self, count, M_diagonal):
        """The ``count`` items i with the largest G_ij² / M_ii for every target j; of equals the first ones.

        Returns:
            inputs (n, count), in rising order, and how many of them there are, (n,).
        """
        inputs, size = np.empty((self.items, count), np.int32), np.empty(self.items, np.int64)
        in_threads(_choose, *self.arrays, M_diagonal, inputs, size)
        return inputs, size


def in_threads(function, *arguments):
    """``function(*arguments, first, step)`` in each of torch's threads, for every step-th item from the first on."""
    threads = torch.get_num_threads()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first: function(*arguments, first, threads), range(threads)))


@numba.njit(cache=True, nogil=True)
def _count(indptr, indices, data, item_ptr, item_users, item_positions, weight, size, first, step):
    seen = np.full(len(size), -1, np.int32)
    for i in range(first, len(size), step):
        for t in range(item_ptr[i], item_ptr[i + 1]):
            for s in range(indptr[item_users[t]], item_positions[t]):
                if seen[indices[s]] != i:
                    seen[indices[s]] = i
                    size[i] += 1


@numba.njit(cache=True, nogil=True)
def _fill(
    indptr, indices, data, item_ptr, item_users, item_positions, weight, ptr, columns, values, diagonal, first, step
):
    row = np.zeros(len(diagonal))
    for i in range(first, len(diagonal), step):
        end = ptr[i]
        for t in range(item_ptr[i], item_ptr[i + 1]):
            user, own = item_users[t], item_positions[t]
            diagonal[i] += weight[user] * data[own] * data[own]
            for s in range(indptr[user], own):
                j = indices[s]
                if row[j] == 0.0:
                    columns[end] = j
                    end += 1
                row[j] += weight[user] * data[own] * data[s]
        columns[ptr[i] : end].sort()
        for s in range(ptr[i], end):
            values[s] = row[columns[s]]
            row[columns[s]] = 0.0


@numba.njit(cache=True, nogil=True)
def _choose(indptr, indices, data, item_ptr, item_users, item_positions, weight, M, inputs, size, first, step):
    items = len(inputs)
    row, touched = np.zeros(items), np.empty(items, np.int32)
    for j in range(first, items, step):
        found = 0
        for t in range(item_ptr[j], item_ptr[j + 1]):
            user, own = item_users[t], item_positions[t]
            for s in range(indptr[user], indptr[user + 1]):
                i = indices[s]
                if row[i] == 0.0:
                    touched[found] = i
                    found += 1
                row[i] += weight[user] * data[own] * data[s]
        row[j] = 0.0  # no gain, not chosen
        gain = np.empty(found)
        for f in range(found):
            gain[f] = row[touched[f]] ** 2 / M[touched[f]]
            row[touched[f]] = 0.0
        size[j] = _largest(gain, touched[:found], inputs[j])


@numba.njit(cache=True, nogil=True)
def _largest(gain, items, chosen):
    """Items of the largest gains above 0 into ``chosen``, in rising order; returns how many there are."""
    count, least = len(chosen), 0.0
    if len(gain) > count:
        least = np.partition(gain, len(gain) - count)[len(gain) - count]
    size = 0
    for f in range(len(gain)):
        if gain[f] > least:
            chosen[size] = items[f]
            size += 1
    if least > 0.0:
        ties = np.sort(items[gain == least])[: count - size]
        chosen[size : size + len(ties)] = ties
        size += len(ties)
    chosen[:size].sort()
    return size
