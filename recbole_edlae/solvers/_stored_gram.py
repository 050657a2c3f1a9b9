"""A Gram matrix that new users are added to: the model of all users without those that are in it already."""

import dataclasses

import torch

from recbole_edlae.solvers._finite import checked_matrix
from recbole_edlae.solvers._parameters import check_power
from recbole_edlae.solvers._shards import PartialGram


@dataclasses.dataclass(frozen=True)
class StoredGram:
    """Σ n_u^−α x_u x_uᵀ over users, in double precision, and what it takes to weigh them relative to their mean.

    Notation: n_u the number of items of user u, α power.
    """

    sums: torch.Tensor  # (items, items), float64
    users: int  # with at least one item
    interactions: int  # Σ n_u
    power: float  # α

    @classmethod
    def of(cls, X, power=0.0):
        """That of a SciPy sparse matrix (users, items) with entries 1; ``power`` is α, any finite number.

        Raises:
            ValueError: X is no such matrix, or power is not finite.
        """
        check_power(power)
        X = checked_matrix(X)
        if not (X.data == 1).all():
            raise ValueError("X must have entries 1 only: one for every item that a user has")
        part = PartialGram(user_weight_power=power, dtype=torch.float64)
        part.add(X)
        return cls(part.G, part.users, part.interactions, power)

    @property
    def G(self):
        """The Gram matrix of all users, w_u = (n_u / mean n)^−α, float64; not to be overwritten.

        Equivalent to: ``gram(X, activity_weight(count, power), dtype=torch.float64)`` on all users at once.
        """
        mean = self.interactions / self.users if self.users else 1.0
        return self.sums * mean**self.power if self.power else self.sums

    def add(self, X):
        """With the users of another matrix, who must be new; it may have more items, which come after the old ones.

        Args:
            X: SciPy sparse matrix (new users, items), with at least as many items as there are.

        Returns:
            StoredGram; this one stays as it is.

        Raises:
            ValueError: X has fewer items, or other entries than 1.

        Cost: that of the Gram matrix of the new users alone, and an addition.
        """
        items, X = len(self.sums), checked_matrix(X)
        if X.shape[1] < items:
            raise ValueError(f"X has {X.shape[1]} items, the Gram matrix has {items}: give X all of them, in order")
        new = StoredGram.of(X, self.power)
        new.sums[:items, :items] += self.sums
        users, interactions = self.users + new.users, self.interactions + new.interactions
        return dataclasses.replace(new, users=users, interactions=interactions)
