"""What `convert` and `convert-liang` write: whole or nothing, and over nobody's files."""

import contextlib
import pathlib

import pytest

from recbole_edlae import cli
from recbole_edlae.convert import conversion, convert_csv
from recbole_edlae.data import liang
from tests.convert.csv_files import rows_of, write

PARTS = liang.PARTS


@pytest.fixture
def split(tmp_path):
    """Write Liang's five files into a folder, users with a name of their own."""

    def write_split(name, **contents):
        folder = tmp_path / name
        folder.mkdir()
        for part in PARTS:
            write(contents.get(part, f"uid,sid\n{name},{part}\n"), folder / f"{part}.csv")
        return str(folder)

    return write_split


def refused(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def names(folder):
    return sorted(path.name for path in pathlib.Path(folder).iterdir())


def meanwhile(monkeypatch, action):
    """Let something happen while the first conversion writes its values."""
    read_rating = conversion.read_rating
    actions = [action]

    def first(*arguments):
        with contextlib.suppress(IndexError):
            actions.pop()()
        return read_rating(*arguments)

    monkeypatch.setattr(conversion, "read_rating", first)


@pytest.mark.parametrize("exists", [False, True])
def test_of_two_conversions_into_one_folder_one_is_refused(exists, monkeypatch):
    if exists:
        pathlib.Path("dataset/own").mkdir(parents=True)
    write("user,item,rating\nslow,x,1\n", "slow.csv")
    write("user,item,rating\nquick,x,1\n", "quick.csv")
    meanwhile(monkeypatch, lambda: convert_csv("quick.csv", "dataset/own"))
    with pytest.raises(ValueError, match="own is there already, made in the meantime"):
        convert_csv("slow.csv", "dataset/own")
    assert rows_of("dataset/own/own.inter") == [("quick", "x", 1)]
    assert names("dataset/own") == ["own.inter"] and names("dataset") == ["own"]


def test_files_of_other_names_may_come_in_the_meantime(monkeypatch):
    pathlib.Path("dataset/own").mkdir(parents=True)
    write("user,item,rating\na,x,1\n")
    meanwhile(monkeypatch, lambda: write("item_id:token\nx\n", "dataset/own/own.item"))
    convert_csv("given.csv", "dataset/own")
    assert names("dataset/own") == ["own.inter", "own.item"]


def test_nothing_is_written_through_a_link():
    pathlib.Path("dataset/own").mkdir(parents=True)
    pathlib.Path("dataset/own/own.inter").symlink_to("mine")
    write("user,item\na,x\n")
    with pytest.raises(ValueError, match=r"own\.inter is there already"):
        convert_csv("given.csv", "dataset/own")
    assert not pathlib.Path("dataset/own/mine").exists()


def test_a_split_is_not_written_over_another(split, capsys):
    cli.main(["convert-liang", split("first"), "data/own"])
    message = refused(["convert-liang", split("second"), "data/own"], capsys)
    assert "own.train.inter is there already" in message
    assert rows_of("data/own/own.test_te.inter") == [("first", "test_te")]


def test_a_split_comes_whole_or_not_at_all(split, capsys, monkeypatch):
    folder = pathlib.Path("data/own")
    folder.mkdir(parents=True)
    write("mine", folder / "own.test_te.inter")
    assert "own.test_te.inter is there already" in refused(
        ["convert-liang", split("a"), "data/own"], capsys
    )
    assert names(folder) == ["own.test_te.inter"] and (folder / "own.test_te.inter").read_text() == "mine"

    # The last file is bad.
    message = refused(["convert-liang", split("b", test_te="uid,sid\n1,\n"), "data/new"], capsys)
    assert "test_te.csv, line 2: there is no item" in message
    assert names("data") == ["own"]

    # Somebody takes a name in the meantime.
    (folder / "own.test_te.inter").unlink()
    check = conversion._Converter.check

    def meanwhile(parts):
        write("mine", folder / "own.test_te.inter")
        check(parts)

    monkeypatch.setattr(conversion._Converter, "check", meanwhile)
    assert "there already, made in the meantime" in refused(
        ["convert-liang", split("c"), "data/own"], capsys
    )
    assert names(folder) == ["own.test_te.inter"] and (folder / "own.test_te.inter").read_text() == "mine"


def test_a_file_system_without_links(monkeypatch):
    def no_link(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_link)
    pathlib.Path("dataset/own").mkdir(parents=True)
    write("user,item,rating\na,x,1\n")
    convert_csv("given.csv", "dataset/own")
    assert rows_of("dataset/own/own.inter") == [("a", "x", 1)]
    pathlib.Path("dataset/new").mkdir()
    meanwhile(monkeypatch, lambda: write("mine", "dataset/new/new.inter"))
    with pytest.raises(ValueError, match="made in the meantime"):
        convert_csv("given.csv", "dataset/new")
    assert pathlib.Path("dataset/new/new.inter").read_text() == "mine"


@pytest.mark.parametrize("token", ['"a\tb"', '"a, ""b"""', '"""a"""'])
def test_tokens_of_a_split_are_written_as_they_are(token, split):
    cli.main(["convert-liang", split("a", train=f"uid,sid\n1,{token}\n"), "data/own"])
    assert rows_of("data/own/own.train.inter") == [("1", token[1:-1].replace('""', '"'))]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_line_end_in_a_token_of_a_split(end, split, capsys):
    message = refused(
        ["convert-liang", split("a", train=f'uid,sid\n0,b\n1,"a{end}b"\n'), "data/own"], capsys
    )
    assert "train.csv, line 3: the item" in message and "has a line end inside" in message
