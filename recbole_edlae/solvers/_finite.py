"""Check that matrices hold finite real numbers, in one pass over them and without a copy."""

import functools
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

_ROWS = 1024  # rows of a matrix that are checked at a time
_ENTRIES = 2**22  # entries of a vector that are checked at a time


class SingularError(ValueError):
    """G + penalty is not positive definite: the users do not determine the weights of the items.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import full_rank
        >>> full_rank(torch.ones(2, 2), dropout=0.0, l2=0.0)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        recbole_edlae.solvers._finite.SingularError: G + penalty is not positive definite at torch.float32: ...
    """


def checked_matrix(X: Any, name: str = "X") -> sp.csr_matrix:
    """Return a user × item matrix in CSR without stored zeros, its indices sorted and duplicates summed.

    X stays as it is.

    Raises:
        ValueError: X is not a two-dimensional sparse matrix of finite real numbers, or its indices lie outside of it.
    """
    if not sp.issparse(X) or X.ndim != 2:
        raise ValueError(
            f"{name} must be a two-dimensional SciPy sparse matrix (users, items), got {type(X).__name__}"
        )
    if X.dtype.kind not in "buif":
        raise ValueError(f"{name} must hold real numbers, got {X.dtype}")

    # The conversion sums duplicates, for which the entries' own type may be too narrow.
    if X.format != "csr":
        X = _widened(X)
    X = X.tocsr()
    check_indices(X, name)

    # Name the first entry that is not finite.
    if not _all_finite(X.data):
        position = np.flatnonzero(~np.isfinite(X.data))[0]
        user = np.searchsorted(X.indptr, position, side="right") - 1
        raise ValueError(
            f"{name} must have finite values only, got {X.data[position]} for row {user}, column {X.indices[position]}"
        )

    if not X.has_canonical_format:
        X = _widened(X).copy()
        X.sum_duplicates()

    # A stored zero is no item of the user's.
    if X.nnz and not X.data.all():
        X = X.copy()
        X.eliminate_zeros()
    return X


def _widened(X: sp.spmatrix) -> sp.spmatrix:
    """Return a matrix of integers in 64 bits, any other as it is: sums of duplicates need more than the entries do."""
    if X.dtype.kind in "iu" and X.dtype.itemsize < 8:
        return X.astype(np.int64, copy=False)
    return X


def check_indices(X: sp.csr_matrix, name: str) -> None:
    """Check the indices of a matrix, which SciPy does not check and compiled loops rely on."""
    indptr = X.indptr
    stored = X.indices[: indptr[-1]]

    # Rows must lie one after the other in the stored entries, and columns within the matrix.
    rows_valid = indptr[0] == 0 and indptr[-1] == len(stored) and (indptr[1:] >= indptr[:-1]).all()
    if not rows_valid or (len(stored) and not (stored.min() >= 0 and stored.max() < X.shape[1])):
        raise ValueError(f"{name} is damaged: its indices lie outside of shape {X.shape}")


@functools.singledispatch
def check_gram(G: Any, *, name: str = "G") -> None:
    """Check that G is a square torch.Tensor of floats; see ``check_finite`` for its entries."""
    check_tensor(G, name)
    if G.ndim != 2 or G.shape[0] != G.shape[1] or len(G) == 0:
        raise ValueError(f"{name} must be a square items × items matrix, got shape {tuple(G.shape)}")


def check_tensor(A: Any, name: str) -> None:
    """Check that A is a dense torch.Tensor, float32 or float64, that asks for no gradient."""
    if isinstance(A, np.ndarray):
        raise ValueError(
            f"{name} must be a torch.Tensor, got a NumPy array: torch.from_numpy({name}) makes one of it"
        )
    if not isinstance(A, torch.Tensor):
        raise ValueError(f"{name} must be a dense torch.Tensor, got {type(A).__name__}")
    if A.layout != torch.strided:
        raise ValueError(f"{name} must be a dense torch.Tensor, got {A.layout}")
    if A.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} must be float32 or float64, got {A.dtype}")
    _check_no_gradient(A, name)


def _check_no_gradient(A: torch.Tensor, name: str) -> None:
    """Check that a tensor asks for no gradient, which no solver returns."""
    if A.requires_grad:
        raise ValueError(f"{name} requires a gradient, and the solvers return none: give {name}.detach()")


@functools.singledispatch
def check_finite(A: Any, name: str) -> None:
    """Check that an argument has neither NaN nor infinity."""
    position = not_finite(A)
    if position is not None:
        indices = ", ".join(map(str, position))
        raise ValueError(f"{name} must have finite entries only, {name}[{indices}] is {A[position].item()}")


@functools.singledispatch
def check_entries(G: Any) -> None:
    """Check that G is a Gram matrix of finite entries that is symmetric up to rounding, √ε √(G_ii G_jj)."""
    check_gram(G)
    check_finite(G, "G")
    root = symmetric_within(G)

    # Each block below the diagonal against the one opposite.
    blocks = [slice(first, min(first + _ROWS, len(G))) for first in range(0, len(G), _ROWS)]
    for number, rows in enumerate(blocks):
        for columns in blocks[: number + 1]:
            check_transposed(G[rows, columns], G[columns, rows], (rows, columns), root)


def symmetric_within(G: Any) -> torch.Tensor:
    """Return one number an item, shape (n,): |G_ij − G_ji| may be the product of two, √ε √(G_ii G_jj)."""
    return G.diagonal().clamp(min=0).sqrt() * torch.finfo(G.dtype).eps ** 0.25


def check_transposed(
    A: torch.Tensor, B: torch.Tensor, block: tuple[slice, slice], root: torch.Tensor
) -> None:
    """Check that a block A of G is the transpose of the block B opposite; |A_ij − B_ji| may be root_i root_j."""
    if torch.equal(A, B.T):
        return

    rows, columns = block
    wrong = ((A - B.T).abs() > root[rows, None] * root[columns]).nonzero()
    if not len(wrong):
        return

    # Name the entry by its place in G.
    a, b = wrong[0].tolist()
    i = rows.start + a
    j = columns.start + b
    raise ValueError(
        f"G must be symmetric, G[{i}, {j}] is {A[a, b].item()} and G[{j}, {i}] {B[b, a].item()}"
    )


def check_result(A: torch.Tensor, name: str, remedy: str) -> None:
    """Check that a result has neither NaN nor infinity, and otherwise say what to do."""
    if not_finite(A) is not None:
        raise ValueError(f"{name} would not be finite at {A.dtype}: {remedy}")


def check_popularity(popularity: Any, items: int | None = None, *, name: str = "popularity") -> None:
    """Check the users of each item: a torch.Tensor of finite numbers of at least 0, one for each item."""
    if not isinstance(popularity, torch.Tensor):
        raise ValueError(f"{name} must be a torch.Tensor of real numbers, got {type(popularity).__name__}")
    if popularity.is_complex():
        raise ValueError(f"{name} must be a torch.Tensor of real numbers, got {popularity.dtype}")

    # One number an item, where the number of items is known.
    if popularity.ndim != 1 or items not in (None, len(popularity)):
        shape = "(items,)" if items is None else f"({items},)"
        raise ValueError(f"{name} must have shape {shape}, got {tuple(popularity.shape)}")

    _check_no_gradient(popularity, name)
    if (popularity < 0).any():
        raise ValueError(f"{name} must be at least 0 for every item")
    check_finite(popularity, name)


def not_finite(A: torch.Tensor) -> tuple[int, ...] | None:
    """Return the indices of an entry that is not finite; None if all are finite."""
    step = _ROWS
    if A.ndim == 1:
        step = _ENTRIES
    for first in range(0, len(A), step):
        rows = A[first : first + step]
        if not rows.numel():
            continue

        # NaN and infinity both show in the extremes, for which no mask is made.
        low, high = torch.aminmax(rows)
        if not (low.isfinite().item() and high.isfinite().item()):
            row, *column = (~rows.isfinite()).nonzero()[0].tolist()
            return (first + row, *column)
    return None


def _all_finite(array: np.ndarray) -> bool:
    """Return whether a NumPy array has neither NaN nor infinity, of which its extremes show both."""
    if array.size == 0:
        return True
    return bool(np.isfinite(array.min()) and np.isfinite(array.max()))
