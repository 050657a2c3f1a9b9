"""The Gram matrix of shards that lie on, or are read by, several machines."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import scipy.sparse as sp
import torch

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
    """Return ``solvers.gram_of_shards``, each worker of a Ray cluster adding up its share of the shards.

    Args:
        shards: paths of ``scipy.sparse.save_npz``, which every machine finds under the same name, or SciPy sparse
            matrices, which are sent to the workers.
        user_weight_power: as in ``solvers.gram_of_shards``.
        dtype: as in ``solvers.gram_of_shards``.
        engine: "sequential" for this process, or "ray": the cluster that RAY_ADDRESS names or that runs on this
            machine, a local one otherwise.
        workers: how many share the shards, each with two n x n arrays of its own; None for all of the cluster's cores.

    Returns:
        Tensor of shape (n, n). The shares are added in their own order: the same shards and workers, the same result.

    Raises:
        ValueError: the engine is unknown or missing, or what ``solvers.gram_of_shards`` raises.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}; got {engine!r}")
    options: dict[str, Any] = {"user_weight_power": user_weight_power, "dtype": dtype}
    if engine == "sequential":
        return in_this_process(shards, **options)
    shards = list(shards)
    total = PartialGram(**options)
    with cluster() as ray:
        workers = min(workers or int(ray.cluster_resources().get("CPU", 1)), len(shards))
        remote = ray.remote(_add_up)
        pending = [remote.remote(shards[first::workers], options) for first in range(workers)]
        while pending:
            total.merge(ray.get(pending.pop(0)))
    return total.finish()


def _add_up(shards: Sequence[Shard], options: dict[str, Any]) -> PartialGram:
    """Add up the share of one worker."""
    partial = PartialGram(**options)
    for shard in shards:
        partial.add(shard)
    return partial
