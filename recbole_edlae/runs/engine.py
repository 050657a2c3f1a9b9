"""Runs many cells, here or on a Ray cluster, and puts each on record as it ends."""

import contextlib
import datetime
import functools
import signal
import sys
import threading
import traceback

from recbole_edlae.data.atomic import AtomicFileError
from recbole_edlae.runs import run as cells_module
from recbole_edlae.runs.runner import Bench

_TRACEBACK = 20_000  # characters of it that a record keeps, its end


def run(cells, records, phases=("valid", "test"), engine="sequential"):
    """Runs the cells that are not on record yet.

    Args:
        cells: list of Cell.
        records: Records.
        phases: what is evaluated, as in ``Bench.run``.
        engine: one of ENGINES.

    Yields:
        tuple: Cell, its record, and whether it was on record before. A run that fails has status "failed" and says
        why under "error", in one line, and under "traceback"; those on record come first.

    Raises:
        OSError: a run cannot be put on record; those before it are.
    """
    finished, todo, identities = records.finished(), {}, {}
    for cell in cells:
        identity = cell.identity(phases)
        key = cells_module.key(identity)
        if key in finished and records.complete(finished[key], phases):
            yield cell, finished[key], True
        else:
            todo.setdefault(key, []).append(cell)  # cells that agree on everything are run once
            identities[key] = identity
    for key, (outcome, per_user) in ENGINES[engine]({key: same[0] for key, same in todo.items()}, phases):
        record = {
            "key": key, "model": todo[key][0].model, "dataset": todo[key][0].dataset, **outcome,
            "ended": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "identity": identities[key],
        }  # fmt: skip
        records.append(record, per_user)
        for cell in todo[key]:
            yield cell, record, False


@functools.cache
def bench():
    """The Bench of this process."""
    return Bench()


def attempt(cell, phases):
    """Outcome of one cell, whatever happens: its results with status "ok", or status "failed" and the error."""
    try:
        result, per_user = bench().run(cell, phases)
    except AtomicFileError:  # no run can read the data: the command ends
        raise
    except Exception as error:
        words = " ".join(str(error).split())
        line = f"{type(error).__name__}: {words}" if words else type(error).__name__
        return {"status": "failed", "error": line[:500], "traceback": traceback.format_exc()[-_TRACEBACK:]}, None
    return {"status": "ok", **result}, per_user


def sequential(todo, phases):
    """One after the other in this process."""
    for key, cell in todo.items():
        yield key, attempt(cell, phases)


def ray(todo, phases):
    """On the Ray cluster that RAY_ADDRESS names or that runs on this machine; on a local one if there is none.

    Each worker process reads and splits the data once. Config files and data have to lie under the same paths on
    every machine.
    """
    with cluster() as ray:
        remote = ray.remote(_attempt_in_worker)
        pending = {remote.remote(cell, phases): key for key, cell in todo.items()}
        while pending:
            for done in ray.wait(list(pending))[0]:
                yield pending.pop(done), ray.get(done)


@contextlib.contextmanager
def cluster():
    """The module ray, connected to the cluster that ``ray`` describes; one started here ends with the block."""
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


ENGINES = {"sequential": sequential, "ray": ray}


def _attempt_in_worker(cell, phases):
    sys.argv = sys.argv[:1]  # a worker's words are not settings
    return attempt(cell, phases)


def _import_ray():
    try:
        import ray
    except Exception as error:  # an old ray fails in several ways on a new numpy or setuptools
        raise ValueError(f"engine ray: ray cannot be imported here ({type(error).__name__}: {error})") from None
    return ray
