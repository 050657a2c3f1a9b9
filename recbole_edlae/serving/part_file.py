"""Write an output in batches to a temporary file beside it, which is renamed in the end."""

import errno
import os
import stat
from collections.abc import Iterable

import filelock

from recbole_edlae._files import append_atomically


class PartFile:
    """Write batches to ``OUTPUT.part``, the ``path``, which :meth:`finish` renames.

    If the work ends early, the batches written so far stay in this file.
    """

    def __init__(self, output: str | os.PathLike, first_bytes: tuple[bytes, ...]) -> None:
        """Open the temporary file, which may be one of an earlier run by its first bytes, and no other one."""
        self.output = str(output)
        self.path = f"{output}.part"
        if os.path.lexists(output) and not os.path.isfile(output):
            raise ValueError(f"output: {output} is there already and not a file")
        self._file = self._open(first_bytes)

    def add(self, content: bytes) -> None:
        """Write a batch atomically."""
        append_atomically(self._file, content)

    def finish(self) -> None:
        """Rename the temporary file to the output."""
        os.fsync(self._file)
        os.replace(self.path, self.output)

    def close(self, keep: bool) -> None:
        """Close the temporary file, and keep it if asked to or remove it, unless it was renamed."""
        # Another process may have put its own file in place of this one.
        if not keep and os.path.lexists(self.path) and self._is_ours(self._file):
            os.unlink(self.path)
        os.close(self._file)

    def _open(self, first_bytes: tuple[bytes, ...]) -> int:
        """Return the descriptor of the temporary file, locked and empty."""
        # A link is not followed, and a pipe does not block.
        flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0)
        try:
            file = os.open(self.path, flags, 0o666)
        except OSError as error:
            reason = error.strerror
            if error.errno == errno.ELOOP:
                reason = "it is a link"
            raise ValueError(f"output: {self.path} cannot be written: {reason}") from None

        # Only a regular file can be a leftover.
        try:
            self._lock(file)
            start = b"?"
            if stat.S_ISREG(os.fstat(file).st_mode):
                start = os.pread(file, 100, 0)
            if start and not start.startswith(first_bytes):
                raise ValueError(
                    f"output: {self.path} is there already and not of an earlier run; move it away"
                )
            os.ftruncate(file, 0)
        except BaseException:
            os.close(file)
            raise
        return file

    def _lock(self, file: int) -> None:
        """Lock the temporary file, or raise ValueError if another process has locked it."""
        try:
            is_locked = filelock.lock_descriptor(file, blocking=False)

            # The other process may have renamed the file between our opening and locking it.
            in_use = not is_locked or not self._is_ours(file)
        except FileNotFoundError:
            in_use = True
        except OSError:
            # Some systems and file systems have no locks: two runs into one output go unnoticed.
            in_use = False
        if in_use:
            raise ValueError(f"output: another run is writing {self.output}")

    def _is_ours(self, file: int) -> bool:
        """Return whether an open file still has the path of the temporary file."""
        return os.path.samestat(os.fstat(file), os.lstat(self.path))


def check_not_an_input(output: str, inputs: Iterable[tuple[str, str | None]]) -> None:
    """Check that neither an output nor its temporary file is one of the inputs (option, path), by any name or link."""
    for name, path in inputs:
        if not path or not os.path.exists(path):
            continue
        for written in (output, f"{output}.part"):
            if os.path.exists(written) and os.path.samefile(written, path):
                raise ValueError(
                    f"output: {written} is the file of --{name}, {path}; it would be overwritten"
                )
