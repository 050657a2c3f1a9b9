"""Let one process at a time write to a folder of results."""

import contextlib
import errno
import os
import pathlib
import platform

import filelock

from recbole_edlae._warnings import warn

_NO_LOCKS = (None, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # errors of a file system without locks


class FolderLock:
    """Hold a folder that no other process can take until this object is closed, or its process has ended in any way.

    The lock is the kernel's, on the file ``records.lock``: the file may exist without a lock. ``records.owner`` names
    the process that has the folder, or had it last. Within one process a folder may be taken any number of times.

    Args:
        folder: an existing folder.

    Raises:
        ValueError: another process has it.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._owner = folder / "records.owner"
        self._lock = filelock.FileLock(
            os.path.realpath(folder / "records.lock"), thread_local=False, is_singleton=True
        )  # one object for a file in a process; the last one that goes releases it
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise ValueError(
                f"output: {folder} is in use by {self._read_owner()}; wait for it, or name another folder"
            ) from None
        except (NotImplementedError, OSError) as error:
            if getattr(error, "errno", None) not in _NO_LOCKS:
                raise
            warn(f"{folder} cannot be locked on its file system: see to it that no second command writes there")
            return
        with contextlib.suppress(OSError):  # it only serves the message
            self._owner.write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")

    def close(self) -> None:
        """Leave the folder to others, unless another object of this process has it too."""
        self._lock.release()

    def _read_owner(self) -> str:
        """Return the process that has the folder, in words."""
        try:
            return self._owner.read_text(encoding="utf-8").strip() or "another process"
        except (OSError, UnicodeDecodeError):
            return "another process"
