"""The low-rank linear autoencoder with weight decay, in closed form."""

import torch

from recbole_edlae.solvers._finite import check_finite, check_gram
from recbole_edlae.solvers._iterations import finished
from recbole_edlae.solvers._parameters import check_l2, check_rank
from recbole_edlae.solvers._spectral import top_eigenvectors


def weight_decay(G, rank, *, dropout=0.0, l2, progress=None):
    """The low-rank linear autoencoder whose factors are penalised one by one.

    Notation: G = Q diag(σ²) Qᵀ, σ² in falling order.

    Objective (Steck 2020, Table 1, row 1): ‖X − X UVᵀ‖² + λ (‖U‖² + ‖V‖²). It shrinks the spectrum as a nuclear norm
    does, and its exact minimum is U = V = Q_k (1 − λ/σ²)₊^½: directions with σ² ≤ λ are zero columns.

    Equivalent to: minimising the objective by its gradient from any start; there are no other minima.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), float32 or float64.
        rank: k, from 1 to n.
        dropout: 0; the closed form knows no other.
        l2: λ ≥ 0, in the units of G (interactions).
        progress: called once, as ``progress(1, 1)``.

    Returns:
        LowRank, u equal to v; no history.

    Raises:
        ValueError: a parameter is out of range, or G is not square or not float.

    Cost: that of ``top_eigenvectors``; no inverse.
    """
    check_gram(G)
    check_finite(G, "G")
    check_rank(rank, len(G))
    check_l2(l2)
    if dropout != 0:
        raise ValueError(f"method 'weight_decay' has no dropout: it must be 0, got {dropout!r}")
    power, Q = top_eigenvectors(G.matmul, G.clone, G.diagonal(), rank)
    Q[G.diagonal() == 0] = 0
    gain = torch.where(power > l2, 1 - l2 / power, 0)
    U = Q * gain.sqrt()
    if progress is not None:
        progress(1, 1)
    return finished(U, U.clone(), True, ())
