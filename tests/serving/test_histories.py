"""Files of histories and of items to exclude: read alike, or refused with the line; files are never overwritten."""

import glob
import json
import os
import pathlib

import pytest

from recbole_edlae.serving.recommender import Recommender
from tests.serving.shop_checkpoints import HISTORY, recommend, written

LINES = {
    "byte order mark": (b'\xef\xbb\xbf{"user": "me", "items": ["i3", "i7"]}\n', "jsonl"),
    "CRLF and empty lines": (b'\r\n{"user": "me", "items": ["i3", "i7"]}\r\n\r\n', "jsonl"),
    "CSV with a byte order mark": (b"\xef\xbb\xbfuser_id,item_id\nme,i3\nme,i7\n", "csv"),
    "CSV with blanks": (b"user_id, item_id\nme, i3 \nme , i7\t\n \n", "csv"),
    "CSV with CRLF": (b"user_id,item_id\r\nme,i3\r\nme,i7\r\n\r\n", "csv"),
    "CSV with quotes": (b'"user_id","item_id"\n"me","i3"\nme, "i7"\n', "csv"),
}


@pytest.mark.parametrize("kind", LINES)
def test_histories_of_other_editors_read_alike(kind, checkpoint, command):
    content, suffix = LINES[kind]
    pathlib.Path(f"users.{suffix}").write_bytes(content)
    outcome = recommend(command, checkpoint, histories=f"users.{suffix}")
    assert outcome.status == 0 and not outcome.err, outcome
    expected = Recommender.load(checkpoint).recommend([["i3", "i7"]], 20).items[0]
    assert written() == {"me": expected} and len(expected) == 18


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfi1\ni2\n", b"i1 \r\n\r\n  i2\t\n"])
def test_items_to_exclude_of_other_editors_read_alike(content, checkpoint, command):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    pathlib.Path("not.txt").write_bytes(content)
    outcome = recommend(command, checkpoint, "--exclude=not.txt")
    assert outcome.status == 0 and not outcome.err
    assert len(written()["me"]) == 16 and not {"i1", "i2"} & set(written()["me"])


BAD = {
    "nested": (
        '{"user": "a", "items": ["i1"]}\n{"user": "b", "items": [["i1"]]}\n',
        "users.jsonl, line 2: items: a token",
    ),
    "null user": (
        '{"user": null, "items": ["i1"]}\n',
        "users.jsonl, line 1: user: a token is text or a number, got None",
    ),
    "latin-1": (
        '{"user": "José", "items": ["i1"]}\n'.encode("latin-1"),
        "users.jsonl, line 1 is not UTF-8: byte 0xe9",
    ),
    "not in the data": ('{"user": "u1"}\n{"user": "u99"}\n', "users.jsonl, line 2: unknown user 'u99'"),
    "misspelled": (
        '{"user": "u1", "item": ["i1"]}\n',
        "users.jsonl, line 1: unknown key 'item'; did you mean items?",
    ),
    "NaN": ('{"user": "a", "items": [NaN]}\n', "line 1: items: a token is text or a number, got nan"),
    "a bool": ('{"user": "a", "items": ["i1"], "exclude": [true]}\n', "line 1: exclude: a token"),
    "a list": ('["a", "i1"]\n', "line 1 is not like"),
    "half a character": (
        '{"user": "\\ud83d", "items": ["i1"]}\n',
        "line 1: user '\\ud83d' has half a character",
    ),
    "deep": ("[" * 100_000 + "\n", "line 1 is not like"),
}


@pytest.mark.parametrize("kind", BAD)
def test_wrong_lines_are_named(kind, checkpoint, command):
    content, message = BAD[kind]
    pathlib.Path("users.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = recommend(command, checkpoint)
    assert outcome.status == 2 and message in outcome.err and outcome.err.count("\n") == 1
    assert not glob.glob("top*")


@pytest.mark.parametrize("content, message", [
    ("user_id,item_id\na,i1\nb,i1\n,i2\n", "users.csv, line 4 has no user"),
    ('user_id,item_id\na,i1\nb,"i1\n', "users.csv, line 3 is not CSV"),
    ("user_id,item_id\na,i1\nb,i1\ra,i2\n", "users.csv, line 3 "),
    ("item_id,user_id\ni1,a\n", "users.csv must begin with"),
])  # fmt: skip
def test_wrong_lines_of_csv_are_named(content, message, checkpoint, command):
    pathlib.Path("users.csv").write_text(content)
    outcome = recommend(command, checkpoint, histories="users.csv")
    assert outcome.status == 2 and message in outcome.err and outcome.err.count("\n") == 1


def same(kind):
    """Another name of users.jsonl."""
    if kind == "symlink":
        os.symlink("users.jsonl", "top.jsonl")
    elif kind == "hard link":
        os.link("users.jsonl", "top.jsonl")
    return {"relative": "dataset/../users.jsonl", "itself": "users.jsonl"}.get(kind, "top.jsonl")


@pytest.mark.parametrize("kind", ["itself", "relative", "symlink", "hard link"])
def test_inputs_are_never_overwritten(kind, checkpoint, command):
    content = json.dumps(HISTORY) + "\n"
    pathlib.Path("users.jsonl").write_text(content)
    outcome = recommend(command, checkpoint, output=same(kind))
    assert outcome.status == 2 and "output: " in outcome.err and "--histories" in outcome.err
    assert pathlib.Path("users.jsonl").read_text() == content and not glob.glob("*.part")


def test_other_inputs_and_files_of_the_user_are_never_overwritten(checkpoint, command):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    for name in ("not.csv", "top.csv.part"):
        pathlib.Path(name).write_text("i1\n")
        outcome = recommend(command, checkpoint, f"--exclude={name}", output=name.removesuffix(".part"))
        assert (
            outcome.status == 2 and "--exclude" in outcome.err and pathlib.Path(name).read_text() == "i1\n"
        )
    os.symlink(checkpoint, "top.jsonl")
    outcome = recommend(command, checkpoint)
    assert outcome.status == 2 and "--checkpoint" in outcome.err and Recommender.load(checkpoint)
    os.unlink("top.jsonl")
    pathlib.Path("top.jsonl.part").write_text("my own notes\n")
    outcome = recommend(command, checkpoint)
    assert outcome.status == 2 and "top.jsonl.part is there already" in outcome.err
    assert pathlib.Path("top.jsonl.part").read_text() == "my own notes\n"


def test_an_output_in_a_missing_folder_is_refused(command, refused):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    os.mkdir("top.jsonl")
    words = "recommend", "--checkpoint=not-read.pth", "--histories=users.jsonl"
    assert "gone/top.jsonl" in refused(*words, "--output=gone/top.jsonl")
    assert "top.jsonl is there already and not a file" in refused(*words, "--output=top.jsonl")


def test_a_folder_that_cannot_be_written_is_named(refused):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    pathlib.Path("file").write_text("a file, and no folder")
    words = "--checkpoint=not-read.pth", "--histories=users.jsonl"
    assert "file/top.jsonl" in refused("recommend", *words, "--output=file/top.jsonl")
    assert "file/small" in refused("export", "--checkpoint=not-read.pth", "--output=file/small")
