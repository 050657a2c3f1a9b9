"""Name the line and the byte at which a file cannot be decoded."""

import os


def where_undecodable(path: str | os.PathLike, content: bytes, error: UnicodeDecodeError) -> str:
    """Return a message with the line and the byte at which a file cannot be decoded.

    Args:
        path: of the file.
        content: of the file.
        error: raised by decoding the content.
    """
    # The error counts bytes; editors count lines, from 1 on.
    line = content.count(b"\n", 0, error.start) + 1
    byte = f"byte {content[error.start]:#04x}"
    return f"{path}, line {line} is not {error.encoding}: {error.reason} ({byte})"
