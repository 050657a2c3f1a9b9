"""Compile loops by Numba when they are called first: importing Numba takes most of a second, compiling a few more."""

import functools
import importlib
import threading
from collections.abc import Callable
from typing import Any


class compiled:
    """Decorate a function that Numba is to compile on its first call, for threads, and to keep on the disk.

    Compiled functions may call each other.
    """

    def __init__(self, function: Callable) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._lock = threading.Lock()
        self._dispatcher: Any = None

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function returns."""
        return self._compiled()(*arguments)

    @property
    def _numba_type_(self) -> Any:
        """Return what Numba takes this object for, where another compiled function calls it."""
        return self._compiled()._numba_type_

    def _compiled(self) -> Any:
        """Return Numba's function."""
        with self._lock:
            if self._dispatcher is None:
                self._dispatcher = importlib.import_module("numba").njit(cache=True, nogil=True)(self._function)
        return self._dispatcher
