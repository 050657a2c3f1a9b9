"""Gram matrix of a sparse user × item matrix, straight into one dense array."""

import concurrent.futures
import functools
from typing import Literal, overload

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers._compiled import compiled
from recbole_edlae.solvers._finite import check_result, checked_matrix
from recbole_edlae.solvers._tiles import Symmetric, SymmetricTiles
from recbole_edlae.solvers._user_weight import checked_weight

_BLOCK = 32  # rows of G that a thread makes at a time, and copies below the diagonal while they are in its cache
_SHORT = 2**16  # items that 16 bits can name
_FEW = 2**25  # additions, and entries of G, that SciPy has done with before Numba is imported


@overload
def gram(
    X: sp.spmatrix,
    user_weight: np.ndarray | None = ...,
    *,
    dtype: torch.dtype = ...,
    device: torch.device | str = ...,
    packed: Literal[False] = ...,
) -> torch.Tensor: ...
@overload
def gram(
    X: sp.spmatrix,
    user_weight: np.ndarray | None = ...,
    *,
    dtype: torch.dtype = ...,
    device: torch.device | str = ...,
    packed: bool,
) -> Symmetric: ...
def gram(
    X: sp.spmatrix,
    user_weight: np.ndarray | None = None,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    packed: bool = False,
) -> Symmetric:
    """Return G = Xᵀ diag(w) X as an exactly symmetric matrix, dense or packed.

    Args:
        X: SciPy sparse matrix, shape (u, n), users × items; any finite real values. Duplicates are summed.
        user_weight: array of shape (u,), every weight ≥ 0 and finite; None means 1 for every user.
        dtype: torch.float32 or torch.float64.
        device: where the result goes; the sums are made on the CPU, with as many threads as torch has.
        packed: return the lower triangle in tiles, in half the memory; on the CPU only.

    Returns:
        torch.Tensor of shape (n, n), or SymmetricTiles with the same entries.

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

        Cost: ½ Σ_u |row u|² additions over all cores; n² values or, packed, half as many, one row of n doubles a
        thread and 3 to 13 bytes × nnz. Small matrices of ones take SciPy's product, which makes the same sums: the
        loops here are compiled first.

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
    if packed:
        tiles = SymmetricTiles.empty(items, dtype)
        _fill_packed(tiles, X, data, weight)
        values = tiles.values
    elif is_compiled(X):
        G = np.empty((items, items), dtype=real)  # NumPy asks the kernel for large pages
        _sums(X, data, weight, (G,))
        values = torch.from_numpy(G)
    else:
        values = torch.from_numpy(_product(X, weight).astype(real).toarray())
    if data is not None or weight is not None:
        remedy = "the values of X or the weights of users are too large; scale them down, or compute in float64"
        check_result(values, "G", remedy)
    return tiles if packed else values.to(device)


def fill_tiles(tiles: SymmetricTiles, X: sp.csr_matrix, weight: np.ndarray) -> None:
    """Set a packed matrix to Xᵀ diag(w) X, as ``gram`` does, for a matrix of ones."""
    _fill_packed(tiles, X, None, weight)


def _fill_packed(tiles: SymmetricTiles, X: sp.csr_matrix, data: np.ndarray | None, weight: np.ndarray | None) -> None:
    """Set a packed matrix to the sums."""
    _sums(X, data, weight, (tiles.bounds.numpy(), tiles.offsets, tiles.values.numpy()))
    tiles.mirror()


def is_compiled(X: sp.csr_matrix) -> bool:
    """Return whether the Gram matrix of X is made by compiled loops, which have to be compiled or loaded first."""
    return bool(max(_additions(X), X.shape[1] ** 2) > _FEW or (X.data != 1).any())


def workspace(X: sp.csr_matrix, packed: bool) -> int:
    """Return how many bytes a Gram matrix of X takes beside itself, X included."""
    sparse = 0 if packed or is_compiled(X) else 12 * min(_additions(X), X.shape[1] ** 2)
    return 24 * X.nnz + int(sparse)


def _additions(X: sp.csr_matrix) -> float:
    """Return the sum over the users of their squared numbers of items."""
    return float((np.diff(X.indptr).astype(np.float64) ** 2).sum())


def compile_for(X: sp.csr_matrix, weighted: bool, packed: bool) -> None:
    """Compile what a Gram matrix of X in single precision takes, or load it, which may take seconds; make none."""
    if not packed and not is_compiled(X):
        return
    indptr = np.zeros(2, dtype=X.indptr.dtype)
    indices: np.ndarray = np.empty(0, dtype=_index_type(X.shape[1]))
    weight = np.ones(1) if weighted else None
    total = np.empty(1, dtype=np.float64 if weighted else np.int32)
    source = indptr, indices, None, weight, *_by_item(indptr, indices, 1, 0, 1), total, 0
    one = np.zeros(1, dtype=np.float32)
    if packed:
        _fill_tiles(*source, np.arange(2), np.zeros((1, 1), dtype=np.int64), one)
    else:
        _fill(*source, one[None])


def _index_type(items: int) -> type:
    """Return the type of the indices: the narrower it is, the more of X stays in the caches."""
    return np.uint16 if items <= _SHORT else np.uint32


def _product(X: sp.csr_matrix, weight: np.ndarray | None) -> sp.csr_matrix:
    """Return G of a matrix of ones: SciPy adds up each entry in the order of the users too."""
    ones = np.ones(X.nnz, dtype=np.int32 if weight is None else np.float64)
    X = sp.csr_matrix((ones, X.indices, X.indptr), shape=X.shape)
    by_item = X.T.tocsr()
    if weight is not None:
        by_item.data = weight[by_item.indices]
    return by_item @ X


def _sums(X: sp.csr_matrix, data: np.ndarray | None, weight: np.ndarray | None, target: tuple[np.ndarray, ...]) -> None:
    """Fill G by blocks of rows, in as many threads as torch has: a dense array, or bounds, offsets and values."""
    items = X.shape[1]
    indices = X.indices.astype(_index_type(items))
    total = np.int32 if data is None and weight is None else np.float64
    fill = _fill if len(target) == 1 else _fill_tiles

    def fill_block(by_item: tuple[np.ndarray, np.ndarray], first: int) -> None:
        fill(X.indptr, indices, data, weight, *by_item, np.empty(items, total), first, *target)

    # The users of an eighth of the items at a time: all at once they take as many bytes as X's indices.
    step = _BLOCK * max(1, -(-items // (8 * _BLOCK)))
    with concurrent.futures.ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for begin in range(0, items, step):
            end = min(begin + step, items)
            by_item = _by_item(X.indptr, indices, items, begin, end)
            list(pool.map(functools.partial(fill_block, by_item), range(begin, end, _BLOCK)))


@compiled
def _by_item(
    indptr: np.ndarray, indices: np.ndarray, items: int, begin: int, end: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the users of some items, from begin to end - 1, in order: offsets by item, and users."""
    item_ptr = np.zeros(items + 1, dtype=np.int64)
    for item in indices:
        if begin <= item < end:
            item_ptr[item + 1] += 1
    item_ptr = item_ptr.cumsum()
    next_offset = item_ptr[:-1].copy()
    item_users = np.empty(item_ptr[-1], dtype=np.int32)
    for user in range(len(indptr) - 1):
        for position in range(indptr[user], indptr[user + 1]):
            item = indices[position]
            if begin <= item < end:
                item_users[next_offset[item]] = user
                next_offset[item] += 1
    return item_ptr, item_users


@compiled
def _sum_row(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray | None,
    weight: np.ndarray | None,
    item_ptr: np.ndarray,
    item_users: np.ndarray,
    row: np.ndarray,
    i: int,
) -> None:
    """Sum row i of G from the diagonal on."""
    row[i:] = 0
    for t in range(item_ptr[i], item_ptr[i + 1]):
        user = item_users[t]
        start, stop = indptr[user], indptr[user + 1]
        end = stop
        while start < end:  # until start is where the user's row has i
            middle = (start + end) // 2
            if indices[middle] < i:
                start = middle + 1
            else:
                end = middle
        scale = 1 if weight is None else weight[user]
        if data is None:
            for s in range(start, stop):
                row[indices[s]] += scale
        else:
            scale = scale * data[start]
            for s in range(start, stop):
                row[indices[s]] += scale * data[s]


@compiled
def _fill(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray | None,
    weight: np.ndarray | None,
    item_ptr: np.ndarray,
    item_users: np.ndarray,
    row: np.ndarray,
    first: int,
    G: np.ndarray,
) -> None:
    """Fill one block of rows from ``first`` on: G[i, j] for j ≥ i, then G[j, i]. ``row`` is workspace."""
    items = len(G)
    last = min(first + _BLOCK, items)
    for i in range(first, last):
        _sum_row(indptr, indices, data, weight, item_ptr, item_users, row, i)
        G[i, i:] = row[i:]
    for j in range(first, items):
        for i in range(first, min(last, j)):
            G[j, i] = G[i, j]


@compiled
def _fill_tiles(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray | None,
    weight: np.ndarray | None,
    item_ptr: np.ndarray,
    item_users: np.ndarray,
    row: np.ndarray,
    first: int,
    bounds: np.ndarray,
    offsets: np.ndarray,
    values: np.ndarray,
) -> None:
    """Fill one block of columns from ``first`` on, from the diagonal down. ``row`` is workspace."""
    column_part = 0
    for i in range(first, min(first + _BLOCK, len(row))):
        _sum_row(indptr, indices, data, weight, item_ptr, item_users, row, i)
        while bounds[column_part + 1] <= i:
            column_part += 1
        column = i - bounds[column_part]
        for part in range(column_part, len(bounds) - 1):
            start, stop = bounds[part], bounds[part + 1]
            target = offsets[part, column_part] + column * (stop - start)
            begin = max(start, i)
            values[target + begin - start : target + stop - start] = row[begin:stop]
