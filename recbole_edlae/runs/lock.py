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
            reason = f"{folder} is in use by {self._read_owner()}"
            raise ValueError(f"output: {reason}; wait for it, or name another folder") from None
        except (NotImplementedError, OSError) as error:
            if getattr(error, "errno", None) not in _NO_LOCKS:
                raise
            reason = f"{folder} cannot be locked on its file system"
            warn(f"{reason}: see to it that no second command writes there")
            return

        # The name only serves the message above, in another process.
        owner = f"process {os.getpid()} on {platform.node()}"
        with contextlib.suppress(OSError):
            self._owner.write_text(f"{owner}\n", encoding="utf-8")

    def close(self) -> None:
        """Release the folder, unless another object of this process has locked it too."""
        self._lock.release()

    def _read_owner(self) -> str:
        """Return a description of the process that has the folder."""
        # The file may not be there yet, or be empty for a moment.
        owner = ""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            owner = self._owner.read_text(encoding="utf-8").strip()
        return owner or "another process"
