"""Output that nobody reads any more, or whose encoding lacks a character, does not end a command."""

import contextlib
import errno
import io
import sys
from collections.abc import Iterator
from typing import Any

_NOBODY_READS = (errno.EPIPE, errno.EIO)  # the reader of a pipe has ended, a terminal is closed


@contextlib.contextmanager
def forgiving_output() -> Iterator[None]:
    """Let what is printed inside the block be lost where nobody reads it, and replace what an encoding lacks by "?".

    ``recbole-edlae run … | head -1`` ends with the status of its own work. Streams that somebody has put in place of
    the process's own stay.

    Yields:
        Nothing.
    """
    with contextlib.ExitStack() as stack:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and stream is getattr(sys, f"__{name}__"):  # None where it is closed
                stack.enter_context(_forgiving(name, stream))
        yield


class _Unread(io.FileIO):
    """A file descriptor that takes what nobody reads."""

    def write(self, content: Any) -> int:  # type: ignore[override]  # any buffer
        """Write, and return how many bytes were taken."""
        try:
            return super().write(content)
        except OSError as error:
            if error.errno not in _NOBODY_READS:
                raise
            return memoryview(content).nbytes


@contextlib.contextmanager
def _forgiving(name: str, stream: io.TextIOWrapper) -> Iterator[None]:
    """Put a forgiving stream on the same descriptor in place of one of the process's own."""
    stream.flush()
    replacement = io.TextIOWrapper(
        io.BufferedWriter(_Unread(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors="replace" if name == "stdout" else stream.errors,
        line_buffering=stream.line_buffering,
    )
    setattr(sys, name, replacement)
    try:
        yield
    finally:
        setattr(sys, name, stream)
        with contextlib.suppress(OSError):
            replacement.flush()
