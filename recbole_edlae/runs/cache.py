"""Keep the matrices that the fits of a sweep share: Gram matrices, and their inverses."""

import collections
import gc
import hashlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.model.by_gram import memory_at_hand

SHARE = 1 / 4  # of the memory at hand, which all that is kept may take


class Cache:
    """Keep what was used last, as much as a quarter of the memory at hand holds.

    A sweep over penalties and dropouts needs one Gram matrix, and one over settings that do not change the inverse
    (emphasis, bound, item power, low-pass filter) inverts once.

    Attributes:
        saved: seconds that cache hits saved; the caller may set it to 0.
    """

    def __init__(self) -> None:
        self._kept: collections.OrderedDict[bytes, tuple[Any, float]] = collections.OrderedDict()
        self.saved = 0.0

    def keep(self, make: Callable[[], Any], *made_of: Any) -> Any:
        """Return what a function makes, or a copy of what it made before.

        Args:
            make: makes a matrix that has ``nbytes``, ``device`` and ``clone``; the caller of ``keep`` may overwrite it.
            *made_of: sparse matrices, arrays, texts and None; equal ones make equal matrices.
        """
        key = _key(made_of)
        if key in self._kept:
            self._kept.move_to_end(key)
            matrix, seconds = self._kept[key]
            self.saved += seconds
            return matrix.clone()

        start = time.perf_counter()
        matrix = make()
        seconds = time.perf_counter() - start

        # The oldest ones make room; what is larger than all of it is not kept.
        held = sum(kept.nbytes for kept, _ in self._kept.values())
        budget = SHARE * (memory_at_hand(matrix.device) + held)
        if matrix.nbytes > budget:
            return matrix
        while held + matrix.nbytes > budget:
            _, (oldest, _) = self._kept.popitem(last=False)
            held -= oldest.nbytes
        self._kept[key] = matrix, seconds
        return matrix.clone()

    def clear(self) -> None:
        """Keep nothing of earlier fits, nor their models, which lie in reference cycles with their trainers."""
        self._kept.clear()
        gc.collect()

        # Of a GPU, torch holds back what was freed; without one this does nothing.
        torch.cuda.empty_cache()


def _key(made_of: tuple[Any, ...]) -> bytes:
    """Return a digest of what a matrix is made of."""
    digest = hashlib.sha256()
    for part in made_of:
        arrays = [part]
        if sp.issparse(part):
            arrays = [np.array(part.shape), part.indptr, part.indices, part.data]

        # The shape keeps two arrays apart from one with the entries of both.
        for array in arrays:
            if isinstance(array, np.ndarray):
                digest.update(f"{array.shape}".encode())
                digest.update(array.tobytes())
            else:
                digest.update(repr(array).encode())
    return digest.digest()
