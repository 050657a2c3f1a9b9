"""Invert a regularized Gram matrix through its users × users matrix: quicker where users are fewer than items."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers._finite import check_entries, checked_matrix
from recbole_edlae.solvers._matrix import invert_sum
from recbole_edlae.solvers.parameters import Progress, checked_weight
from recbole_edlae.solvers.scale.gram import fill_tiles
from recbole_edlae.solvers.scale.inverse import packed_inverse
from recbole_edlae.solvers.scale.operations import SymmetricTiles
from recbole_edlae.solvers.scale.row_sums import WIDTH, bag_sums, row_sums
from recbole_edlae.solvers.scale.tiles import cut, size

_BATCH_VALUES = 2**27  # values of Z at a time, at most: for each batch K⁻¹ is read once
_PER_ADDITION = 30  # operations of a matrix product that take as long as one addition to a sum of rows
_QUICKER = 0.8  # share of the direct inverse's operations below which this one is taken
_UNCANCELED = 1e-3  # share of the diagonal that cancellation must leave: it costs 10 of float32's 24 bits


class SparseGram:
    """Stand for a Gram matrix G = Xᵀ diag(w) X without making it; its inverse comes from a users × users matrix.

    ``inverse_gram``, ``full_rank`` and ``local_regression``, which need nothing but the inverse, take it in place of G.

    Args:
        X: SciPy sparse matrix, shape (u, n), users × items, with entries 1.
        user_weight: array of shape (u,), every weight ≥ 0 and finite; None means 1 for every user.
        dtype: torch.float32 or torch.float64, of the inverse.

    Raises:
        ValueError: X is no such matrix, no user has an item and a weight above 0, the weights do not fit X, or the
            dtype is neither.

    Notes:
        Notation: Λ > 0 ``penalty``; m the users with an item and a weight above 0; Y = diag(w)^½ X Λ^−½;
        K = I + Y Yᵀ, shape (m, m), positive definite.

        Woodbury's identity: C = (G + diag Λ)⁻¹ = Λ^−½ (I − Yᵀ K⁻¹ Y) Λ^−½.

        Off the diagonal nothing cancels. On it 1 − (Yᵀ K⁻¹ Y)_ii may, but Λ_i / (G_ii + Λ_i) is left at least, so that
        c_i has the relative error of K⁻¹ times (G_ii + Λ_i) / Λ_i at most. ``is_quicker`` sees to it.

        Equivalent to: ``gram(X, user_weight, packed=True)`` in the same functions.

        Cost: m³ operations for K⁻¹, then nnz (m + n / 2) additions. Beside the packed result, which has n² / 2
        numbers, at most m² / 2 more and a few thousand for each user.

    Examples:
        >>> import scipy.sparse as sp
        >>> import torch
        >>> from recbole_edlae.solvers import SparseGram, full_rank, gram
        >>> X = sp.csr_matrix([[1, 1, 0, 1], [0, 1, 1, 0]])
        >>> B = full_rank(SparseGram(X), dropout=0.5, l2=1.0)
        >>> torch.allclose(B.dense(), full_rank(gram(X), dropout=0.5, l2=1.0))
        True
    """

    device = torch.device("cpu")

    def __init__(
        self, X: sp.spmatrix, user_weight: np.ndarray | None = None, *, dtype: torch.dtype = torch.float32
    ) -> None:
        X = checked_matrix(X)
        if not (X.data == 1).all():
            raise ValueError("X must have entries 1 only: one for every item that a user has")
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")

        # Users who add nothing to G would make K larger.
        weight = checked_weight(user_weight, X.shape[0])
        counted = (np.diff(X.indptr) > 0) & (weight > 0)
        self.X = X if counted.all() else X[counted]
        self.weight = weight[counted]
        if not len(self.weight):
            raise ValueError("X must have a user with an item and a weight above 0")
        self.dtype = dtype

    def __len__(self) -> int:
        return self.X.shape[1]

    @property
    def shape(self) -> torch.Size:
        """Return (n, n), that of G."""
        return torch.Size((len(self), len(self)))

    def diagonal(self) -> torch.Tensor:
        """Return the diagonal of G, shape (n,)."""
        # G_ii = Σ_u w_u over the users of item i.
        weight = self.weight.repeat(np.diff(self.X.indptr))
        sums = np.bincount(self.X.indices, weight, minlength=len(self))
        return torch.from_numpy(sums).to(self.dtype)

    @property
    def operations(self) -> int:
        """Return what ``inverse`` takes: additions and multiplications of a matrix product that last as long."""
        users, items = self.X.shape
        return users**3 + _PER_ADDITION * self.X.nnz * (users + items // 2)

    def is_quicker(self, Lambda: torch.Tensor) -> bool:
        """Return whether ``inverse`` is quicker than the inverse of G + diag Λ, without loss of accuracy."""
        if self.operations > _QUICKER * len(self) ** 3:
            return False

        # The share of the diagonal that is left after cancellation, at least (see Notes).
        uncanceled = Lambda / (self.diagonal() + Lambda)
        return bool((Lambda > 0).all() and uncanceled.min() >= _UNCANCELED)

    def peak_values(self) -> int:
        """Return how many numbers ``inverse`` holds at most."""
        users, items = self.X.shape
        plan = _Plan(items, users)

        # The rows of Z of the largest batch.
        rows = 0
        for group in plan.groups():
            batch = plan.items(group)
            rows = max(rows, batch.stop - batch.start)

        # K takes memory of its own where it does not fit into that of C.
        beside = 0
        if plan.start is None:
            beside = size(users)
        return size(items) + beside + users * (rows + 2 * int(plan.bounds.diff().max()))

    def inverse(self, Lambda: torch.Tensor, progress: Progress | None = None) -> SymmetricTiles:
        """Return C = (G + diag Λ)⁻¹.

        Args:
            Lambda: torch.Tensor, shape (n,): Λ > 0.
            progress: called as ``progress(done, total)``, in ``operations``.

        Returns:
            SymmetricTiles of shape (n, n).

        Raises:
            torch.linalg.LinAlgError: Λ has entries that are not above 0, or so small that K is not positive definite to
                working precision.
        """
        if not (Lambda > 0).all():
            raise torch.linalg.LinAlgError("the penalty of an item is not above 0")
        users, items = self.X.shape
        plan = _Plan(items, users)
        steps = _Steps(self.X, np.sqrt(self.weight), Lambda)
        total = self.operations

        # K⁻¹, in C's own memory where it fits.
        C = SymmetricTiles.empty(items, self.dtype)
        K = plan.place(C)
        steps.fill(K)
        packed_inverse(K, overwrite=True, progress=progress and (lambda done, _: progress(done, total)))

        # C = Λ^−½ (I − Yᵀ K⁻¹ Y) Λ^−½ in batches of rows of tiles; the last batch overwrites K.
        for group in plan.groups():
            batch = plan.items(group)
            Z = steps.solve(K, batch)
            for i in group:
                rows = C.part(i)
                steps.write(C, i, Z[rows.start - batch.start : rows.stop - batch.start])
            if progress is not None:
                remaining = (total - users**3) * (items - batch.stop) / items
                progress(round(total - remaining), total)
        C.mirror()
        return C


@check_entries.register
def _(G: SparseGram) -> None:
    # Interactions and weights are checked when a SparseGram is made.
    pass


@invert_sum.register
def _(G: SparseGram, Lambda: torch.Tensor, overwrite: bool, progress: Progress | None) -> SymmetricTiles:
    return G.inverse(Lambda, progress)


class _Plan:
    """Decide where K lies, and which rows of the tiles of C are made at a time.

    K lies at the end of C's own values. The rows of tiles that share these values with K are made in one batch, after
    all of K⁻¹ that they need has been read. Where that batch is larger than K itself, K lies beside C.

    Attributes:
        start: where K begins in C's values; None where it lies beside C.
    """

    def __init__(self, items: int, users: int) -> None:
        self.users = users
        self.bounds = cut(items)

        # Where each row of tiles ends in C's values, and where K would begin.
        ends = (self.bounds.diff() * self.bounds[1:]).cumsum(0)
        start = int(ends[-1]) - size(users)

        # The rows of tiles before `apart` share no memory with K.
        self.apart = 0
        if start >= 0:
            self.apart = int(torch.searchsorted(ends, start, right=True))
        shared = items - int(self.bounds[self.apart])

        # The batch that shares memory with K must be smaller than K.
        self.start: int | None = start
        if start < 0 or shared * users >= size(users):
            self.start = None
            self.apart = len(ends)

    def place(self, C: SymmetricTiles) -> SymmetricTiles:
        """Return K, its entries not set."""
        if self.start is None:
            return SymmetricTiles.empty(self.users, C.dtype)
        return SymmetricTiles(C.values[self.start :], cut(self.users))

    def groups(self) -> Iterator[range]:
        """Yield which rows of tiles are made at a time."""
        rows_of_tiles = len(self.bounds) - 1
        most = max(1, _BATCH_VALUES // (self.users * int(self.bounds.diff().max())))
        for first in range(0, self.apart, most):
            yield range(first, min(first + most, self.apart))

        # Those that share memory with K come last, in one batch.
        if self.apart < rows_of_tiles:
            yield range(self.apart, rows_of_tiles)

    def items(self, group: range) -> slice:
        """Return the items of some rows of tiles."""
        return slice(int(self.bounds[group.start]), int(self.bounds[group.stop]))


class _Steps:
    """Compute K, and C from K⁻¹.

    Args:
        X: SciPy CSR matrix, shape (m, n).
        root_weight: array of shape (m,), w^½.
        Lambda: torch.Tensor of shape (n,).
    """

    def __init__(self, X: sp.csr_matrix, root_weight: np.ndarray, Lambda: torch.Tensor) -> None:
        self.by_item = X.T.tocsr()
        self.indptr = self.by_item.indptr.astype(np.int64)
        self.root_weight = torch.from_numpy(root_weight)
        self.penalty = Lambda.double()

    def fill(self, K: SymmetricTiles) -> None:
        """Make K = I + Y Yᵀ."""
        # X Λ⁻¹ Xᵀ is a Gram matrix of users.
        fill_tiles(K, self.by_item, None, 1 / self.penalty.numpy())

        # Y Yᵀ = diag(w)^½ X Λ⁻¹ Xᵀ diag(w)^½; most models weigh every user 1.
        root = self.root_weight.numpy()
        if (root != 1).any():
            for i, j in K.lower():
                tile = K.tile(i, j)
                tile *= root[K.part(i), None]
                tile *= root[K.part(j)]
        K.set_diagonal(K.diagonal() + 1)

    def solve(self, K: SymmetricTiles, items: slice) -> torch.Tensor:
        """Return the rows of Z = Λ⁻¹ Xᵀ diag(w)^½ K⁻¹ diag(w)^½ of some items, given K⁻¹; shape (items, m)."""
        users, indptr = self._users(items)
        left = self.root_weight.to(K.dtype)

        # Xᵀ sums the rows of K⁻¹ of each item's users.
        count = torch.from_numpy(np.diff(indptr))
        Z = row_sums(K, torch.from_numpy(users), count, left).mul_(left)
        return Z.div_(self.penalty[items, None].to(K.dtype))

    def write(self, C: SymmetricTiles, i: int, Z: torch.Tensor) -> None:
        """Write one row of the tiles of C = Λ⁻¹ − Z X Λ⁻¹, given these rows of Z."""
        # Z X sums columns of Z over each item's users: rows of Zᵀ, a panel at a time.
        users, indptr = self._users(slice(0, C.part(i).stop))
        rows = torch.from_numpy(users)
        offsets = torch.from_numpy(indptr)
        for first in range(0, len(Z), WIDTH):
            panel = Z[first : first + WIDTH].T.contiguous()
            total = bag_sums(panel, rows, offsets).numpy()
            for j in range(i + 1):
                C.tile(i, j)[first : first + WIDTH] = total[C.part(j)].T

        # −Z X Λ⁻¹, and Λ⁻¹ on the diagonal.
        penalty = self.penalty.to(C.dtype).numpy()
        for j in range(i + 1):
            tile = C.tile(i, j)
            tile /= -penalty[C.part(j)]
        diagonal = torch.from_numpy(C.tile(i, i)).diagonal()
        diagonal += (1 / self.penalty[C.part(i)]).to(C.dtype)

    def _users(self, items: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the users of some items, one item after the other, and where those of each begin and end."""
        indptr = self.indptr[items.start : items.stop + 1]
        users = self.by_item.indices[indptr[0] : indptr[-1]].astype(np.int64)
        return users, indptr - indptr[0]
