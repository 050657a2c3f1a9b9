"""Output that nobody reads, or that lacks a character, changes no status."""

import errno
import io
import os
import subprocess
import sys

import pytest

from recbole_edlae.cli.streams import forgiving_output
from tests.conftest import ROOT

COMMANDS = {
    "help": ["--help"],
    "settings": ["run", "--model=EDLAE", "--help"],
    "an error": ["run", "--model=EDLE"],
}


@pytest.fixture
def own_streams(monkeypatch):
    """Puts a descriptor in the place of the process's standard output, and returns the stream."""

    def put(descriptor, encoding="utf-8"):
        stream = io.TextIOWrapper(io.FileIO(descriptor, "wb"), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "__stdout__", stream)
        return stream

    return put


def test_nobody_reads_a_pipe(own_streams):
    read, write = os.pipe()
    stream = own_streams(write)
    os.close(read)
    with forgiving_output():
        for _ in range(10):
            print("x" * 100_000, flush=True)
    assert sys.stdout is stream
    stream.close()  # nothing is left in it to fail


def test_what_is_read_arrives(own_streams):
    read, write = os.pipe()
    stream = own_streams(write)
    with forgiving_output():
        print("first")
    print("second")
    stream.close()
    with open(read) as file:
        assert file.read() == "first\nsecond\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_that_the_encoding_lacks(own_streams, encoding):
    read, write = os.pipe()
    stream = own_streams(write, encoding)
    with forgiving_output():
        print("NDCG → .3 (λ)")
    stream.close()
    with open(read, encoding=encoding) as file:
        assert file.read() == "NDCG ? .3 (?)\n"


def test_a_full_disk_is_an_error(own_streams):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    own_streams(os.open("/dev/full", os.O_WRONLY))
    with pytest.raises(OSError) as raised, forgiving_output():
        print("lost", flush=True)
    assert raised.value.errno == errno.ENOSPC


def test_streams_of_others_stay(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    stream = sys.stdout
    with forgiving_output():
        assert sys.stdout is stream
    monkeypatch.setattr(sys, "stdout", None)  # closed by the shell
    with forgiving_output():
        print("nowhere")


def status_and_error(words, reader, **environment):
    """Exit status and standard error of a command whose output goes to another."""
    command = [sys.executable, "-W", "ignore", "-m", "recbole_edlae", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        if reader == "true":
            process.stdout.close()
        else:
            process.stdout.read(10 if reader == "head" else -1)
            process.stdout.close()
        error = process.stderr.read().decode()
    return process.returncode, error


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["true", "head"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_status_is_that_of_the_work(command, reader):
    status, error = status_and_error(COMMANDS[command], reader)
    assert status == (2 if command == "an error" else 0), error
    assert error.count("\n") == (1 if command == "an error" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_help_in_other_encodings(encoding):
    status, error = status_and_error(["run", "--model=EDLAE", "--help"], "all", PYTHONIOENCODING=encoding)
    assert (status, error) == (0, "")
