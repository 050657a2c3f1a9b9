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
    """Lock a folder against other processes until this object is closed or its process has ended in any way.

    The kernel holds the lock, on the file ``records.lock``: the existence of this file says nothing. ``records.owner``
    names the process that has the folder, or had it last. One process may lock a folder any number of times.

    Args:
        folder: an existing folder.

    Raises:
        ValueError: another process has it.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._owner = folder / "records.owner"

        # filelock has one object for a file in a process, and counts: the last release gives the lock up.
        path = os.path.realpath(folder / "records.lock")
        self._lock = filelock.FileLock(path, thread_local=False, is_singleton=True)

        # Some file systems of clusters have no locks. That is no reason to refuse the folder.
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            owner = self._read_owner()
            raise ValueError(f"output: {folder} is in use by {owner}; wait for it, or name another folder") from None
        except (NotImplementedError, OSError) as error:
            if getattr(error, "errno", None) not in _NO_LOCKS:
                raise
            warn(f"{folder} cannot be locked on its file system: see to it that no second command writes there")
            return

        # The name only serves the message above, in another process.
        with contextlib.suppress(OSError):
            self._owner.write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")

    def close(self) -> None:
        """Release the folder, unless another object of this process has locked it too."""
        self._lock.release()

    def _read_owner(self) -> str:
        """Return a description of the process that has the folder."""
        try:
            return self._owner.read_text(encoding="utf-8").strip() or "another process"
        except (OSError, UnicodeDecodeError):
            return "another process"
