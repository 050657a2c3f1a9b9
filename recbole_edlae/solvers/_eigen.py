"""Low-rank EDLAE in closed form, approximately: the full-rank model cut to its leading directions."""

from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._finite import check_gram
from recbole_edlae.solvers._iterations import checked_result
from recbole_edlae.solvers._matrix import Symmetric
from recbole_edlae.solvers._spectral import truncate
from recbole_edlae.solvers._system import System
from recbole_edlae.solvers.parameters import Progress, check_rank


def eigen(
    G: Symmetric, rank: int, *, dropout: float, l2: float, progress: Progress | None = None
) -> LowRank:
    """Return the best rank-k approximation of the full-rank EDLAE, its diagonal included in the error.

    Arguments and errors are those of ``low_rank``. The result has VᵀV = I and no history.

    Notes:
        Notation: M = G + diag Λ, Λ = ``penalty``; C = M⁻¹, c its diagonal; B̂ = I − C diag(1/c) the full-rank EDLAE.

        Objective (Steck & Garcia 2021, Algorithm 1): tr[(UVᵀ − B̂)ᵀ M (UVᵀ − B̂)], solved exactly by the top-k
        eigenvectors V of B̂ᵀMB̂ and U = B̂V. It differs from low-rank EDLAE proper (Steck 2020, Eq. 10; ``als``,
        ``admm``) in that the diagonal of UVᵀ is held to zero like any other entry instead of being left out. At rank n,
        UVᵀ = B̂.

        Equivalent to: ``numpy.linalg.eigh`` of B̂ᵀMB̂.

        Cost: n³ operations for C and those of ``top_eigenvectors``; n² values, 2 n² above rank n / 10.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import full_rank, low_rank
        >>> G = torch.tensor([[3.0, 2.0, 1.0], [2.0, 4.0, 1.0], [1.0, 1.0, 2.0]])
        >>> u, v = low_rank(G, 3, method="eigen", dropout=0.5, l2=1.0)[:2]
        >>> torch.allclose(u @ v.T, full_rank(G, dropout=0.5, l2=1.0), atol=1e-5)
        True
    """
    check_gram(G)
    check_rank(rank, len(G))
    system = System(G, dropout=dropout, l2=l2)
    C = system.inverse(progress=progress)

    # B̂ = I − C diag μ with μ = 1/c, the full-rank EDLAE.
    U, V = truncate(system, C, 1 / C.diagonal(), rank)
    return checked_result(U, V)
