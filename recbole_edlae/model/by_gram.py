r"""
Fits by way of the Gram matrix
################################################
In which form a fit holds its Gram matrix, and whether there is the memory for it: said before anything large is made.
"""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.model.closed_form import ClosedForm, Progress
from recbole_edlae.model.resources import check_memory, too_large
from recbole_edlae.solvers import SparseGram, SymmetricTiles, gram
from recbole_edlae.solvers.memory import gram_workspace, packed_values
from recbole_edlae.solvers.steps import inverse, penalties
from recbole_edlae.solvers.types import Progress as Steps


@runtime_checkable
class Cache(Protocol):
    """What keeps matrices of earlier fits: ``runs.cache.Cache``."""

    def keep(self, make: Callable[[], Any], *made_of: Any) -> Any:
        """Return what a function makes, or a copy of what it made before."""

    def clear(self) -> None:
        """Keep nothing."""


def by_gram(
    form: ClosedForm, user_weight: np.ndarray, given: Callable[..., Any] | None, progress: Progress | None
) -> Any:
    r"""Return what the solver of a model finds.

    Args:
        form (ClosedForm): The model.
        user_weight (numpy.ndarray): How much each user counts.
        given (callable, optional): As ``gram`` of :meth:`ClosedForm.fit`.
        progress (callable, optional): As in :meth:`ClosedForm.fit`.
    """
    # A cache makes what is not given.
    cache = None
    if isinstance(given, Cache):
        cache, given = given, None

    # A matrix that is given has no interactions by which it could be inverted in another way.
    X = form.interactions
    inverts = given is None and form.packed and form.takes_inverse
    if inverts:
        sparse = SparseGram(X, user_weight)
        by_users = _is_by_users(form, sparse, cache)
        if cache is not None:
            sparse = _CachedInverse(sparse, cache, by_users)
        if by_users:
            return form.solve(sparse, progress)

    # What the fit takes, before anything of that size is made.
    device = form.fit_device
    packed = form.packed
    matrix = form.size**2
    if packed:
        matrix = packed_values(form.size)
    held = form.values_held(matrix, device.type)
    data = gram_workspace(form.interactions, packed)

    # The Gram matrix is summed by the CPU, whatever solves.
    if device.type != "cpu":
        check_memory(form.size, matrix, data, torch.device("cpu"))
    _log(form, _checked(cache, form.size, held, data, device))

    try:
        if inverts and cache is not None:
            return form.solve(sparse, progress)
        make = given or _made(cache)
        return form.solve(make(X, user_weight, device=device, packed=packed), progress)
    except torch.cuda.OutOfMemoryError as error:
        raise too_large(form.size, held, data, device) from error


def _made(cache: Cache | None) -> Callable[..., Any]:
    """Return ``gram``, whose matrices are kept where there is a cache."""
    if cache is None:
        return gram

    def cached(X: sp.csr_matrix, user_weight: np.ndarray, **options: Any) -> Any:
        return cache.keep(lambda: gram(X, user_weight, **options), X, user_weight, str(options))

    return cached


class _CachedInverse(SparseGram):
    """Keep the inverse for the fits that follow; it is made in the way that was chosen for it."""

    def __init__(self, G: SparseGram, cache: Cache, by_users: bool) -> None:
        vars(self).update(vars(G))
        self._cache = cache
        self._by_users = by_users

    def inverse(self, Lambda: torch.Tensor, progress: Steps | None = None) -> SymmetricTiles:
        """Return (G + diag Λ)⁻¹; the caller may overwrite it."""
        make = self._through_gram
        if self._by_users:
            make = super().inverse
        return self._cache.keep(lambda: make(Lambda, progress), self.X, self.weight, Lambda.numpy(), "inverse")

    def _through_gram(self, Lambda: torch.Tensor, progress: Steps | None) -> SymmetricTiles:
        """Return the inverse by way of the packed Gram matrix, which a sweep over penalties uses again."""
        M = _made(self._cache)(self.X, self.weight, device=self.device, packed=True)
        M.set_diagonal(M.diagonal() + Lambda)
        return inverse(M, overwrite=True, progress=progress)


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
    held = form.values_held(G.values_held(), "cpu")
    data = 2 * gram_workspace(form.interactions, True)
    try:
        takes = _checked(cache, form.size, held, data, torch.device("cpu"), G.operations)
    except MemoryError:
        return False
    _log(form, f"{G.X.shape[0]} users, {takes}")
    return True


def _checked(cache: Cache | None, *needed: Any) -> str:
    """Return what a fit takes, after a check; what is remembered of earlier fits makes room where it has to."""
    try:
        return check_memory(*needed)
    except MemoryError:
        if cache is None:
            raise
        cache.clear()
        return check_memory(*needed)


def _log(form: ClosedForm, takes: str) -> None:
    """Say what a fit takes before it begins."""
    form.logger.info(f"{type(form).__name__}: {takes}")
