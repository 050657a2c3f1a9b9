"""Read a CSV file as text: decompress it, decode it, and refuse what is no table."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import pathlib
import re
import zipfile
import zlib
from collections.abc import Callable

from recbole_edlae._files import where_undecodable

_BYTE_ORDER_MARKS = {  # UTF-32 before UTF-16, whose mark begins like its own
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
_CARRIAGE_RETURN = re.compile(rb'[^"\r\n]*(?:"[^"]*"[^"\r\n]*)*\r(?!\n)')  # at the end of the first line
_JSON = re.compile(r"""\s*[\[{]\s*(?:$|["'\[{]|[-+\d.,\s]*\]\s*,?\s*$)""", re.MULTILINE)
_HTML = re.compile(r"\s*<(?:!doctype|html|\?xml)", re.IGNORECASE)


def read_text(path: str | os.PathLike, encoding: str | None) -> tuple[bytes, str, str]:
    r"""Return a file in UTF-8 without a byte order mark, what it was encoded and compressed by, and its line end.

    The line end is ``\n``, also for Windows, or ``\r``. Without an encoding it is UTF-8, or what a mark says.

    Raises:
        ValueError: The file is compressed otherwise, is not in its encoding, or is no table.
        OSError: It cannot be read.
    """
    content, compression = _unpacked(path, pathlib.Path(path).read_bytes())
    encoding = encoding or _marked_encoding(content)
    content = _utf8(path, content, encoding)

    # Files that were joined have a byte order mark in the middle, too.
    mark = codecs.BOM_UTF8
    content = content.removeprefix(mark).replace(b"\n" + mark, b"\n").replace(b"\r" + mark, b"\r")
    _check_is_table(path, content)

    # All lines end like the first one. Line ends in quotation are part of the text.
    line_end = "\n"
    if _CARRIAGE_RETURN.match(content, 0, 1 << 16):
        line_end = "\r"
    return content, encoding + compression, line_end


def _marked_encoding(content: bytes) -> str:
    """Return the encoding that a byte order mark names."""
    for encoding, marks in _BYTE_ORDER_MARKS.items():
        if content.startswith(marks):
            return encoding
    return "utf-8"


def _unpacked(path: str | os.PathLike, content: bytes) -> tuple[bytes, str]:
    """Return the content of a file that may be compressed, and what to say of it."""
    # By its first bytes, because names lie.
    for name, (start, unpack) in _COMPRESSIONS.items():
        if not start.match(content):
            continue
        try:
            return unpack(content), f", compressed by {name}"
        except _COMPRESSION_ERRORS as error:
            raise ValueError(f"{path} is compressed by {name}: {error}; unpack it first") from None
    return content, ""


def _unzipped(content: bytes) -> bytes:
    """Return the only file of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # Folders are entries, too.
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise ValueError(f"it has {len(names)} files, {', '.join(names[:3])}")
        return archive.read(names[0])


def _unknown(content: bytes) -> bytes:
    """Refuse a compression that Python does not know."""
    raise ValueError("Python cannot read it")


# How a compressed file begins, and what reads it.
_COMPRESSIONS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes], bytes]]] = {
    "gzip": (re.compile(rb"\x1f\x8b"), gzip.decompress),
    "bz2": (re.compile(rb"BZh[1-9]1AY&SY"), bz2.decompress),
    "xz": (re.compile(rb"\xfd7zXZ\x00"), lzma.decompress),
    "zip": (re.compile(rb"PK\x03\x04"), _unzipped),
    "zstd": (re.compile(rb"\x28\xb5\x2f\xfd"), _unknown),
}
_COMPRESSION_ERRORS = (
    *(ValueError, OSError, EOFError, RuntimeError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


def _utf8(path: str | os.PathLike, content: bytes, encoding: str) -> bytes:
    """Return content in UTF-8; an error names the line and the byte."""
    # UTF-8 is only checked, and ASCII needs no check.
    try:
        is_utf8 = codecs.lookup(encoding).name == "utf-8"
        if not is_utf8:
            content = content.decode(encoding).encode()
        elif not content.isascii():
            content.decode(encoding)
    except LookupError:
        raise ValueError(f"--encoding: Python knows no encoding {encoding!r}") from None
    except UnicodeDecodeError as error:
        # UTF-16 without a mark says more by its NUL bytes.
        _check_no_nul(path, content)
        where = where_undecodable(path, content, error)
        raise ValueError(f"{where}; write --encoding, for example --encoding=latin-1") from None
    _check_no_nul(path, content)
    return content


def _check_no_nul(path: str | os.PathLike, content: bytes) -> None:
    """Refuse a NUL byte, which no text has."""
    offset = content.find(b"\0")
    if offset < 0:
        return
    hint = "it is no text"

    # Letters of the alphabet in UTF-16 have a NUL byte each, all before it or all after it.
    start = content[:100]
    for order, nuls, letters in (("be", start[0::2], start[1::2]), ("le", start[1::2], start[0::2])):
        if letters.count(0) == 0 and nuls.count(0) > len(start) // 4:
            hint = f"--encoding=utf-16-{order} may read it"
    line = content.count(b"\n", 0, offset) + 1
    raise ValueError(f"{path}, line {line} has a NUL byte inside; {hint}")


def _check_is_table(path: str | os.PathLike, content: bytes) -> None:
    """Refuse a file whose first line is JSON or HTML."""
    start = content[:1000].decode(errors="replace")
    for name, pattern in (("JSON", _JSON), ("HTML or XML", _HTML)):
        if pattern.match(start):
            first = start.strip().splitlines()[0]
            raise ValueError(f"{path}, line 1 is {name}, and not a row of CSV: {first[:80]!r}")
