"""Atomic writes of files and folders, and where the project's configs are."""

import contextlib
import errno
import itertools
import os
import pathlib
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import filelock

_PACKAGE = pathlib.Path(__file__).parent
# A folder of the package where it was built, the folder at the top in a clone.
CONFIGS = _PACKAGE / "configs" if (_PACKAGE / "configs").is_dir() else _PACKAGE.parent / "configs"


@contextlib.contextmanager
def whole(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open ``NAME.PID.part`` for writing; it is renamed to NAME when the block ends without an error.

    Whatever interrupts the block leaves an existing file of that name as it was. An error removes the temporary file;
    only a process that is killed leaves it behind. Another file or link with the temporary name is left alone; then
    the name is ``NAME.PID-1.part``, and so on.

    Args:
        path: of the file to write, in a folder that exists.

    Yields:
        The part, open for writing bytes.

    Raises:
        OSError: The disk is full or the folder cannot be written; ``filename`` is the path.
    """
    path = pathlib.Path(path)
    part: pathlib.Path | None = None
    try:
        part, file = _new_part(path)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        _remove(part)
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        _remove(part)
        raise


def _new_part(path: pathlib.Path) -> tuple[pathlib.Path, BinaryIO]:
    """Create the part of a file under the first name that nothing has, and return its path and the open file."""
    for number in itertools.count():
        suffix = f"-{number}" if number else ""
        part = path.with_name(f"{path.name}.{os.getpid()}{suffix}.part")

        # "x" opens nothing that is there: neither another's file nor what a link points to.
        with contextlib.suppress(FileExistsError):
            return part, open(part, "xb")
    raise AssertionError("count() has no end")


def _remove(part: pathlib.Path | None) -> None:
    """Remove a part, if it was created."""
    if part is not None:
        part.unlink(missing_ok=True)


def write_whole(path: str | os.PathLike, content: bytes | str) -> None:
    """Write a file that is either whole or not there; text is written as UTF-8.

    Raises:
        OSError: As in :func:`whole`.
    """
    with whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def whole_folder(
    folder: str | os.PathLike, files: Sequence[str], *, beside_others: bool = False
) -> Iterator[pathlib.Path]:
    """Make a folder to write into, which takes its name when the block ends well, and is removed otherwise.

    A folder that exists already gets the files at the end, one after the other, all or none. Nothing is overwritten,
    whoever else writes there at the same time.

    Args:
        folder: not there yet, or empty.
        files: names of the files that the block writes, in the order in which an existing folder gets them.
        beside_others: whether the folder may have files of other names.

    Yields:
        The folder to write into.

    Raises:
        ValueError: There is a folder with files, or a file, of that name.
        OSError: The folder cannot be written; ``filename`` is its name.
    """
    folder = pathlib.Path(folder)
    part: pathlib.Path | None = None
    try:
        exists = _is_usable(folder, files, beside_others)
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = (folder if exists else folder.parent) / f".{folder.name}.{secrets.token_hex(4)}.part"
        part.mkdir()
        yield part
        if exists:
            _add_files(part, folder, files)
        else:
            os.rename(part, folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise ValueError(f"output: {folder} is there already, made in the meantime") from None
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(folder)) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def _is_usable(folder: pathlib.Path, files: Sequence[str], beside_others: bool) -> bool:
    """Return whether a folder exists; raise ValueError if it may not be written."""
    if not os.path.lexists(folder):
        return False
    if not folder.is_dir():
        raise ValueError(f"output: {folder} is there already and not a folder")
    if not beside_others and any(folder.iterdir()):
        raise ValueError(f"output: {folder} is there already and not an empty folder")
    for file in files:
        if os.path.lexists(folder / file):
            raise ValueError(f"output: {folder / file} is there already; remove it, or choose another name")
    return True


def _add_files(part: pathlib.Path, folder: pathlib.Path, files: Sequence[str]) -> None:
    """Give files their names in a folder, all or none; raise FileExistsError instead of overwriting."""
    added: list[pathlib.Path] = []
    try:
        for file in files:
            try:
                os.link(part / file, folder / file)
            except FileExistsError:
                raise
            except OSError:  # a file system without links
                if os.path.lexists(folder / file):
                    raise FileExistsError(errno.EEXIST, "File exists", str(folder / file)) from None
                os.rename(part / file, folder / file)
            added.append(folder / file)
    except BaseException:
        for path in added:
            path.unlink(missing_ok=True)
        raise


def append_whole(file: int, content: bytes, *, flush: bool = False) -> None:
    """Append to an open file all of a content or, where that is interrupted or the disk is full, nothing.

    Args:
        file: descriptor of the file.
        content: what to append.
        flush: whether it has to be on the disk when this returns.

    Raises:
        OSError: The disk is full or cannot be written. The file is then as it was before.
    """
    size = os.lseek(file, 0, os.SEEK_END)
    view = memoryview(content)
    try:
        while view:  # a disk that fills up takes a part and says so at the next write
            view = view[os.write(file, view) :]
        if flush:
            os.fsync(file)
    except BaseException:
        os.ftruncate(file, size)
        raise


class PartFile:
    """``OUTPUT.part``, to which whole batches are added, and which :meth:`finish` gives its name.

    What was added stays in the part when the work ends early.

    Attributes:
        output: path of the file to write.
        path: path of the part.
    """

    def __init__(self, output: str | os.PathLike, heads: tuple[bytes, ...]) -> None:
        """Open the part, or refuse.

        Args:
            output: path of the file to write.
            heads: how a part of an earlier run begins, which may be overwritten; any other file may not.

        Raises:
            ValueError: The part is in use, cannot be written, or is a file of somebody else's.
        """
        self.output = str(output)
        self.path = f"{output}.part"
        if os.path.lexists(output) and not os.path.isfile(output):
            raise ValueError(f"output: {output} is there already and not a file")
        self._file = self._open(heads)

    def add(self, content: bytes) -> None:
        """Write a batch: all of it, or nothing.

        Raises:
            OSError: The disk is full; ``filename`` is the output.
        """
        try:
            append_whole(self._file, content)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.output) from error

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            OSError: The file cannot be written; ``filename`` is the output.
        """
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
        """Return the descriptor of the part, locked and empty."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0)
        try:
            file = os.open(self.path, flags, 0o666)
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
        """Lock the part, or raise ValueError where another process has it."""
        try:
            is_locked = filelock.lock_descriptor(file, blocking=False)

            # Another process may have given it its name since it was opened.
            in_use = not is_locked or not os.path.samestat(os.fstat(file), os.lstat(self.path))
        except FileNotFoundError:
            in_use = True
        except OSError:  # a system, or a file system, without locks: two runs into one output go unnoticed
            in_use = False
        if in_use:
            raise ValueError(f"output: another run is writing {self.output}")


def check_not_an_input(output: str, inputs: Iterable[tuple[str, str | None]]) -> None:
    """Check that an output, or the part it is written to, is none of the inputs by any name or link.

    Args:
        output: path of the file to write.
        inputs: option and path of each input.

    Raises:
        ValueError: It is one of them.
    """
    for name, path in inputs:
        for written in (output, f"{output}.part"):
            if path and os.path.exists(written) and os.path.exists(path) and os.path.samefile(written, path):
                raise ValueError(f"output: {written} is the file of --{name}, {path}; it would be overwritten")
