"""Numbers and times of CSV files: thousands, units, and dates of any year."""

import pytest

from recbole_edlae.convert.values import Numerals, Times
from tests.convert.csv_files import read, refused

HEADER = "user;item;plays\n"


def test_thousands_are_read_where_they_are_named():
    text = 'user,item,plays\na,x,"1,234"\nb,y,12\nc,z,"1,234,567.5"\n'
    message = refused(text)
    assert (
        "line 2: the rating is '1,234', not a number; write --thousands=, if ',' stands between" in message
    )
    assert read(text, "--thousands=,") == [("a", "x", 1234), ("b", "y", 12), ("c", "z", 1234567.5)]
    text = HEADER + "a;x;1.234,5\nb;y;12.345\nc;z;7\n"
    assert "write --thousands=. --decimal=," in refused(text)
    assert read(text, "--decimal=,", "--thousands=.") == [
        ("a", "x", 1234.5),
        ("b", "y", 12345),
        ("c", "z", 7),
    ]
    assert read(HEADER + "a;x;1'234\nb;y;5\n", "--thousands='") == [("a", "x", 1234), ("b", "y", 5)]


def test_a_point_beside_decimal_commas_is_not_taken_for_one_where_it_may_be_thousands():
    assert "line 2: the rating is '1.234'" in refused(HEADER + "a;x;1.234\nb;y;1,5\n", "--decimal=,")
    assert read(HEADER + "a;x;1.5\nb;y;1,25\n", "--decimal=,") == [("a", "x", 1.5), ("b", "y", 1.25)]


@pytest.mark.parametrize("text", ["1,23", "1,2345", "12,34,567", ",123", "1234,567", "1,234,56"])
def test_thousands_have_three_digits_each(text):
    assert Numerals(thousands=",").read(text) is None


@pytest.mark.parametrize("sign", [".", "5", "a", "-", "", ",,"])
def test_signs_that_cannot_stand_between_thousands(sign):
    with pytest.raises(ValueError, match="--thousands must be one sign"):
        Numerals(thousands=sign)


@pytest.mark.parametrize(
    "date, seconds",
    [
        ("2019-10-01 00:00:00 UTC", 1569888000),
        ("2019-10-01T00:00:00.25 gmt", 1569888000.25),
        ("2019-10-01 02:00:00+0200", 1569888000),
        ("1677-09-21", -9223372800),
        ("1699-12-31", -8520422400),
        ("2099-12-31", 4102358400),
        ("2100-03-01", 4107542400),
        ("1600-01-01", -11676096000),
        ("0001-01-01", -62135596800),
        ("2262-04-12", 9223372800),
        ("9999-12-31T23:59:59.5Z", 253402300799.5),
        ("9999-12-31 23:59:59-02:00", 253402307999),
    ],
)
def test_dates_of_any_year(date, seconds):
    assert read(f"user,item,time\na,x,{date}\nb,y,2019-10-01\n") == [
        ("a", "x", seconds),
        ("b", "y", 1569888000),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "0000-00-00 00:00:00",
        "2019-10-01 00:00:00 PST",
        "1600-02-30",
        "2100-02-29",
        "2014/04/07",
        "20140407105109",
    ],
)
def test_times_that_nobody_knows(text):
    message = refused(f"user,item,time\nb,y,2019-10-01\na,x,{text}\n")
    assert f"line 3: the timestamp {'is ' if '-' in text or '/' in text else ''}{text!r}" in message


def times_of(*texts):
    """Texts as they are written, and the times that were counted."""
    found = Times(Numerals())
    return list(map(found.read, texts)), found


def test_units_change_at_their_smallest_number():
    for unit, smallest in {"milliseconds": 1e11, "microseconds": 1e14, "nanoseconds": 1e17}.items():
        scale = {"milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}[unit]
        for number in (smallest, 5 * smallest, -smallest):
            _, found = times_of(f"{number:.0f}")
            assert (found.units, found.first) == ({unit}, number / scale)
        _, found = times_of(f"{smallest - smallest / 1000:.0f}")
        assert unit not in found.units


def test_times_end_where_nanoseconds_do():
    assert times_of("9223372036854774784")[1].units == {"nanoseconds"}
    for text in ("9300000000000000000", "-9300000000000000000"):
        with pytest.raises(ValueError, match="neither a number nor an ISO date"):
            times_of(text)


def test_no_time_is_a_zero_below_zero():
    assert times_of("-0", "0", "-0.0")[0] == ["0", "0", "0"]


@pytest.mark.parametrize(
    "rows, expected",
    [
        ("2016-01-30 10:55+02:00\n2016-01-30 10:55\n", [1454144100, 1454151300]),
        (
            "2016-01-30 10:55\n2016-01-30 10:55-05:00\n2016-01-30 10:55Z\n",
            [1454151300, 1454169300, 1454151300],
        ),
        ("2016-01-30T10\n2016-01-30 10+01\n2016-01-30 10\n", [1454148000, 1454144400, 1454148000]),
    ],
)
def test_a_time_zone_is_that_of_its_own_date(rows, expected):
    text = "user,item,time\n" + "".join(
        f"a,x{number},{row}\n" for number, row in enumerate(rows.splitlines())
    )
    assert [row[2] for row in read(text)] == expected


@pytest.mark.parametrize("text", ["²", "٣", "1_000", "0x1", "1e999"])
def test_what_only_looks_like_a_number(text):
    assert f"line 1: the rating is {text!r}" in refused(
        f"a,b,{text}\nc,d,5\n", "--columns=1,2,3", "--no-header"
    )
