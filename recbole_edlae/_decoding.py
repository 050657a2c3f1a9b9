"""Say where a file is not in its encoding."""

import os


def where_undecodable(path: str | os.PathLike, content: bytes, error: UnicodeDecodeError) -> str:
    """Return the words that name the line and the byte of a file that cannot be decoded.

    Args:
        path: of the file.
        content: of the file.
        error: that decoding it raised.
    """
    line = content.count(b"\n", 0, error.start) + 1
    byte = f"byte {content[error.start]:#04x}"
    return f"{path}, line {line} is not {error.encoding}: {error.reason} ({byte})"
