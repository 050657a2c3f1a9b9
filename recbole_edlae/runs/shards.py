"""Compute the Gram matrix of shards on several machines."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import scipy.sparse as sp
import torch

from recbole_edlae._choices import choose
from recbole_edlae.runs.engine import ENGINES, cluster
from recbole_edlae.solvers import PartialGram
from recbole_edlae.solvers import gram_of_shards as in_this_process

Shard: TypeAlias = str | os.PathLike | sp.spmatrix


def gram_of_shards(
    shards: Iterable[Shard],
    *,
    user_weight_power: float = 0.0,
    dtype: torch.dtype = torch.float32,
    engine: str = "sequential",
    workers: int | None = None,
) -> torch.Tensor:
    """Return ``solvers.gram_of_shards``, where each worker of a Ray cluster adds up its share of the shards.

    Args:
        shards: paths of files of ``scipy.sparse.save_npz``, the same on every machine, or SciPy sparse matrices, which
            are sent to the workers.
        user_weight_power: as in ``solvers.gram_of_shards``.
        dtype: as in ``solvers.gram_of_shards``.
        engine: "sequential" for this process, or "ray" for the cluster that RAY_ADDRESS names or that runs on this
            machine, else a local one.
        workers: number of workers, each with two n x n arrays of its own; None takes all cores of the cluster.

    Returns:
        Tensor of shape (n, n). The shares are added in a fixed order, so the result is the same for the same shards
        and number of workers.

    Raises:
        ValueError: the engine is unknown or missing, or what ``solvers.gram_of_shards`` raises.
    """
    choose("engine", engine, ENGINES)
    options: dict[str, Any] = {"user_weight_power": user_weight_power, "dtype": dtype}
    if engine == "sequential":
        return in_this_process(shards, **options)

    shards = list(shards)
    total = PartialGram(**options)
    with cluster() as ray:
        cores = int(ray.cluster_resources().get("CPU", 1))
        workers = min(workers or cores, len(shards))

        # Every workers-th shard, so that all shares are about equal.
        remote = ray.remote(_add_up)
        pending = [remote.remote(shards[first::workers], options) for first in range(workers)]

        # Added in the order of the workers, whoever is ready first, and freed one by one.
        while pending:
            total.merge(ray.get(pending.pop(0)))
    return total.finish()


def _add_up(shards: Sequence[Shard], options: dict[str, Any]) -> PartialGram:
    """Add up the share of one worker."""
    partial = PartialGram(**options)
    for shard in shards:
        partial.add(shard)
    return partial
