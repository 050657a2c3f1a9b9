"""Read columns of tokens as pandas categories: each different token once, and a small number for every row.

RecBole, and pandas for it, keep a Python text for each row, which every later step hashes again. Here lines are taken
as an array of bytes in which eight bytes are one number, a word. Words are compared instead of texts, and only the
different tokens become texts.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

_BLOCK = 1 << 22  # bytes that are taken at once
_WORD = 8  # bytes
_LONGEST = 8 * _WORD  # bytes; a column with a longer token is not read here
_KEEP = np.array([2 ** (8 * length) - 1 for length in range(_WORD + 1)], dtype=np.uint64)  # the first bytes of a word


class _Part(NamedTuple):
    """One column of a block of lines: its different tokens as words, and for each line the number of its token."""

    words: np.ndarray  # uint64, words × tokens
    codes: np.ndarray  # int32


def blocks_of_lines(content: bytes, start: int) -> Iterator[bytes]:
    """Yield the lines from an offset on, in blocks of whole lines that end in a line end.

    Args:
        content: lines.
        start: offset of the first one.
    """
    while start < len(content):
        stop = content.rfind(b"\n", start, start + _BLOCK) + 1
        if not stop:  # a line that is longer than a block
            stop = content.find(b"\n", start + _BLOCK) + 1
        block = content[start : stop or len(content)]
        start += len(block)
        yield block if block.endswith(b"\n") else block + b"\n"


def is_regular(content: bytes, start: int, separator: bytes, width: int) -> bool:
    r"""Return whether every line from an offset on has the same number of fields, without quotation.

    An empty line has not. With a separator that is not one byte no line has.

    Args:
        content: lines.
        start: offset of the first one.
        separator: between fields.
        width: number of fields in a line.

    Examples:
        >>> is_regular(b"a,b\nc,d\n", 0, b",", 2)
        True
        >>> is_regular(b"a,b\nc\n", 0, b",", 2)
        False
    """
    if len(separator) != 1 or content.find(b'"', start) >= 0:
        return False
    others = bytes(set(range(256)) - set(separator + b"\n"))
    pattern = separator * (width - 1) + b"\n"
    for block in blocks_of_lines(content, start):
        separators = block.translate(None, delete=others)
        if separators != pattern * (len(separators) // width):
            return False
        if width == 1 and (block.startswith(b"\n") or b"\n\n" in block):
            return False
    return True


def read_categories(
    content: bytes, start: int, separator: bytes, width: int, columns: Sequence[int]
) -> dict[int, pd.Categorical]:
    """Return columns of tokens as categories.

    Args:
        content: lines in UTF-8 that have the same number of fields, without quotation.
        start: offset of the first one.
        separator: one byte.
        width: number of fields in a line.
        columns: positions of the columns to read.

    Returns:
        Categorical of each column, in which an empty field is missing and the categories are texts in the order in
        which they come first. Columns with a token of more than 64 bytes are left out.

    Notes:
        Cost: 4 bytes a row and column, and about a tenth of a second for a million rows.
    """
    parts: dict[int, list[_Part]] = {column: [] for column in columns}
    for block in blocks_of_lines(content, start):
        characters = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero((characters == ord(separator)) | (characters == ord("\n")))
        starts = np.append(0, ends[:-1] + 1)
        padded = block + bytes(_LONGEST)  # so that a word begins at every byte of the block
        for column in list(parts):
            starts_of_column = starts[column::width]
            lengths = ends[column::width] - starts_of_column
            if lengths.max() > _LONGEST:
                del parts[column]
            else:
                parts[column].append(_part(padded, starts_of_column, lengths))
    return {column: _joined(parts.pop(column)) for column in list(parts)}


def _part(block: bytes, starts: np.ndarray, lengths: np.ndarray) -> _Part:
    """Return one column of a block, given where its fields start and their lengths."""
    word_at: np.ndarray = np.ndarray((len(block) - _WORD + 1,), "<u8", buffer=block, strides=(1,))
    count = max(1, -(-int(lengths.max()) // _WORD))
    words = np.empty((count, len(starts)), dtype=np.uint64)
    for number in range(count):
        offset = number * _WORD
        # Bytes behind the end of a field become zeros, of which a file has none.
        words[number] = word_at[starts + offset] & _KEEP[np.clip(lengths - offset, 0, _WORD)]
    codes, distinct = _numbered(words)
    return _Part(distinct, codes.astype(np.int32))


def _numbered(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each token, counting up from 0 as tokens come first, and the words of each number."""
    codes, values = pd.factorize(words[0])
    distinct = values[np.newaxis]
    for word in words[1:]:
        word_codes, values = pd.factorize(word)
        codes, pairs = pd.factorize(codes * len(values) + word_codes)
        distinct = np.vstack([distinct[:, pairs // len(values)], values[pairs % len(values)]])
    return codes, distinct


def _joined(parts: list[_Part]) -> pd.Categorical:
    """Return the column that blocks make together."""
    tokens_before = np.cumsum([0] + [part.words.shape[1] for part in parts])
    words = np.zeros((max(len(part.words) for part in parts), tokens_before[-1]), dtype="<u8")
    for part, first in zip(parts, tokens_before):
        words[: len(part.words), first : first + part.words.shape[1]] = part.words
    numbers, distinct = _numbered(words)
    numbers = numbers.astype(np.int32)
    codes = np.concatenate([numbers[first:][part.codes] for part, first in zip(parts, tokens_before)])
    texts = np.ascontiguousarray(distinct.T, dtype="<u8").view(f"S{_WORD * len(words)}").ravel().tolist()
    tokens = pd.Index([text.decode() for text in texts], dtype=object)
    column = pd.Categorical.from_codes(codes, tokens)
    return column.set_categories(tokens[tokens != ""]) if "" in tokens else column
