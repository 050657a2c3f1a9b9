"""Commands that are interrupted, terminated or whose terminal is closed."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from recbole_edlae.cli import errors
from tests.conftest import ROOT

ENDINGS = {
    signal.SIGINT: (130, "interrupted"),
    signal.SIGTERM: (143, "terminated"),
    signal.SIGHUP: (129, "its terminal was closed"),
}


@pytest.fixture(autouse=True)
def default_handlers():
    """As in a new process: Ray, which another test may have started in this one, leaves handlers of its own."""
    defaults = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in defaults.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDINGS)
def test_what_was_begun_is_cleaned_up(number, capsys):
    cleaned = []
    with (
        pytest.raises(SystemExit) as stopped,
        errors.errors_in_one_line("program"),
        errors.signals_as_exceptions(),
    ):
        try:
            os.kill(os.getpid(), number)
            time.sleep(10)
        finally:
            cleaned.append(number)
    status, reason = ENDINGS[number]
    assert stopped.value.code == status and cleaned == [number]
    assert capsys.readouterr().err == f"\nprogram: {reason}\n"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_handlers_of_others_stay(number, handler):
    before = signal.signal(number, handler)
    try:
        with errors.signals_as_exceptions():
            assert signal.getsignal(number) is handler
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)


def test_other_threads_handle_no_signals():
    def enter():
        with errors.signals_as_exceptions(), errors.interrupts_end_at_once("program"):
            entered.append(signal.getsignal(signal.SIGTERM))

    entered = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [signal.SIG_DFL]


# Says when the command's imports have begun, and lasts until the signal.
IMPORTING = """
import builtins, sys, time
from recbole_edlae import cli
stock = builtins.__import__
def slow(name, *arguments):
    if name == "torch":
        print("importing", flush=True)
        try:
            time.sleep(30)
        except BaseException as error:
            print("an exception", flush=True)
            raise ImportError("torch cannot be imported") from error
    return stock(name, *arguments)
builtins.__import__ = slow
sys.argv = ["recbole-edlae", "leaderboard", "--models", "EDLAE"]
cli.main()
"""


@pytest.mark.slow
def test_interrupted_while_it_imports():
    """An exception there may be swallowed, or abort the process."""
    command = [sys.executable, "-W", "ignore", "-c", IMPORTING]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, **streams) as process:
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=20)
    assert (process.returncode, out, error) == (130, "", "\nrecbole-edlae leaderboard: interrupted\n")


# A command that says when it writes, and lasts until the signal.
WRITING = """
import sys, time
from recbole_edlae import cli
from recbole_edlae.cli import export
def read(path):
    print("writing", flush=True)
    time.sleep(30)
export.Checkpoint.read = read
cli.main(["export", "--checkpoint=any.pth", "--output=folder"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", ENDINGS)
def test_no_folder_that_was_begun_is_left(number, tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", WRITING]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, cwd=tmp_path, **streams) as process:
        assert process.stdout.readline() == "writing\n" and len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        _, error = process.communicate(timeout=20)
    status, reason = ENDINGS[number]
    assert (process.returncode, error) == (status, f"\nrecbole-edlae export: {reason}\n")
    assert list(tmp_path.iterdir()) == []
