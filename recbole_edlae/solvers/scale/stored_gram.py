"""A Gram matrix that new users are added to: the model of all users without the old ones' data."""

import dataclasses

import scipy.sparse as sp
import torch

from recbole_edlae.solvers._finite import checked_matrix
from recbole_edlae.solvers.parameters import check_number
from recbole_edlae.solvers.scale.shards import PartialGram


@dataclasses.dataclass(frozen=True)
class StoredGram:
    """Hold Σ n_u^−α x_u x_uᵀ over users in double precision, and what their mean needs.

    Attributes:
        sums: the sum, shape (items, items), float64.
        users: the number of users with at least one item.
        interactions: Σ n_u.
        power: α.

    Notes:
        Notation: n_u the number of items of user u, α power.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import StoredGram
        >>> stored = StoredGram.of(sp.csr_matrix([[1, 1], [0, 1]]))
        >>> stored.add(sp.csr_matrix([[0, 1, 1]])).G.tolist()  # one more user, one more item
        [[1.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 1.0]]
    """

    sums: torch.Tensor
    users: int
    interactions: int
    power: float

    @classmethod
    def of(cls, X: sp.spmatrix, power: float = 0.0) -> "StoredGram":
        """Return the stored Gram matrix of some users.

        Args:
            X: SciPy sparse matrix (users, items) with entries 1.
            power: α, any finite number.

        Returns:
            StoredGram.

        Raises:
            ValueError: X is no such matrix, or power is not finite.
        """
        power = check_number("power", power)
        X = checked_matrix(X)

        # Repeated interactions are no weights.
        if not (X.data == 1).all():
            raise ValueError("X must have entries 1 only: one for every item that a user has")
        total = PartialGram(user_weight_power=power, dtype=torch.float64)
        total.add(X)
        assert total.G is not None
        return cls(total.G, total.users, total.interactions, power)

    @property
    def G(self) -> torch.Tensor:
        """The Gram matrix of all users, w_u = (n_u / mean n)^−α, float64; not to be overwritten.

        Equivalent to: ``gram(X, activity_weight(count, power), dtype=torch.float64)`` on all users at once.
        """
        if not self.power:
            return self.sums

        # (n_u / mean n)^−α = n_u^−α (mean n)^α
        mean = 1.0
        if self.users:
            mean = self.interactions / self.users
        return self.sums * mean**self.power

    def add(self, X: sp.spmatrix) -> "StoredGram":
        """Return the Gram matrix with the users of another matrix added.

        Args:
            X: SciPy sparse matrix (new users, items) with entries 1. All users must be new; new items come after the
                known ones.

        Returns:
            StoredGram; this one stays as it is.

        Raises:
            ValueError: X has fewer items, or other entries than 1.

        Notes:
            Cost: that of the Gram matrix of the new users alone, and an addition.
        """
        items = len(self.sums)
        X = checked_matrix(X)
        if X.shape[1] < items:
            raise ValueError(
                f"X has {X.shape[1]} items, the Gram matrix has {items}: give X all of them, in order"
            )

        # Into the sums of the new users, which have the new items' rows too.
        new = StoredGram.of(X, self.power)
        new.sums[:items, :items] += self.sums
        return dataclasses.replace(
            new,
            users=self.users + new.users,
            interactions=self.interactions + new.interactions,
        )
