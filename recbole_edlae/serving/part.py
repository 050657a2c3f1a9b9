"""The output of `recommend`, which bears its name only when it is whole, and keeps what was done when it is not."""

import errno
import os
import stat
from collections.abc import Iterable

try:
    import fcntl
except ImportError:  # no locks there: two runs into one output are not told from each other
    fcntl = None


class PartFile:
    """``OUTPUT.part``, to which whole batches are added, and which :meth:`finish` gives its name."""

    def __init__(self, output: str, heads: tuple[bytes, ...]) -> None:
        """Open the part, or refuse.

        Args:
            output: path of the file to write.
            heads: how a part of an earlier run begins, which may be overwritten; any other file may not.

        Raises:
            ValueError: The part is in use, or a file of somebody else's.
            OSError: The folder is missing or cannot be written.
        """
        self.output, self.path, self.done = str(output), f"{output}.part", 0
        if os.path.lexists(output) and not os.path.isfile(output):
            raise ValueError(f"output: {output} is there already and not a file")
        self._file = self._open(heads)
        self._good = 0

    def add(self, content: bytes) -> None:
        """Write a batch: all of it, or nothing.

        Raises:
            OSError: The disk is full; ``filename`` is the output.
        """
        view = memoryview(content)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            os.ftruncate(self._file, self._good)
            raise OSError(error.errno, error.strerror, self.output) from error
        self._good += len(content)

    def finish(self) -> None:
        """Give the file its name."""
        try:
            os.fsync(self._file)
            os.replace(self.path, self.output)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.output) from error

    def close(self, keep: bool) -> None:
        """Close the file; remove it where there is nothing to keep, and it has not got its name."""
        if not keep and os.path.lexists(self.path) and os.path.samestat(os.fstat(self._file), os.lstat(self.path)):
            os.unlink(self.path)
        os.close(self._file)

    def _open(self, heads: tuple[bytes, ...]) -> int:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
            raise ValueError(f"output: {self.path} cannot be written: {reason}") from None
        try:
            self._lock(file)
            start = os.pread(file, 100, 0) if stat.S_ISREG(os.fstat(file).st_mode) else b"?"
            if start and not start.startswith(heads):
                raise ValueError(f"output: {self.path} is there already and not of an earlier run; move it away")
            os.ftruncate(file, 0)
        except BaseException:
            os.close(file)
            raise
        return file

    def _lock(self, file: int) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            in_use = not os.path.samestat(os.fstat(file), os.lstat(self.path))  # it has just got its name
        except (BlockingIOError, FileNotFoundError):
            in_use = True
        except OSError:  # a file system without locks
            in_use = False
        if in_use:
            raise ValueError(f"output: another run is writing {self.output}")


def check_not_an_input(output: str, inputs: Iterable[tuple[str, str | None]]) -> None:
    """Raise ValueError where an output, or the part it is written to, is one of the inputs by any name or link."""
    for name, path in inputs:
        for written in (output, f"{output}.part"):
            if path and os.path.exists(written) and os.path.exists(path) and os.path.samefile(written, path):
                raise ValueError(f"output: {written} is the file of --{name}, {path}; it would be overwritten")
