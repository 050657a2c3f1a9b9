"""A Gram matrix that new users are added to: the model of all users without those that are in it already."""

import dataclasses

import numpy as np
import torch

from recbole_edlae.solvers.gram import gram


@dataclasses.dataclass(frozen=True)
class StoredGram:
    """G = Xᵀ diag(w) X with w_u = (n_u / mean n)^−α, and what it takes to add users to it.

    Equivalent to: ``gram(X, activity_weight(count, power))`` on all users at once. The mean n changes with every user
    added, which rescales the weights of those before by one factor.
    """

    G: torch.Tensor  # (items, items), float64
    users: int  # with at least one item
    entries: int  # Σ n_u
    power: float  # α

    @classmethod
    def of(cls, X, power=0.0):
        """That of a SciPy sparse matrix (users, items) with entries 1.

        Raises:
            ValueError: X has other entries, or power is not finite.
        """
        if not np.isfinite(power):
            raise ValueError(f"power must be finite, got {power}")
        X = X.tocsr()
        if not (X.data == 1).all():
            raise ValueError("X must have entries 1 only: one for every item that a user has")
        count = np.diff(X.indptr)
        active = count > 0
        mean = count[active].mean() if active.any() else 1.0
        weight = np.where(active, (np.maximum(count, 1) / mean) ** -power, 1.0)
        return cls(gram(X, weight, dtype=torch.float64), int(active.sum()), int(count.sum()), float(power))

    def add(self, X):
        """With the users of another matrix, who must be new; it may have more items, which come after the old ones.

        Args:
            X: SciPy sparse matrix (new users, items), with at least as many items as G.

        Returns:
            StoredGram; this one stays as it is.

        Raises:
            ValueError: X has fewer items than G, or other entries than 1.

        Cost: that of the Gram matrix of the new users alone.
        """
        items = len(self.G)
        if X.shape[1] < items:
            raise ValueError(f"X has {X.shape[1]} items, the Gram matrix has {items}: give X all of them, in order")
        new = StoredGram.of(X, self.power)
        users, entries = self.users + new.users, self.entries + new.entries
        G = new.G.mul_(self._scale(new.users, new.entries, users, entries))
        G[:items, :items] += self.G * self._scale(self.users, self.entries, users, entries)
        return StoredGram(G, users, entries, self.power)

    def _scale(self, users, entries, all_users, all_entries):
        """(mean n of all / mean n of some)^α."""
        return ((all_entries / all_users) / (entries / users)) ** self.power if users else 1.0
