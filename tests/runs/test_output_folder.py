"""An output folder that is damaged, in use, full or interrupted: whole records stay, others are run again."""

import json
import multiprocessing
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import warnings

import pytest

from recbole_edlae.runs.records import Records
from recbole_edlae.runs.runner import Runner
from tests.runs.shop_commands import MODELS, board, records, tune, write_board


def test_damaged_lines_are_named_and_their_runs_run_again(shop_folder, command):
    write_board({**MODELS, "EASE": {}})
    assert command(*board()).status == 0
    path, table = pathlib.Path("out/records.jsonl"), pathlib.Path("out/leaderboard.csv").read_bytes()
    first, second, third = path.read_bytes().splitlines()
    for damaged in (
        second[:40],
        b"\xff" + second,
        b"[1]",
        b'{"status": "ok"}',
        second.replace(b'"key"', b'"yek"'),
    ):
        path.write_bytes(b"\n".join([first, damaged, third, b""]))
        outcome = command(*board())
        assert outcome.status == 0 and "out/records.jsonl, line 2 is damaged" in outcome.err
        assert len(path.read_bytes().splitlines()) == 4
        assert pathlib.Path("out/leaderboard.csv").read_bytes() == table


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", None], ids=["empty", "torn", "gone"])
def test_damaged_array_is_named_and_its_run_run_again(content, shop_folder, command):
    assert command(*board()).status == 0
    table = pathlib.Path("out/leaderboard.csv").read_bytes()
    path = sorted(pathlib.Path("out/per_user").iterdir())[0]
    path.unlink() if content is None else path.write_bytes(content)
    outcome = command(*board())
    assert outcome.status == 0 and re.search(
        f"{path.name} is (damaged|missing).* is run again", outcome.err
    )
    assert len(records()) == 3 and pathlib.Path("out/leaderboard.csv").read_bytes() == table


def test_a_record_without_its_metrics_is_run_again(shop_folder, command):
    assert command(*board()).status == 0
    first, second = records()
    del first["test"]
    lines = [json.dumps(each) for each in (first, second)]
    pathlib.Path("out/records.jsonl").write_text("\n".join([lines[0], "", lines[1], ""]))
    outcome = command(*board())
    assert outcome.status == 0 and "has no test: it is run again" in outcome.err


def _hold(folder, ready):
    held = Records(folder)
    ready.set()
    time.sleep(60)
    held.close()


@pytest.mark.slow
def test_a_folder_in_use_is_left_alone(shop_folder, refused, command):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    holder = context.Process(target=_hold, args=("out", ready))
    holder.start()
    try:
        assert ready.wait(30)
        part = pathlib.Path(f"out/per_user/0123456789abcdef.npz.{holder.pid}.part")
        part.write_bytes(b"half")
        pathlib.Path("out/records.jsonl").write_bytes(b'{"half')
        for words in (board(), tune()):
            line = refused(*words)
            assert f"out is in use by process {holder.pid} on " in line
        assert part.read_bytes() == b"half" and pathlib.Path("out/records.jsonl").read_bytes() == b'{"half'
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.join()
    assert command(*board()).status == 0 and not part.exists()  # a killed process leaves nothing locked


def test_records_of_one_process_share_a_folder(tmp_path):
    first = Records(tmp_path)
    with warnings.catch_warnings(), Records(tmp_path) as second:
        warnings.simplefilter("error")
        second.append({"key": "a", "status": "ok"})
    assert list(first.read()) == ["a"]


@pytest.fixture
def small_disk(mount_disk):
    """Folder of a disk of 200 kB."""
    return mount_disk("200k")


def test_a_full_disk_is_named_and_nothing_half_is_left(shop_folder, command, small_disk):
    for words in (board(), tune()):
        words = [word.replace("--output=out", f"--output={small_disk}/o") for word in words]
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * 196_608)
        outcome = command(*words)
        last = outcome.err.strip().splitlines()[-1]
        assert (
            outcome.status == 2 and f"error: {small_disk}/o" in last and "No space left on device" in last
        )
        assert not list(small_disk.rglob("*.part"))
        filler.unlink()
        shutil.rmtree(small_disk / "o", ignore_errors=True)


def test_a_read_only_disk_is_named(shop_folder, refused, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for words in (board(), tune()):
        words = [word.replace("--output=out", f"--output={small_disk}/o") for word in words]
        line = refused(*words)
        assert f"{small_disk}/o" in line and "Read-only file system" in line


def test_a_line_that_does_not_fit_leaves_the_others_whole(shop_folder, small_disk):
    held = Records(small_disk / "o")
    held.append({"key": "a", "status": "ok"})
    before = held.path.read_bytes()
    with pytest.raises(OSError, match="No space left") as raised:
        held.append({"key": "b", "status": "ok", "note": "x" * 300_000})
    assert raised.value.filename == str(held.path) and held.path.read_bytes() == before
    held.append({"key": "c", "status": "ok"})
    assert list(held.read()) == ["a", "c"]
    held.close()


def test_running_out_of_memory_and_interrupts_lose_nothing(shop_folder, command, monkeypatch):
    stock, raised = Runner.run, []

    def run(self, run, phases):
        if run.model == "Pop" and raised:
            raise raised[0]
        return stock(self, run, phases)

    monkeypatch.setattr(Runner, "run", run)
    for error, status in ((KeyboardInterrupt(), 130), (MemoryError("no memory"), 0)):
        raised[:] = [error]
        assert command(*board()).status == status
        assert {each["model"]: each["status"] for each in records()}["EDLAE"] == "ok"
    monkeypatch.setattr(
        Runner, "run", lambda self, run, _: os.kill(os.getpid(), signal.SIGTERM) or time.sleep(5)
    )

    # A measurement of coverage handles the signal itself.
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        outcome = command(*board())
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert outcome.status == 143 and outcome.err.endswith("recbole-edlae leaderboard: terminated\n")
