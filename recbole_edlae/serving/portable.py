"""Turn weights into those that an export holds: in half precision, or the largest of each item only."""

import contextlib
from collections.abc import Mapping

import torch

from recbole_edlae.integration.checkpoint_file import largest
from recbole_edlae.model import sparse_weights
from recbole_edlae.model.weights import Weights

DTYPES = {"float32": torch.float32, "float16": torch.float16}


def portable_tensors(
    model: str, state: Mapping[str, torch.Tensor], linear: Mapping[str, Weights], *, dtype: str, top: int | None
) -> dict[str, torch.Tensor]:
    """Return the tensors of a model as an export holds them.

    Args:
        model: its name, for messages.
        state: its ``state_dict``.
        linear: what precedes their names in ``state`` → its linear weights, or those of its linear members.
        dtype: one of DTYPES.
        top: N ≥ 1: keep the N weights of largest magnitude for each target item; None for all.

    Raises:
        ValueError: There are no item × item weights to thin out, or a weight is too large for dtype.
    """
    tensors = {name: value.to("cpu") for name, value in state.items()}
    single = [prefix + name for prefix, weights in linear.items() for name in weights.single_precision]
    if top is None and DTYPES[dtype] == torch.float16:
        for prefix, weights in linear.items():
            tensors |= {prefix + name: value for name, value in weights.portable().items()}
    if top is not None:
        thinned = _thinned(linear, top)
        if not thinned:
            raise ValueError(f"top thins out full item × item weights; {model} here has none")
        for prefix, thin in thinned.items():
            for name in linear[prefix].tensors():  # they would be read instead
                del tensors[prefix + name]
            tensors |= {prefix + name: value for name, value in thin.tensors().items()}
    limit = torch.finfo(DTYPES[dtype]).max
    for name, value in tensors.items():
        if value.is_floating_point() and name not in single:
            if not (size := largest(value)) <= limit:
                raise ValueError(f"dtype {dtype} holds numbers up to {limit:,.0f}; {name} has a weight of {size:,.6g}")
            tensors[name] = value.to(DTYPES[dtype])
    return {name: value.contiguous() for name, value in tensors.items()}


def _thinned(linear: Mapping[str, Weights], top: int) -> dict[str, sparse_weights.Sparse]:
    """Return prefix → thinned-out weights of those that are of full rank."""
    thinned = {}
    for prefix, weights in linear.items():
        with contextlib.suppress(ValueError):  # of a low rank or a filter
            thinned[prefix] = sparse_weights.thinned(weights.blocks(), top)
    return thinned
