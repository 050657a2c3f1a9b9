"""The tables of what other libraries take are written from a measurement, with all or some of its contenders."""

import json

import pytest

from tools import measured


@pytest.fixture
def found(tmp_path, monkeypatch):
    """A measurement, and a function that writes it where the tables are made from."""
    row = {"fit s": 0.25, "recommend s": 0.5, "peak MiB": 1234.4, "hits@10": 0.2584}
    facts = {
        "data": "shop",
        "users": 6040,
        "items": 3706,
        "interactions": 1_000_209,
        "versions": {"irspack": "0.5"},
    }
    machine = {"cores": 2, "cpu": "AMD EPYC", "threads": 1}
    names = [contender for _, contender, *_ in measured.LIBRARIES if contender]
    content = {"machine": machine, **facts, "rows": [{"contender": name, **row} for name in names]}
    monkeypatch.setattr(measured, "MEASURED", tmp_path / "estimators.json")

    def write():
        measured.MEASURED.write_text(json.dumps(content))

    write()
    return content, write


def test_seconds_are_of_fit_and_recommendations_together(found):
    assert "| this package | yes | yes | yes | yes | .75 | 1,234 MiB | .258 |\n" in measured.why()
    assert "| irspack's EDLAE | .25 | .5 | 1,234 MiB | .258 |\n" in measured.estimators()
    assert "shop, 6,040 users, 3,706 items and 1,000,209 interactions. Machine: 2 cores" in measured.why()
    assert measured.estimators().endswith("Versions: irspack 0.5.\n")


def test_a_library_that_was_not_there_is_not_measured(found):
    content, write = found
    content["rows"] = content["rows"][:1]
    write()
    rows = [line for line in measured.why().splitlines() if line.startswith("|")][2:]
    assert ["not measured" in row for row in rows] == [False] + [True] * (len(measured.LIBRARIES) - 1)


@pytest.mark.parametrize("value, text", [(0.042, ".042"), (0.5, ".5"), (1.04, "1.0"), (50.2, "50")])
def test_seconds_have_two_digits(value, text):
    assert measured._seconds(value) == text
