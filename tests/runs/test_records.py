"""What a killed process leaves behind is whole, and a second one goes on from it."""

import json

import numpy as np
import pytest

from recbole_edlae.evaluation.per_user import PerUser
from recbole_edlae.runs.records import Records

ONE = PerUser(np.array([1, 2]), np.array([[True], [False]]), np.array([1, 1]))


def record(key, status="ok"):
    return {"key": key, "status": status, "note": "ä\nb"}


def test_what_is_appended_is_read_again(tmp_path):
    Records(tmp_path).append(record("a"), ONE)
    Records(tmp_path).append(record("b"))
    records = Records(tmp_path)
    assert records.read() == {"a": record("a"), "b": record("b")}
    assert np.array_equal(records.per_user("a").hits, ONE.hits) and records.per_user("b") is None


def test_a_failed_run_is_not_finished_until_it_ends_well(tmp_path):
    records = Records(tmp_path)
    records.append(record("a", "failed"))
    assert records.finished() == {} and list(records.read()) == ["a"]
    records.append(record("a"))
    assert list(records.finished()) == ["a"]


@pytest.mark.parametrize("cut", range(1, 12))
def test_torn_last_line(cut, tmp_path):
    records = Records(tmp_path)
    records.append(record("a"))
    whole = records.path.read_bytes()
    records.append(record("b"))
    both = records.path.read_bytes()
    torn = whole + both[len(whole) :][: cut * (len(both) - len(whole)) // 12]
    records.path.write_bytes(torn)
    (tmp_path / "per_user" / "b.npz.123.part").write_bytes(b"half")
    again = Records(tmp_path)
    assert list(again.finished()) == ["a"]
    again.append(record("c"))
    assert [json.loads(line)["key"] for line in again.path.read_text().splitlines()] == ["a", "c"]
    assert not list((tmp_path / "per_user").iterdir())
