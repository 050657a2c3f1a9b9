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
from recbole_edlae.solvers.scale.gram import gram, workspace


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
        from recbole_edlae.model.by_users import through_users

        sparse, by_users = through_users(form, user_weight, cache)
        if by_users:
            return form.solve(sparse, progress)

    # What the fit takes, before anything of that size is made.
    device = form.fit_device
    packed = form.packed
    matrix = form.size**2
    if packed:
        from recbole_edlae.solvers.memory import packed_values  # of large catalogs only

        matrix = packed_values(form.size)
    held = form.peak_values(matrix, device.type)
    data = workspace(form.interactions, packed)

    # The Gram matrix is summed by the CPU, whatever solves.
    if device.type != "cpu":
        check_memory(form.size, matrix, data, torch.device("cpu"))
    log(form, check_memory_or_clear(cache, form.size, held, data, device))

    try:
        if inverts and cache is not None:
            return form.solve(sparse, progress)
        make = given or cached_gram(cache)
        return form.solve(make(X, user_weight, device=device, packed=packed), progress)
    except torch.cuda.OutOfMemoryError as error:
        raise too_large(form.size, held, data, device) from error


def cached_gram(cache: Cache | None) -> Callable[..., Any]:
    """Return ``gram``, whose matrices are kept where there is a cache."""
    if cache is None:
        return gram

    def cached(X: sp.csr_matrix, user_weight: np.ndarray, **options: Any) -> Any:
        return cache.keep(lambda: gram(X, user_weight, **options), X, user_weight, str(options))

    return cached


def check_memory_or_clear(cache: Cache | None, *needed: Any) -> str:
    """Return what a fit takes, after a check that there is memory; without enough, the cache is cleared first."""
    try:
        return check_memory(*needed)
    except MemoryError:
        if cache is None:
            raise
        cache.clear()
        return check_memory(*needed)


def log(form: ClosedForm, takes: str) -> None:
    """Say what a fit takes before it begins."""
    form.logger.info(f"{type(form).__name__}: {takes}")
