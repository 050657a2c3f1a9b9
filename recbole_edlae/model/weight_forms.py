r"""
Forms of weights
################################################
Makes weights of what a solver returned or a checkpoint has. Forms other than dense and factors register themselves.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import torch

from recbole_edlae.model.weights import Dense, Factors, Unfitted, Weights

_MODULES = ("packed_weights", "sparse_weights", "filter_weights", "local_weights")
_solutions: list[tuple[type | tuple[type, ...], Callable[[Any], Weights]]] = []
_stored: list[tuple[tuple[str, ...], Callable[[Mapping[str, torch.Tensor]], Weights | None]]] = []


def register(
    names: tuple[str, ...],
    of_tensors: Callable[[Mapping[str, torch.Tensor]], Weights | None],
    solution: type | tuple[type, ...],
    of_solution: Callable[[Any], Weights],
    holds_others: bool = False,
) -> None:
    r"""Add a form of weights.

    Args:
        names (tuple of str): The tensors by which a checkpoint of this form is known.
        of_tensors (callable): Makes the weights of name -> tensor.
        solution (type or tuple of types): What a solver returns.
        of_solution (callable): Makes the weights of that.
        holds_others (bool): Whether the form has weights of another form inside, whose tensors a checkpoint has too.
    """
    _solutions.append((solution, of_solution))

    # The other form's tensors would match as well.
    position = 0 if holds_others else len(_stored)
    _stored.insert(position, (names, of_tensors))


def of_solution(solution: Any) -> Weights:
    r"""Return the weights that a solver returned, in its form.

    Args:
        solution (torch.Tensor, PackedWeights, LowRank, LocalWeights, GraphFilter or SciPy sparse matrix): item x item
            weights
    """
    # The two forms of small catalogs load none of the others.
    if isinstance(solution, torch.Tensor):
        return Dense(encoder=solution)

    from recbole_edlae.solvers import LowRank

    if isinstance(solution, LowRank):
        return Factors(encoder=solution.u, decoder=solution.v)

    _load_forms()
    for kind, make in _solutions:
        if isinstance(solution, kind):
            return make(solution)
    raise TypeError(f"no solver returns weights as a {type(solution).__name__}")


def of_tensors(tensors: Mapping[str, torch.Tensor]) -> Weights | None:
    r"""Return the weights of a checkpoint, whatever their form and rank; None where it has none."""
    _load_forms()
    for names, make in _stored:
        if tensors.keys() >= set(names):
            return make(tensors)

    if "encoder" not in tensors:
        return None
    encoder = tensors["encoder"]
    if "decoder" in tensors:
        return Factors(encoder=encoder, decoder=tensors["decoder"])

    # Weights that were never fitted have no columns.
    if encoder.shape[1] == 0:
        return Unfitted(encoder=encoder)
    return Dense(encoder=encoder)


def _load_forms() -> None:
    """Import the modules of the other forms, which import this one."""
    for module in _MODULES:
        importlib.import_module(f"recbole_edlae.model.{module}")


def __getattr__(name: str) -> Any:
    """Return ``NAMES``, of every tensor that a checkpoint may have."""
    if name != "NAMES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _load_forms()
    return (*Factors.names, *(tensor for names, _ in _stored for tensor in names))
