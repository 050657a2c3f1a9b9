"""Turn weights into those that an export holds: in half precision, or the largest of each item only."""

from collections.abc import Mapping

import torch

from recbole_edlae.model.weights import Weights
from recbole_edlae.serving.checkpoint_file import largest

DTYPES = {"float32": torch.float32, "float16": torch.float16}


def portable_tensors(
    model: str, state: Mapping[str, torch.Tensor], weights: Weights, prefix: str, *, dtype: str, top: int | None
) -> dict[str, torch.Tensor]:
    """Return the tensors of a model as an export holds them.

    Args:
        model: its name, for messages.
        state: its ``state_dict``.
        weights: its linear weights, or of its linear path.
        prefix: what precedes their names in ``state``.
        dtype: one of DTYPES.
        top: N ≥ 1: keep the N weights of largest magnitude for each target item; None for all.

    Raises:
        ValueError: There are no item × item weights to thin out, or a weight is too large for dtype.
    """
    tensors = {name: value.to("cpu") for name, value in state.items()}
    single = [prefix + name for name in weights.single_precision]
    if top is None and DTYPES[dtype] == torch.float16:
        tensors |= {prefix + name: value for name, value in weights.portable().items()}
    if top is not None:
        try:
            thinned = weights.thinned(top).tensors()
        except ValueError:
            raise ValueError(f"top thins out full item × item weights; {model} here has none") from None
        for name in weights.tensors():  # they would be read instead
            del tensors[prefix + name]
        tensors |= {prefix + name: value for name, value in thinned.items()}
    limit = torch.finfo(DTYPES[dtype]).max
    for name, value in tensors.items():
        if value.is_floating_point() and name not in single:
            if not (size := largest(value)) <= limit:
                raise ValueError(f"dtype {dtype} holds numbers up to {limit:,.0f}; {name} has a weight of {size:,.6g}")
            tensors[name] = value.to(DTYPES[dtype])
    return {name: value.contiguous() for name, value in tensors.items()}
