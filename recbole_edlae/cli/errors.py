"""Turn errors and warnings into one line on standard error, for all commands."""

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from recbole_edlae._warnings import DataWarning

# Windows has no SIGHUP.
_ENDING = [signal.SIGTERM]
if hasattr(signal, "SIGHUP"):
    _ENDING.append(signal.SIGHUP)

# Set by --debug: errors show their traceback.
debug = False


def without_debug(words: Iterable[str]) -> list[str]:
    """Remove ``--debug``, which every command takes, from command-line words, and remember it."""
    # A word of the process rather than an option, so that it works at any position of any command.
    global debug
    words = list(words)
    debug = debug or "--debug" in words
    return [word for word in words if word != "--debug"]


def reason_of(error: Exception) -> str | None:
    """Return the message for an error that the input can cause; None for any other error.

    Examples:
        >>> reason_of(ValueError("epochs must be int, got 'ten' (str)"))
        "epochs must be int, got 'ten' (str)"
        >>> reason_of(FileNotFoundError(2, "No such file or directory", "e.yaml"))
        'e.yaml: No such file or directory'
    """
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'file'}: {error.strerror or error}"
    if isinstance(error, MemoryError):
        return str(error) or "out of memory; runs that ended before are on record"
    return None


def missing_recbole(error: Exception) -> str | None:
    """Return the message for a missing RecBole; None for any other error.

    Examples:
        >>> missing_recbole(ModuleNotFoundError("recbole is missing", name="recbole"))
        'recbole is missing'
        >>> missing_recbole(ValueError("numpy.dtype size changed"))
    """
    if isinstance(error, ModuleNotFoundError) and error.name == "recbole":
        return str(error)
    return None


@contextlib.contextmanager
def errors_in_one_line(
    program: str, reason: Callable[[Exception], str | None] = reason_of
) -> Iterator[None]:
    """End the process with one line and status 2 for an error inside the block.

    The status is 130 after an interrupt (SIGINT), and 143 or 129 if :func:`signals_as_exceptions` reports a SIGTERM or
    SIGHUP. With ``--debug`` on the command line (:data:`debug`) the traceback is shown instead.
    """
    try:
        yield
    except Exception as error:
        text = reason(error)
        if debug or text is None:
            # The failure of a run on which others depend has the traceback of that run.
            if hasattr(error, "traceback"):
                print(error.traceback, file=sys.stderr)
            raise
        stop(program, text)
    except KeyboardInterrupt:
        _end(program, "interrupted", signal.SIGINT)
    except Terminated as error:
        _end(program, str(error), error.number)


class Terminated(BaseException):
    """Report that the process was asked to end.

    Attributes:
        number: number of the signal.
    """

    def __init__(self, number: int) -> None:
        reason = "its terminal was closed"
        if number == signal.SIGTERM:
            reason = "terminated"
        super().__init__(reason)
        self.number = number


@contextlib.contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Raise Terminated on SIGTERM and SIGHUP, so that partial files and temporary folders are removed.

    A signal that is ignored (by nohup) or handled already stays as it is. In other threads than the main one nothing
    changes.
    """

    def terminate(number: int, frame: object) -> NoReturn:
        raise Terminated(number)

    # Python allows handlers in the main thread only.
    numbers = []
    if threading.current_thread() is threading.main_thread():
        numbers = [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]

    for number in numbers:
        signal.signal(number, terminate)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def interrupts_end_at_once(program: str) -> Iterator[None]:
    """End the process with one line and status 130 on an interrupt, without an exception.

    Used during imports, where nothing has to be cleaned up and a KeyboardInterrupt inside torch aborts the process.
    """

    def end(number: int, frame: object) -> NoReturn:
        os.write(2, f"\n{program}: interrupted\n".encode())
        os._exit(128 + number)

    # Handlers of others stay, and only the main thread can set one.
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(program: str, reason: str, number: int) -> NoReturn:
    """End the process with the status of a signal, and with one line on standard error."""
    # After SIGHUP the terminal is gone, and nobody can read the line.
    with contextlib.suppress(OSError):
        print(f"\n{program}: {reason}", file=sys.stderr)
    sys.exit(128 + number)


@contextlib.contextmanager
def warnings_in_one_line(program: str) -> Iterator[None]:
    """Show each warning about data and settings once, as one line; leave other warnings as they are."""
    # A warning is raised for each run of a command, and one line is enough for all.
    stock = warnings.showwarning
    shown: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *location: Any, **options: Any) -> None:
        if not issubclass(category, DataWarning):
            stock(message, category, *location, **options)
        elif str(message) not in shown:
            shown.add(str(message))
            print(f"{program}: warning: {message}", file=sys.stderr)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = stock


def stop(program: str, reason: object, status: int = 2) -> NoReturn:
    """End the process with one line on standard error."""
    print(f"{program}: error: {reason}", file=sys.stderr)
    sys.exit(status)
