"""Compute the Gram matrix of a sparse user × item matrix into one dense array, and say before what that takes."""

import concurrent.futures
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers._finite import check_result, checked_matrix
from recbole_edlae.solvers.parameters import checked_weight

if TYPE_CHECKING:
    from recbole_edlae.solvers.scale.operations import SymmetricTiles

_SHORT = 2**16  # items that 16 bits can name
_FEW = 2**25  # additions, and entries of G, that SciPy completes before Numba is imported


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
) -> "torch.Tensor | SymmetricTiles": ...
def gram(
    X: sp.spmatrix,
    user_weight: np.ndarray | None = None,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    packed: bool = False,
) -> "torch.Tensor | SymmetricTiles":
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
        thread and 4 to 14 bytes × nnz. Small matrices of ones take SciPy's product, which makes the same sums: the
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
    user_weights = checked_weight(user_weight, users)

    # None where there is nothing to multiply with: sums of ones are made in integers.
    weight = None
    if not (user_weights == 1).all():
        weight = user_weights
    data = None
    if not (X.data == 1).all():
        data = X.data.astype(np.float64, copy=False)

    # Packed matrices and compiled loops are loaded with the first large catalog.
    if packed:
        from recbole_edlae.solvers.scale.operations import SymmetricTiles

        tiles = SymmetricTiles.empty(items, dtype)
        fill_tiles(tiles, X, data, weight)
        _check_sums(tiles.values, data, weight)
        return tiles

    real = np.float32 if dtype == torch.float32 else np.float64
    if is_compiled(X):
        G = np.empty((items, items), dtype=real)  # NumPy asks the kernel for large pages
        _sums(X, data, weight, (G,))
    else:
        G = _product(X, weight).astype(real).toarray()
    values = torch.from_numpy(G)
    _check_sums(values, data, weight)
    return values.to(device)


def _check_sums(values: torch.Tensor, data: np.ndarray | None, weight: np.ndarray | None) -> None:
    """Check that sums are finite; those of ones always are."""
    if data is not None or weight is not None:
        remedy = (
            "the values of X or the weights of users are too large; scale them down, or compute in float64"
        )
        check_result(values, "G", remedy)


def fill_tiles(
    tiles: "SymmetricTiles", X: sp.csr_matrix, data: np.ndarray | None, weight: np.ndarray | None
) -> None:
    """Set a packed matrix to Xᵀ diag(w) X, as ``gram`` does; None stands for ones."""
    target = tiles.bounds.numpy(), tiles.offsets, tiles.values.numpy()
    _sums(X, data, weight, target)
    tiles.mirror()


def _product(X: sp.csr_matrix, weight: np.ndarray | None) -> sp.csr_matrix:
    """Return G of a matrix of ones: SciPy adds up each entry in the order of the users too."""
    # Ones in int8, as some models keep them, would overflow.
    ones = np.ones(X.nnz, dtype=np.int32 if weight is None else np.float64)
    X = sp.csr_matrix((ones, X.indices, X.indptr), shape=X.shape)

    # Xᵀ diag(w)
    by_item = X.T.tocsr()
    if weight is not None:
        by_item.data = weight[by_item.indices]
    return by_item @ X


def _sums(
    X: sp.csr_matrix, data: np.ndarray | None, weight: np.ndarray | None, target: tuple[np.ndarray, ...]
) -> None:
    """Fill G by blocks of rows, in as many threads as torch has: a dense array, or bounds, offsets and values."""
    from recbole_edlae.solvers.scale.gram_loops import BLOCK, fill, fill_packed

    items = X.shape[1]
    indices = X.indices.astype(index_type(items))

    fill_rows: Any = fill_packed
    if len(target) == 1:
        fill_rows = fill

    # Integers for ones, which are exact and quicker.
    total: type = np.float64
    if data is None and weight is None:
        total = np.int32

    def fill_block(first: int) -> None:
        source = X.indptr, indices, data, weight, offsets, users
        fill_rows(*source, np.empty(items, total), first, *target)

    # The users of an eighth of the items at a time: all at once they take as many bytes as X's indices. They come in
    # order, so that every sum has one order too.
    pattern = sp.csr_matrix((np.ones(X.nnz, dtype=np.int8), X.indices, X.indptr), shape=X.shape)
    offsets = np.zeros(items + 1, dtype=X.indptr.dtype)
    step = BLOCK * max(1, -(-items // (8 * BLOCK)))
    with concurrent.futures.ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for begin in range(0, items, step):
            by_item = pattern[:, begin : begin + step].tocsc()
            end = begin + by_item.shape[1]
            offsets[begin : end + 1] = by_item.indptr
            users = by_item.indices.astype(X.indices.dtype, copy=False)

            # The list waits for all blocks, and raises what one of them raises.
            list(pool.map(fill_block, range(begin, end, BLOCK)))


def is_compiled(X: sp.csr_matrix) -> bool:
    """Return whether the Gram matrix of X is made by compiled loops, which have to be compiled or loaded first."""
    return bool(max(_additions(X), X.shape[1] ** 2) > _FEW or (X.data != 1).any())


def gram_workspace(X: sp.csr_matrix, packed: bool) -> int:
    """Return how many bytes a Gram matrix of X takes beside itself, X included."""
    # SciPy's product is a sparse matrix with 12 bytes an entry.
    product = 0.0
    if not packed and not is_compiled(X):
        product = 12 * min(_additions(X), X.shape[1] ** 2)
    return 24 * X.nnz + int(product)


def _additions(X: sp.csr_matrix) -> float:
    """Return the sum over the users of their squared numbers of items."""
    return float((np.diff(X.indptr).astype(np.float64) ** 2).sum())


def compile_gram(X: sp.csr_matrix, weighted: bool, packed: bool) -> None:
    """Compile what a Gram matrix of X in single precision takes, or load it, which may take seconds; make none."""
    if not packed and not is_compiled(X):
        return
    from recbole_edlae.solvers.scale.gram_loops import fill, fill_packed

    # A matrix of one user and no item, in the types that X has.
    offsets = np.zeros(2, dtype=X.indptr.dtype)
    indices: np.ndarray = np.empty(0, dtype=index_type(X.shape[1]))
    users = np.empty(0, dtype=X.indices.dtype)
    weight = None
    total: np.ndarray = np.empty(1, dtype=np.int32)
    if weighted:
        weight = np.ones(1)
        total = np.empty(1, dtype=np.float64)
    source = offsets, indices, None, weight, offsets, users, total, 0

    one = np.zeros(1, dtype=np.float32)
    if packed:
        fill_packed(*source, np.arange(2), np.zeros((1, 1), dtype=np.int64), one)
    else:
        fill(*source, one[None])


def index_type(items: int) -> type:
    """Return the type of the indices: the narrower it is, the more of X stays in the caches."""
    if items <= _SHORT:
        return np.uint16
    return np.uint32
