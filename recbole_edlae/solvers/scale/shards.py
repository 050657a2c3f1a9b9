"""Sum the Gram matrix over shards of users: data that do not fit into memory, or that lie on several machines."""

import os
import zipfile
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers._finite import check_result, checked_matrix
from recbole_edlae.solvers.parameters import check_number
from recbole_edlae.solvers.scale.gram import gram

Shard: TypeAlias = sp.spmatrix | str | os.PathLike


def gram_of_shards(
    shards: Iterable[Shard],
    *,
    user_weight_power: float = 0.0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    progress: Callable[[int, None], object] | None = None,
) -> torch.Tensor:
    """Return G = Σ_u w_u x_u x_uᵀ over the users of all shards, w = (n_u / mean n)^−α with the mean over all of them.

    Args:
        shards: iterable of SciPy sparse matrices (users, n) or of paths of files by ``scipy.sparse.save_npz``. All have
            the same n; every user is in one of them only.
        user_weight_power: α, any finite number; 0 weights all users alike.
        dtype: torch.float32 or torch.float64, of the sum too.
        device: where the result goes.
        progress: called as ``progress(done, None)`` with the shards added so far.

    Returns:
        torch.Tensor of shape (n, n).

    Raises:
        ValueError: there is no shard, one of them is not a sparse matrix of finite real numbers, they differ in n, a
            parameter is out of range, or the sums exceed the dtype's largest number.

    Notes:
        Notation: n_u the number of items of user u, α user_weight_power. A shard is read, added and released.

        Equivalent to: ``gram`` of the stacked shards with ``activity_weight``; to the last bit for counts (α = 0,
        binary shards, entries below 2²⁴ in single precision), otherwise up to the rounding of the sums.

        Cost: that of ``gram`` for each shard; two n × n arrays and one shard.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import gram_of_shards
        >>> gram_of_shards([sp.csr_matrix([[1, 1]]), sp.csr_matrix([[0, 1], [1, 0]])]).tolist()
        [[2.0, 1.0], [1.0, 2.0]]
    """
    # A path is iterable too, letter by letter.
    if isinstance(shards, (str, os.PathLike)):
        raise ValueError(
            f"shards must be an iterable of matrices or paths, got the one path {str(shards)!r}"
        )

    total = PartialGram(user_weight_power=user_weight_power, dtype=dtype)
    for done, shard in enumerate(shards, 1):
        total.add(shard)
        if progress is not None:
            progress(done, None)
    return total.finish().to(device)


class PartialGram:
    """Sum Σ n_u^−α x_u x_uᵀ over some of the shards, and count what the mean of n needs.

    Args:
        user_weight_power: α, any finite number; 0 weights all users alike.
        dtype: torch.float32 or torch.float64, of the sum too.

    Attributes:
        G: the sum, shape (n, n); None before the first shard.
        interactions: Σ n_u.
        users: the number of users with at least one item.

    Examples:
        Two machines sum their own shards; one adds up the two sums:

        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import PartialGram
        >>> here, elsewhere = PartialGram(), PartialGram()
        >>> here.add(sp.csr_matrix([[1, 1]]))
        >>> elsewhere.add(sp.csr_matrix([[0, 1], [1, 0]]))
        >>> here.merge(elsewhere)
        >>> here.finish().tolist()
        [[2.0, 1.0], [1.0, 2.0]]
    """

    def __init__(self, *, user_weight_power: float = 0.0, dtype: torch.dtype = torch.float32) -> None:
        self.power = check_number("power", user_weight_power)
        self.dtype = dtype
        self.G: torch.Tensor | None = None
        self.interactions = 0
        self.users = 0

    def add(self, shard: Shard) -> None:
        """Add the users of a matrix or of a file.

        Args:
            shard: SciPy sparse matrix (users, n), or the path of one by ``scipy.sparse.save_npz``.

        Raises:
            ValueError: the shard is no such matrix, its n differs from that of others, or a weight is not finite.
        """
        X = _matrix(shard)
        user_items = np.diff(X.indptr)

        # n_u^−α; the mean of n is known only after the last shard.
        weight = None
        if self.power:
            with np.errstate(over="ignore"):
                weight = np.maximum(user_items, 1.0) ** -self.power
            if not np.isfinite(weight).all():
                raise ValueError(f"user_weight_power {self.power!r} gives weights that are not finite")

        G = gram(X, weight, dtype=self.dtype)
        self._accumulate(G, X.nnz, int(np.count_nonzero(user_items)))

    def merge(self, other: "PartialGram") -> None:
        """Add what another one has summed.

        Args:
            other: the sum of other shards, with the same power and dtype.

        Raises:
            ValueError: the other one's n, power or dtype differs.
        """
        # Sums under other weights or in another precision do not add up.
        for name in ("power", "dtype"):
            mine = getattr(self, name)
            others = getattr(other, name)
            if mine != others:
                raise ValueError(f"both sums must have one {name}, got {mine} and {others}")

        if other.G is not None:
            self._accumulate(other.G, other.interactions, other.users)

    def finish(self) -> torch.Tensor:
        """Return G with the users' weights relative to the mean; nothing can be added afterwards.

        Returns:
            torch.Tensor of shape (n, n).

        Raises:
            ValueError: there is no shard, or the sums exceed the dtype's largest number.
        """
        if self.G is None:
            raise ValueError("there is no shard")

        # (n_u / mean n)^−α = n_u^−α (mean n)^α
        if self.power and self.users:
            self.G *= (self.interactions / self.users) ** self.power
        check_result(
            self.G, "G", "the shards' values X are too large; scale them down, or compute in float64"
        )
        return self.G

    def _accumulate(self, G: torch.Tensor, interactions: int, users: int) -> None:
        """Add a sum over other users."""
        if self.G is None:
            self.G = G
        elif self.G.shape != G.shape:
            raise ValueError(f"all shards must have the same items, got {len(self.G)} and {len(G)}")
        else:
            self.G += G
        self.interactions += interactions
        self.users += users


def _matrix(shard: Shard) -> sp.csr_matrix:
    """Return the users of a shard, from its file if it is a path, after a check."""
    if not isinstance(shard, (str, os.PathLike)):
        if not sp.issparse(shard):
            raise ValueError(
                f"a shard must be a SciPy sparse matrix or the path of one, got {type(shard).__name__}"
            )
        return checked_matrix(shard, "X in a shard")

    # What SciPy raises for files that are no archive, or one of something else.
    try:
        X = sp.load_npz(shard)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{shard} is no sparse matrix by scipy.sparse.save_npz: {error}") from None
    return checked_matrix(X, f"X in {shard}")
