"""Atomic writes of files and folders, where a file cannot be decoded, and the folder of the project's configs."""

import contextlib
import errno
import itertools
import os
import pathlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from typing import BinaryIO

# In an installed package the configs are inside it, in a clone beside it.
_PACKAGE = pathlib.Path(__file__).parent
CONFIGS = _PACKAGE / "configs"
if not CONFIGS.is_dir():
    CONFIGS = _PACKAGE.parent / "configs"


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open a file that is written to a temporary file ``NAME.PID.part``, which is renamed on success.

    Whatever interrupts the block, an earlier file of the name stays as it was. An error in the block removes the
    temporary file; only a killed process leaves it behind. A file or a link that has the temporary name already is
    left alone: the name is then ``NAME.PID-1.part``, and so on.

    Args:
        path: file to write, in a folder that exists.

    Yields:
        The temporary file, open for writing bytes.

    Raises:
        OSError: the disk is full or the folder cannot be written; ``filename`` is the path.
    """
    path = pathlib.Path(path)
    try:
        temporary, file = _open_temporary(path)
        try:
            with file:
                yield file

                # On the disk before the name is: a power failure must not leave an empty file.
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _open_temporary(path: pathlib.Path) -> tuple[pathlib.Path, BinaryIO]:
    """Create the temporary file of a path under the first free name, and return its path and the open file."""
    for number in itertools.count():
        name = f"{path.name}.{os.getpid()}"
        if number:
            name += f"-{number}"
        temporary = path.with_name(f"{name}.part")

        # "x" opens neither a file of somebody else nor the target of a link.
        with contextlib.suppress(FileExistsError):
            return temporary, open(temporary, "xb")
    raise AssertionError("count() has no end")


def write_atomically(path: str | os.PathLike, content: bytes | str) -> None:
    """Write a file as :func:`atomic_file` does; text is encoded as UTF-8."""
    if isinstance(content, str):
        content = content.encode()
    with atomic_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def atomic_folder(
    folder: str | os.PathLike, files: Sequence[str], *, beside_others: bool = False
) -> Iterator[pathlib.Path]:
    """Make a temporary folder, which is renamed on success and removed otherwise.

    A folder that exists already gets the files at the end, one after the other, all or none. Nothing is overwritten,
    even if others write to the folder at the same time.

    Args:
        folder: missing or empty.
        files: names of the files that the block writes, in the order in which an existing folder gets them.
        beside_others: whether the folder may have files of other names.

    Yields:
        The temporary folder to write to.

    Raises:
        ValueError: a folder with files, or a file, has the name.
        OSError: the folder cannot be written; ``filename`` is its name.
    """
    folder = pathlib.Path(folder)
    temporary: pathlib.Path | None = None
    try:
        exists = _is_usable(folder, files, beside_others)
        folder.parent.mkdir(parents=True, exist_ok=True)

        # Files can be linked only within a file system, to which a folder's parent need not belong.
        parent = folder.parent
        if exists:
            parent = folder
        temporary = parent / f".{folder.name}.{secrets.token_hex(4)}.part"
        temporary.mkdir()
        yield temporary

        if exists:
            _add_files(temporary, folder, files)
        else:
            os.rename(temporary, folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise ValueError(f"output: {folder} is there already, made in the meantime") from None
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(folder)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _is_usable(folder: pathlib.Path, files: Sequence[str], beside_others: bool) -> bool:
    """Return whether a folder exists; raise ValueError if it may not be written."""
    if not os.path.lexists(folder):
        return False
    if not folder.is_dir():
        raise ValueError(f"output: {folder} is there already and not a folder")
    if not beside_others and any(folder.iterdir()):
        raise ValueError(f"output: {folder} is there already and not an empty folder")

    # Also a link to nothing would be overwritten.
    for file in files:
        path = folder / file
        if os.path.lexists(path):
            raise ValueError(f"output: {path} is there already; remove it, or choose another name")
    return True


def _add_files(temporary: pathlib.Path, folder: pathlib.Path, files: Sequence[str]) -> None:
    """Move files to a folder, all or none; raise FileExistsError instead of overwriting."""
    added: list[pathlib.Path] = []
    try:
        for file in files:
            source = temporary / file
            target = folder / file

            # Unlike a renamed file, a link never replaces another file. Some file systems have no links.
            try:
                os.link(source, target)
            except FileExistsError:
                raise
            except OSError:
                if os.path.lexists(target):
                    raise FileExistsError(errno.EEXIST, "File exists", str(target)) from None
                os.rename(source, target)
            added.append(target)
    except BaseException:
        for path in added:
            path.unlink(missing_ok=True)
        raise


def append_atomically(file: int, content: bytes, *, flush: bool = False) -> None:
    """Append to an open file atomically: all of the content, or nothing on an error or interruption.

    Args:
        file: its descriptor.
        content: to append.
        flush: whether the content has to be on the disk when this returns.
    """
    size = os.lseek(file, 0, os.SEEK_END)
    remaining = memoryview(content)
    try:
        # A disk that fills up takes some bytes, and raises at the next write.
        while remaining:
            written = os.write(file, remaining)
            remaining = remaining[written:]
        if flush:
            os.fsync(file)
    except BaseException:
        os.ftruncate(file, size)
        raise


def where_undecodable(path: str | os.PathLike, content: bytes, error: UnicodeDecodeError) -> str:
    """Return a message with the line and the byte at which the content of a file cannot be decoded."""
    # The error counts bytes; editors count lines, from 1 on.
    line = content.count(b"\n", 0, error.start) + 1
    byte = f"byte {content[error.start]:#04x}"
    return f"{path}, line {line} is not {error.encoding}: {error.reason} ({byte})"
