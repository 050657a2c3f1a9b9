"""Compile loops by Numba when they are called first: importing Numba takes most of a second, compiling a few more."""

import contextlib
import functools
import importlib
import threading
from collections.abc import Callable
from typing import Any


class compiled:
    """Decorate a function that Numba is to compile on its first call, for threads, and to keep on the disk.

    Compiled functions may call each other. Where nothing can be kept on the disk, they are compiled in every process.
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
            # Another thread may have compiled it meanwhile.
            if self._dispatcher is None:
                dispatcher = importlib.import_module("numba").njit(nogil=True)(self._function)

                # Numba finds no folder to write to: there is none in a container without a home, for instance.
                with contextlib.suppress(RuntimeError):
                    dispatcher._cache = _forgiving_cache()(self._function)
                self._dispatcher = dispatcher
        return self._dispatcher


@functools.cache
def _forgiving_cache() -> type:
    """Return Numba's class of a function's cache on the disk, changed so that its failures end no program.

    The disk may be full or the files cut short. Numba itself, by ``njit(cache=True)``, lets such errors pass to the
    caller of the function, in every process that follows too.
    """
    stock: Any = importlib.import_module("numba.core.caching").FunctionCache

    class ForgivingCache(stock):
        def load_overload(self, signature: Any, target_context: Any) -> Any:
            try:
                return super().load_overload(signature, target_context)
            except Exception:
                # Unpickling a damaged file may raise anything; without it the function is compiled again.
                with contextlib.suppress(OSError):
                    self.flush()
                return None

        def save_overload(self, signature: Any, compiled_function: Any) -> None:
            with contextlib.suppress(Exception):
                super().save_overload(signature, compiled_function)

    return ForgivingCache
