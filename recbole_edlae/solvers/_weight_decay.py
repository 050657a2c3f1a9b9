"""The low-rank linear autoencoder with weight decay, in closed form."""

import torch

from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._finite import check_entries, check_gram
from recbole_edlae.solvers._iterations import checked_result
from recbole_edlae.solvers._matrix import Symmetric, dense_copy
from recbole_edlae.solvers._spectral import top_eigenvectors
from recbole_edlae.solvers.parameters import Progress, check_number, check_rank


def weight_decay(
    G: Symmetric, rank: int, *, dropout: float = 0.0, l2: float, progress: Progress | None = None
) -> LowRank:
    """Return the low-rank linear autoencoder whose two factors are penalized separately.

    Arguments and errors are those of ``low_rank``; dropout must be 0, as the closed form has no other.
    The result has u equal to v and no history.

    Notes:
        Notation: G = Q diag(σ²) Qᵀ, σ² in falling order.

        Objective (Steck 2020, Table 1, row 1): ‖X − X UVᵀ‖² + λ (‖U‖² + ‖V‖²). It shrinks the spectrum as a nuclear
        norm does, and its exact minimum is U = V = Q_k (1 − λ/σ²)₊^½: directions with σ² ≤ λ are zero columns.

        Equivalent to: minimizing the objective by its gradient from any start; there are no other minima.

        Cost: that of ``top_eigenvectors``; no inverse.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import low_rank
        >>> u, v = low_rank(torch.diag(torch.tensor([4.0, 8.0])), 1, method="weight_decay", dropout=0, l2=2.0)[:2]
        >>> torch.allclose(u @ v.T, torch.diag(torch.tensor([0.0, 0.75])))  # 1 − 2/8
        True
    """
    check_gram(G)
    check_entries(G)
    check_rank(rank, len(G))
    l2 = check_number("l2", l2, at_least=0)
    if dropout != 0:
        raise ValueError(f"method 'weight_decay' has no dropout: it must be 0, got {dropout!r}")

    # G = Q diag(σ²) Qᵀ; rounding leaves nonzero rows for items that nobody used.
    squares, Q = top_eigenvectors(lambda x: G @ x, lambda: dense_copy(G), G.diagonal(), rank)
    Q[G.diagonal() == 0] = 0

    # U = Q_k (1 − λ/σ²)₊^½
    gain = torch.where(squares > l2, 1 - l2 / squares, 0)
    U = Q * gain.sqrt()

    if progress is not None:
        progress(1, 1)
    return checked_result(U, U.clone())
