"""How many numbers the solvers hold at most, known before they start; their size depends on the precision.

Each forecast loads the solver that it is of, and no other one. A Gram matrix's is beside it, ``scale.gram``.
"""

__all__ = ["graph_filter_values", "low_pass_values", "low_rank_values", "packed_values"]


def packed_values(n: int) -> int:
    """Return how many numbers ``SymmetricTiles`` of n rows have."""
    from recbole_edlae.solvers.scale.tiles import size

    return size(n)


def low_rank_values(n: int, rank: int, method: str, matrix: int, device: str = "cpu") -> int:
    """Return how many numbers a method of ``low_rank`` holds at most, those of G (``matrix``) included.

    Beside G and C: in the decomposition, the Krylov space of ``top_eigenvectors`` or the dense matrix and LAPACK's
    workspace (``_decomposition_values``); in the iterations, n × k arrays.
    """
    # All but weight_decay hold G and C.
    matrices = 2 * matrix
    if method == "weight_decay":
        matrices = matrix

    from recbole_edlae.solvers._low_rank import low_rank_settings

    # The iterations' arrays, counted in their files: n × k ones and bases of k × k.
    iterations = 0
    if "max_iter" in low_rank_settings(method):
        iterations = 26 * n * rank + 8 * rank**2
    return matrices + _decomposition_values(n, rank, device) + iterations


def low_pass_values(n: int, rank: int) -> int:
    """Return how many numbers in single precision ``low_pass`` and ``local_weights`` hold at most beside a matrix."""
    from recbole_edlae.solvers._spectral import krylov_dimensions

    # LAPACK's way is in double precision (see `low_pass`).
    precision = 1
    if krylov_dimensions(n, rank) is None:
        precision = 2
    return precision * _decomposition_values(n, rank, "cpu") + 6 * n * rank


def graph_filter_values(n: int, users: int, entries: int) -> int:
    """Return how many numbers in single precision a GraphFilter and its ``scores`` hold, beside the scores."""
    from recbole_edlae.solvers._graph_filter import WIDTH

    return 2 * 2 * entries + 2 * n + users + WIDTH * (3 * n + users)


def _decomposition_values(n: int, rank: int, device: str) -> int:
    """Return how many numbers of its type ``top_eigenvectors`` holds at most, beside what it multiplies with.

    The factors are what was measured with SciPy's and torch's LAPACK.
    """
    if device != "cpu":
        return 4 * n * n

    from recbole_edlae.solvers._spectral import krylov_dimensions

    # The basis, and T with the workspace of its decomposition.
    krylov = krylov_dimensions(n, rank)
    if krylov is not None:
        return krylov * n + 6 * krylov**2

    # LAPACK's partial and its full decomposition (see `top_eigenvectors`).
    if 2 * rank <= n:
        return 2 * n * n
    return 10 * n * n
