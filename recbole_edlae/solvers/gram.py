"""Gram matrix of a sparse user × item matrix, straight into one dense array."""

import numba
import numpy as np
import scipy.sparse as sp
import torch

_TILE = 64  # rows and columns mirrored at a time: a tile and its mirror image fit a first-level cache


def gram(X, user_weight=None, *, dtype=torch.float32, device="cpu"):
    """G = Xᵀ diag(w) X as a dense, exactly symmetric matrix.

    Notation: n items, u users, nnz stored entries of X.

    A weight per user leaves every closed form of this package intact, because only G changes
    (Steck & Garcia 2021, §2.3.2).

    Equivalent to: ``(X.T @ sp.diags(w) @ X).toarray()``. It differs in cost: no sparse n × n intermediate,
    half the multiplications, every core. Each entry is summed by one thread, in double precision and in the
    order of the users, so that the result depends neither on the number of threads nor on ``dtype``'s rounding
    along the way.

    Args:
        X: SciPy sparse matrix, shape (u, n), users × items; any real values, duplicates already summed.
        user_weight: array of shape (u,), every weight ≥ 0 and finite; None means 1 for every user.
        dtype: torch.float32 or torch.float64.
        device: where the result goes; the sums are made on the CPU.

    Returns:
        torch.Tensor of shape (n, n).

    Raises:
        ValueError: X is not a two-dimensional sparse matrix, the weights do not fit it, or the dtype is neither.

    Cost: ½ Σ_u |row u|² multiply-adds over all cores; n² values, one row of n doubles a thread and 12 bytes × nnz.
    """
    if not sp.issparse(X) or X.ndim != 2:
        raise ValueError(f"X must be a two-dimensional SciPy sparse matrix (users, items), got {type(X).__name__}")
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    users, items = X.shape
    weight = _checked_weight(user_weight, users)
    X = X.tocsr()
    if not X.has_sorted_indices:
        X = X.sorted_indices()
    # Transposed once: for every item the users who have it, and where in their row it stands.
    by_item = sp.csr_matrix((np.arange(X.nnz), X.indices, X.indptr), shape=X.shape).tocsc()
    G = torch.empty(items, items, dtype=dtype)
    _upper_rows(
        X.indptr, X.indices, X.data.astype(np.float64, copy=False),
        by_item.indptr, by_item.indices, by_item.data, weight, G.numpy(), 8 * numba.get_num_threads(),
    )  # fmt: skip
    _mirror(G.numpy())
    return G.to(device)


def activity_weight(count, power):
    """w = (n_u / mean n)^(−α): how much each user counts in the Gram matrix.

    Source: Steck & Garcia 2021, §2.3.2 for the weights; the power is this package's way to set them all by one number.

    Args:
        count: integer array of shape (u,), the number of items n_u of each user.
        power: α, finite; 0 weighs all alike, 1 makes every user's interactions weigh one user's in sum.

    Returns:
        NumPy array of shape (u,); users without items are left out of the mean and weigh 1.
    """
    active = count > 0
    weight = np.ones(len(count))
    weight[active] = (count[active] / count[active].mean()) ** -power
    return weight


def _checked_weight(user_weight, users):
    if user_weight is None:
        return np.ones(users)
    weight = np.asarray(user_weight, dtype=np.float64)
    if weight.shape != (users,):
        raise ValueError(f"user_weight must have shape ({users},), one weight per row of X, got {weight.shape}")
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError("user_weight must be finite and at least 0 for every user")
    return weight


@numba.njit(parallel=True, cache=True, nogil=True)
def _upper_rows(indptr, indices, data, item_ptr, item_users, item_positions, weight, G, stripes):
    """G[i, j] for j ≥ i. Stripes of interleaved rows keep the threads equally busy: early rows are the long ones."""
    items = G.shape[0]
    for stripe in numba.prange(stripes):
        row = np.empty(items)
        for i in range(stripe, items, stripes):
            row[i:] = 0.0
            for t in range(item_ptr[i], item_ptr[i + 1]):
                user, start = item_users[t], item_positions[t]
                scale = weight[user] * data[start]
                for s in range(start, indptr[user + 1]):
                    row[indices[s]] += scale * data[s]
            G[i, i:] = row[i:]


@numba.njit(parallel=True, cache=True, nogil=True)
def _mirror(G):
    """Copies the upper triangle onto the lower one, tile by tile."""
    items = G.shape[0]
    tiles = (items + _TILE - 1) // _TILE
    for tile in numba.prange(tiles):
        for top in range(0, (tile + 1) * _TILE, _TILE):
            for i in range(tile * _TILE, min((tile + 1) * _TILE, items)):
                for j in range(top, min(top + _TILE, i)):
                    G[i, j] = G[j, i]
