"""Quotation marks in CSV files: those of CSV, those of the text, and those of which nobody knows."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_edlae.convert.records import records
from recbole_edlae.convert.rows import Rows
from tests.convert.csv_files import read, refused, write

STRAY = 'user\titem\ttitle\trating\n1\ta\t"Heroes\t5\n2\tb\tx\t4\n3\tc\tSoul 12"\t3\n4\td\tz\t2\n'
STRAY_ROWS = [("1", "a", 5), ("2", "b", 4), ("3", "c", 3), ("4", "d", 2)]


@pytest.mark.parametrize("separator", ["\t", ",", "::"])
def test_stray_marks_never_swallow_rows(separator):
    text = STRAY.replace("\t", separator)
    message = refused(text)
    assert (
        "line 2: a quotation mark begins a field that ends in line 4" in message
        and "--no-quoting" in message
    )
    assert read(text, "--no-quoting") == STRAY_ROWS


@pytest.mark.parametrize(
    "rows",
    [
        '1,a,"Heroes,5\n\n2,b,x,4\n3,c,Soul 12",3\n',  # a blank line between
        '1,a,"Heroes,5\n2,b\n3,c,Soul 12",3\n',  # a short row between
        '1,a,"Heroes,5\n2,b,x,4\n3,c,x,Soul 12"\n',  # from one column to a later one
        '1,a,"Heroes\n3,c,Soul 12"\n2,b,x,4\n',  # rows without the last field
        '1,"a,x,5\n2,b,x,4\n3,c",x,3\n',  # in the column of items
    ],
)
def test_stray_marks_in_other_places(rows):
    assert "line 2" in refused("user,item,title,rating\n" + rows)


def test_stray_marks_from_the_header_on():
    assert "line 1: a quotation mark" in refused('user,item,"Heroes\n1,a,Soul 12"\n2,b,c\n')


def test_a_field_of_several_lines_is_read_and_said():
    text = 'user,item,note,rating\n1,a,"one\n\ntwo, ""three""",5\n2,b,x,4\n3,c,"four\r\nfive",3\n'
    says = "fields of several lines; if quotation marks are part of the text: --no-quoting: 2 rows, the first in line 2"
    assert read(text, says=says) == [("1", "a", 5), ("2", "b", 4), ("3", "c", 3)]
    assert "line 8: the rating is 'bad'" in refused(text + "4,d,x,bad\n")


def test_an_answer_to_the_question_is_taken():
    text = 'user,item,note\n1,a,"one, two\nthree, four, five"\n2,b,x\n'
    assert read(text) == [("1", "a"), ("2", "b")]  # its lines are no rows
    text = 'user,item,note\n1,a,"one\ntwo, three, four"\n2,b,x\n'
    assert "line 2: a quotation mark" in refused(text)
    assert read(text, "--quoting") == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize(
    "field",
    [
        '"weird al" yankovic',
        r'"\"0330482750"',
        r'"Peter \"Pan\", the book"',
        '12" vinyl',
        '"12" vinyl"',
        '""x',
        '"',
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_marks_in_a_column_that_is_not_read(field, quoted):
    others = ['"1","a",', '"2","b","c"'] if quoted else ["1,a,", "2,b,c"]
    assert read(f"user,item,title\n{others[0]}{field}\n{others[1]}\n") == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize("field", ['"weird al" yankovic', r'"\"0330482750"', '"tea', '""x'])
def test_marks_that_are_not_csv_in_a_token(field):
    message = refused(f"user,item\n0,b\n1,{field}\n")
    assert "line 3 is not CSV" in message and "--no-quoting" in message
    assert read(f"user,item\n0,b\n1,{field}\n", "--no-quoting") == [("0", "b"), ("1", field)]


def test_marks_in_a_row_that_lacks_fields():
    assert "line 2 is not CSV" in refused('user,item,title,rating\n1,a,"x\n2,b,c,5\n')


@pytest.mark.parametrize("sign", ["\x1c", "\x1f", "\x85", "\u00a0", "\u2028"])
@pytest.mark.parametrize("mark", ["", '"'])
def test_signs_that_python_takes_for_blanks_are_tokens(sign, mark):
    text = f"user,item\n{mark}a{mark},b\n{sign},{sign}\n"
    assert read(text) == [("a", "b"), (sign, sign)]
    assert "line 4: there is no item" in refused(f"{text}{sign}\n")


def test_blanks_around_quotation_do_not_count():
    assert read('user, item, rating\nanna, "Tea, green", 5\n"bert" , "cup" , 4\n') == [
        ("anna", "Tea, green", 5),
        ("bert", "cup", 4),
    ]


def test_quotation_between_separators_of_several_signs():
    assert read('"a"::"b::c"::5\n') == [("a", "b::c", 5)]


def test_another_line_end_inside_a_line():
    assert "line 2 has a line end inside" in refused("user,item\na,b\rc,d\ne,f\n")
    assert "line 2 has a line end inside" in refused("user,item\ra,b\nc,d\re,f\rg,h\r")
    assert read('user;item;note\na;b;"x\ry"\n') == [("a", "b")]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(['"', '""', "a", ",", "\n", '","', '"\n', "é"]), max_size=14).map("".join))
def test_valid_csv_is_split_as_by_pythons_csv(text):
    try:
        expected = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return
    rows = [record.fields for record in records(io.StringIO(text, newline=""), ",")]
    assert [row for row in rows if any(row)] == [row for row in expected if any(row)]


def test_a_mark_that_never_ends_leaves_every_line():
    lines = ['1,a,"x\n', *["2,b,c\n"] * 50_000, '3,"d\n'] * 2
    found = [record.number for record in records(lines, ",")]
    assert found == list(range(1, len(lines) + 1))


@pytest.mark.parametrize("seed", range(60))
def test_rows_of_valid_csv_are_those_of_pythons_csv(seed):
    generator = np.random.default_rng(seed)
    separator = [",", "\t", " ", ";"][seed % 4]
    texts = [
        "a",
        "a ",
        " b",
        "é",
        "1",
        "1.0",
        "NA",
        "x" * 70,
        "'",
        'q"r',
        '"s"',
        *([""] if seed % 3 else []),
    ]
    times = ["1700000000", "1700000000000", "2024-05-01", "017", "-0", *(["", "NA"] if seed % 2 else [])]
    rows = [
        [*generator.choice(texts, 2), generator.choice(["1", "2.5", ""]), generator.choice(times)]
        for _ in range(20)
    ]
    rows += [["", "", "", ""]] * (seed % 2) + [[" ", "", "", ""]] * (seed % 5 == 3)
    if separator == " ":
        rows = [[field.replace(" ", "") for field in row] for row in rows]
    ends = ["\n", "\r\n", "\r"][seed % 3]
    text = ends.join(map(separator.join, rows)) + ends * (seed % 2)
    write(text)

    table = Rows("given.csv", columns="1,2,3,4", separator=separator, header=False)
    found = [fields[:4] for _, fields in table]
    parsed = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    expected = [row for row in parsed if "".join(row).strip()]
    assert [[field.strip() for field in row] for row in found] == [
        [field.strip() for field in row] for row in expected
    ]
