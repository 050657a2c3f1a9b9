"""Turn errors and warnings into one line on standard error: the only place where the commands do so."""

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from recbole_edlae._warnings import DataWarning

debug = False  # set by --debug: errors show their traceback


def without_debug(words: Iterable[str]) -> list[str]:
    """Remove ``--debug``, which every command takes, from command-line words, and remember it."""
    global debug
    words = list(words)
    debug = debug or "--debug" in words
    return [word for word in words if word != "--debug"]


def reason_of(error: Exception) -> str | None:
    """Return what to say of an error that the input can cause; None for any other error.

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
    return None


def missing_recbole(error: Exception) -> str | None:
    """Return what to say where RecBole is not installed; None for any other error.

    Examples:
        >>> missing_recbole(ModuleNotFoundError("recbole is missing", name="recbole"))
        'recbole is missing'
        >>> missing_recbole(ValueError("numpy.dtype size changed"))
    """
    return str(error) if isinstance(error, ModuleNotFoundError) and error.name == "recbole" else None


@contextlib.contextmanager
def errors_in_one_line(program: str, reason: Callable[[Exception], str | None] = reason_of) -> Iterator[None]:
    """End the process with one line and status 2 for an error inside the block, with status 130 if interrupted.

    With ``--debug`` on the command line (:data:`debug`) the traceback is shown instead.

    Args:
        program: the command's name, for the message.
        reason: returns what to say of an error, or None to show its traceback.

    Yields:
        Nothing.
    """
    try:
        yield
    except Exception as error:
        text = None if debug else reason(error)
        if text is None:
            raise
        stop(program, text)
    except KeyboardInterrupt:
        print(f"\n{program}: interrupted", file=sys.stderr)
        sys.exit(130)


@contextlib.contextmanager
def warnings_in_one_line(program: str) -> Iterator[None]:
    """Show each warning about data and settings once, as one line; leave other warnings as they are.

    Args:
        program: the command's name, for the message.

    Yields:
        Nothing.
    """
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
