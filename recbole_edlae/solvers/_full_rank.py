"""Full-rank linear denoising autoencoders in closed form: EASE, EDLAE, DLAE, RDLAE and everything between."""

from typing import Any, NamedTuple

import torch

from recbole_edlae.solvers._finite import check_finite, check_gram, check_tensor
from recbole_edlae.solvers._matrix import invert_sum, regularized_inverse, scaled_columns
from recbole_edlae.solvers.parameters import (
    Progress,
    check_diagonal_bound,
    check_dropout,
    check_emphasis,
    regularization,
)


def full_rank(
    G: Any,
    *,
    dropout: float,
    l2: float,
    emphasis: tuple[float, float] = (1.0, 0.0),
    diagonal_bound: float | None = None,
    item_count: torch.Tensor | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Any:
    """Return the item × item weights B of the linear autoencoder trained with emphasized dropout.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), SymmetricTiles or SparseGram; float32 or float64.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).
        emphasis: (a, b), a > 0 and b ≥ 0: weight of the error on dropped and on kept entries.
        diagonal_bound: ξ ≥ 0, the largest value that B may have on its diagonal; None for no bound.
        item_count: torch.Tensor, shape (n,): n_i ≥ 0, what the dropout's part of Λ counts in place of diag(G); None for
            diag(G), the users of each item in the weights that G has.
        overwrite: B replaces G; otherwise G is left as it is.
        progress: called as ``progress(done, total)`` while the matrix is inverted.

    Returns:
        torch.Tensor of shape (n, n), B[input, target]; dtype and device are G's. Items that nobody used (zero rows
        of G) have zero rows and columns. PackedWeights of the same B where G is packed or a SparseGram.

    Raises:
        ValueError: a parameter is out of range, G is not a square float torch.Tensor of finite entries, or the result
            would not be finite.
        SingularError: G + diag Λ is singular to working precision; a ValueError.

    Notes:
        Notation: p dropout, q = 1 − p; (a, b) emphasis, s = b/(ap + bq), r² = ab/(ap + bq)²; ξ diagonal_bound;
        Λ = ``penalty``; C = (G + diag Λ)⁻¹, c its diagonal; P(·) sets the diagonal to zero; β the diagonal of B.

        Objective (Steck 2020, theorem with Eq. 6; (a, b) as in Vincent et al. 2010): the expected squared error of
        reconstructing X from X with entries dropped at probability p, where an error weighs a if the entry was dropped
        and b if it was kept. Averaged over all masks it is, up to a factor,

            ‖X − X (P(B) + s diag β)‖² + ‖Λ^½ (P(B) + r diag β)‖²,   subject to β ≤ ξ if a bound is given,

        whose minimum is, column by column,

            β = s E / (s² E + r² Λ),  E = 1/c − Λ        (b = 0 leaves β open: it is 0), and ξ where that exceeds ξ;
            B = −C diag(1/c) diag(1 − s β)  off the diagonal, β on it.

        emphasis (1, 0) is EDLAE (Eq. 8) and with p = 0 EASE; (1, 1) is DLAE (Eq. 5). Only the ratio a : b matters.
        The papers print these ends alone; this function is exact for every a > 0 and b ≥ 0. The scalar L2 counts on the
        diagonal by the same factor r² as the dropout's part of Λ does, as in the paper's theorem.

        The theorem asks for a ≥ b, but b > a (DEQL, ICLR 2026) needs no condition of its own. What is left for β is

            (s β − c E)² / c + (r² − s²) Λ β² + constant,

        a parabola with the leading coefficient s²/c + (r² − s²) Λ = s² E + r² Λ. It opens upward: E ≥ 0, as it is the
        squared error of an item's regression on the others, and r² > 0 where a > 0 and b > 0. With a = 0 and no bound,
        β = q and every other entry is 0: nothing is recommended, and a = 0 is refused.

        With a bound, emphasis (1, 1) is RDLAE (Moon et al., SIGIR 2023: B = I − C diag μ, μ = (1 − ξ)/c where
        1 − Λc > ξ, else Λ), and with p = 0 RLAE. The bound is as exact for every other emphasis: for a given β the
        other entries of a column are those above, and what is left is a parabola in β.

        With ``item_count`` the dropout's part of Λ is p/q · n_i whatever the users weigh in G, as in the code of DAN's
        authors (SIGIR 2025). The algebra is the same for every Λ ≥ 0; but that of the weighted users' diag(G) alone is
        what the masks average to.

        Equivalent to: solving, for every target item, the normal equations averaged over all 2ⁿ dropout masks, times q.
        ``weights(*inverse_gram(G, …), …)`` is the same in two steps, for sweeps.

        Cost: n³ operations (additions and multiplications); on the CPU nothing of its size beside B, which has n²
        values or, packed, half as many.

    References:
        Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.

        Jaewan Moon et al. "It's Enough: Relaxing Diagonal Constraints in Linear Autoencoders for Recommendation" in
        SIGIR 2023.

        Park et al. "Why is normalization necessary for linear recommenders?" (DAN) in SIGIR 2025.

    Examples:
        >>> import scipy.sparse as sp
        >>> import torch
        >>> from recbole_edlae.solvers import full_rank, gram
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 1, 1]])
        >>> G = gram(X, dtype=torch.float64)
        >>> full_rank(G, dropout=0.5, l2=0.0).round(decimals=2).tolist()  # EDLAE
        [[0.0, 0.5, -0.1], [0.36, 0.0, 0.2], [-0.18, 0.5, 0.0]]
    """
    # Settings are checked before the inverse takes its time.
    problem = Problem.of(dropout, emphasis, diagonal_bound)

    # Λ = λ + p/q · n_i; the formula is in `solve`.
    Lambda = regularization(G, dropout=dropout, l2=l2, item_count=item_count)
    return solve(G, Lambda, problem, overwrite=overwrite, progress=progress)


def inverse_gram(
    G: Any,
    *,
    dropout: float,
    l2: float,
    item_count: torch.Tensor | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> tuple[Any, torch.Tensor]:
    """Return C = (G + diag Λ)⁻¹ and Λ: all that a linear model's weights depend on, and all of its cost.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), SymmetricTiles or SparseGram; float32 or float64.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).
        item_count: torch.Tensor, shape (n,): what the dropout's part of Λ counts in place of diag(G), as in
            ``full_rank``.
        overwrite: C replaces G; otherwise G is left as it is.
        progress: called as ``progress(done, total)`` while the matrix is inverted.

    Returns:
        (C, Lambda), of shapes (n, n) and (n,); dtype and device are G's. C is packed where G is, or is a SparseGram.

    Raises:
        ValueError: a parameter is out of range, G is not a square float torch.Tensor of finite entries, or the result
            would not be finite.
        SingularError: G + diag Λ is singular to working precision; a ValueError.

    Notes:
        Notation: Λ = ``penalty``, but 1 for items that nobody used, which decouples them from the other items.

        From C, ``weights`` gives EASE, EDLAE, DLAE, every other emphasis and every bound on the diagonal in n² steps
        each, and ``local_weights`` the same beside a low-pass filter: a sweep over all of these at fixed (dropout, l2)
        inverts once.

        Equivalent to: ``torch.linalg.inv(G + torch.diag(Lambda))``.

        Cost: n³ operations (additions and multiplications); on the CPU nothing of its size beside C.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import inverse_gram
        >>> C, Lambda = inverse_gram(torch.diag(torch.tensor([2.0, 4.0])), dropout=0.5, l2=0.0)
        >>> Lambda.tolist(), C.round(decimals=4).tolist()
        ([2.0, 4.0], [[0.25, 0.0], [0.0, 0.125]])
    """
    Lambda = regularization(G, dropout=dropout, l2=l2, item_count=item_count)
    return regularized_inverse(G, Lambda, overwrite=overwrite, progress=progress), Lambda


def weights(
    C: Any,
    Lambda: torch.Tensor,
    *,
    dropout: float,
    emphasis: tuple[float, float] = (1.0, 0.0),
    diagonal_bound: float | None = None,
    overwrite: bool = False,
) -> Any:
    """Return the weights B of ``full_rank`` from what ``inverse_gram`` returned for the same dropout.

    Args:
        C: torch.Tensor or SymmetricTiles, shape (n, n).
        Lambda: torch.Tensor, shape (n,).
        dropout: p in [0, 1), that of C.
        emphasis: (a, b), a > 0 and b ≥ 0: weight of the error on dropped and on kept entries.
        diagonal_bound: ξ ≥ 0, the largest value that B may have on its diagonal; None for no bound.
        overwrite: B replaces C; otherwise C is left as it is.

    Returns:
        torch.Tensor of shape (n, n), B[input, target]; PackedWeights where C is packed.

    Raises:
        ValueError: a parameter is out of range, C or Lambda is not a float torch.Tensor of finite entries, or the
            result would not be finite.

    Notes:
        Cost: n² multiplications.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import full_rank, inverse_gram, weights
        >>> G = torch.tensor([[3.0, 2.0], [2.0, 4.0]])
        >>> C, Lambda = inverse_gram(G, dropout=0.5, l2=1.0)
        >>> torch.equal(weights(C, Lambda, dropout=0.5), full_rank(G, dropout=0.5, l2=1.0))
        True
    """
    check_inverse(C, Lambda)
    problem = Problem.of(dropout, emphasis, diagonal_bound)
    return solve(Inverted(C), Lambda, problem, overwrite=overwrite)


class Problem(NamedTuple):
    """The dropout p, the emphasis (a, b) and the bound ξ of ``full_rank``."""

    p: float
    a: float
    b: float
    bound: float | None

    @classmethod
    def of(cls, dropout: Any, emphasis: Any, diagonal_bound: Any) -> "Problem":
        """Return the parameters after a check of each."""
        return cls(check_dropout(dropout), *check_emphasis(emphasis), check_diagonal_bound(diagonal_bound))


def solve(
    G: Any,
    Lambda: torch.Tensor,
    problem: Problem,
    *,
    explained: torch.Tensor | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Any:
    """Return B as ``full_rank`` derives it, for any kind of matrix or one that is ``Inverted``.

    ``explained`` is e, shape (n,): what a filter beside B takes from the diagonal of the targets (``local_weights``).
    """
    p, a, b, bound = problem

    # C = (G + diag Λ)⁻¹, which becomes B.
    C = regularized_inverse(G, Lambda, overwrite=overwrite, progress=progress)
    c = C.diagonal().clone()
    e = torch.zeros_like(c)
    if explained is not None:
        e = explained

    # E = 1/c − Λ, ≥ 0 but for rounding; in double precision, as 1 − s β is small where b is much larger than a.
    inverse = 1 / c.double()
    penalties = Lambda.double()
    E = (inverse - penalties).clamp_(min=0)

    # EDLAE (Eq. 8) has b = 0: then s = 0, β is open, and 0 is the choice. Without a filter e = 0 too, and
    # B = −C diag(1/c) off the diagonal.
    s = 0.0
    beta = torch.zeros_like(E)
    if b > 0:
        # s = b/(ap + bq), r² = ab/(ap + bq)², β = s E / (s² E + r² Λ). Of a target that a filter has explained, only
        # E − e/c is left.
        mean = a * p + b * (1 - p)
        s = b / mean
        r2 = a * b / mean**2
        beta = s * (E - e * inverse) / (s * s * E + r2 * penalties)
    if bound is not None:
        beta.clamp_(max=bound)

    # B = −C diag(1/c) diag(1 − e − s β) off the diagonal, β + e on it.
    scale = (s * beta + e - 1) * inverse
    return scaled_columns(C, scale.to(c), beta.to(c) + e)


class Inverted(NamedTuple):
    """A Gram matrix of which the regularized inverse is known."""

    C: Any


@invert_sum.register
def _(G: Inverted, Lambda: torch.Tensor, overwrite: bool, progress: Progress | None) -> Any:
    # Without `overwrite` the caller keeps C, and B takes a copy.
    if overwrite:
        return G.C
    return G.C.clone()


def check_inverse(C: Any, Lambda: torch.Tensor) -> None:
    """Check that C and Lambda are what ``inverse_gram`` may have returned."""
    check_gram(C, name="C")
    check_tensor(Lambda, "Lambda")
    if Lambda.shape != C.shape[:1]:
        raise ValueError(f"Lambda must have shape ({len(C)},), got {tuple(Lambda.shape)}")
    check_finite(C, "C")
    check_finite(Lambda, "Lambda")
