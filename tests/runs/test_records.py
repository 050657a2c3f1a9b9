"""What a killed process leaves behind is whole, and a second one goes on from it."""

import json
import os

import numpy as np
import pytest

from recbole_edlae.evaluation.per_user import PerUser
from recbole_edlae.runs.records import Records

ONE = PerUser(np.array([1, 2]), np.array([[True], [False]]), np.array([1, 1]))


NOBODY = 999_999_999  # larger than any process id


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
    (tmp_path / "per_user" / f"0123456789abcdef.npz.{NOBODY}.part").write_bytes(b"half")
    again = Records(tmp_path)
    assert list(again.finished()) == ["a"]
    again.append(record("c"))
    assert [json.loads(line)["key"] for line in again.path.read_text().splitlines()] == ["a", "c"]
    assert not list((tmp_path / "per_user").iterdir())


def test_only_what_a_killed_process_left_of_our_own_files_is_removed(tmp_path):
    array = "0123456789abcdef.npz"
    names = ["leaderboard.csv", "leaderboard.html", "leaderboard.json", "leaderboard.md", "leaderboard.tex"]
    names += ["best.yaml", "sweep.json", f"per_user/{array}"]
    own = [f"{name}.{NOBODY}.part" for name in names]
    others = [
        "movie.mp4.part",
        "top.csv.part",
        "best.yaml.part",
        f"movie.{NOBODY}.part",
        f"top.csv.{NOBODY}.part",
    ]
    others += [f"best.yaml.{os.getpid()}.part", f"best.yaml.{10**20}.part", f"my best.yaml.{NOBODY}.part"]
    others += [
        "per_user/x.part",
        f"per_user/notes.npz.{NOBODY}.part",
        f"per_user/{array}.{os.getpid()}.part",
    ]
    (tmp_path / "per_user").mkdir()
    for name in [*own, *others]:
        (tmp_path / name).write_text("content")
    (tmp_path / f"sweep.json.{NOBODY - 1}.part").mkdir()
    Records(tmp_path)
    assert [name for name in own if (tmp_path / name).exists()] == []
    assert [name for name in others if not (tmp_path / name).exists()] == []
