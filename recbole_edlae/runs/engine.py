"""Execute many runs, here or on a Ray cluster, and record each as it ends."""

import contextlib
import dataclasses
import datetime
import errno
import functools
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from recbole_edlae.data.atomic import AtomicFileError
from recbole_edlae.evaluation.per_user import PerUser
from recbole_edlae.runs.records import Records
from recbole_edlae.runs.run import Run, key_of
from recbole_edlae.runs.runner import Runner
from recbole_edlae.settings.files import process_words

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # nothing can be written any more
_TRACEBACK = 20_000  # a record keeps the last characters of a traceback
Outcome = tuple[dict[str, Any], PerUser | None]  # what a run adds to its record, and the hits of each user


class RunFailed(ValueError):
    """Report that a run failed on which others depend.

    Args:
        reason: what went wrong, in one line.
        traceback: traceback of the run.
    """

    def __init__(self, reason: str, traceback: str) -> None:
        super().__init__(reason)
        self.traceback = traceback


def run_all(
    runs: Iterable[Run],
    records: Records,
    phases: Sequence[str] = ("valid", "test"),
    engine: str = "sequential",
) -> Iterator[tuple[Run, dict[str, Any], bool]]:
    """Execute the runs that are not on record yet.

    Args:
        runs: runs that agree on everything are executed once.
        records: holds finished runs, and gets new ones.
        phases: what is evaluated, as in ``Runner.run``.
        engine: one of ENGINES.

    Yields:
        A run, its record, and whether it was cached, that is, on record before; cached runs come first. A run that
        fails has status "failed", the reason in one line under "error", and the "traceback".

    Raises:
        OSError: a run cannot be recorded; those before it are.
        ChangedFileError: a file of the data has changed since the first of the runs; those before it are recorded.
    """
    # What is on record comes first, before anything takes time.
    finished = records.finished()
    pending: dict[str, list[Run]] = {}
    identities = {}
    unique: dict[str, Run] = {}
    for run in runs:
        identity = run.identity(phases, known=records.files)
        key = key_of(identity)
        if key in finished and records.complete(finished[key], phases):
            yield run, finished[key], True
            continue

        # Equal runs are executed once, on data with the fingerprint of their identity.
        pending.setdefault(key, []).append(run)
        identities[key] = identity
        unique.setdefault(key, dataclasses.replace(run, data=identity["data"]))

    # A cluster takes seconds to start.
    if not unique:
        return

    # A run is on record before its caller hears of it.
    for key, (outcome, per_user) in ENGINES[engine](unique, phases):
        now = datetime.datetime.now(datetime.timezone.utc)
        record = {
            "key": key,
            "model": unique[key].model,
            "dataset": unique[key].dataset,
            **outcome,
            "ended": now.isoformat(timespec="seconds"),
            "identity": identities[key],
        }
        records.append(record, per_user)
        for run in pending[key]:
            yield run, record, False


@functools.cache
def shared_runner() -> Runner:
    """Return the Runner of this process."""
    return Runner()


def attempt(run: Run, phases: Sequence[str]) -> Outcome:
    """Execute one run and return its results with status "ok", or the error with status "failed".

    Both have "seconds", all that the run took. Reading the data is included in the first run that needs them.

    Raises:
        AtomicFileError: the data cannot be read, by this run or any other.
        OSError: a disk is full or read-only, for this run and any other.
    """
    start = time.perf_counter()
    try:
        result, per_user = shared_runner().run(run, phases)
    except AtomicFileError:
        raise
    except Exception as error:
        # Any other run would meet the same disk.
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            raise

        # The error on one line; some have no message.
        line = type(error).__name__
        words = " ".join(str(error).split())
        if words:
            line += f": {words}"
        per_user = None
        result = {
            "status": "failed",
            "error": line[:500],
            "traceback": traceback.format_exc()[-_TRACEBACK:],
        }
    else:
        result = {"status": "ok", **result}
    result["seconds"] = time.perf_counter() - start
    return result, per_user


def sequential(runs: Mapping[str, Run], phases: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
    """Execute one run after the other in this process; yield each key with the outcome."""
    # The runner keeps only models that a later run needs.
    shared_runner().expect(runs.values())
    for key, run in runs.items():
        yield key, attempt(run, phases)


def ray(runs: Mapping[str, Run], phases: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
    """Execute runs on the Ray cluster that RAY_ADDRESS names or that runs on this machine, else on a local one.

    Each worker process reads and splits the data once. Config files and data have to lie under the same paths on
    every machine.
    """
    with cluster() as ray:
        remote = ray.remote(_attempt_in_worker)
        pending = {}
        for key, run in runs.items():
            pending[remote.remote(run, phases)] = key

        # Each outcome is recorded as it arrives, so an interrupted command loses only what was running.
        while pending:
            finished, _ = ray.wait(list(pending))
            for task in finished:
                yield pending.pop(task), ray.get(task)


@contextlib.contextmanager
def cluster() -> Iterator[ModuleType]:
    """Connect to the cluster that ``ray`` describes; a cluster that is started here ends with the block.

    Raises:
        ValueError: ray cannot be imported.
    """
    # An old ray fails in several ways on a new numpy or setuptools, not only by ImportError.
    try:
        import ray
    except Exception as error:
        raise ValueError(
            f"engine ray: ray cannot be imported here ({type(error).__name__}: {error})"
        ) from None

    started = not ray.is_initialized()
    if started:
        terminate = signal.getsignal(signal.SIGTERM)
        try:
            # "auto" finds a running cluster and fails without one.
            ray.init(address="auto", log_to_driver=False)
        except ConnectionError:
            ray.init(log_to_driver=False)
        finally:
            # ray's own handler ends the process with another exit status. Only the main thread may set handlers.
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, terminate)

    try:
        yield ray
    finally:
        if started:
            ray.shutdown()


ENGINES: dict[str, Callable[[Mapping[str, Run], Sequence[str]], Iterator[tuple[str, Outcome]]]] = {
    "sequential": sequential,
    "ray": ray,
}


def _attempt_in_worker(run: Run, phases: Sequence[str]) -> Outcome:
    """Execute a run in a worker process of Ray."""
    # RecBole would read the worker's command line as settings.
    process_words([])
    return attempt(run, phases)
