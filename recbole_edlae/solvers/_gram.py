"""Gram matrix of a sparse user × item matrix, straight into one dense array."""

import concurrent.futures

import numba
import numpy as np
import torch

from recbole_edlae.solvers._finite import check_result, checked_matrix

_BLOCK = 32  # rows of G that a thread makes at a time, and copies below the diagonal while they are in its cache
_SHORT = 2**16  # items that 16 bits can name


def gram(X, user_weight=None, *, dtype=torch.float32, device="cpu"):
    """G = Xᵀ diag(w) X as a dense, exactly symmetric matrix.

    Notation: n items, u users, nnz stored entries of X.

    A weight per user leaves every closed form of this package intact, because only G changes
    (Steck & Garcia 2021, §2.3.2).

    Equivalent to: ``(X.T @ sp.diags(w) @ X).toarray()``. It differs in cost: no sparse n × n intermediate,
    half the multiplications, every core. Each entry is summed by one thread in the order of the users, in double
    precision, and where all values and weights are 1 in integers: the result depends neither on the number of
    threads nor on ``dtype``'s rounding along the way.

    Args:
        X: SciPy sparse matrix, shape (u, n), users × items; any finite real values. Duplicates are summed.
        user_weight: array of shape (u,), every weight ≥ 0 and finite; None means 1 for every user.
        dtype: torch.float32 or torch.float64.
        device: where the result goes; the sums are made on the CPU, with as many threads as torch has.

    Returns:
        torch.Tensor of shape (n, n).

    Raises:
        ValueError: X is not a two-dimensional sparse matrix of finite real numbers, the weights do not fit it, the
            dtype is neither, or the sums exceed its largest number.

    Cost: ½ Σ_u |row u|² additions over all cores; n² values, one row of n doubles a thread and 8 to 12 bytes × nnz.
    """
    X = checked_matrix(X)
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    users, items = X.shape
    weight = checked_weight(user_weight, users)
    # None where there is nothing to multiply with. The narrower the indices, the more of X stays in the caches.
    weight = None if (weight == 1).all() else weight
    data = None if (X.data == 1).all() else X.data.astype(np.float64, copy=False)
    indices = X.indices.astype(np.uint16 if items <= _SHORT else np.uint32)
    by_item = _by_item(X.indptr, indices, items)
    # From NumPy, which asks the kernel for large pages.
    G = np.empty((items, items), dtype=np.float32 if dtype == torch.float32 else np.float64)
    total = np.int32 if data is None and weight is None else np.float64

    def fill(first):
        _fill(X.indptr, indices, data, weight, *by_item, np.empty(items, total), first, G)

    with concurrent.futures.ThreadPoolExecutor(torch.get_num_threads()) as pool:
        list(pool.map(fill, range(0, items, _BLOCK)))
    if total == np.float64:
        remedy = "the values of X or the weights of users are too large; scale them down, or compute in float64"
        check_result(torch.from_numpy(G), "G", remedy)
    return torch.from_numpy(G).to(device)


def activity_weight(count, power):
    """w = (n_u / mean n)^(−α): how much each user counts in the Gram matrix.

    Source: Steck & Garcia 2021, §2.3.2 for the weights; the power is this package's way to set them all by one number.

    Args:
        count: integer array of shape (u,), the number of items n_u of each user.
        power: α, finite; 0 weighs all alike, 1 makes every user's interactions weigh one user's in sum.

    Returns:
        NumPy array of shape (u,); users without items are left out of the mean and weigh 1.

    Raises:
        ValueError: a weight is not finite, because the power is not or is too large.
    """
    active = count > 0
    weight = np.ones(len(count))
    with np.errstate(over="ignore"):
        weight[active] = (count[active] / count[active].mean()) ** -power
    if not np.isfinite(weight).all():
        raise ValueError(f"power {power!r} gives weights of users that are not finite: take one closer to 0")
    return weight


def checked_weight(user_weight, users):
    if user_weight is None:
        return np.ones(users)
    weight = np.asarray(user_weight)
    if weight.dtype.kind not in "buif":
        raise ValueError(f"user_weight must hold real numbers, got {weight.dtype}")
    weight = weight.astype(np.float64, copy=False)
    if weight.shape != (users,):
        raise ValueError(f"user_weight must have shape ({users},), one weight per row of X, got {weight.shape}")
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError("user_weight must be finite and at least 0 for every user")
    return weight


@numba.njit(cache=True, nogil=True)
def _by_item(indptr, indices, items):
    """For every item the users who have it, in order, and where it stands among the indices."""
    item_ptr = np.zeros(items + 1, dtype=np.int64)
    for item in indices:
        item_ptr[item + 1] += 1
    item_ptr = item_ptr.cumsum()
    next_place = item_ptr[:-1].copy()
    item_users, item_positions = np.empty(len(indices), dtype=np.int32), np.empty(len(indices), dtype=indptr.dtype)
    for user in range(len(indptr) - 1):
        for position in range(indptr[user], indptr[user + 1]):
            place = next_place[indices[position]]
            next_place[indices[position]] += 1
            item_users[place], item_positions[place] = user, position
    return item_ptr, item_users, item_positions


@numba.njit(cache=True, nogil=True)
def _fill(indptr, indices, data, weight, item_ptr, item_users, item_positions, row, first, G):
    """The rows from ``first`` on, one block: G[i, j] for j ≥ i, and G[j, i] after them. ``row`` is workspace."""
    items = len(G)
    last = min(first + _BLOCK, items)
    for i in range(first, last):
        row[i:] = 0
        for t in range(item_ptr[i], item_ptr[i + 1]):
            user, start = item_users[t], item_positions[t]
            scale = 1 if weight is None else weight[user]
            if data is None:
                for s in range(start, indptr[user + 1]):
                    row[indices[s]] += scale
            else:
                scale = scale * data[start]
                for s in range(start, indptr[user + 1]):
                    row[indices[s]] += scale * data[s]
        G[i, i:] = row[i:]
    for j in range(first, items):
        for i in range(first, min(last, j)):
            G[j, i] = G[i, j]
