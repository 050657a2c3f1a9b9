"""Convert weights for an export: to half precision, or to the largest of each item only."""

from collections.abc import Mapping

import torch

from recbole_edlae.integration.checkpoint_file import largest
from recbole_edlae.model import sparse_weights
from recbole_edlae.model.weights import Weights

DTYPES = {"float32": torch.float32, "float16": torch.float16}


def portable_tensors(
    model: str,
    state: Mapping[str, torch.Tensor],
    linear: Mapping[str, Weights],
    *,
    dtype: str,
    top: int | None,
) -> dict[str, torch.Tensor]:
    """Return the tensors of a model's ``state_dict`` as an export holds them.

    Its linear weights, or those of its linear members, come by what precedes their names there. With ``top`` only so
    many of each target item are kept, those of largest magnitude.

    Raises:
        ValueError: There are no item × item weights to thin out, or a weight is too large for dtype.
    """
    tensors = {name: tensor.to("cpu") for name, tensor in state.items()}

    # Half precision may need another form of the weights, without numbers that it cannot hold.
    if top is None and DTYPES[dtype] == torch.float16:
        for prefix, weights in linear.items():
            tensors |= _prefixed(prefix, weights.portable())
    if top is not None:
        _thin_out(tensors, model, linear, top)

    # Some forms of weights have tensors whose digits all others depend on.
    single = []
    for prefix, weights in linear.items():
        single += [prefix + name for name in weights.single_precision]
    limit = torch.finfo(DTYPES[dtype]).max
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and name not in single:
            size = largest(tensor)
            if not size <= limit:
                raise ValueError(
                    f"dtype {dtype} holds numbers up to {limit:,.0f}; {name} has a weight of {size:,.6g}"
                )
            tensor = tensor.to(DTYPES[dtype])

        # safetensors writes contiguous tensors only.
        tensors[name] = tensor.contiguous()
    return tensors


def _thin_out(tensors: dict[str, torch.Tensor], model: str, linear: Mapping[str, Weights], top: int) -> None:
    """Replace full-rank weights among the tensors by their largest ones, in place."""
    is_thinned = False
    for prefix, weights in linear.items():
        # Weights of a low rank or of a filter have no entries to leave out.
        try:
            sparse = sparse_weights.thinned(weights.blocks(), top)
        except ValueError:
            continue
        is_thinned = True

        # A reader would prefer the full weights.
        for name in weights.tensors():
            del tensors[prefix + name]
        tensors |= _prefixed(prefix, sparse.tensors())
    if not is_thinned:
        raise ValueError(f"top thins out full item × item weights; {model} here has none")


def _prefixed(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return tensors by the names that a state_dict has for them."""
    return {prefix + name: tensor for name, tensor in tensors.items()}
