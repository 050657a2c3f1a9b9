r"""
Gram memory
################################################
Where a fit takes its Gram matrix from, and how the runs of a sweep keep it.
"""

import collections
import gc
import hashlib
import time
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.model.resources import memory_at_hand
from recbole_edlae.solvers import SparseGram, SymmetricTiles, gram
from recbole_edlae.solvers.memory import packed_values
from recbole_edlae.solvers.steps import inverse
from recbole_edlae.solvers.types import Progress, Symmetric

GRAM_BYTES = 2**30  # of Gram matrices that one runner keeps at most


class GramSource:
    r"""Where a fit takes its Gram matrix from, or the inverse of that: both are made of the interactions."""

    def __call__(self, X: sp.csr_matrix, user_weight: np.ndarray, **options: Any) -> Symmetric:
        r"""Return what ``solvers.gram`` does."""
        return gram(X, user_weight, **options)

    def sparse(self, X: sp.csr_matrix, user_weight: np.ndarray) -> SparseGram:
        r"""Return the ``solvers.SparseGram`` of the same arguments."""
        return SparseGram(X, user_weight)


class GramMemory(GramSource):
    """Build Gram matrices as ``gram`` does, each once: a sweep over penalties and dropouts needs one.

    Of the inverses of packed matrices the last one is cached, where there is memory for two: a sweep over settings that
    do not change it (emphasis, bound, item power, low-pass filter) inverts once.

    Attributes:
        saved: seconds saved by cache hits.
    """

    def __init__(self) -> None:
        self._grams: collections.OrderedDict[bytes, Symmetric] = collections.OrderedDict()
        self._seconds: dict[bytes, float] = {}
        self._inverse: tuple[bytes, SymmetricTiles] | None = None
        self.saved = 0.0

    def __call__(self, X: sp.spmatrix, user_weight: np.ndarray | None = None, **options: Any) -> Symmetric:
        """Return what ``gram`` does; the caller may overwrite it.

        Args:
            X: as in ``gram``.
            user_weight: as in ``gram``.
            **options: as in ``gram``.
        """
        key = _digest(X, user_weight, repr(options))
        if key in self._grams:
            self.saved += self._seconds[key]
        else:
            start = time.perf_counter()
            self._grams[key] = gram(X, user_weight, **options)
            self._seconds[key] = time.perf_counter() - start

            # The oldest matrices make room for the new one.
            while sum(G.nbytes for G in self._grams.values()) > GRAM_BYTES and len(self._grams) > 1:
                self._grams.popitem(last=False)

        # The caller overwrites it; one that is larger than the cache is not kept.
        G = self._grams[key]
        if G.nbytes > GRAM_BYTES:
            return self._grams.pop(key)
        return G.clone()

    def sparse(self, X: sp.spmatrix, user_weight: np.ndarray | None = None) -> SparseGram:
        """Return a SparseGram whose inverse is kept.

        Args:
            X: as in ``SparseGram``.
            user_weight: as in ``SparseGram``.
        """
        return _Remembered(X, user_weight, self)

    def invert(self, G: "_Remembered", Lambda: torch.Tensor, progress: Progress | None) -> SymmetricTiles:
        """Return the inverse of G + diag Λ, which the caller may overwrite.

        Args:
            G: what ``sparse`` returned.
            Lambda: torch.Tensor, shape (n,).
            progress: as in ``inverse_gram``.
        """
        key = self.drop_others(G, Lambda)
        if self._inverse is not None:
            self.saved += self._seconds[key]
            return self._inverse[1].clone()

        start = time.perf_counter()
        C = G.new_inverse(Lambda, progress)
        self._seconds[key] = time.perf_counter() - start

        # The caller overwrites what it gets: a cached inverse is a second one.
        if memory_at_hand(C.device) < 2 * C.nbytes:
            return C
        self._inverse = key, C
        return C.clone()

    def drop_others(self, G: "_Remembered", Lambda: torch.Tensor) -> bytes:
        """Drop a stale inverse; return the key of this one.

        Args:
            G: what ``sparse`` returned.
            Lambda: torch.Tensor, shape (n,).
        """
        key = _digest(G.X, G.weight, "inverse", Lambda.numpy())
        if self._inverse is not None and self._inverse[0] != key:
            self._inverse = None
        return key


class _Remembered(SparseGram):
    """Take the inverse from a memory, which has it made in whichever way is quicker."""

    def __init__(self, X: sp.spmatrix, user_weight: np.ndarray | None, memory: GramMemory) -> None:
        super().__init__(X, user_weight)
        self._memory = memory
        self._by_users = False

    def is_quicker(self, Lambda: torch.Tensor) -> bool:
        """Drop a stale inverse, choose the quicker way, and return True: the cache serves both ways."""
        # An earlier model, in a reference cycle with its trainer, is as large as an inverse.
        gc.collect()
        self._memory.drop_others(self, Lambda)
        self._by_users = super().is_quicker(Lambda)
        return True

    @property
    def operations(self) -> int:
        """Return what ``inverse`` takes if it has to be made, in multiply-adds."""
        if self._by_users:
            return super().operations
        return len(self) ** 3

    def values_held(self) -> int:
        """Return how many numbers ``inverse`` holds at most."""
        if self._by_users:
            return super().values_held()
        return packed_values(len(self))

    def inverse(self, Lambda: torch.Tensor, progress: Progress | None = None) -> SymmetricTiles:
        """Return (G + diag Λ)⁻¹ from the memory."""
        return self._memory.invert(self, Lambda, progress)

    def new_inverse(self, Lambda: torch.Tensor, progress: Progress | None) -> SymmetricTiles:
        """Return (G + diag Λ)⁻¹, made by the way that is quicker."""
        if self._by_users:
            return super().inverse(Lambda, progress)

        # Through the cache of Gram matrices, which a sweep over penalties uses again.
        M = self._memory(self.X, self.weight, dtype=self.dtype, packed=True)
        assert isinstance(M, SymmetricTiles)
        M.set_diagonal(M.diagonal() + Lambda)
        return inverse(M, overwrite=True, progress=progress)


def _digest(X: sp.csr_matrix, user_weight: np.ndarray | None, kind: str, *more: np.ndarray) -> bytes:
    """Return a key for what is made of a matrix and weights."""
    digest = hashlib.sha256(repr((X.shape, kind)).encode())
    arrays = [X.indptr, X.indices, X.data]
    if user_weight is not None:
        arrays.append(user_weight)
    for array in (*arrays, *more):
        digest.update(array.tobytes())
    return digest.digest()
