"""CSV files of interactions as datasets: what is odd and readable, and what is refused with its line."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

from recbole_edlae import cli
from recbole_edlae.convert import convert_csv
from recbole_edlae.data.atomic import read_atomic, read_header
from tests.conftest import ROOT

PLAIN = [("anna", "tea", 5, 1700000000), ("bert", "cup", 4.5, 1700000100), ("anna", "tea", 5, 1700000000)]
HEADER = "user,item,rating,timestamp\n"
ROWS = "anna,tea,5,1700000000\nbert,cup,4.5,1700000100\nanna,tea,5,1700000000\n"
NO_TIMES = [row[:3] for row in PLAIN]
NAN = float("nan")

# Name, content of the file, options, and the rows that the dataset must have.
READABLE = [
    ("plain", HEADER + ROWS, [], PLAIN),
    ("byte order mark", "\ufeff" + HEADER + ROWS, [], PLAIN),
    ("byte order mark and no header", "\ufeff" + ROWS, [], PLAIN),
    ("Windows line ends", (HEADER + ROWS).replace("\n", "\r\n"), [], PLAIN),
    ("line ends of old Macs", (HEADER + ROWS).replace("\n", "\r"), [], PLAIN),
    (
        "line ends of old Macs, quotation and blank lines",
        HEADER.replace("\n", "\r")
        + 'anna,"tea",5,1700000000\r\r bert,cup,4.5,1700000100\r\r\r'
        + 'anna,"tea",5,1700000000\r\r\r anna,tea,5,1700000000\r',
        [],
        [*PLAIN, PLAIN[0]],
    ),
    ("no line end at the end", (HEADER + ROWS).rstrip("\n"), [], PLAIN),
    ("semicolons", (HEADER + ROWS).replace(",", ";"), [], PLAIN),
    ("tabs", (HEADER + ROWS).replace(",", "\t"), [], PLAIN),
    ("bars", (HEADER + ROWS).replace(",", "|"), [], PLAIN),
    ("two colons", ROWS.replace(",", "::"), [], PLAIN),
    ("blanks", ROWS.replace(",", " "), [], PLAIN),
    (
        "decimal commas",
        "user;item;rating\nanna;tea;5\nbert;cup;4,5\nanna;tea;5\n",
        ["--decimal=,"],
        NO_TIMES,
    ),
    ("no header", ROWS, [], PLAIN),
    ("blank lines", "\n" + HEADER + "\n  \n" + ROWS.replace("\n", "\n\n"), [], PLAIN),
    ("rows of separators", HEADER + ",,,\n" + ROWS + ",,,\n", [], PLAIN),
    ("one separator too many", HEADER + ROWS.replace("\n", ",\n"), [], PLAIN),
    ("blanks around values", (HEADER + ROWS).replace(",", " , "), [], PLAIN),
    ("no ratings and times", "user,item\nanna,tea\nbert,cup\n", [], [("anna", "tea"), ("bert", "cup")]),
    ("texts alone", "anna,tea\nbert,cup\n", [], [("anna", "tea"), ("bert", "cup")]),
    (
        "missing last column",
        HEADER + "anna,tea,5\nbert,cup,4,1700000100\ncarl,cup\n",
        [],
        [("anna", "tea", 5, NAN), ("bert", "cup", 4, 1700000100), ("carl", "cup", NAN, NAN)],
    ),
    (
        "missing numbers",
        HEADER + "anna,tea,,1700000000\nbert,cup,NA,NULL\ncarl,cup,5,\n",
        [],
        [("anna", "tea", NAN, 1700000000), ("bert", "cup", NAN, NAN), ("carl", "cup", 5, NAN)],
    ),
    (
        "quoted commas",
        'user,item,rating\nanna,"Tea, green",5\n"bert, the 2nd",cup,4\n',
        [],
        [("anna", "Tea, green", 5), ("bert, the 2nd", "cup", 4)],
    ),
    (
        "quotation marks and tabs",
        'user,item,rating\nanna,"""Tea""",5\nbert,5" pipe,4\ncarl,"a\tb",3\n"""d",e"f"g,2\n',
        [],
        [("anna", '"Tea"', 5), ("bert", '5" pipe', 4), ("carl", "a\tb", 3), ('"d', 'e"f"g', 2)],
    ),
    (
        "numeric and text ids",
        "user,item,rating\n1,tea,5\nu2,7,4\n01,007,3\n1.0,1e5,2\n-3,null,1\nNA,nan,1\n",
        [],
        [
            ("1", "tea", 5),
            ("u2", "7", 4),
            ("01", "007", 3),
            ("1.0", "1e5", 2),
            ("-3", "null", 1),
            ("NA", "nan", 1),
        ],
    ),
    (
        "other names, other order",
        "stars,day,Movie ID,userId,note\n5,2023-11-14,tea,anna,x\n",
        [],
        [("anna", "tea", 5, 1699920000)],
    ),
    ("unknown names over numbers", "wer,was,wie\nanna,tea,5\n", [], [("anna", "tea", 5)]),
    ("columns by name", "a,b,c,d,e\n1,2,3,4,5\n", ["--columns=e,b,c"], [("5", "2", 3)]),
    ("columns by position", "1,2,3,4,5\n", ["--columns=5,2,,4"], [("5", "2", 4)]),
    ("a header that looks like data", "1,2\n3,4\n", ["--header"], [("3", "4")]),
    (
        "data that look like a header",
        "user,item\nanna,tea\n",
        ["--no-header"],
        [("user", "item"), ("anna", "tea")],
    ),
    ("times and no ratings", "anna,tea,1700000000\n", [], [("anna", "tea", 1700000000)]),
    ("times before ratings", "anna,tea,1700000000,5\n", [], [("anna", "tea", 5, 1700000000)]),
    (
        "13-digit times",
        "a,b,1,1700000000000\na,c,1,1700000000123\n",
        [],
        [("a", "b", 1, 1.7e9), ("a", "c", 1, 1700000000.123)],
    ),
    (
        "13-digit times with a hole",
        HEADER + "a,b,1,1700000000000\na,c,1,\n",
        [],
        [("a", "b", 1, 1.7e9), ("a", "c", 1, NAN)],
    ),
    ("microseconds", "a,b,1,1700000000000250\n", [], [("a", "b", 1, 1700000000.00025)]),
    ("nanoseconds", "a,b,1,1700000000500000000\n", [], [("a", "b", 1, 1700000000.5)]),
    ("seconds with fractions", "a,b,1,1700000000.25\n", [], [("a", "b", 1, 1700000000.25)]),
    (
        "times of 9 digits and small ones",
        HEADER + "a,b,1,881250949\na,c,1,7\n",
        [],
        [("a", "b", 1, 881250949), ("a", "c", 1, 7)],
    ),
    (
        "ISO dates",
        "a,b,1,2023-11-14\na,c,1,2023-11-14 22:13:20\na,d,1,2023-11-14T22:13:20Z\na,e,1,2023-11-15T00:13:20.5+02:00\n",
        [],
        [
            ("a", "b", 1, 1699920000),
            ("a", "c", 1, 1.7e9),
            ("a", "d", 1, 1.7e9),
            ("a", "e", 1, 1700000000.5),
        ],
    ),
    (
        "numbers and ISO dates in one column",
        HEADER + "a,b,1,1700000000\na,c,1,1700000000123\na,d,1,2023-11-14T22:13:20\na,e,1,\n",
        [],
        [("a", "b", 1, 1.7e9), ("a", "c", 1, 1700000000.123), ("a", "d", 1, 1.7e9), ("a", "e", 1, NAN)],
    ),
    ("UTF-16", (HEADER + ROWS).encode("utf-16"), [], PLAIN),
    ("latin-1", "user,item\nanna,thé\n".encode("latin-1"), ["--encoding=latin-1"], [("anna", "thé")]),
    ("letters of many scripts", "user,item\nåsa,茶\nборис,☕\n", [], [("åsa", "茶"), ("борис", "☕")]),
]

# Name, content of the file, options, and what the message must say.
MALFORMED = [
    ("empty", "", [], "the file is empty"),
    ("blank lines alone", "\n  \n", [], "the file is empty"),
    ("a header alone", HEADER, [], "has no interactions, only a header"),
    ("one column", "user\nanna\n", [], "no separator is found in 'user'; write --separator"),
    (
        "a comma that is not quoted",
        HEADER + ROWS + "carl,Tea, green,5,1700000000\n",
        [],
        "line 5 has 5 fields, the header has 4",
    ),
    (
        "the same without a header",
        ROWS + "carl,Tea, green,5,1700000000\n",
        [],
        "line 4 has 5 fields, most rows have 4",
    ),
    ("the same in the first row", "user,item\nTea, green,5\n", [], "line 2 has 3 fields, the header has 2"),
    (
        "a quotation that does not end",
        HEADER + 'anna,"tea,5,1\nbert,cup,4,1\n',
        [],
        "line 2 is not CSV: the quotation in '\"tea' does not end",
    ),
    (
        "a quotation that ends early",
        HEADER + 'anna,"tea" green,5,1\n',
        [],
        "line 2 is not CSV: the quotation in '\"tea\" green' does not end, or not where the field does",
    ),
    ("no item", HEADER + "\n" + ROWS + "carl,,5,1700000000\n", [], "line 6: there is no item"),
    ("a blank user", HEADER + ROWS + " ,tea,5,1700000000\n", [], "line 5: there is no user"),
    ("a row that is cut off", HEADER + ROWS + "carl\n", [], "line 5: there is no item"),
    (
        "a text for a rating",
        HEADER + ROWS + "carl,tea,good,1700000000\n",
        [],
        "line 5: the rating is 'good', not a number",
    ),
    (
        "an infinite rating",
        HEADER + ROWS + "carl,tea,inf,1700000000\n",
        [],
        "line 5: the rating is 'inf', not a number",
    ),
    (
        "a decimal comma",
        "user;item;rating\na;b;4\nc;d;4,5\n",
        [],
        "line 3: the rating is '4,5', not a number; is the comma its decimal sign? write --decimal=,",
    ),
    (
        "a date in words",
        HEADER + ROWS + "carl,tea,5,14 Nov 2023\n",
        [],
        "line 5: the timestamp is '14 Nov 2023', neither a number nor",
    ),
    ("the word now", HEADER + ROWS + "carl,tea,5,now\n", [], "line 5: the timestamp is 'now'"),
    (
        "a day that there is not",
        HEADER + ROWS + "carl,tea,5,2023-02-30\n",
        [],
        "line 5: the timestamp is '2023-02-30'",
    ),
    (
        "a time beyond all",
        HEADER + ROWS + "carl,tea,5,99999999999999999999\n",
        [],
        "line 5: the timestamp is '99999999999999999999'",
    ),
    ("truths for times", HEADER + "a,b,5,True\n", [], "line 2: the timestamp is 'True'"),
    (
        "a line end in a token",
        HEADER + '"an\nna",tea,5,1\n',
        [],
        "line 2: the user 'an\\nna' has a line end inside",
    ),
    (
        "a bad row behind a token of two lines",
        'user,item,note\na,b,"x\ny"\n,c,z\n',
        [],
        "line 4: there is no user",
    ),
    ("a NUL byte", HEADER + ROWS + "ca\0rl,tea,5,1\n", [], "line 5 has a NUL byte inside"),
    (
        "another encoding",
        (HEADER + ROWS).encode() + "carl,thé,5,1\n".encode("latin-1"),
        [],
        "line 5 is not utf-8: invalid continuation byte (byte 0xe9); write --encoding",
    ),
    ("an encoding that there is not", ROWS, ["--encoding=utf-88"], "Python knows no encoding 'utf-88'"),
    (
        "no name that is known",
        "a,b,c,d,e\n1,2,3,4,5\n",
        [],
        "the user and the item are not known; write --columns",
    ),
    ("a user and no item", "user,what\n1,2\n", [], "the user and the item are not known; write --columns"),
    ("five columns without names", "1,2,3,4,5\n", [], "5 columns without names"),
    (
        "a column that there is not",
        HEADER + ROWS,
        ["--columns=user,itme"],
        "unknown column 'itme'; did you mean item?",
    ),
    (
        "a position that there is not",
        ROWS,
        ["--columns=1,5"],
        "unknown column '5'; there are positions 1 to 4",
    ),
    ("position 0", ROWS, ["--columns=0,1"], "unknown column '0'"),
    ("one column for two", HEADER + ROWS, ["--columns=user,1"], "is column user, which is given twice"),
    ("a name for two columns", "a,a,b\n1,2,3\n", ["--columns=a,b", "--header"], "two columns are called a"),
    ("columns without an item", HEADER + ROWS, ["--columns=user"], "--columns must be USER,ITEM"),
    (
        "no value in a column",
        HEADER + "a,b,5,\nc,d,4,\n",
        [],
        "has no timestamp in any row of column timestamp; write --columns=user,item,rating",
    ),
    ("a decimal sign that is none", ROWS, ["--decimal=;"], "--decimal must be a point or a comma"),
]


def write(content, path="given.csv"):
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def read(path):
    """The rows that the package's reader and, quotation aside, RecBole's own pandas make of an atomic file."""
    frame = read_atomic(path, [column.field for column in read_header(path)])
    of_pandas = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_values=[""])
    tokens = list(of_pandas)[:2]
    assert (of_pandas[tokens].to_numpy() == frame.iloc[:, :2].to_numpy()).all()
    return frame


@pytest.mark.parametrize("name, content, options, rows", READABLE, ids=[case[0] for case in READABLE])
def test_odd_and_readable(name, content, options, rows, capsys):
    write(content)
    cli.main(["convert", "given.csv", "dataset/own", *options])
    found = read("dataset/own/own.inter")
    assert len(found) == len(rows)
    for number, expected in enumerate(zip(*rows)):
        column = found.iloc[:, number].tolist()
        if number < 2:
            assert column == list(expected)
        else:
            np.testing.assert_array_equal(column, np.array(expected, dtype=float))
    printed = capsys.readouterr().out
    pairs = {row[:2] for row in rows}
    users, items = ({pair[side] for pair in pairs} for side in (0, 1))
    counts = re.search(r"^interactions: (\d+), of (\d+) users? with (\d+) items?$", printed, re.M).groups()
    assert counts == (str(len(rows)), str(len(users)), str(len(items)))
    assert ("repeated: " in printed) == (len(pairs) < len(rows))


@pytest.mark.parametrize("name, content, options, message", MALFORMED, ids=[case[0] for case in MALFORMED])
def test_malformed_is_refused_with_its_line_and_nothing_is_written(
    name, content, options, message, tmp_path, capsys
):
    write(content)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["convert", "given.csv", "dataset/own", *options])
    printed = capsys.readouterr()
    assert stopped.value.code == 2 and message in printed.err, printed.err
    assert printed.err.count("\n") == 1 and not printed.out
    assert not (tmp_path / "dataset" / "own").exists()


def refused(*words, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["convert", *words])
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_nothing_is_overwritten(tmp_path, capsys):
    write(HEADER + ROWS)
    cli.main(["convert", "given.csv", "dataset/own"])
    before = (tmp_path / "dataset/own/own.inter").read_bytes()
    capsys.readouterr()
    write("user,item\na,b\n")
    assert "own.inter is there already; remove it" in refused("given.csv", "dataset/own", capsys=capsys)
    inter = "dataset/own/own.inter"
    assert "looks like a file" in refused(inter, inter, capsys=capsys)
    assert "own.inter is there already" in refused(inter, "dataset/own", capsys=capsys)
    write("", "taken")
    assert "taken is there already and not a folder" in refused("given.csv", "taken", capsys=capsys)
    assert "no.csv: No such file or directory" in refused("no.csv", "dataset/new", capsys=capsys)
    assert not (tmp_path / "dataset/new").exists()
    assert (tmp_path / "dataset/own/own.inter").read_bytes() == before


def test_a_folder_with_other_files_keeps_them(tmp_path, capsys):
    folder = tmp_path / "dataset" / "own"
    folder.mkdir(parents=True)
    (folder / "own.item").write_text("item_id:token\ntea\n")
    write(HEADER + ROWS + "carl,,1,1\n")
    refused("given.csv", "dataset/own", capsys=capsys)
    assert [path.name for path in folder.iterdir()] == ["own.item"]
    write(HEADER + ROWS)
    cli.main(["convert", "given.csv", "dataset/own"])
    assert sorted(path.name for path in folder.iterdir()) == ["own.inter", "own.item"]


def test_what_is_guessed_is_said_and_what_is_given_is_not(capsys):
    write("userId;movieId;note;day\n1;2;x;2023-11-14\n1;2;x;\n;;;\n")
    cli.main(["convert", "given.csv", "dataset/guessed"])
    printed = capsys.readouterr().out
    for line in (
        "separator: ';'",
        "header: userId, movieId, note, day",
        "columns: user from userId, item from movieId, timestamp from day; not read: note",
        "guessed: separator, header, columns; set them by --separator, --header or --no-header, --columns",
        "timestamp: ISO dates, from 2023-11-14 00:00:00 to 2023-11-14 00:00:00 UTC",
        "timestamp: missing in 1 row",
        "left out: 1 row of separators only",
        "interactions: 2, of 1 user with 1 item",
        "repeated: 1 interaction has a user and an item that came together before; all are kept",
    ):
        assert f"{line}\n" in printed
    cli.main(["convert", "given.csv", "dataset/given", "--separator=;", "--header", "--columns=1,2"])
    assert "guessed:" not in capsys.readouterr().out


def test_numbers_that_look_like_dates_are_pointed_out(capsys):
    write("a,b,1,20231114\na,c,1,20231231\n")
    cli.main(["convert", "given.csv", "dataset/own", "--columns=1,2,3,4"])
    assert "look like dates YYYYMMDD; they are kept as they are" in capsys.readouterr().out
    assert read("dataset/own/own.inter")["timestamp"].tolist() == [20231114, 20231231]


def test_a_long_file_has_the_rows_and_counts_that_pandas_finds():
    generator = np.random.default_rng(1)
    users, items = generator.integers(0, 50, (2, 3000))
    seconds = generator.integers(10**9, 2 * 10**9, 3000)
    given = pd.DataFrame({"user": users, "item": items, "rating": users % 5 / 2, "timestamp": seconds})
    given.to_csv("given.csv", index=False)
    conversion = convert_csv("given.csv", "dataset/own")
    assert conversion.repeats == given.duplicated(["user", "item"]).sum()
    assert (conversion.users, conversion.items) == (given["user"].nunique(), given["item"].nunique())
    found = read(conversion.path)
    assert found.astype({"user_id": int, "item_id": int}).to_numpy().tolist() == given.to_numpy().tolist()


@pytest.mark.slow
def test_the_command_that_is_printed_trains(capsys):
    generator = np.random.default_rng(2)
    pairs = {(user, item) for user, item in generator.integers(0, 20, (200, 2)).tolist()}
    write("user,item,rating\n" + "".join(f"u{user},i{item},5\n" for user, item in sorted(pairs)))
    cli.main(["convert", "given.csv", "dataset/own"])
    command = capsys.readouterr().out.partition("next: ")[2]
    cli.main([*shlex.split(command)[1:], "--state=ERROR", "--show_progress=False"])


def test_the_example_of_the_page(tmp_path, capsys):
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    block = re.search(r"```text\n(customer,.*?)```", page, re.S)[1]
    command, output = re.search(
        r"^\$ recbole-edlae (convert shop.csv [^\n]*)\n(.*?)```", page, re.M | re.S
    ).groups()
    write(block, "shop.csv")
    cli.main(shlex.split(command))
    assert capsys.readouterr().out.replace(f"{tmp_path}/", "") == output
