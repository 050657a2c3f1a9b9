r"""
Resources
################################################
What a fit is going to take, and whether this machine has it: known before anything large is allocated.
"""

import functools
import os
import pathlib
import time
from collections.abc import Iterator

import psutil
import torch

# What helps when memory does not suffice; `{items}` is what would fit.
WAYS_OUT = (
    "keep fewer items: item_inter_num_interval='[10,inf)' leaves out those with less than 10 interactions, and about "
    "{items} items would fit",
    "EDLAE with neighbors=200: every item has weights for that many others only",
    "a machine with more memory",
)


def check_memory(
    items: int, values: int, more: int, device: torch.device, operations: int | None = None
) -> str:
    r"""Raise MemoryError, with the ways out, for a fit that would not fit.

    Args:
        items (int): Number of items.
        values (int): Numbers in single precision that are held at once.
        more (int): Bytes beside them.
        device (torch.device): Where they are held.
        operations (int, optional): Multiply-adds that the fit takes. Defaults to ``None``, for items³.

    Returns:
        str: What the fit takes, for the log.
    """
    needed = 4 * values + more
    at_hand = memory_at_hand(device)
    if needed > at_hand:
        raise too_large(items, values, more, device)

    # The log says what to expect before the fit begins.
    operations = operations or items**3
    seconds = operations / _operations_a_second(device)
    text = f"{items} items: {_size(needed)} of {_size(at_hand)} memory at hand"
    return f"{text}, {operations:.1e} operations, about {_duration(seconds)}"


def too_large(items: int, values: int, more: int, device: torch.device) -> MemoryError:
    r"""Return the error that says what a fit takes, what there is, and the ways out."""
    at_hand = memory_at_hand(device)

    # Memory grows with the square of the items.
    fit = int(items * (max(at_hand - more, 0) / (4 * values)) ** 0.5)
    ways = "; ".join(WAYS_OUT).format(items=min(fit, items - 1))

    where = "" if device.type == "cpu" else f" on {device}"
    return MemoryError(
        f"a fit on {items} items: {_size(4 * values + more)} of {_size(at_hand)} memory at hand{where} "
        f"({values / items**2:.2g} × items² numbers in single precision). Ways out: {ways}"
    )


def check_sparse_memory(items: int, neighbors: int, needed: int) -> str:
    r"""Raise MemoryError for a fit with ``neighbors`` that would not fit, as :func:`check_memory` does.

    Args:
        items (int): Number of items.
        neighbors (int): Weights for each of them.
        needed (int): Bytes that the fit takes.

    Returns:
        str: What the fit takes, for the log.
    """
    at_hand = memory_at_hand(torch.device("cpu"))
    text = f"{items} items with {neighbors} neighbors: {_size(needed)} of {_size(at_hand)} memory at hand"
    if needed > at_hand:
        raise MemoryError(
            f"a fit on {text}. Ways out: fewer neighbors, at 24 bytes each for every item; fewer items or shorter "
            "histories, item_inter_num_interval='[10,inf)' or user_inter_num_interval='[0,1000]', as every two items "
            "of a user take 8 bytes; a machine with more memory"
        )
    return text


def check_graph_memory(items: int, values: int) -> str:
    r"""Raise MemoryError for a filter of the item graph that would not fit, as :func:`check_memory` does.

    Args:
        items (int): Number of items.
        values (int): Numbers in single precision that are held at once.

    Returns:
        str: What the filter takes, for the log.
    """
    at_hand = memory_at_hand(torch.device("cpu"))
    text = f"{items} items: {_size(4 * values)} of {_size(at_hand)} memory at hand"
    if 4 * values > at_hand:
        raise MemoryError(
            f"a graph filter on {text}. Ways out: a lower low_pass_rank; fewer items or users, "
            "item_inter_num_interval='[10,inf)' or user_inter_num_interval='[10,inf)'; a machine with more memory"
        )
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
