"""The low-rank solvers behind one door."""

import difflib
import inspect

import numpy as np
import torch

from recbole_edlae.solvers._admm import admm
from recbole_edlae.solvers._als import als
from recbole_edlae.solvers._eigen import eigen
from recbole_edlae.solvers._finite import check_gram
from recbole_edlae.solvers._free_diagonal import free_diagonal
from recbole_edlae.solvers._weight_decay import weight_decay
from recbole_edlae.solvers._zero_diagonal import zero_diagonal

METHODS = {
    "admm": admm,
    "als": als,
    "eigen": eigen,
    "zero_diagonal": zero_diagonal,
    "free_diagonal": free_diagonal,
    "weight_decay": weight_decay,
}


def low_rank(G, rank, *, dropout, l2, method="admm", **settings):
    """Low-rank weights B = UVᵀ of a linear autoencoder from its Gram matrix.

    Notation: n items, k the rank; U takes a user's items to k numbers, V those to scores: x ↦ x U Vᵀ.

    Objective: by method, with its source (Steck 2020: "Autoencoders that don't overfit towards the Identity",
    NeurIPS; Steck & Garcia 2021: "On the regularization of autoencoders", arXiv 2110.11402),

        admm            low-rank EDLAE, the diagonal left out of the objective (Steck 2020, Eq. 10)
        als             the same objective by exact alternating least squares: slower steps, fewer of them
        eigen           its closed-form approximation (Steck & Garcia 2021, Algorithm 1); where the others start
        zero_diagonal   low-rank EDLAE, the diagonal constrained to zero (Steck 2020, Eq. 11)
        free_diagonal   low-rank DLAE, no constraint on the diagonal (Steck 2020, Table 1, rows 2 and 3)
        weight_decay    ‖U‖² + ‖V‖² penalised instead of dropout (Steck 2020, Table 1, row 1)

    Each has a file of its own name that derives it.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), float32 or float64; left as it is.
        rank: k, from 1 to n.
        dropout: p in [0, 1); 0 for weight_decay.
        l2: λ ≥ 0, in the units of G (interactions).
        method: one of the above.
        settings: progress for all of them; tol, max_iter, start and generator for the iterative ones (admm, als,
            zero_diagonal); omega for admm; cg_steps for als and zero_diagonal. Defaults stand in the methods.

    Returns:
        LowRank(u, v, converged, history): u and v of shape (n, k), dtype and device G's. Items that nobody used
        (zero rows of G) have zero rows. history has one (objective, residual) an iteration.

    Raises:
        ValueError: unknown method, a setting that the method does not have, a parameter out of range, G not a square
            float torch.Tensor of finite entries, or a result that would not be finite.
        SingularError: G + diag Λ is singular to working precision; a ValueError.

    Warns:
        ConvergenceWarning: an iterative method stopped short of its tol.

    Cost: see the method.
    """
    solver = METHODS.get(method) if isinstance(method, str) else None
    if solver is None:
        raise ValueError(f"method must be one of {_choices(method, METHODS)}; got {method!r}")
    allowed = set(inspect.signature(solver).parameters) - {"G", "rank", "dropout", "l2"}
    for name in settings:
        if name not in allowed:
            raise ValueError(f"method {method!r} has no setting {name!r}; it has {_choices(name, sorted(allowed))}")
    check_gram(G)
    try:
        return solver(G, rank, dropout=dropout, l2=l2, **settings)
    except (torch.linalg.LinAlgError, np.linalg.LinAlgError):
        raise ValueError(
            f"the decomposition of G fails at {G.dtype}: its values are too large or too small; scale X, or compute "
            "in float64"
        ) from None


def _choices(given, names):
    """The names, those most like the given one first."""
    close = difflib.get_close_matches(str(given), names)
    return ", ".join(map(repr, [*close, *(name for name in names if name not in close)]))
