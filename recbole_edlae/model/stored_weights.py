r"""
Stored weights
################################################
The checks of the tensors of a checkpoint or an export before a linear model reads them. Compiled code trusts shapes and
indices: with others it would read beyond its arrays.
"""

from collections.abc import Mapping

import scipy.sparse as sp
import torch

from recbole_edlae.solvers import SymmetricTiles
from recbole_edlae.solvers.checks import check_indices

# The axes of every tensor of a form, by which it is checked: one that is missing here would be read unchecked. Axes of
# one name have one length; "items" is that of the data.
_FLOATS = {
    "encoder": ("items", "columns"),
    "decoder": ("items", "columns"),
    "packed.values": ("values",),
    "packed.left": ("left",),
    "packed.right": ("items",),
    "packed.diagonal": ("items",),
    "sparse.weight": ("weights",),
    "graph.values": ("interactions",),
    "graph.coefficients": ("coefficients",),
    "graph.scale": ("items",),
    "low_pass.encoder": ("items", "rank"),
    "low_pass.decoder": ("items", "rank"),
}
_INTEGERS = {
    "packed.bounds": ("bounds",),
    "sparse.indptr": ("items + 1",),
    "sparse.target": ("weights",),
    "graph.indptr": ("users + 1",),
    "graph.items": ("interactions",),
}
_SPARSE = {  # in CSR: values, columns and where the rows begin
    "the matrix of weights": ("sparse.weight", "sparse.target", "sparse.indptr"),
    "the graph": ("graph.values", "graph.items", "graph.indptr"),
}


def check_tensors(tensors: Mapping[str, torch.Tensor], n_items: int, of: str = "items") -> None:
    r"""Check shapes, types and indices of the weights of a linear model, by the names that checkpoints have.

    Args:
        tensors (Mapping): Name -> tensor.
        n_items (int): How many items the data have.
        of (str): What is counted, "users" where these are weights of users for each other.

    Raises:
        ValueError: A tensor has another shape or type, an index lies outside of what it indexes, or the weights are of
            another number of items.
    """
    _check_shapes(tensors, n_items, of)
    _check_types(tensors)

    # Factors have any width; a matrix is square, and one of no columns stands for another form.
    if (
        "encoder" in tensors
        and "decoder" not in tensors
        and tensors["encoder"].shape[1] not in (0, n_items)
    ):
        raise ValueError(
            f"the checkpoint has an encoder of shape {tuple(tensors['encoder'].shape)} and no decoder"
        )

    # What compiled loops rely on.
    if "packed.values" in tensors and "packed.bounds" in tensors:
        _check_packed(tensors, n_items)
    for name, arrays in _SPARSE.items():
        if all(array in tensors for array in arrays):
            _check_sparse(name, tensors, arrays, n_items)


def _check_shapes(tensors: Mapping[str, torch.Tensor], n_items: int, of: str) -> None:
    """Check that axes of one name have one length."""
    lengths = {"items": n_items, "items + 1": n_items + 1}
    for name, axes in (_FLOATS | _INTEGERS).items():
        if name not in tensors:
            continue
        shape = tuple(tensors[name].shape)
        if len(shape) != len(axes):
            raise ValueError(f"{name} must have {len(axes)} axes ({', '.join(axes)}), got shape {shape}")
        if 0 in shape and name == "graph.coefficients":
            raise ValueError(f"{name} must have at least one entry")

        # The most frequent reason has its own message: other data.
        if axes[0] == "items" and shape[0] != n_items:
            raise ValueError(
                f"the checkpoint has weights for {shape[0]} {of}, the data have {n_items}: it was trained on other "
                "data or other filters"
            )

        # The first tensor that has an axis says how long it is.
        for axis, length in zip(axes, shape):
            if lengths.setdefault(axis, length) != length:
                raise ValueError(f"{name} has shape {shape}, and {axis} must be {lengths[axis]}")


def _check_types(tensors: Mapping[str, torch.Tensor]) -> None:
    """Check that weights are floats of one type, and indices integers."""
    types = {tensors[name].dtype for name in _FLOATS if name in tensors}
    if len(types) > 1 or not all(dtype.is_floating_point for dtype in types):
        raise ValueError(
            f"the weights must be floats of one type, got {', '.join(sorted(map(str, types)))}"
        )
    for name in _INTEGERS:
        if name in tensors and tensors[name].dtype not in (torch.int32, torch.int64):
            raise ValueError(f"{name} must be int32 or int64, got {tensors[name].dtype}")


def _check_packed(tensors: Mapping[str, torch.Tensor], n_items: int) -> None:
    """Check that the tiles are those of a matrix of all items."""
    matrix = SymmetricTiles(tensors["packed.values"], tensors["packed.bounds"])
    if len(matrix) != n_items:
        raise ValueError(f"packed.bounds must end with the number of items, {n_items}, got {len(matrix)}")
    left = tensors.get("packed.left")
    if left is not None and len(left) not in (0, n_items):
        raise ValueError(f"packed.left must have no entries or {n_items}, got {len(left)}")


def _check_sparse(
    name: str, tensors: Mapping[str, torch.Tensor], arrays: tuple[str, ...], n_items: int
) -> None:
    """Check that the rows of a sparse matrix are those of its entries, and its columns items."""
    values, columns, indptr = (tensors[array].detach().cpu().numpy() for array in arrays)

    # SciPy would take fewer entries without a word.
    if not len(indptr) or indptr[-1] != len(values):
        raise ValueError(f"{arrays[2]} must end with the number of entries, {len(values)}")
    matrix = sp.csr_matrix((values, columns, indptr), shape=(len(indptr) - 1, n_items))
    check_indices(matrix, name)
