"""A leaderboard or a sweep hit at twenty moments: nothing finished is lost, nothing wrong bears a final name."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from recbole_edlae.evaluation.per_user import PerUser
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
MODELS = {f"EDLAE {number}": {"model": "EDLAE", "reg_weight": float(number)} for number in (1, 5, 50)}
LEADERBOARD = ["leaderboard", "--settings=board.yaml"]
TUNE = ["tune", "--model=EDLAE", "--dataset=tiny", "--config_files", "protocol.yaml", "--space=space"]

# Reads lines `FOLDER HAPPENS MOMENT WORDS` and answers each with the exit status of the command, in a child that is hit
# when it is about to open for writing, rename or remove the file number MOMENT of its folder.
SERVER = """
import json, os, resource, signal, subprocess, sys
from recbole_edlae import cli
from recbole_edlae.cli import leaderboard, tune

def child(folder, happens, moment, words):
    folder, seen = os.path.realpath(folder), [0]

    def hook(event, arguments):
        if event not in ("open", "os.rename", "os.remove", "os.truncate", "os.mkdir"):
            return
        if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        if not os.path.abspath(str(arguments[0])).startswith(folder):
            return
        seen[0] += 1
        if seen[0] != moment:
            return
        if happens == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if happens == "read-only":  # a mount of its own has no files that are open for writing
            subprocess.run(["mount", "--bind", folder, folder], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        if happens == "full":
            with open(os.path.join(os.path.dirname(folder), "filler"), "wb", buffering=0) as filler:
                try:
                    while filler.write(bytes(512)):
                        pass
                except OSError:
                    pass

    sys.addaudithook(hook)
    sys.stdout = sys.stderr = open(os.path.basename(folder) + ".log", "a")
    cli.main([*words, "--output", folder])

for line in sys.stdin:
    process = os.fork()
    if process == 0:
        status = 0
        try:
            child(*json.loads(line))
        except SystemExit as stopped:
            status = stopped.code or 0
        except BaseException:
            import traceback
            traceback.print_exc()
            status = 99
        sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


@pytest.fixture
def run(board_file, tmp_path):
    """Run a command that is hit at a moment; returns its exit status."""
    board_file(MODELS)
    (tmp_path / "space").write_text("reg_weight choice [1.0,5.0,50.0]\n")
    pipes = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
        "text": True,
    }
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", SERVER], cwd=tmp_path, env=environment, **pipes) as server:

        def call(folder, happens, moment, words):
            server.stdin.write(json.dumps([str(folder), happens, moment, words]) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield call
        server.stdin.close()


_UNDISTURBED = {}


@pytest.fixture
def undisturbed(run, tmp_path):
    """Return the results of a command that nothing happens to; each is run once."""

    def call(words):
        if words[0] not in _UNDISTURBED:
            assert run(tmp_path / "undisturbed", "nothing", 0, words) == 0
            _UNDISTURBED[words[0]] = results(tmp_path / "undisturbed")
        return _UNDISTURBED[words[0]]

    return call


@pytest.fixture
def disk(mount_disk):
    """Folder of a disk of 300 kB."""
    return mount_disk("300k")


def finished(folder):
    """Keys on record, every whole line of which must be right, and every array whole."""
    path = pathlib.Path(folder, "records.jsonl")
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    for array in pathlib.Path(folder, "per_user").glob("*.npz"):
        assert np.all(PerUser.load(array).positives >= 0)
    return [json.loads(line)["key"] for line in lines]


def results(folder):
    """Everything under a final name that is the same every time."""
    named = ("leaderboard.csv", "leaderboard.md", "leaderboard.tex", "best.yaml")
    found = {
        path.name: path.read_text() for path in map(pathlib.Path(folder).joinpath, named) if path.exists()
    }
    return {
        name: "\n".join(text.splitlines()[1:] if name == "best.yaml" else [text])
        for name, text in found.items()
    }


def hit(run, folder, happens, moments, words, expected, undo=lambda: None):
    """Hit the command at each moment, then let it end: the results are those of the one left alone."""
    before, hits = [], 0
    for moment in moments:
        status = run(folder, happens, moment, words)
        undo()
        assert status in ((0, -9) if happens == "kill" else (0, 2)), pathlib.Path(
            f"{folder.name}.log"
        ).read_text()
        hits += status != 0
        after = finished(folder)
        assert after[: len(before)] == before and len(after) == len(set(after))
        assert results(folder).items() <= expected.items()
        before = after
    assert run(folder, "nothing", 0, words) == 0
    assert finished(folder)[: len(before)] == before and results(folder) == expected
    assert not list(pathlib.Path(folder).rglob("*.part"))
    return hits


@pytest.mark.parametrize(
    "words, moments", [(LEADERBOARD, (3, 9, 8, 11)), (TUNE, (3, 6, 8, 7))], ids=["board", "tune"]
)
def test_killed(words, moments, run, undisturbed, tmp_path):
    assert hit(run, tmp_path / "out", "kill", moments, words, undisturbed(words)) >= 3


@pytest.mark.parametrize(
    "words, moments", [(LEADERBOARD, (2, 7, 12)), (TUNE, (2, 6, 7))], ids=["board", "tune"]
)
def test_disk_full(words, moments, run, undisturbed, disk):
    undo = (disk / "filler").unlink
    assert (
        hit(run, disk / "out", "full", moments, words, undisturbed(words), lambda: undo(missing_ok=True))
        >= 2
    )


@pytest.mark.parametrize(
    "words, moments", [(LEADERBOARD, (4, 7, 12)), (TUNE, (4, 6, 7))], ids=["board", "tune"]
)
def test_read_only(words, moments, run, undisturbed, disk):
    def undo():
        subprocess.run(["umount", disk / "out"], capture_output=True)

    assert hit(run, disk / "out", "read-only", moments, words, undisturbed(words), undo) >= 2
