"""Linear autoencoders beside a low-pass filter, in closed form: the filter is global, the regression local."""

from typing import Any, NamedTuple

import torch

from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._finite import check_finite, check_result, check_tensor
from recbole_edlae.solvers._full_rank import Inverted, Problem, check_inverse, inverse_gram, solve
from recbole_edlae.solvers._low_pass import LowPass
from recbole_edlae.solvers._normalization import normalize_items
from recbole_edlae.solvers._system import row_dot
from recbole_edlae.solvers.parameters import Progress, check_number

_REMEDY = "the values of G or low_pass_weight are too large or too small; scale them, or compute in float64"


class LocalWeights(NamedTuple):
    """Item × item weights B = matrix + u vᵀ: a local regression and a low-pass filter together.

    Attributes:
        matrix: torch.Tensor of shape (n, n), or PackedWeights.
        u: shape (n, k).
        v: shape (n, k).

    Examples:
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.solvers import gram, local_regression, low_pass
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 1, 1]])
        >>> B = local_regression(gram(X), low_pass(X, 1), low_pass_weight=0.2, dropout=0.5, l2=1.0)
        >>> B.matrix.shape, B.u.shape, B.dense().shape
        (torch.Size([3, 3]), torch.Size([3, 1]), torch.Size([3, 3]))
    """

    matrix: Any
    u: torch.Tensor
    v: torch.Tensor

    def dense(self) -> torch.Tensor:
        """Return B, shape (n, n)."""
        matrix = self.matrix
        if not isinstance(matrix, torch.Tensor):
            matrix = matrix.dense()
        return torch.addmm(matrix, self.u, self.v.T)


def local_regression(
    G: Any,
    W: LowPass,
    *,
    low_pass_weight: float,
    dropout: float,
    l2: float,
    emphasis: tuple[float, float] = (1.0, 0.0),
    diagonal_bound: float | None = None,
    item_count: torch.Tensor | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> LocalWeights:
    """Return the weights B = γ W + S of a low-pass filter W and the linear autoencoder S of what it leaves of X.

    Args:
        G: torch.Tensor, shape (n, n), the Gram matrix (``gram``), SymmetricTiles or SparseGram; float32 or float64.
        W: LowPass, shapes (n, k), of G's type (``low_pass``).
        low_pass_weight: γ ≥ 0, finite; the literature's λ_g.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of G (interactions).
        emphasis: (a, b), a > 0 and b ≥ 0: weight of the error on dropped and on kept entries.
        diagonal_bound: ξ ≥ 0, the largest value that S may have on its diagonal; None for no bound.
        item_count: torch.Tensor, shape (n,): what the dropout's part of Λ counts in place of diag(G), as in
            ``full_rank``.
        overwrite: B replaces G; otherwise G is left as it is.
        progress: called as ``progress(done, total)`` while the matrix is inverted.

    Returns:
        LocalWeights, its matrix a torch.Tensor, or PackedWeights where G is packed or a SparseGram; dtype and device
        are G's.

    Raises:
        ValueError: a parameter is out of range, G or W is not float or has entries that are not finite, W does not fit
            G, or the result would not be finite.
        SingularError: G + diag Λ is singular to working precision; a ValueError.

    Notes:
        Notation: γ low_pass_weight, W = ``low_pass`` = L Rᵀ, w its diagonal; T = I − γ W; p dropout, q = 1 − p;
        (a, b), s, r² and ξ as in ``full_rank``; Λ = ``penalty``; C = (G + diag Λ)⁻¹, c its diagonal; P(·) sets the
        diagonal to zero; β the diagonal of S.

        Objective: ``full_rank``'s, with X T as the target instead of X. Entries of the input are dropped at probability
        p, and the error of (X T)_uj weighs a where x_uj was dropped and b where it was kept. The masks change only the
        input, so their average is, up to a factor,

            ‖X T − X (P(S) + s diag β)‖² + ‖Λ^½ (P(S) + r diag β)‖²,   subject to β ≤ ξ if a bound is given.

        For a given β, S' = P(S) + s diag β is a ridge regression with a fixed diagonal, (G + diag Λ) S' = G T − diag μ,
        and because C G = I − CΛ,

            S' = (I − CΛ) T − C diag μ,   μ = (f − s β)/c,   f = diag((I − CΛ) T) = 1 − Λc − γ (w − z),
                                                             z = diag(CΛ W).

        β minimizes (s β − f)²/c + (r² − s²) Λ β². As in ``full_rank`` its leading coefficient s² E + r² Λ is positive
        for every a > 0 and b > 0, and a bound is as exact:

            β = s (f/c) / (s² E + r² Λ)        (b = 0 leaves β open: it is 0), and ξ where that exceeds ξ.

        With the filter added again, off the diagonal

            B = γ W + S = −C diag(Λ + μ) + γ (CΛ L) Rᵀ,   Λ + μ = (1 − γ (w − z) − s β)/c,

        and γ w + β on it: the columns of C, scaled as in ``full_rank``, and one thin product.

        The algebra asks nothing of W: it goes through for every emphasis with a > 0, every bound, every weight of users
        in G (the target is then that of the weighted rows) and every Λ ≥ 0. γ = 0 is ``full_rank``. Where W is the
        identity (k = n, X of rank n), S is (1 − γ) times that of ``full_rank`` up to the bound. FPSR itself takes S ≥ 0
        with an L1 penalty inside of item clusters; there is no closed form of those.

        Equivalent to: ridge regression of every column of X T on the other items, for emphasis (1, 0); all masks
        enumerated, for every emphasis.

        Cost: ``full_rank``'s, 2 n² k operations, and four arrays of shape (n, k). One C serves every γ and k
        (``local_weights``).

    References:
        Tianjun Wei, Jianghong Ma and Tommy W. S. Chow. "Fine-tuning Partition-aware Item Similarities for Efficient and
        Scalable Recommendation" (FPSR) in WWW 2023.

        Tianjun Wei, Tommy W. S. Chow and Jianghong Ma. "Collaborative Residual Metric Learning" (CoRML) in SIGIR 2023.

        Harald Steck. "Autoencoders that don't overfit towards the Identity" in NeurIPS 2020.

    Examples:
        >>> import scipy.sparse as sp
        >>> import torch
        >>> from recbole_edlae.solvers import full_rank, gram, local_regression, low_pass
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 1, 1]])
        >>> G, W = gram(X), low_pass(X, 1)
        >>> B = local_regression(G, W, low_pass_weight=0.0, dropout=0.5, l2=1.0)
        >>> torch.equal(B.dense(), full_rank(G, dropout=0.5, l2=1.0))
        True
    """
    # Everything is checked before the inverse takes its time.
    check_number("low_pass_weight", low_pass_weight, at_least=0)
    Problem.of(dropout, emphasis, diagonal_bound)
    _check_filter(W, G)
    C, Lambda = inverse_gram(
        G,
        dropout=dropout,
        l2=l2,
        item_count=item_count,
        overwrite=overwrite,
        progress=progress,
    )

    # C is a matrix of this function's own, and may become B.
    return local_weights(
        C,
        Lambda,
        W,
        low_pass_weight=low_pass_weight,
        dropout=dropout,
        emphasis=emphasis,
        diagonal_bound=diagonal_bound,
        overwrite=True,
    )


def local_weights(
    C: Any,
    Lambda: torch.Tensor,
    W: LowPass,
    *,
    low_pass_weight: float,
    dropout: float,
    emphasis: tuple[float, float] = (1.0, 0.0),
    diagonal_bound: float | None = None,
    overwrite: bool = False,
) -> LocalWeights:
    """Return the weights B of ``local_regression`` from what ``inverse_gram`` returned for the same dropout.

    Args:
        C: torch.Tensor or SymmetricTiles, shape (n, n).
        Lambda: torch.Tensor, shape (n,).
        W: LowPass, shapes (n, k), of C's type.
        low_pass_weight: γ ≥ 0, finite.
        dropout: p in [0, 1), that of C.
        emphasis: (a, b), as in ``local_regression``.
        diagonal_bound: ξ, as in ``local_regression``.
        overwrite: B replaces C; otherwise C is left as it is.

    Returns:
        LocalWeights, its matrix PackedWeights where C is packed.

    Raises:
        ValueError: a parameter is out of range, an argument has entries that are not finite, W does not fit C, or the
            result would not be finite.

    Notes:
        Cost: 2 n² k operations and n² multiplications.

    Examples:
        >>> import scipy.sparse as sp
        >>> import torch
        >>> from recbole_edlae.solvers import gram, inverse_gram, local_regression, local_weights, low_pass
        >>> X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [0, 1, 1]])
        >>> G, W = gram(X), low_pass(X, 1)
        >>> C, Lambda = inverse_gram(G, dropout=0.5, l2=1.0)
        >>> B = local_weights(C, Lambda, W, low_pass_weight=0.2, dropout=0.5)
        >>> torch.equal(B.u, local_regression(G, W, low_pass_weight=0.2, dropout=0.5, l2=1.0).u)
        True
    """
    low_pass_weight = check_number("low_pass_weight", low_pass_weight, at_least=0)
    problem = Problem.of(dropout, emphasis, diagonal_bound)
    check_inverse(C, Lambda)
    _check_filter(W, C)

    # CΛL, and e = γ (w − z): what the filter takes from the diagonal of the target.
    product = C @ (Lambda[:, None] * W.left)
    z = row_dot(product, W.right)
    w = row_dot(W.left, W.right)
    e = low_pass_weight * (w - z)

    # Columns of C by −(Λ + μ); the diagonal is γ w + β, less that of the thin product.
    matrix = solve(Inverted(C), Lambda, problem, explained=e, overwrite=overwrite)

    # γ (CΛ L) Rᵀ as two factors.
    u = product.mul_(low_pass_weight)
    check_result(u, "B", _REMEDY)
    return LocalWeights(matrix, u, W.right)


def _check_filter(W: LowPass, like: Any) -> None:
    """Check that W is a filter of finite entries on the items, of the type and on the device of a matrix."""
    items = len(like)
    for name, factor in (("W.left", W.left), ("W.right", W.right)):
        check_tensor(factor, name)

        # Both factors have one row an item, and as many columns as each other.
        if factor.ndim != 2 or factor.shape != W.left.shape or len(factor) != items:
            raise ValueError(
                f"{name} must have shape ({items}, rank) as the items, got {tuple(factor.shape)}"
            )
        if factor.dtype != like.dtype or factor.device != like.device:
            raise ValueError(
                f"{name} must be {like.dtype} on {like.device}, got {factor.dtype} on {factor.device}"
            )
        check_finite(factor, name)


@normalize_items.register
def _(B: LocalWeights, popularity: torch.Tensor, *, power: float, overwrite: bool = False) -> LocalWeights:
    # N^α (matrix + u vᵀ) N^−α, term by term.
    matrix = normalize_items(B.matrix, popularity, power=power, overwrite=overwrite)
    factors = normalize_items(LowRank(B.u, B.v, True, ()), popularity, power=power)
    return LocalWeights(matrix, factors.u, factors.v)
