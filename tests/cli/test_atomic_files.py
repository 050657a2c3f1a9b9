"""Atomic files as people have them: every command reads them alike, or refuses them with file and line."""

import pytest

from recbole_edlae.runs import engine
from tests.shop import HEADER, QUIET, shop_rows, shop_text

LINES = shop_text().splitlines()
USERS, ITEMS = sorted(f"u{user}" for user in range(40)), sorted(f"i{item}" for item in range(20))


@pytest.fixture
def read_alike(write_shop, command, datasets, monkeypatch, tmp_path):
    """What run, tune and leaderboard read of a file: the same, or nothing with the same reason."""

    def read(content, *words):
        write_shop(content)
        (tmp_path / "a.test").write_text("dropout_prob choice [0.1]\n")
        engine.shared_runner.cache_clear()
        commands = (
            ("run", *QUIET),
            ("tune", "--dataset=shop", "--space=a.test", "--output=t"),
            ("leaderboard", "--models", "Pop", "--dataset", "shop", "--output=l"),
        )
        outcomes = []
        for each in commands:
            engine.shared_runner.cache_clear()
            outcomes.append(command(*each, *words))
        if outcomes[0].status == 2:
            errors = {
                outcome.err.strip().partition(" error: ")[2].removeprefix("Pop: ") for outcome in outcomes
            }
            errors = {
                error.replace(f"{tmp_path}/", "") for error in errors
            }  # some name it by its whole path
            assert [outcome.status for outcome in outcomes] == [2, 2, 2], outcomes
            assert len(errors) == 1 and not datasets, errors
            return errors.pop()
        assert [outcome.status for outcome in outcomes] == [0, 0, 0], outcomes
        assert len(datasets) == 3 and datasets[0] == datasets[1] == datasets[2]
        read.warnings = [
            [line.partition(" warning: ")[2] for line in outcome.err.splitlines() if " warning: " in line]
            for outcome in outcomes
        ]
        return datasets[0]

    return read


def with_rows(change):
    """The shop's file with every line of data changed."""
    return "\n".join([LINES[0], *map(change, LINES[1:])]) + "\n"


def test_rows_longer_than_the_header_are_refused(read_alike):
    error = read_alike("\n".join(["user_id:token\titem_id:token", *LINES[1:]]) + "\n")
    assert "shop.inter, line 2 has 4 fields, the header has 2" in error


def test_a_quoted_name(read_alike):
    items = sorted(['"Weird Al" Yankovic' if item == "i7" else item for item in ITEMS])
    assert read_alike(shop_text().replace("\ti7\t", '\t"Weird Al" Yankovic\t')) == (USERS, items, 320)


def test_a_carriage_return_in_a_token_is_refused(read_alike):
    line = next(number for number, line in enumerate(LINES, 1) if "\ti7\t" in line)
    error = read_alike(shop_text().replace("\ti7\t", "\ti\r7\t"))
    assert f"shop.inter, line {line} has a carriage return inside" in error


def test_a_header_without_types_is_refused(read_alike):
    error = read_alike(shop_text(header="user_id\titem_id\trating\ttimestamp"))
    assert "field:type" in error and "user_id\\titem_id" in error


def test_commas_need_their_setting(read_alike):
    error = read_alike(shop_text().replace("\t", ","))
    assert "user_id:token,item_id:token" in error and 'set field_separator: ","' in error
    assert read_alike(shop_text().replace("\t", ","), "--field_separator=','") == (USERS, ITEMS, 320)


def test_a_separator_that_is_not_a_tab_is_suggested(read_alike):
    error = read_alike(None, "--field_separator=\\t")
    assert r"user_id:token\titem_id:token" in error and r'set field_separator: "\t"' in error


@pytest.mark.parametrize("content, words", [(b"", "is empty"), (HEADER.encode() + b"\n", "no rows")])
def test_an_empty_file_is_refused(content, words, read_alike):
    assert words in read_alike(content)


ODD = {"i1": "NA", "i2": "null", "i3": "007", "i4": "1e5", "i5": "naïve 🍵", "i6": '"Heroes'}


def test_tokens_are_as_written(read_alike):
    lines = [line.split("\t") for line in LINES[1:]]
    rows = [("None" if user == "u5" else user, ODD.get(item, item), *more) for user, item, *more in lines]
    users = sorted("None" if user == "u5" else user for user in USERS)
    assert read_alike(shop_text(rows)) == (users, sorted(ODD.get(item, item) for item in ITEMS), 320)
    assert read_alike.warnings == [[], [], []]


MISSING_WORDS = ("nan", "NaN", "N/A", "<NA>", "#N/A", "NULL", "n/a", "-nan", "None", "NA")


@pytest.mark.parametrize("word", MISSING_WORDS)
def test_tokens_that_look_missing_are_tokens(word, read_alike):
    users, items, number = read_alike(
        shop_text().replace("\ti3\t", f"\t{word}\t").replace("u9\t", f"{word}\t")
    )
    assert word in items and word in users and len(users) == 40 and len(items) == 20 and number == 320


ALIKE = {
    "windows": shop_text().replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + shop_text(),
    "blanks": with_rows(lambda line: line + "  "),
    "tabs": with_rows(lambda line: line + "\t"),
    "blank header": shop_text(header=HEADER + " "),
    "empty lines": shop_text().replace("\nu5\t", "\n\nu5\t") + "\n\n",
    "no newline": shop_text().rstrip("\n"),
    "all of it": "\ufeff" + with_rows(lambda line: line + "\t ").replace("\n", "\r\n\r\n"),
    "quoted": with_rows(lambda line: "\t".join(f'"{field}"' for field in line.split("\t"))),
}


@pytest.mark.parametrize("name", ALIKE)
def test_files_of_other_editors_read_alike(name, read_alike):
    assert read_alike(ALIKE[name]) == (USERS, ITEMS, 320)


REFUSED = {
    "long line": (shop_text().replace("\nu5\ti", "\nu5\tmore\ti", 1), "line 42: rating:float is 'i"),
    "NUL": (shop_text().replace("\nu5\ti", "\nu5\0\ti", 1), "line 42 has a NUL byte inside"),
    "latin-1": (shop_text().replace("\nu5\ti", "\nué\ti", 1).encode("latin-1"), "line 42 is not utf-8"),
    "text for a number": (
        shop_text().replace("\t5\t", "\tfive\t", 1),
        "rating:float is 'five', not a number",
    ),
    "doubled column": (shop_text(header=HEADER.replace("rating", "item_id")), "two columns item_id"),
    "unknown type": (shop_text(header=HEADER.replace("rating:float", "rating:int")), "rating:int"),
    "no user column": (shop_text(header=HEADER.replace("user_id", "uid")), "has no column user_id"),
    "user is a number": (
        shop_text(header=HEADER.replace("user_id:token", "user_id:float")),
        "must be of type token",
    ),
    "old Mac": (shop_text().replace("\n", "\r"), "carriage return"),
    "empty first line": ("\n" + shop_text(), "begins with an empty line"),
    "UTF-16": (shop_text().encode("utf-16"), "line 1 is not utf-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_refused(name, read_alike):
    content, words = REFUSED[name]
    error = read_alike(content, "--load_col=None") if "user" not in name else read_alike(content)
    assert words in error and "shop.inter" in error


def test_rows_without_an_item_are_counted_in_every_command(read_alike):
    text = shop_text().replace("\ti7\t", "\t\t")
    users, items, number = read_alike(text)
    left_out = sum(row[1] == "i7" for row in shop_rows())
    assert len(users) == 40 and len(items) == 19 and number == 320 - left_out
    for said in read_alike.warnings:
        assert any(
            f"{left_out} of 320 rows without user_id or item_id are left out" in line for line in said
        )


def test_long_rows_are_counted_in_every_command(read_alike):
    text = with_rows(lambda line: line + "\tmore" if line.startswith("u5\t") else line)
    assert read_alike(text, "--load_col=None") == (USERS, ITEMS, 320)
    for said in read_alike.warnings:
        assert any("8 rows have more fields than the header, the first in line 42" in line for line in said)


def test_short_rows_are_counted_in_every_command(read_alike):
    text = with_rows(lambda line: line.rpartition("\t")[0] if line.startswith("u5\t") else line)
    assert read_alike(text, "--load_col=None") == (USERS, ITEMS, 320)
    for said in read_alike.warnings:
        assert any(
            "8 rows have fewer fields than the header, the first in line 42" in line for line in said
        )


def test_missing_ids_in_files_that_come_split(write_shop, command, tmp_path):
    folder = write_shop().parent
    for part in ("train", "valid", "test"):
        text = shop_text() if part != "train" else shop_text().replace("\ti7\t", "\t\t")
        (folder / f"shop.{part}.inter").write_text(text)
    outcome = command("run", *QUIET, "--benchmark_filename=['train','valid','test']", "--model=Pop")
    assert outcome.status == 0 and "shop.train.inter" in outcome.err and "are left out" in outcome.err


def test_latin_1_is_read_by_its_name(read_alike):
    content = shop_text().replace("\ti7\t", "\tcafé\t").encode("latin-1")
    _, items, number = read_alike(content, "--encoding=latin-1")
    assert "café" in items and number == 320


@pytest.mark.parametrize("separator", ["::", "||", ".."])
def test_separators_of_two_characters(separator, read_alike):
    text = shop_text().replace("\t", separator)
    assert read_alike(text, f"--field_separator={separator}") == (USERS, ITEMS, 320)


def test_what_other_files_leave_out_is_counted_in_every_command(read_alike, write_shop):
    path = write_shop()
    names = [
        "item_id:token\ttitle:token",
        *(f"{item}\ta {item}" for item in ITEMS if item != "i7"),
        "i3\tagain",
    ]
    path.with_suffix(".item").write_text("\n".join(names) + "\n")
    users, items, number = read_alike(None, "--load_col=None")
    left_out = sum(row[1] == "i7" for row in shop_rows())
    assert users == USERS and len(items) == 19 and number == 320 - left_out
    for said in read_alike.warnings:
        assert any(f"{left_out} of 320 interactions are left out" in line for line in said)
        assert any("shop.item: 1 rows repeat a item_id; its first row counts" in line for line in said)
