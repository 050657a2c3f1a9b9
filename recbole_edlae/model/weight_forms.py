r"""
Forms of weights
################################################
Makes weights of what a solver returned or a checkpoint has. Forms other than dense and factors are loaded by need.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import torch

from recbole_edlae.model.weights import Dense, Factors, Unfitted, Weights

# Local weights come first: they have another form inside, whose tensors a checkpoint has too.
_FORMS = {
    "local_weights": "Local",
    "packed_weights": "Packed",
    "sparse_weights": "Sparse",
    "filter_weights": "Filter",
}


def of_solution(solution: Any) -> Weights:
    r"""Return the weights that a solver returned, in its form."""
    # The two forms of small catalogs load none of the others.
    if isinstance(solution, torch.Tensor):
        return Dense(encoder=solution)

    from recbole_edlae.solvers import LowRank

    if isinstance(solution, LowRank):
        return Factors(encoder=solution.u, decoder=solution.v)

    for form in _forms():
        if isinstance(solution, form.solution):
            return form.of(solution)
    raise TypeError(f"no solver returns weights as a {type(solution).__name__}")


def of_tensors(tensors: Mapping[str, torch.Tensor]) -> Weights | None:
    r"""Return the weights of a checkpoint, whatever their form and rank; None where it has none."""
    for form in _forms():
        if tensors.keys() >= set(form.names):
            return form.of_tensors(tensors)

    if "encoder" not in tensors:
        return None
    if "decoder" in tensors:
        return Factors.of_tensors(tensors)

    # Weights that were never fitted have no columns.
    if tensors["encoder"].shape[1] == 0:
        return Unfitted.of_tensors(tensors)
    return Dense.of_tensors(tensors)


def names() -> list[str]:
    r"""Return the names of all tensors that a checkpoint may have."""
    return [name for form in (Factors, *_forms()) for name in form.names]


def _forms() -> list[Any]:
    """Return the classes of the other forms."""
    return [
        getattr(importlib.import_module(f"recbole_edlae.model.{module}"), name)
        for module, name in _FORMS.items()
    ]
