"""Measure how long the calls of functions take."""

import time
from collections.abc import Callable
from typing import Any


class Stopwatch:
    """Add up the time that the calls of some functions take.

    Attributes:
        seconds: total of all calls.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, function: Callable) -> Callable:
        """Return a function that does the same and whose calls are timed."""

        def watched(*arguments: Any, **options: Any) -> Any:
            # A call that fails takes time too.
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds += time.perf_counter() - start

        return watched
