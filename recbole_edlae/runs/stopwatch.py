"""Measure how long the calls of a function take."""

import time
from collections.abc import Callable
from typing import Any


class Stopwatch:
    """Call a function and add up the time that it takes.

    Args:
        function: the function to call.

    Attributes:
        seconds: total of all calls.
    """

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.seconds = 0.0

    def watch(self, function: Callable) -> Callable:
        """Return another function whose calls are timed too.

        Args:
            function: the other function.
        """

        def watched(*arguments: Any, **options: Any) -> Any:
            return self._time(function, *arguments, **options)

        return watched

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Return what the function returns."""
        return self._time(self.function, *arguments, **options)

    def _time(self, function: Callable, *arguments: Any, **options: Any) -> Any:
        # A call that fails takes time too.
        start = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            self.seconds += time.perf_counter() - start
