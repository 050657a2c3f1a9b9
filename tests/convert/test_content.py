"""Files that hold no plain CSV: compressed ones, other encodings, JSON, pages and binary files."""

import bz2
import gzip
import io
import itertools
import lzma
import zipfile

import pytest

from tests.convert.csv_files import read, refused

TEXT = "user,item,rating\nanna,thé,5\n"
ROWS = [("anna", "thé", 5)]


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return file.getvalue()


COMPRESSED = {
    "gzip": gzip.compress(TEXT.encode()),
    "bz2": bz2.compress(TEXT.encode()),
    "xz": lzma.compress(TEXT.encode()),
    "zip": zipped("data/", "data/given.csv"),
}


@pytest.mark.parametrize("path", ["given.csv", "given.csv.gz", "given"])
@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_files_are_read_whatever_their_name(name, path):
    assert read(COMPRESSED[name], path=path, says=f"encoding: utf-8, compressed by {name}") == ROWS


@pytest.mark.parametrize(
    "content, reason",
    [
        (COMPRESSED["gzip"][:-9], "is compressed by gzip: "),
        (COMPRESSED["bz2"][:-9], "is compressed by bz2: "),
        (COMPRESSED["xz"][:-9], "is compressed by xz: "),
        (COMPRESSED["zip"][:-9], "is compressed by zip: "),
        (zipped("a.csv", "b.csv"), "is compressed by zip: it has 2 files, a.csv, b.csv"),
        (bytes.fromhex("28b52ffd2004"), "is compressed by zstd"),
        (b"PAR1\x15\x04\x15\0\xff", "line 1 has a NUL byte inside; it is no text"),
        (b"user,item\na,\xff\0\n", "line 2 has a NUL byte inside"),
        (TEXT.encode("utf-16-le"), "--encoding=utf-16-le may read it"),
        (TEXT.encode("utf-16-be"), "--encoding=utf-16-be may read it"),
    ],
    ids=itertools.count(),  # the bytes of compressed files differ from process to process
)
def test_files_that_are_no_text(content, reason):
    message = refused(content)
    assert reason in message and "latin-1" not in message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_names_the_encoding(encoding):
    assert read(TEXT.encode(encoding)) == ROWS


def test_a_byte_order_mark_in_the_middle_is_no_part_of_a_token():
    assert read("\ufeffa,x\r\nb,y\r\n\ufeffa,z\r\n") == [("a", "x"), ("b", "y"), ("a", "z")]


@pytest.mark.parametrize(
    "text",
    [
        '{"user": "a", "item": "x", "rating": 5}\n{"user": "b", "item": "y", "rating": 4}\n',
        '[{"user": "a", "item": "x"},\n {"user": "b", "item": "y"}]\n',
        '[\n  {\n    "user": "a",\n    "item": "x"\n  }\n]\n',
        '\n ["a", "x", 5]\n["b", "y", 4]\n',
        "[1, 2, 5]\n[3, 4, 5]\n",
        "[[1, 2, 5],\n [3, 4, 5]]\n",
        "{'user': 'a', 'item': 'x'}\n{'user': 'b', 'item': 'y'}\n",
    ],
)
def test_json_is_refused_as_json(text):
    assert "line 1 is JSON" in refused(text)


@pytest.mark.parametrize("start", ["<!DOCTYPE html>", "<html>", '<?xml version="1.0"?>'])
def test_a_page_is_refused_as_one(start):
    assert "line 1 is HTML or XML" in refused(f"{start}\n<a>, <b>\n")


@pytest.mark.parametrize("token", ["{6F9619FF-8B86-D011}", "[anna]", "<anna>"])
def test_brackets_around_tokens_are_no_json(token):
    assert read(f"{token},{token}\nb,c\n") == [(token, token), ("b", "c")]
