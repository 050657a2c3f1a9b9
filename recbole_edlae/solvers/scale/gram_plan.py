"""How a Gram matrix is going to be made, and what that takes."""

import numpy as np
import scipy.sparse as sp

_SHORT = 2**16  # items that 16 bits can name
_FEW = 2**25  # additions, and entries of G, that SciPy completes before Numba is imported


def is_compiled(X: sp.csr_matrix) -> bool:
    """Return whether the Gram matrix of X is made by compiled loops, which have to be compiled or loaded first."""
    return bool(max(_additions(X), X.shape[1] ** 2) > _FEW or (X.data != 1).any())


def workspace(X: sp.csr_matrix, packed: bool) -> int:
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
    from recbole_edlae.solvers.scale.gram_loops import fill, fill_packed, users_of_items

    # A matrix of one user and no item, in the types that X has.
    indptr = np.zeros(2, dtype=X.indptr.dtype)
    indices: np.ndarray = np.empty(0, dtype=index_type(X.shape[1]))
    weight = None
    total: np.ndarray = np.empty(1, dtype=np.int32)
    if weighted:
        weight = np.ones(1)
        total = np.empty(1, dtype=np.float64)
    by_item = users_of_items(indptr, indices, 1, 0, 1)
    source = indptr, indices, None, weight, *by_item, total, 0

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
