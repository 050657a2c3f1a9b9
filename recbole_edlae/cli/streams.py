"""Keep a command running when nobody reads its output any more, or when its encoding lacks a character."""

import contextlib
import errno
import io
import sys
from collections.abc import Iterator
from typing import Any

# The reader of a pipe has ended, a terminal is closed.
_NOBODY_READS = (errno.EPIPE, errno.EIO)


@contextlib.contextmanager
def forgiving_output() -> Iterator[None]:
    """Drop output that nobody reads, and replace characters that the encoding lacks by "?".

    ``recbole-edlae run … | head -1`` ends with the status of its own work. Streams other than the process's own, such
    as those of a notebook, stay as they are.
    """
    with contextlib.ExitStack() as stack:
        for name in ("stdout", "stderr"):
            # A closed stream is None.
            stream = getattr(sys, name)
            if stream is not None and stream is getattr(sys, f"__{name}__"):
                stack.enter_context(_forgiving(name, stream))
        yield


class _Unread(io.FileIO):
    """A file descriptor that drops what nobody reads."""

    def write(self, content: Any) -> int:  # type: ignore[override]  # any buffer
        """Write, and return how many bytes were written or dropped."""
        try:
            return super().write(content)
        except OSError as error:
            if error.errno not in _NOBODY_READS:
                raise
            return memoryview(content).nbytes


@contextlib.contextmanager
def _forgiving(name: str, stream: io.TextIOWrapper) -> Iterator[None]:
    """Replace one of the process's own streams by a forgiving one on the same descriptor."""
    # Standard error escapes what its encoding lacks anyway.
    errors = stream.errors
    if name == "stdout":
        errors = "replace"

    # Text in the buffer of either stream would otherwise come out of order.
    stream.flush()
    replacement = io.TextIOWrapper(
        io.BufferedWriter(_Unread(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=errors,
        line_buffering=stream.line_buffering,
    )
    setattr(sys, name, replacement)
    try:
        yield
    finally:
        setattr(sys, name, stream)
        with contextlib.suppress(OSError):
            replacement.flush()
