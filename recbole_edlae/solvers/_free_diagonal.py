"""Low-rank DLAE in closed form: no constraint on the diagonal."""

from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._finite import check_gram
from recbole_edlae.solvers._iterations import checked_result
from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers._spectral import truncate
from recbole_edlae.solvers._system import System
from recbole_edlae.solvers.parameters import Progress, check_rank


def free_diagonal(
    G: Symmetric, rank: int, *, dropout: float, l2: float, progress: Progress | None = None
) -> LowRank:
    """Return the low-rank linear autoencoder whose product UVᵀ is penalized and whose diagonal is free.

    Arguments and errors are those of ``low_rank``. The result has VᵀV = I and no history.

    Notes:
        Notation: p dropout, M = G + diag Λ, Λ = ``penalty``; C = M⁻¹.

        Objective (Steck 2020, Table 1, row 2 for p = 0 and row 3, DLAE, for p > 0): ‖X − X UVᵀ‖² + ‖Λ^½ UVᵀ‖². Its
        exact minimum is U = C G V with V the top-k eigenvectors of G C G. That is the best rank-k approximation, in the
        metric M, of the full-rank DLAE B̂ = C G = I − C diag Λ; at rank n, UVᵀ = B̂.

        Equivalent to: ``numpy.linalg.eigh`` of G C G; at rank n, ``full_rank(G, …, emphasis=(1, 1))``.

        Cost: n³ operations for C and those of ``top_eigenvectors``; n² values, 2 n² above rank n / 10.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import full_rank, low_rank
        >>> G = torch.tensor([[3.0, 2.0, 1.0], [2.0, 4.0, 1.0], [1.0, 1.0, 2.0]])
        >>> u, v = low_rank(G, 3, method="free_diagonal", dropout=0.5, l2=1.0)[:2]
        >>> torch.allclose(u @ v.T, full_rank(G, dropout=0.5, l2=1.0, emphasis=(1, 1)), atol=1e-5)
        True
    """
    check_gram(G)
    check_rank(rank, len(G))
    system = System(G, dropout=dropout, l2=l2)
    C = system.inverse(progress=progress)

    # B̂ = I − C diag Λ, the full-rank DLAE.
    U, V = truncate(system, C, system.Lambda, rank)
    return checked_result(U, V)
