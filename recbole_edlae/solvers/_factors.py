"""The result of the low-rank solvers, apart from them: whoever only handles weights needs none of their steps."""

from typing import NamedTuple

import torch


class Iteration(NamedTuple):
    """One entry of the history: the objective and the residual after an iteration."""

    objective: float
    residual: float


class LowRank(NamedTuple):
    """The weights B = UVᵀ of a low-rank model, B[input, target].

    Attributes:
        u: U, shape (n, k).
        v: V, shape (n, k).
        converged: whether the residual is at most tol; True for a closed form.
        history: one ``Iteration`` (objective, residual) for each iteration; empty for a closed form.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import low_rank
        >>> G = torch.tensor([[3.0, 2.0, 1.0], [2.0, 4.0, 1.0], [1.0, 1.0, 2.0]])
        >>> weights = low_rank(G, 2, method="eigen", dropout=0.5, l2=1.0)
        >>> (weights.u @ weights.v.T).shape, weights.converged, weights.history
        (torch.Size([3, 3]), True, ())
    """

    u: torch.Tensor
    v: torch.Tensor
    converged: bool
    history: tuple[Iteration, ...]
