"""Dispatch to the low-rank solvers."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from recbole_edlae._choices import closest_first
from recbole_edlae.solvers._admm import admm
from recbole_edlae.solvers._als import als
from recbole_edlae.solvers._eigen import eigen
from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._finite import check_gram
from recbole_edlae.solvers._free_diagonal import free_diagonal
from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers._weight_decay import weight_decay
from recbole_edlae.solvers._zero_diagonal import zero_diagonal

METHODS: dict[str, Callable[..., LowRank]] = {
    "admm": admm,
    "als": als,
    "eigen": eigen,
    "zero_diagonal": zero_diagonal,
    "free_diagonal": free_diagonal,
    "weight_decay": weight_decay,
}


def low_rank(
    G: Symmetric, rank: int, *, dropout: float, l2: float, method: str = "admm", **settings: Any
) -> LowRank:
    """Return the low-rank weights B = UVᵀ of a linear autoencoder from its Gram matrix.

    Args:
        G: Symmetric, shape (n, n), the Gram matrix (``gram``), float32 or float64; left as it is.
        rank: k, from 1 to n.
        dropout: p in [0, 1); 0 for weight_decay.
        l2: λ ≥ 0, in the units of G (interactions).
        method: one of those in the Notes.
        **settings: progress for all of them, called as ``progress(done, total)``. For the iterative ones (admm, als,
            zero_diagonal): tol, the residual to stop at; max_iter, the largest number of iterations; start, "eigen",
            "random" or a pair (u, v) to resume from; generator, the torch.Generator of a random start. For als and
            zero_diagonal: cg_steps, those of conjugate gradients for U in each iteration. For admm: omega > 0, the
            weight of β = d relative to diag M; from .1 to 10 it changes the path, not the end. The methods have their
            defaults.

    Returns:
        LowRank(u, v, converged, history), u and v of shape (n, k), dtype and device G's. Items that nobody used
        (zero rows of G) have zero rows. history has one (objective, residual) an iteration.

    Raises:
        ValueError: unknown method, a setting that the method does not have, a parameter out of range, G not a square
            float torch.Tensor of finite entries, or a result that would not be finite.
        SingularError: G + diag Λ is singular to working precision; a ValueError.

    Warns:
        ConvergenceWarning: an iterative method stopped before its residual reached tol.

    Notes:
        Notation: n items, k the rank; U maps a user's items to k numbers, V maps those to scores: x ↦ x U Vᵀ.

        Objective: by method, with its source,

            admm            low-rank EDLAE, the diagonal left out of the objective (Steck 2020, Eq. 10)
            als             the same objective by exact alternating least squares: slower steps, fewer of them
            eigen           its closed-form approximation (Steck & Garcia 2021, Algorithm 1); where the others start
            zero_diagonal   low-rank EDLAE, the diagonal constrained to zero (Steck 2020, Eq. 11)
            free_diagonal   low-rank DLAE, no constraint on the diagonal (Steck 2020, Table 1, rows 2 and 3)
            weight_decay    ‖U‖² + ‖V‖² penalized instead of dropout (Steck 2020, Table 1, row 1)

        Each is derived in a file of its name.

        Cost: see the method.

    References:
        Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.

        Harald Steck and Dario Garcia Garcia. "On the regularization of autoencoders". arXiv 2110.11402, 2021.

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import gram, low_rank
        >>> X = sp.csr_matrix([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 1, 1]])
        >>> weights = low_rank(gram(X), 2, dropout=0.3, l2=1.0, tol=1e-2)
        >>> (X @ weights.u.numpy() @ weights.v.T.numpy()).shape  # scores
        (4, 4)
    """
    # A list or another value without a hash is refused like an unknown name.
    solver = None
    if isinstance(method, str):
        solver = METHODS.get(method)
    if solver is None:
        raise ValueError(f"method must be one of {_quoted(closest_first(method, METHODS))}; got {method!r}")

    allowed = low_rank_settings(method)
    for name in settings:
        if name not in allowed:
            nearest = _quoted(closest_first(name, allowed))
            raise ValueError(f"method {method!r} has no setting {name!r}; it has {nearest}")

    check_gram(G)
    try:
        return solver(G, rank, dropout=dropout, l2=l2, **settings)
    except (torch.linalg.LinAlgError, np.linalg.LinAlgError):
        raise ValueError(
            f"the decomposition of G fails at {G.dtype}: its values are too large or too small; scale X, or compute "
            "in float64"
        ) from None


def low_rank_settings(method: str) -> list[str]:
    """Return the settings of a method beside those of all, which are what its signature has."""
    return sorted(inspect.signature(METHODS[method]).parameters.keys() - {"G", "rank", "dropout", "l2"})


def _quoted(names: Iterable[str]) -> str:
    """Return names in quotes, with commas between them."""
    return ", ".join(map(repr, names))
