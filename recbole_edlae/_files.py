"""Files that bear their name only when they are whole, and where the configs of the project are."""

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import BinaryIO

_PACKAGE = pathlib.Path(__file__).parent
# A folder of the package where it was built, the folder at the top in a clone.
CONFIGS = _PACKAGE / "configs" if (_PACKAGE / "configs").is_dir() else _PACKAGE.parent / "configs"


@contextlib.contextmanager
def whole(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name when the block ends well; until then it is ``NAME.PID.part``.

    Whatever interrupts the block leaves the file of that name, if there is one, as it was. An error in the block
    removes the part; only a process that is killed leaves it behind.

    Args:
        path: of the file to write, in a folder that exists.

    Yields:
        The part, open for writing bytes.

    Raises:
        OSError: the disk is full or the folder cannot be written; ``filename`` is the path.
    """
    path = pathlib.Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: str | os.PathLike, content: bytes | str) -> None:
    """Write a file that is either whole or not there; text is written as UTF-8.

    Raises:
        OSError: as in :func:`whole`.
    """
    with whole(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
