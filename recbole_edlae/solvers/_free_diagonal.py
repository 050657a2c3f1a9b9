"""Low-rank DLAE in closed form: no constraint on the diagonal."""

from recbole_edlae.solvers._finite import check_gram
from recbole_edlae.solvers._iterations import finished
from recbole_edlae.solvers._parameters import check_rank
from recbole_edlae.solvers._spectral import truncate
from recbole_edlae.solvers._system import System


def free_diagonal(G, rank, *, dropout, l2, progress=None):
    """The low-rank linear autoencoder whose product UVᵀ is penalised and whose diagonal is free.

    Notation: p dropout, M = G + diag Λ, Λ = ``penalty``; C = M⁻¹.

    Objective (Steck 2020, Table 1, row 2 for p = 0 and row 3, DLAE, for p > 0): ‖X − X UVᵀ‖² + ‖Λ^½ UVᵀ‖². Its exact
    minimum is U = C G V with V the top-k eigenvectors of G C G. That is the best rank-k approximation, in the metric
    M, of the full-rank DLAE B̂ = C G = I − C diag Λ; at rank n, UVᵀ = B̂.

    Equivalent to: ``numpy.linalg.eigh`` of G C G; at rank n, ``full_rank(G, …, emphasis=(1, 1))``.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), float32 or float64.
        rank: k, from 1 to n.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).
        progress: called as ``progress(done, total)`` while the matrix is inverted.

    Returns:
        LowRank; VᵀV = I; no history.

    Raises:
        ValueError: a parameter is out of range, G is not square or not float, or G + diag Λ is singular.

    Cost: n³ operations for C and those of ``top_eigenvectors``; n² values, 2 n² above rank n / 10.
    """
    check_gram(G)
    check_rank(rank, len(G))
    system = System(G, dropout=dropout, l2=l2)
    U, V = truncate(system, system.inverse(progress=progress), system.Lambda, rank)
    return finished(U, V, True, ())
