"""CSV files for the tests of `convert`, and what becomes of them."""

import contextlib
import io
import pathlib
import shutil

from recbole_edlae import cli
from recbole_edlae.data.atomic import read_atomic, read_header


def write(content, path="given.csv"):
    pathlib.Path(path).write_bytes(content if isinstance(content, bytes) else content.encode())


def rows_of(path):
    """The rows of an atomic file, None where a number is missing."""
    frame = read_atomic(path, [column.field for column in read_header(path)])
    return [
        tuple(None if value != value else value for value in row) for row in frame.itertuples(index=False)
    ]


def convert(content, *options, path="given.csv"):
    """Convert content; return the rows, or None if it is refused, and all that is printed."""
    write(content, path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            cli.main(["convert", path, "dataset/own", *options])
        except SystemExit as stopped:
            assert stopped.code == 2 and printed.getvalue().count("\n") == 1, printed.getvalue()
            assert not pathlib.Path("dataset/own").exists()
            return None, printed.getvalue()
    rows = rows_of("dataset/own/own.inter")
    shutil.rmtree("dataset")
    return rows, printed.getvalue()


def read(content, *options, says=(), path="given.csv"):
    """The rows of content, which must be read, and of which something must be said."""
    rows, printed = convert(content, *options, path=path)
    assert rows is not None, printed
    for text in [says] if isinstance(says, str) else says:
        assert text in printed, printed
    return rows


def refused(content, *options, path="given.csv"):
    """The line that refuses content."""
    rows, printed = convert(content, *options, path=path)
    assert rows is None, rows
    return printed
