"""Run many runs, here or on a Ray cluster, and put each on record as it ends."""

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
from typing import TYPE_CHECKING, Any

from recbole_edlae.data.atomic import AtomicFileError
from recbole_edlae.evaluation.per_user import PerUser
from recbole_edlae.runs.run import Run, key_of
from recbole_edlae.runs.runner import Runner
from recbole_edlae.settings.process import process_words

if TYPE_CHECKING:  # results do not depend on how they are kept
    from recbole_edlae.runs.records import Records

_NOTHING_IS_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_TRACEBACK = 20_000  # characters that a record keeps of a traceback, its end
Outcome = tuple[dict[str, Any], PerUser | None]  # what a run adds to its record, and the hits of each user


class RunFailed(ValueError):
    """A run failed on which others depend.

    Args:
        reason: in one line.
        traceback: of the run.
    """

    def __init__(self, reason: str, traceback: str) -> None:
        super().__init__(reason)
        self.traceback = traceback


def run_all(
    runs: Iterable[Run],
    records: "Records",
    phases: Sequence[str] = ("valid", "test"),
    engine: str = "sequential",
) -> Iterator[tuple[Run, dict[str, Any], bool]]:
    """Run what is not on record yet.

    Args:
        runs: those that agree on everything are run once.
        records: where finished runs are found, and new ones are put.
        phases: what is evaluated, as in ``Runner.run``.
        engine: one of ENGINES.

    Yields:
        A run, its record, and whether it was on record before. A run that fails has status "failed" and says why
        under "error", in one line, and under "traceback"; those on record come first.

    Raises:
        OSError: a run cannot be put on record; those before it are.
        ChangedFileError: a file of the data has changed since the first of the runs; those before it are on record.
    """
    finished = records.finished()
    pending: dict[str, list[Run]] = {}
    identities = {}
    for run in runs:
        identity = run.identity(phases, known=records.files)
        key = key_of(identity)
        if key in finished and records.complete(finished[key], phases):
            yield run, finished[key], True
        else:
            pending.setdefault(key, []).append(run)
            identities[key] = identity
    first_of_each = {key: dataclasses.replace(same[0], data=identities[key]["data"]) for key, same in pending.items()}
    for key, (outcome, per_user) in ENGINES[engine](first_of_each, phases):
        record = {
            "key": key,
            "model": first_of_each[key].model,
            "dataset": first_of_each[key].dataset,
            **outcome,
            "ended": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
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
    """Return what one run comes to: its results with status "ok", or status "failed" and the error.

    Either has "seconds": all that the run took, with the reading of the data where it was the first to need them.

    Args:
        run: what to run.
        phases: what is evaluated, as in ``Runner.run``.

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
        if isinstance(error, OSError) and error.errno in _NOTHING_IS_WRITTEN:
            raise
        words = " ".join(str(error).split())
        line = f"{type(error).__name__}: {words}" if words else type(error).__name__
        reason = {"error": line[:500], "traceback": traceback.format_exc()[-_TRACEBACK:]}
        return {"status": "failed", **reason, "seconds": time.perf_counter() - start}, None
    return {"status": "ok", **result, "seconds": time.perf_counter() - start}, per_user


def sequential(runs: Mapping[str, Run], phases: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
    """Run one after the other in this process.

    Args:
        runs: key → run.
        phases: what is evaluated, as in ``Runner.run``.

    Yields:
        The key of a run, and what it came to.
    """
    shared_runner().expect(runs.values())
    for key, run in runs.items():
        yield key, attempt(run, phases)


def ray(runs: Mapping[str, Run], phases: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
    """Run on the Ray cluster that RAY_ADDRESS names or that runs on this machine; on a local one otherwise.

    Each worker process reads and splits the data once. Config files and data have to lie under the same paths on
    every machine.

    Args:
        runs: key → run.
        phases: what is evaluated, as in ``Runner.run``.

    Yields:
        The key of a run, and what it came to, in the order in which they end.
    """
    with cluster() as ray:
        remote = ray.remote(_attempt_in_worker)
        pending = {remote.remote(run, phases): key for key, run in runs.items()}
        while pending:
            for done in ray.wait(list(pending))[0]:
                yield pending.pop(done), ray.get(done)


@contextlib.contextmanager
def cluster() -> Iterator[ModuleType]:
    """Connect to the cluster that ``ray`` describes; a cluster that is started here ends with the block.

    Yields:
        The module ray.

    Raises:
        ValueError: ray cannot be imported.
    """
    ray = _import_ray()
    started = not ray.is_initialized()
    if started:
        terminate = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(address="auto", log_to_driver=False)
        except ConnectionError:
            ray.init(log_to_driver=False)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, terminate)  # ray's own handler ends with another status
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
    """Run in a worker process of Ray's."""
    process_words([])  # a worker's words are not settings
    return attempt(run, phases)


def _import_ray() -> Any:
    """Return the module ray."""
    try:
        import ray
    except Exception as error:  # an old ray fails in several ways on a new numpy or setuptools
        raise ValueError(f"engine ray: ray cannot be imported here ({type(error).__name__}: {error})") from None
    return ray
