r"""
Fits through the users
################################################
For catalogs so large that the Gram matrix is packed: whether its inverse comes through the users, and the cache of it.
"""

import numpy as np
import torch

from recbole_edlae.model.by_gram import Cache, cached_gram, check_memory_or_clear, log
from recbole_edlae.model.closed_form import ClosedForm
from recbole_edlae.solvers import SparseGram, SymmetricTiles
from recbole_edlae.solvers.parameters import Progress
from recbole_edlae.solvers.scale.gram import gram_workspace
from recbole_edlae.solvers.steps import inverse, penalties


def through_users(
    form: ClosedForm, user_weight: np.ndarray, cache: Cache | None
) -> tuple[SparseGram, bool]:
    r"""Return what stands for the Gram matrix of a fit that inverts it, and whether that goes through the users.

    A cache keeps the inverse, which it makes in either way.
    """
    G = SparseGram(form.interactions, user_weight)
    by_users = _is_by_users(form, G, cache)
    if cache is not None:
        G = CachedInverse(G, cache, by_users)
    return G, by_users


def _is_by_users(form: ClosedForm, G: SparseGram, cache: Cache | None) -> bool:
    """Return whether the way through the users is quicker, and there is the memory for it; log what it takes."""
    # Sums beyond the largest number are an error of the Gram matrix, which says so.
    diagonal = G.diagonal()
    if not diagonal.isfinite().all():
        return False

    Lambda = penalties(diagonal, dropout=form.dropout_prob, l2=form.reg_weight, item_count=form.item_count)
    if not G.is_quicker(Lambda):
        return False

    # The interactions are held both ways round.
    held = form.peak_values(G.peak_values(), "cpu")
    data = 2 * gram_workspace(form.interactions, True)
    try:
        takes = check_memory_or_clear(cache, form.size, held, data, torch.device("cpu"), G.operations)
    except MemoryError:
        return False
    log(form, f"{G.X.shape[0]} users, {takes}")
    return True


class CachedInverse(SparseGram):
    """Keep the inverse for the fits that follow; it is made in the way that was chosen for it."""

    def __init__(self, G: SparseGram, cache: Cache, by_users: bool) -> None:
        vars(self).update(vars(G))
        self._cache = cache
        self._by_users = by_users

    def inverse(self, Lambda: torch.Tensor, progress: Progress | None = None) -> SymmetricTiles:
        """Return (G + diag Λ)⁻¹; the caller may overwrite it."""
        make = self._through_gram
        if self._by_users:
            make = super().inverse
        return self._cache.keep(
            lambda: make(Lambda, progress), self.X, self.weight, Lambda.numpy(), "inverse"
        )

    def _through_gram(self, Lambda: torch.Tensor, progress: Progress | None) -> SymmetricTiles:
        """Return the inverse by way of the packed Gram matrix, which a sweep over penalties uses again."""
        M = cached_gram(self._cache)(self.X, self.weight, device=self.device, packed=True)
        M.set_diagonal(M.diagonal() + Lambda)
        return inverse(M, overwrite=True, progress=progress)
