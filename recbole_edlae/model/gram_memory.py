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

    Of the inverses of packed matrices the last one is kept, where there is memory for two: a sweep over what a model
    makes of it (emphasis, bound, item power, low-pass filter) inverts once.

    Attributes:
        saved: seconds that what was found ready took to make, added up.
    """

    def __init__(self) -> None:
        self._kept: collections.OrderedDict[bytes, Symmetric] = collections.OrderedDict()
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
        name = _digest(X, user_weight, repr(options))
        if name in self._kept:
            self.saved += self._seconds[name]
        else:
            start = time.perf_counter()
            self._kept[name] = gram(X, user_weight, **options)
            self._seconds[name] = time.perf_counter() - start
            while sum(G.nbytes for G in self._kept.values()) > GRAM_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        G = self._kept[name]
        return self._kept.pop(name) if G.nbytes > GRAM_BYTES else G.clone()

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
        name = self.drop_others(G, Lambda)
        if self._inverse is not None:
            self.saved += self._seconds[name]
            return self._inverse[1].clone()
        start = time.perf_counter()
        C = G.new_inverse(Lambda, progress)
        self._seconds[name] = time.perf_counter() - start
        if memory_at_hand(C.device) < 2 * C.nbytes:
            return C
        self._inverse = name, C
        return C.clone()

    def drop_others(self, G: "_Remembered", Lambda: torch.Tensor) -> bytes:
        """Let go of an inverse that is not this one; return the name of this one.

        Args:
            G: what ``sparse`` returned.
            Lambda: torch.Tensor, shape (n,).
        """
        name = _digest(G.X, G.weight, "inverse", Lambda.numpy())
        if self._inverse is not None and self._inverse[0] != name:
            self._inverse = None
        return name


class _Remembered(SparseGram):
    """Take the inverse from a memory, which has it made in whichever way is quicker."""

    def __init__(self, X: sp.spmatrix, user_weight: np.ndarray | None, memory: GramMemory) -> None:
        super().__init__(X, user_weight)
        self._memory = memory
        self._by_users = False

    def is_quicker(self, Lambda: torch.Tensor) -> bool:
        """Return that this way is to be taken; an inverse of before is let go if it is of no use."""
        gc.collect()  # a model of before, which its trainer refers to in circles, is as large
        self._memory.drop_others(self, Lambda)
        self._by_users = super().is_quicker(Lambda)
        return True

    @property
    def operations(self) -> int:
        """Return what ``inverse`` takes if it has to be made, in multiply-adds."""
        return super().operations if self._by_users else len(self) ** 3

    def values_held(self) -> int:
        """Return how many numbers ``inverse`` holds at most."""
        return super().values_held() if self._by_users else packed_values(len(self))

    def inverse(self, Lambda: torch.Tensor, progress: Progress | None = None) -> SymmetricTiles:
        """Return (G + diag Λ)⁻¹ from the memory."""
        return self._memory.invert(self, Lambda, progress)

    def new_inverse(self, Lambda: torch.Tensor, progress: Progress | None) -> SymmetricTiles:
        """Return (G + diag Λ)⁻¹, made by the way that is quicker."""
        if self._by_users:
            return super().inverse(Lambda, progress)
        M = self._memory(self.X, self.weight, dtype=self.dtype, packed=True)
        assert isinstance(M, SymmetricTiles)
        M.set_diagonal(M.diagonal() + Lambda)
        return inverse(M, overwrite=True, progress=progress)


def _digest(X: sp.csr_matrix, user_weight: np.ndarray | None, kind: str, *more: np.ndarray) -> bytes:
    """Return a name for what is made of a matrix and weights."""
    digest = hashlib.sha256(repr((X.shape, kind)).encode())
    for array in (X.indptr, X.indices, X.data, *([] if user_weight is None else [user_weight]), *more):
        digest.update(array.tobytes())
    return digest.digest()
