"""EDLAE with a few inputs for every target item: for catalogs too large for a dense matrix."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers._finite import SingularError, check_popularity, checked_matrix
from recbole_edlae.solvers._full_rank import Problem, solve
from recbole_edlae.solvers._matrix import invert_sum, scaled_columns
from recbole_edlae.solvers.parameters import Progress, check_count, checked_weight, penalty
from recbole_edlae.solvers.scale.compiled import compiled
from recbole_edlae.solvers.scale.cooccurrence import CoOccurrence, Pairs, in_threads

_BATCH_BYTES = 2**26  # of the small systems that are solved at a time


def neighbors(
    X: sp.spmatrix,
    count: int,
    user_weight: np.ndarray | None = None,
    *,
    dropout: float,
    l2: float,
    emphasis: tuple[float, float] = (1.0, 0.0),
    diagonal_bound: float | None = None,
    item_count: torch.Tensor | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    announce: Callable[[int], object] | None = None,
    progress: Progress | None = None,
) -> sp.csr_matrix:
    """Return sparse item × item weights: ``full_rank`` where every target item may use ``count`` other items only.

    Args:
        X: SciPy sparse matrix, shape (u, n), users × items; finite values ≥ 0. Duplicates are summed.
        count: k ≥ 1.
        user_weight: array of shape (u,), every weight ≥ 0 and finite; None means 1 for every user.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).
        emphasis: (a, b), as in ``full_rank``.
        diagonal_bound: ξ, as in ``full_rank``.
        item_count: torch.Tensor, shape (n,), as in ``full_rank``.
        dtype: torch.float32 or torch.float64, of the small systems and of B.
        device: where the small systems are solved.
        announce: called with the bytes that the remaining steps take, before they are taken; it may raise.
        progress: called as ``progress(done, total)`` in target items.

    Returns:
        SciPy CSR matrix of shape (n, n), B[input, target]; a column has at most k entries beside the diagonal.

    Raises:
        ValueError: a parameter is out of range, X is not a two-dimensional sparse matrix of finite numbers ≥ 0, or the
            result would not be finite.
        SingularError: the users do not determine the weights of an item; a ValueError.

    Notes:
        Notation: n items, k count; G = Xᵀ diag(w) X, Λ = ``penalty``, M = G + diag Λ; N(j) the inputs of target j.

        N(j) are the k items with the largest G_ij² / M_ii > 0, which is by how much item i alone lowers the penalized
        squared error of j; of equals the more popular ones. Given N(j), column j of B is the exact minimizer of
        ``full_rank``'s objective among those that are zero outside N(j) and j: the objective separates by column, so
        its closed form on these k + 1 items is the solution. Learning an item's weights on its neighbors alone is the
        idea of fsSLIM (Ning & Karypis, ICDM 2011), and of Steck's sparse Markov random fields (NeurIPS 2019), which
        share small inverses among items and average them; here every column has its own.

        Equivalent to: ``full_rank``, where every two items have a user in common and k ≥ n − 1.

        Cost: 4 Σ_u |row u|² + n k³/3 operations; 8 bytes for every two items with a user in common, 24 n k.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import neighbors
        >>> X = sp.csr_matrix([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 1, 1]])
        >>> B = neighbors(X, 2, dropout=0.3, l2=1.0)
        >>> (abs(B) > 0).sum(0).tolist()  # inputs of each target
        [[2, 2, 2, 2]]
    """
    # Settings are checked before the sums take their time.
    check_count("count", count)
    penalty(np.zeros(0), dropout=dropout, l2=l2)
    problem = Problem.of(dropout, emphasis, diagonal_bound)
    X, weight = _checked(X, user_weight, dtype)
    numpy_dtype = torch.empty(0, dtype=dtype).numpy().dtype

    # The items that occur, by falling popularity: of equal gains the first is the more popular one.
    popularity = np.bincount(X.indices, minlength=X.shape[1])
    order = np.argsort(-popularity, kind="stable")[: np.count_nonzero(popularity)]
    cooccurrence = CoOccurrence(X[:, order], weight)
    pair_counts = cooccurrence.pair_counts()
    limit = min(count, max(len(order) - 1, 1))

    # Nothing large has been allocated yet, so that the caller can refuse.
    if announce is not None:
        entries = int(pair_counts.sum() + 3 * len(order) * limit)
        announce((4 + numpy_dtype.itemsize) * entries)

    # G in pairs, and Λ.
    pairs = cooccurrence.pairs(numpy_dtype, pair_counts)
    dropped = pairs.diagonal
    if item_count is not None:
        dropped = _counts(item_count, X.shape[1])[order]
    Lambda = penalty(dropped, dropout=dropout, l2=l2)
    _check_size(numpy_dtype, pairs.values, pairs.diagonal + Lambda)

    # N(j) for every j; then the users' rows are no longer needed.
    inputs, lengths = cooccurrence.best_inputs(limit, pairs.diagonal + Lambda)
    del cooccurrence

    # Column j of B from the last column of the inverse of M on N(j) ∪ {j}.
    values = np.empty(inputs.shape, numpy_dtype)
    diagonal = np.empty(len(order), numpy_dtype)
    step = max(1, _BATCH_BYTES // (values.itemsize * (inputs.shape[1] + 1) ** 2))
    for start in range(0, len(order), step):
        batch = slice(start, start + step)
        systems = Systems(_systems(pairs, Lambda, inputs, lengths, batch).to(device))
        targets = torch.from_numpy(Lambda[batch]).to(systems.lower)
        column, beta = solve(systems, targets, problem)
        values[batch] = column.cpu()
        diagonal[batch] = beta.cpu()
        if progress is not None:
            progress(min(start + step, len(order)), len(order))

    _check_size(numpy_dtype, values, diagonal)
    return _assemble(inputs, lengths, values, diagonal, order, X.shape[1])


def _checked(
    X: sp.spmatrix, user_weight: np.ndarray | None, dtype: torch.dtype
) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return X in CSR without zeros and without users of weight 0, and the weights of the others."""
    X = checked_matrix(X)
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")

    # Users of weight 0 add nothing, but would count in the popularity.
    weight = checked_weight(user_weight, X.shape[0])
    X = X[weight > 0]
    if (X.data < 0).any():
        raise ValueError("X must have no negative values")
    return X, weight[weight > 0]


def _counts(item_count: torch.Tensor, items: int) -> np.ndarray:
    """Return the users of each item as an array, after a check."""
    check_popularity(item_count, items, name="item_count")
    return item_count.cpu().numpy().astype(np.float64)


def _check_size(dtype: np.dtype, *arrays: np.ndarray) -> None:
    """Check that sums and results are finite in the type of B; squares of the sums choose the inputs, in float64."""
    limit = min(np.finfo(dtype).max, np.finfo(np.float64).max ** 0.5)
    for array in arrays:
        if array.size and not (-limit <= array.min() and array.max() <= limit):
            raise ValueError(
                f"G or B would not be finite at {np.dtype(dtype)}: the values of X, user_weight or l2 are too "
                "large or too small; scale them, or compute in float64"
            )


def _systems(
    pairs: Pairs, Lambda: np.ndarray, inputs: np.ndarray, lengths: np.ndarray, batch: slice
) -> torch.Tensor:
    """Return the lower half of M on N(j) ∪ {j} for some targets j.

    Target j comes last; missing inputs have rows of the identity.
    """
    inputs = inputs[batch]
    order = inputs.shape[1] + 1
    systems = np.zeros((len(inputs), order, order), pairs.values.dtype)
    in_threads(_gather, pairs, Lambda, inputs, lengths[batch], batch.start, systems)
    return torch.from_numpy(systems)


class Systems(NamedTuple):
    """M on N(j) ∪ {j} for some targets j, which come last; shape (targets, k + 1, k + 1), the lower halves."""

    lower: torch.Tensor


class LastColumns(NamedTuple):
    """The last column of the inverse of each system without its last entry, and that entry c."""

    column: torch.Tensor
    c: torch.Tensor

    def diagonal(self) -> torch.Tensor:
        """Return c, shape (targets,)."""
        return self.c


@invert_sum.register
def _(G: Systems, Lambda: torch.Tensor, overwrite: bool, progress: Progress | None) -> LastColumns:
    # Λ is in the systems already, that of the inputs too.
    factor, info = torch.linalg.cholesky_ex(G.lower)
    if (info != 0).any():
        raise SingularError(
            f"G + penalty is not positive definite at {factor.dtype} on the neighbors of {(info != 0).sum()} items: "
            "raise l2 or dropout, or compute in float64"
        )

    # L⁻¹ times the last unit vector has one entry, so that one triangular solve is enough.
    right = torch.zeros_like(factor[:, :, :1])
    right[:, -1, 0] = 1 / factor[:, -1, -1]
    columns = torch.linalg.solve_triangular(factor.mT, right, upper=True)[:, :, 0]
    return LastColumns(columns[:, :-1], columns[:, -1])


@scaled_columns.register
def _(C: LastColumns, scale: torch.Tensor, diagonal: torch.Tensor) -> LastColumns:
    return LastColumns(C.column * scale[:, None], diagonal)


def _assemble(
    inputs: np.ndarray,
    lengths: np.ndarray,
    values: np.ndarray,
    diagonal: np.ndarray,
    order: np.ndarray,
    items: int,
) -> sp.csr_matrix:
    """Return B in CSR and in the original order of the items."""
    # Targets in the original order, and their inputs by original ids.
    target = np.argsort(order)
    filled = np.arange(inputs.shape[1]) < lengths[target, None]
    rows = order.astype(np.int32)[inputs[target][filled]]

    # Items that nobody used have empty columns.
    column_lengths = np.zeros(items, np.int64)
    column_lengths[order] = lengths
    indptr = np.concatenate([[0], np.cumsum(column_lengths)])

    B = sp.csc_matrix((values[target][filled], rows, indptr), shape=(items, items)).tocsr()
    if not diagonal.any():
        return B
    return B + sp.csr_matrix((diagonal, (order, order)), shape=(items, items))


@compiled
def _gather(
    pairs: Pairs,
    Lambda: np.ndarray,
    inputs: np.ndarray,
    lengths: np.ndarray,
    offset: int,
    systems: np.ndarray,
    first: int,
    step: int,
) -> None:
    """Fill the lower half of M on N(j) ∪ {j}, for every step-th target j from ``first`` on."""
    last = inputs.shape[1]
    row_of = np.full(len(pairs.diagonal), -1, np.int32)  # of an item in the system
    for j in range(first, len(inputs), step):
        # The inputs in order, and the target last.
        items = np.append(inputs[j, : lengths[j]], np.int32(offset + j))
        rows = np.append(np.arange(lengths[j]), last)
        row_of[items] = rows

        # Rows of the identity where a target has fewer inputs.
        for a in range(lengths[j], last):
            systems[j, a, a] = 1.0

        for item, a in zip(items, rows):
            systems[j, a, a] = pairs.diagonal[item] + Lambda[item]
            start, end = pairs.indptr[item], pairs.indptr[item + 1]

            # A short row of G is read whole; in a long one the few items are looked up.
            if end - start < 16 * len(items):
                for s in range(start, end):
                    b = row_of[pairs.indices[s]]
                    if b >= 0:
                        systems[j, max(a, b), min(a, b)] = pairs.values[s]
            else:
                for other, b in zip(items, rows):
                    s = start + np.searchsorted(pairs.indices[start:end], other)
                    if s < end and pairs.indices[s] == other:
                        systems[j, max(a, b), min(a, b)] = pairs.values[s]

        # The next target finds no items of this one.
        row_of[items] = -1
