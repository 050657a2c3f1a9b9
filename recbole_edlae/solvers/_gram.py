"""Gram matrix of a sparse user × item matrix, straight into one dense array."""

import concurrent.futures

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers._compiled import compiled
from recbole_edlae.solvers._finite import check_result, checked_matrix
from recbole_edlae.solvers._user_weight import checked_weight

_BLOCK = 32  # rows of G that a thread makes at a time, and copies below the diagonal while they are in its cache
_SHORT = 2**16  # items that 16 bits can name
_FEW = 2**25  # additions, and entries of G, that SciPy has done with before Numba is imported


def gram(
    X: sp.spmatrix,
    user_weight: np.ndarray | None = None,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Return G = Xᵀ diag(w) X as a dense, exactly symmetric matrix.

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

    Notes:
        Notation: n items, u users, nnz stored entries of X.

        A weight per user leaves every closed form of this package intact, because only G changes
        (Steck & Garcia 2021, §2.3.2).

        Equivalent to: ``(X.T @ sp.diags(w) @ X).toarray()``. It differs in cost: no sparse n × n intermediate,
        half the multiplications, every core. Each entry is summed by one thread in the order of the users, in double
        precision, and where all values and weights are 1 in integers: the result depends neither on the number of
        threads nor on ``dtype``'s rounding along the way.

        Cost: ½ Σ_u |row u|² additions over all cores; n² values, one row of n doubles a thread and 8 to 12 bytes × nnz.
        Small matrices of ones take SciPy's product, which makes the same sums: the loops here are compiled first.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import gram
        >>> gram(sp.csr_matrix([[1, 1, 0], [0, 1, 1], [1, 1, 1]])).tolist()
        [[2.0, 2.0, 1.0], [2.0, 3.0, 2.0], [1.0, 2.0, 2.0]]
    """
    X = checked_matrix(X)
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    users, items = X.shape
    given = checked_weight(user_weight, users)
    # None where there is nothing to multiply with.
    weight = None if (given == 1).all() else given
    data = None if (X.data == 1).all() else X.data.astype(np.float64, copy=False)
    real = np.float32 if dtype == torch.float32 else np.float64
    if is_compiled(X):
        G = _sums(X, data, weight, np.empty((items, items), dtype=real))  # NumPy asks the kernel for large pages
    else:
        G = _product(X, weight).astype(real)
    if data is not None or weight is not None:
        remedy = "the values of X or the weights of users are too large; scale them down, or compute in float64"
        check_result(torch.from_numpy(G), "G", remedy)
    return torch.from_numpy(G).to(device)


def is_compiled(X: sp.csr_matrix) -> bool:
    """Return whether the Gram matrix of X is made by compiled loops, which have to be compiled or loaded first."""
    additions = (np.diff(X.indptr).astype(np.float64) ** 2).sum()
    return bool(max(additions, X.shape[1] ** 2) > _FEW or (X.data != 1).any())


def compile_for(X: sp.csr_matrix, weighted: bool) -> None:
    """Compile what a Gram matrix of X in single precision takes, or load it, which may take seconds; make none."""
    if not is_compiled(X):
        return
    indptr = np.zeros(2, dtype=X.indptr.dtype)
    indices: np.ndarray = np.empty(0, dtype=_index_type(X.shape[1]))
    weight = np.ones(1) if weighted else None
    total = np.empty(1, dtype=np.float64 if weighted else np.int32)
    _fill(indptr, indices, None, weight, *_by_item(indptr, indices, 1), total, 0, np.empty((1, 1), dtype=np.float32))


def _index_type(items: int) -> type:
    """Return the type of the indices: the narrower it is, the more of X stays in the caches."""
    return np.uint16 if items <= _SHORT else np.uint32


def _product(X: sp.csr_matrix, weight: np.ndarray | None) -> np.ndarray:
    """Return G of a matrix of ones: SciPy adds up each entry in the order of the users too."""
    ones = np.ones(X.nnz, dtype=np.int32 if weight is None else np.float64)
    X = sp.csr_matrix((ones, X.indices, X.indptr), shape=X.shape)
    by_item = X.T.tocsr()
    if weight is not None:
        by_item.data = weight[by_item.indices]
    return (by_item @ X).toarray()


def _sums(X: sp.csr_matrix, data: np.ndarray | None, weight: np.ndarray | None, G: np.ndarray) -> np.ndarray:
    """Return G, filled by blocks of rows, in as many threads as torch has."""
    items = len(G)
    indices = X.indices.astype(_index_type(items))
    by_item = _by_item(X.indptr, indices, items)
    total = np.int32 if data is None and weight is None else np.float64

    def fill(first: int) -> None:
        _fill(X.indptr, indices, data, weight, *by_item, np.empty(items, total), first, G)

    with concurrent.futures.ThreadPoolExecutor(torch.get_num_threads()) as pool:
        list(pool.map(fill, range(0, items, _BLOCK)))
    return G


@compiled
def _by_item(indptr: np.ndarray, indices: np.ndarray, items: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the users of every item, in order: offsets by item, users, and positions among the indices."""
    item_ptr = np.zeros(items + 1, dtype=np.int64)
    for item in indices:
        item_ptr[item + 1] += 1
    item_ptr = item_ptr.cumsum()
    next_offset = item_ptr[:-1].copy()
    item_users, item_positions = np.empty(len(indices), dtype=np.int32), np.empty(len(indices), dtype=indptr.dtype)
    for user in range(len(indptr) - 1):
        for position in range(indptr[user], indptr[user + 1]):
            offset = next_offset[indices[position]]
            next_offset[indices[position]] += 1
            item_users[offset], item_positions[offset] = user, position
    return item_ptr, item_users, item_positions


@compiled
def _fill(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray | None,
    weight: np.ndarray | None,
    item_ptr: np.ndarray,
    item_users: np.ndarray,
    item_positions: np.ndarray,
    row: np.ndarray,
    first: int,
    G: np.ndarray,
) -> None:
    """Fill one block of rows from ``first`` on: G[i, j] for j ≥ i, then G[j, i]. ``row`` is workspace."""
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
