"""EDLAE with a few inputs for every target item: for catalogues whose square does not fit into memory."""

import numba
import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers._cooccurrence import CoOccurrence, in_threads
from recbole_edlae.solvers._finite import SingularError, checked_matrix
from recbole_edlae.solvers._full_rank import column_scale
from recbole_edlae.solvers._gram import checked_weight
from recbole_edlae.solvers._parameters import check_count, penalty

_BATCH_BYTES = 2**26  # of the small systems solved together


def neighbors(
    X, count, user_weight=None, *, dropout, l2, emphasis=(1.0, 0.0), diagonal_bound=None,
    dtype=torch.float32, device="cpu", announce=None, progress=None,
):  # fmt: skip
    """Sparse item × item weights: ``full_rank`` where every target item may use ``count`` other items only.

    Notation: n items, k count; G = Xᵀ diag(w) X, Λ = ``penalty``, M = G + diag Λ; N(j) the inputs of target j.

    N(j) are the k items with the largest G_ij² / M_ii > 0, which is by how much item i alone lowers the penalised
    squared error of j; of equals the more popular ones. Given N(j), column j of B is the exact minimiser of
    ``full_rank``'s objective among those that are zero outside N(j) and j: the objective separates by column, so its
    closed form on these k + 1 items is the solution. Learning an item's weights on its neighbours alone is the idea of
    fsSLIM (Ning & Karypis, ICDM 2011), and of Steck's sparse Markov random fields (NeurIPS 2019), which share
    small inverses among items and average them; here every column has the one that is its own.

    Equivalent to: ``full_rank``, where every two items have a user in common and k ≥ n − 1.

    Args:
        X: SciPy sparse matrix, shape (u, n), users × items; finite values ≥ 0. Duplicates are summed.
        count: k ≥ 1.
        user_weight: array of shape (u,), every weight ≥ 0 and finite; None means 1 for every user.
        dropout, l2, emphasis, diagonal_bound: as in ``full_rank``.
        dtype: torch.float32 or torch.float64, of the small systems and of B.
        device: where the small systems are solved.
        announce: called with the bytes that the rest takes, before they are taken; it may raise.
        progress: called as ``progress(done, total)`` in target items.

    Returns:
        SciPy CSR matrix of shape (n, n), B[input, target]; a column has at most k entries beside the diagonal.

    Raises:
        ValueError: a parameter is out of range, X is not a two-dimensional sparse matrix of finite numbers ≥ 0, or the
            result would not be finite.
        SingularError: the users do not determine the weights of an item; a ValueError.

    Cost: 2 Σ_u |row u|² multiply-adds and n k³/3; 8 bytes for every two items with a user in common, 24 n k.
    """
    check_count("count", count)
    penalty(np.zeros(0), dropout=dropout, l2=l2)
    problem = {"dropout": dropout, "emphasis": emphasis, "diagonal_bound": diagonal_bound}
    column_scale(torch.ones(0), torch.ones(0), **problem)
    X, weight, number = _checked(X, user_weight, dtype)
    popularity = np.bincount(X.indices, minlength=X.shape[1])
    order = np.argsort(-popularity, kind="stable")[: np.count_nonzero(popularity)]  # the items that occur
    data = CoOccurrence(X[:, order], weight)
    pair_counts, count = data.pair_counts(), min(count, max(len(order) - 1, 1))
    if announce is not None:
        announce((4 + number.itemsize) * int(pair_counts.sum() + 3 * len(order) * count))
    pairs = data.pairs(number, pair_counts)
    Lambda = penalty(pairs.diagonal, dropout=dropout, l2=l2)
    _check_size(number, pairs.values, pairs.diagonal + Lambda)
    inputs, size = data.best_inputs(count, pairs.diagonal + Lambda)
    del data
    values, diagonal = np.empty(inputs.shape, number), np.empty(len(order), number)
    step = max(1, _BATCH_BYTES // (values.itemsize * (inputs.shape[1] + 1) ** 2))
    for start in range(0, len(order), step):
        part = slice(start, start + step)
        column, c = _last_columns(_systems(pairs, Lambda, inputs, size, part, number).to(device))
        scale, beta = column_scale(c, torch.from_numpy(Lambda[part]).to(c), **problem)
        values[part], diagonal[part] = (column * scale[:, None]).cpu(), beta.cpu()
        if progress is not None:
            progress(min(start + step, len(order)), len(order))
    _check_size(number, values, diagonal)
    return _assemble(inputs, size, values, diagonal, order, X.shape[1])


def _checked(X, user_weight, dtype):
    """X in CSR without zeros and users of no weight, the weights of the others, NumPy's name of the dtype."""
    X = checked_matrix(X)
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    weight = checked_weight(user_weight, X.shape[0])
    X = X[weight > 0]
    X.eliminate_zeros()
    if (X.data < 0).any():
        raise ValueError("X must have no negative values")
    return X, weight[weight > 0], torch.empty(0, dtype=dtype).numpy().dtype


def _check_size(number, *arrays):
    """Check that sums and results are finite in the type of B; squares of the sums choose the inputs, in float64."""
    limit = min(np.finfo(number).max, np.finfo(np.float64).max ** 0.5)
    for array in arrays:
        if array.size and not (-limit <= array.min() and array.max() <= limit):
            raise ValueError(
                f"G or B would not be finite at {np.dtype(number)}: the values of X, user_weight or l2 are too "
                "large or too small; scale them, or compute in float64"
            )


def _systems(pairs, Lambda, inputs, size, part, number):
    """M on N(j) ∪ {j} for some targets j, which come last; its lower half, and missing inputs as in the identity."""
    inputs = inputs[part]
    systems = np.zeros((len(inputs), inputs.shape[1] + 1, inputs.shape[1] + 1), number)
    in_threads(_gather, *pairs, Lambda, inputs, size[part], part.start, systems)
    return torch.from_numpy(systems)


def _last_columns(systems):
    """Last columns of the inverses, without and of the diagonal."""
    factor, info = torch.linalg.cholesky_ex(systems)
    if (info != 0).any():
        raise SingularError(
            f"G + penalty is not positive definite at {systems.dtype} on the neighbors of {(info != 0).sum()} items: "
            "raise l2 or dropout, or compute in float64"
        )
    right = torch.zeros_like(factor[:, :, :1])
    right[:, -1, 0] = 1 / factor[:, -1, -1]
    columns = torch.linalg.solve_triangular(factor.mT, right, upper=True)[:, :, 0]
    return columns[:, :-1], columns[:, -1]


def _assemble(inputs, size, values, diagonal, order, n):
    """B in CSR and in the items' own order."""
    target = np.argsort(order)
    there = np.arange(inputs.shape[1]) < size[target, None]
    rows = order.astype(np.int32)[inputs[target][there]]
    size_of = np.zeros(n, np.int64)
    size_of[order] = size
    indptr = np.concatenate([[0], np.cumsum(size_of)])
    B = sp.csc_matrix((values[target][there], rows, indptr), shape=(n, n)).tocsr()
    if not diagonal.any():
        return B
    return B + sp.csr_matrix((diagonal, (order, order)), shape=(n, n))


@numba.njit(cache=True, nogil=True)
def _gather(indptr, indices, values, diagonal, Lambda, inputs, size, offset, systems, first, step):
    last = inputs.shape[1]
    place = np.full(len(diagonal), -1, np.int32)  # of an item in the system
    for j in range(first, len(inputs), step):
        items = np.append(inputs[j, : size[j]], np.int32(offset + j))
        places = np.append(np.arange(size[j]), last)
        place[items] = places
        for a in range(size[j], last):
            systems[j, a, a] = 1.0
        for item, a in zip(items, places):
            systems[j, a, a] = diagonal[item] + Lambda[item]
            start, end = indptr[item], indptr[item + 1]
            if end - start < 16 * len(items):
                for s in range(start, end):
                    b = place[indices[s]]
                    if b >= 0:
                        systems[j, max(a, b), min(a, b)] = values[s]
            else:
                for other, b in zip(items, places):
                    s = start + np.searchsorted(indices[start:end], other)
                    if s < end and indices[s] == other:
                        systems[j, max(a, b), min(a, b)] = values[s]
        place[items] = -1
