r"""
Fits by way of the Gram matrix
################################################
In which form a fit holds its Gram matrix, what it takes, and whether there is the memory for it: said before anything
large is made.
"""

import functools
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
import psutil
import scipy.sparse as sp
import torch

from recbole_edlae.model.closed_form import ClosedForm
from recbole_edlae.solvers.parameters import Progress
from recbole_edlae.solvers.scale.gram import gram, gram_workspace

CPU = torch.device("cpu")

# What helps when memory does not suffice; `{items}` is what would fit.
WAYS_OUT = (
    "keep fewer items: item_inter_num_interval='[10,inf)' leaves out those with less than 10 interactions, and about "
    "{items} items would fit; EDLAE with neighbors=200: every item has weights for that many others only; a machine "
    "with more memory"
)


@runtime_checkable
class Cache(Protocol):
    """What keeps matrices of earlier fits: ``runs.cache.Cache``."""

    def keep(self, make: Callable[[], Any], *made_of: Any) -> Any:
        """Return what a function makes, or a copy of what it made before."""

    def clear(self) -> None:
        """Keep nothing."""


def by_gram(
    form: ClosedForm, user_weight: np.ndarray, given: Callable[..., Any] | None, progress: Progress | None
) -> Any:
    r"""Return what the solver of a model finds, by a Gram matrix that is given, cached or made now."""
    # A cache makes what is not given.
    cache = None
    if isinstance(given, Cache):
        cache, given = given, None

    # A matrix that is given has no interactions by which it could be inverted in another way.
    X = form.interactions
    inverts = given is None and form.packed and form.takes_inverse
    if inverts:
        from recbole_edlae.model.by_users import through_users

        sparse, by_users = through_users(form, user_weight, cache)
        if by_users:
            return form.solve(sparse, progress)

    # What the fit takes, before anything of that size is made.
    device = form.fit_device
    packed = form.packed
    matrix = form.size**2
    if packed:
        from recbole_edlae.solvers.memory import packed_values  # of large catalogs only

        matrix = packed_values(form.size)
    held = form.peak_values(matrix, device.type)
    data = gram_workspace(form.interactions, packed)

    # The Gram matrix is summed by the CPU, whatever solves.
    if device.type != "cpu":
        check_memory(form.size, matrix, data, CPU)
    log(form, check_memory_or_clear(cache, form.size, held, data, device))

    try:
        if inverts and cache is not None:
            return form.solve(sparse, progress)
        make = given or cached_gram(cache)
        return form.solve(make(X, user_weight, device=device, packed=packed), progress)
    except torch.cuda.OutOfMemoryError as error:
        raise too_large(form.size, held, data, device) from error


def cached_gram(cache: Cache | None) -> Callable[..., Any]:
    """Return ``gram``, whose matrices are kept where there is a cache."""
    if cache is None:
        return gram

    def cached(X: sp.csr_matrix, user_weight: np.ndarray, **options: Any) -> Any:
        return cache.keep(lambda: gram(X, user_weight, **options), X, user_weight, str(options))

    return cached


def check_memory_or_clear(cache: Cache | None, *needed: Any) -> str:
    """Return what a fit takes, after a check that there is memory; without enough, the cache is cleared first."""
    try:
        return check_memory(*needed)
    except MemoryError:
        if cache is None:
            raise
        cache.clear()
        return check_memory(*needed)


def log(form: ClosedForm, takes: str) -> None:
    """Say what a fit takes before it begins."""
    form.logger.info(f"{type(form).__name__}: {takes}")


def check_memory(
    items: int, values: int, more: int, device: torch.device, operations: int | None = None
) -> str:
    r"""Return what a fit takes, for the log; raise MemoryError, with the ways out, where it would not fit.

    Args:
        items (int): Number of items.
        values (int): Numbers in single precision that are held at once.
        more (int): Bytes beside them.
        device (torch.device): Where they are held.
        operations (int, optional): Additions and multiplications of the inverse. Defaults to ``None``, for items³.
    """
    needed = 4 * values + more
    at_hand = memory_at_hand(device)
    if needed > at_hand:
        raise too_large(items, values, more, device)

    # The log says what to expect before the fit begins; all but the inverse depends on the data or on convergence.
    operations = operations or items**3
    seconds = operations / _operations_a_second(device)
    text = f"{items} items: {_size(needed)} of {_size(at_hand)} memory at hand"
    return f"{text}, {operations:.1e} operations to invert, about {_duration(seconds)}"


def too_large(items: int, values: int, more: int, device: torch.device) -> MemoryError:
    r"""Return the error that says what a fit takes, what there is, and the ways out."""
    at_hand = memory_at_hand(device)

    # Memory grows with the square of the items.
    fit = int(items * (max(at_hand - more, 0) / (4 * values)) ** 0.5)
    ways = WAYS_OUT.format(items=min(fit, items - 1))
    where = "" if device.type == "cpu" else f" on {device}"
    return MemoryError(
        f"a fit on {items} items: {_size(4 * values + more)} of {_size(at_hand)} memory at hand{where} "
        f"({values / items**2:.2g} × items² numbers in single precision). Ways out: {ways}"
    )


def check_beside_gram(kind: str, what: str, needed: int, ways_out: str) -> str:
    r"""Return what a fit without Gram matrix takes, or raise MemoryError, as :func:`check_memory` does.

    Args:
        kind (str): Of the fit, for the message.
        what (str): What is fitted.
        needed (int): Bytes that it takes.
        ways_out (str): What helps.
    """
    at_hand = memory_at_hand(CPU)
    text = f"{what}: {_size(needed)} of {_size(at_hand)} memory at hand"
    if needed > at_hand:
        raise MemoryError(f"{kind} on {text}. Ways out: {ways_out}; a machine with more memory")
    return text


def memory_at_hand(device: torch.device) -> int:
    r"""Return the bytes that a process may still take: of the machine, of its control group, or of the GPU."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return min([psutil.virtual_memory().available, *group_memory()])


def group_memory(
    membership: str | os.PathLike = "/proc/self/cgroup", root: str | os.PathLike = "/sys/fs/cgroup"
) -> Iterator[int]:
    r"""Yield the bytes left to the control groups (v1 and v2) of this process that have a limit, as in containers."""
    if not pathlib.Path(membership).is_file():
        return
    for line in pathlib.Path(membership).read_text().splitlines():
        _, controllers, group = line.split(":", 2)

        # Version 2 names no controllers, and both versions name their files differently.
        if controllers == "":
            folder = pathlib.Path(root)
            limit, used, cache = "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            folder = pathlib.Path(root, "memory")
            limit, used, cache = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue

        # A group is limited by all groups above it too.
        for name in [".", *pathlib.PurePosixPath(group).parts[1:]]:
            folder = folder / name
            if not (folder / limit).is_file():
                continue
            most = (folder / limit).read_text().strip()
            if most == "max":
                continue

            # The cache of files counts as used, and is given back when memory is asked for.
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            yield int(most) - int((folder / used).read_text()) + int(stat[cache])


@functools.cache
def _operations_a_second(device: torch.device, order: int = 1024) -> float:
    """Measure the FLOP/s of a matrix product by the library that inverts there; the first run is a warm-up."""
    ones = torch.ones(order, order, device=device)
    A = ones.numpy() if device.type == "cpu" else ones
    for _ in range(2):
        start = time.perf_counter()
        (A @ A)[0, 0].item()
    return 2 * order**3 / (time.perf_counter() - start)


def _size(number_of_bytes: int) -> str:
    return f"{number_of_bytes / 2**30:.1f} GiB"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"
