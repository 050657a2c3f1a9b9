"""Export and recommend killed, out of disk and read-only, at many moments: what bears its name is whole."""

import errno
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

from recbole_edlae import cli
from recbole_edlae.cli import errors
from recbole_edlae.serving import batches, export_files
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.part_file import PartFile
from recbole_edlae.serving.recommender import Recommender

USERS = 600
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Path of a checkpoint whose export has some 800 kB: 400 items."""
    folder, generator = tmp_path_factory.mktemp("large"), np.random.default_rng(1)
    (folder / "data" / "large").mkdir(parents=True)
    lines = ["user_id:token\titem_id:token"]
    for user in range(120):
        lines += [f"u{user}\ti{item}" for item in generator.choice(400, 20, replace=False)]
    (folder / "data" / "large" / "large.inter").write_text("\n".join(lines) + "\n")
    words = [f"--data_path={folder / 'data'}", f"--checkpoint_dir={folder / 'saved'}", "--state=ERROR"]
    program = "from recbole_edlae import cli; cli.main()"
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        program,
        "run",
        "--model=EDLAE",
        "--dataset=large",
        *words,
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    (path,) = (folder / "saved").glob("*.pth")
    return str(path)


@pytest.fixture
def users(tmp_path):
    lines = [json.dumps({"user": f"n{n}", "items": [f"i{n % 399}", f"i{n % 7}"]}) for n in range(USERS)]
    (tmp_path / "users.jsonl").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "users.jsonl")


@pytest.fixture
def words(trained, users):
    """The words of either command for an output."""
    return {
        "export": lambda output: ["export", f"--checkpoint={trained}", f"--output={output}"],
        "recommend": lambda output: [
            "recommend", f"--checkpoint={trained}", f"--histories={users}", f"--output={output}.jsonl", "--topk=30",
        ],
    }  # fmt: skip


@pytest.fixture
def disk(tmp_path):
    """Mount a file system in memory of some pages of 4 kB."""
    mounted = []

    def mount(pages):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        size = ["mount", "-t", "tmpfs", "-o", f"size={4 * pages}k", "tmpfs", str(folder)]
        try:
            done = subprocess.run(size, capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no mount here")
        if done.returncode:
            pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def call(words):
    """Status of a command in this process."""
    try:
        cli.main(words)
    except SystemExit as stopped:
        return stopped.code
    return 0


def check(kind, output, expected, trained):
    """What bears its name is whole, and a part has whole users."""
    if kind == "export":
        if output.exists() and (output / "manifest.json").exists():
            found, whole = (
                Recommender.load(path).recommend([["i1", "i5"]], 9) for path in (output, trained)
            )
            assert found.items == whole.items
        return
    final, part = (output.with_name(f"{output.name}.jsonl{end}") for end in ("", ".part"))
    assert not final.exists() or final.read_bytes() == expected
    if part.exists():
        assert expected.startswith(part.read_bytes())


@pytest.fixture
def expected(words, tmp_path):
    assert call(words["recommend"](tmp_path / "expected")) == 0
    return (tmp_path / "expected.jsonl").read_bytes()


@pytest.mark.parametrize("kind", ["export", "recommend"])
def test_killed(kind, words, expected, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 20)
    fork = multiprocessing.get_context("fork")

    def run(output, limit=None):
        child = fork.Process(target=call, args=[words[kind](output)])
        start = time.perf_counter()
        child.start()
        child.join(limit)
        if child.is_alive():
            child.kill()
            child.join()
        return time.perf_counter() - start

    whole = run(tmp_path / "whole")
    check(kind, tmp_path / "whole", expected, trained)
    ended = []
    for moment in range(10):
        output = tmp_path / f"killed{moment}"
        run(output, whole * (moment + 0.5) / 10)
        check(kind, output, expected, trained)
        ended.append(output.exists() or output.with_name(f"{output.name}.jsonl").exists())
        if not ended[-1]:
            assert call(words[kind](output)) == 0  # what was left behind is in nobody's way
            check(kind, output, expected, trained)
    assert not all(ended)


@pytest.mark.parametrize("kind", ["export", "recommend"])
def test_disk_full(kind, words, expected, trained, disk, capsys, monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 20)
    monkeypatch.setattr(errors, "debug", False)
    output = len(expected) if kind == "recommend" else 4 * 401 * 401
    for tenth in range(10):
        folder = disk(1 + output * tenth // 40_960)
        capsys.readouterr()
        assert call(words[kind](folder / "out")) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and str(folder) in error and os.strerror(errno.ENOSPC) in error
        check(kind, folder / "out", expected, trained)
        left = [path.name for path in folder.iterdir()]
        assert left in ([], ["out.jsonl.part"] if kind == "recommend" else [])
        if left:
            users = (folder / "out.jsonl.part").read_bytes().count(b"\n")
            assert users > 0 and users % 20 == 0 and f"({users} users before that are in " in error


@pytest.mark.parametrize("moment", range(5))
def test_export_onto_what_becomes_read_only(moment, words, disk, trained, capsys, monkeypatch):
    monkeypatch.setattr(errors, "debug", False)
    folder, calls = disk(1000), []

    def then(function):
        def wrapped(*arguments):
            calls.append(1)
            if len(calls) == moment:
                subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
            return function(*arguments)

        return wrapped

    if moment == 0:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        monkeypatch.setattr(Checkpoint, "read", lambda _: pytest.fail("the checkpoint was read"))
    monkeypatch.setattr(export_files, "write_atomically", then(export_files.write_atomically))
    monkeypatch.setattr(os, "rename", then(os.rename))
    assert call(words["export"](folder / "out")) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(folder / "out") in error and os.strerror(errno.EROFS) in error
    assert not (folder / "out").exists()


def test_recommend_into_what_is_read_only(words, disk, capsys, monkeypatch):
    monkeypatch.setattr(errors, "debug", False)
    folder = disk(1000)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    monkeypatch.setattr(Checkpoint, "read", lambda _: pytest.fail("the checkpoint was read"))
    assert call(words["recommend"](folder / "out")) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(folder / "out") in error and os.strerror(errno.EROFS) in error
    assert list(folder.iterdir()) == []


def test_a_second_run_into_one_output_is_refused(words, tmp_path, capsys, monkeypatch):
    output = tmp_path / "two"
    first = PartFile(f"{output}.jsonl", batches.FIRST_BYTES)
    first.add(b'{"user": "of the first"}\n')
    assert call(words["recommend"](output)) == 2
    assert "another run is writing" in capsys.readouterr().err
    assert pathlib.Path(f"{output}.jsonl.part").read_bytes() == b'{"user": "of the first"}\n'
    first.close(keep=True)
    assert call(words["recommend"](output)) == 0  # of an earlier run that ended
