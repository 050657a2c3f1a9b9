"""What `convert` guesses of a CSV file, says aloud, and refuses to guess."""

import pytest

from tests.convert.csv_files import read, refused


def test_an_empty_field_is_no_name_of_a_column():
    assert read("anna,tea,\nbert,cup,5\n", says="header: none, the first row is anna, tea, ") == [
        ("anna", "tea", None),
        ("bert", "cup", 5),
    ]
    assert "line 1: there is no item" in refused("anna,,tea\n5,bert,cup\n4,carl,mug\n")
    assert "line 1: there is no item" in refused("anna, ,5\nbert,cup,5\n")
    assert read(",user,item\n0,anna,tea\n") == [("anna", "tea")]  # as pandas writes an index
    assert read("wer,was,wie,\nanna,tea,5,\n") == [("anna", "tea", 5)]  # one separator too many


def test_a_header_of_unusual_names_is_said_aloud():
    text = "anna,tea,x\nbert,cup,5\ncarl,mug,4\n"
    says = "warning: given.csv: the first row, anna, tea, x, is taken for the names of the columns; if it is data: --no"
    assert read(text, says=says) == [("bert", "cup", 5), ("carl", "mug", 4)]
    assert "the first row" not in refused(text, "--no-header")


@pytest.mark.parametrize(
    "rows, expected",
    [
        (
            "1,2014-04-07T10:51:09.277Z,214536502,0\n2,2014-04-07T10:54:46.998Z,214536506,7\n",
            [("1", "214536502", 0, 1396867869.277), ("2", "214536506", 7, 1396868086.998)],
        ),
        ("2014-04-07 10:00:00,u,i\n2014-04-08,v,j\n", [("u", "i", 1396864800), ("v", "j", 1396915200)]),
        ("who,when,what\nu,2014-04-07,i\n", [("u", "i", 1396828800)]),
        ("u,i,2014-04-07,2014-04-08\n", [("u", "i", 1396828800)]),
    ],
)
def test_a_column_of_dates_is_a_time(rows, expected):
    assert read(rows) == expected


@pytest.mark.parametrize(
    "date", ["07/04/2014 10:51", "2014/04/07", "7.4.2014", "07 Apr 2014", "Apr 7, 2014"]
)
def test_other_dates_are_no_items(date):
    text = f'1,"{date}",214536502\n2,"{date}",214536503\n'
    assert f"line 1: the timestamp is '{date}', neither" in refused(text)
    assert read(text, "--columns=1,3") == [("1", "214536502"), ("2", "214536503")]

    # Beside known users and items such a column is not needed.
    assert read(f'user,item,released\n1,2,"{date}"\n') == [("1", "2")]


def test_no_column_is_left_for_items():
    assert "it must have users and items" in refused("1,2014-04-07\n2,2014-04-08\n")


def test_numbers_with_decimal_commas_are_ratings():
    assert read('anna,tea,"1,5"\nbert,cup,"2,5"\n', "--decimal=,") == [
        ("anna", "tea", 1.5),
        ("bert", "cup", 2.5),
    ]
    assert read("anna;tea;1,5;1700000000,25\n", "--decimal=,") == [("anna", "tea", 1.5, 1700000000.25)]
    assert read("wer;was;wie\nanna;tea;1,5\n", "--decimal=,") == [("anna", "tea", 1.5)]
    assert "write --decimal=," in refused("anna;tea;1,5\nbert;cup;2,5\n")


def test_the_header_in_the_middle_is_left_out_and_said():
    says = "the header again, which is left out: 1 row in line 3"
    assert read("user,item\na,x\nuser,item\nb,y\n", says=says) == [("a", "x"), ("b", "y")]
    assert read("user,item,rating\na,x,1\nUser , ITEM,rating\nb,y,2\n", says=says) == [
        ("a", "x", 1),
        ("b", "y", 2),
    ]
    assert read("wer,was,wie\na,x,1\nwer,was,wie\nb,y,2\n", says=says) == [("a", "x", 1), ("b", "y", 2)]
    assert read("\ufeffuser,item\na,x\n\ufeffuser,item\nb,y\n", says=says) == [("a", "x"), ("b", "y")]
    says = "the header again, which is left out: 2 rows, the first in line 3"
    assert read("user,item\na,x\n" * 3, says=says) == [("a", "x")] * 3


def test_another_header_in_the_middle_is_refused():
    for header in ("item,user", "userId,movieId"):
        assert "line 3 looks like a header" in refused(f"user,item\na,x\n{header}\ny,b\n")
    assert "line 2 looks like a header" in refused("a,x\nuser,item\nb,y\n")
    assert read("a,x\nuser,item\n", "--no-header") == [("a", "x"), ("user", "item")]
    assert read("user,item\nuser,x\na,item\n") == [("user", "x"), ("a", "item")]


def test_two_separators_that_fit_alike_are_refused():
    assert "both ',' and ';' may separate 'anna;1,5'; write --separator" in refused("anna;1,5\nbert;2,5\n")
    assert read("anna;1,5\nbert;2,5\n", "--separator=;") == [("anna", "1,5"), ("bert", "2,5")]


@pytest.mark.parametrize("separator", ['"', "", "\n"])
def test_what_cannot_separate_is_refused(separator):
    assert "--separator must be a sign or several" in refused("a,b\n", f"--separator={separator}")


def test_tokens_that_somebody_wrote_otherwise_are_kept_and_said():
    assert read("1.0,a\n2.0,b\n", says="every user ends in .0") == [("1.0", "a"), ("2.0", "b")]
    assert read("a,'x'\nb,'y'\n", says="every item stands in single quotation marks") == [
        ("a", "'x'"),
        ("b", "'y'"),
    ]
