"""The regularized Gram matrix M = G + diag Λ, which every solver here solves with: its products and its inverse."""

from typing import Any

import torch

from recbole_edlae.solvers._finite import check_entries, check_popularity, check_result
from recbole_edlae.solvers._matrix import regularized_inverse
from recbole_edlae.solvers.parameters import Progress, penalty


class System:
    """M = G + diag Λ as an operator; the matrix itself is never formed.

    Λ is ``penalty``, except for items that nobody used (a zero row of G): theirs is 1, whatever l2 is. Their row of M
    is then that of the identity, so that M is regular with l2 = 0 too and their weights are zeros, not rounding errors.
    """

    def __init__(self, G: Any, *, dropout: float, l2: float, item_count: torch.Tensor | None = None) -> None:
        check_entries(G)

        # A copy: with `overwrite` the inverse takes the place of G.
        gram_diagonal = G.diagonal().clone()
        self.G = G
        self.unused = gram_diagonal == 0
        self.Lambda = penalties(gram_diagonal, dropout=dropout, l2=l2, item_count=item_count)

        # m, the diagonal of M.
        self.diagonal = gram_diagonal + self.Lambda
        check_result(
            self.diagonal, "G + penalty", "the values of G are too large; scale X down, or compute in float64"
        )

    def product(self, U: torch.Tensor) -> torch.Tensor:
        """Return M U."""
        return (self.G @ U).addcmul_(self.Lambda[:, None], U)

    def inverse(self, *, overwrite: bool = False, progress: Progress | None = None) -> Any:
        """Return C = M⁻¹, of G's kind; with ``overwrite`` it replaces G."""
        return regularized_inverse(self.G, self.Lambda, overwrite=overwrite, progress=progress)


def penalties(
    gram_diagonal: torch.Tensor, *, dropout: float, l2: float, item_count: torch.Tensor | None = None
) -> torch.Tensor:
    """Return Λ for the diagonal of a Gram matrix, shape (n,), as ``System`` has it."""
    # What the dropout's part of Λ counts.
    dropped = gram_diagonal
    if item_count is not None:
        dropped = _checked_count(item_count, gram_diagonal)
    Lambda = penalty(dropped, dropout=dropout, l2=l2)

    # With 1, the row of an item that nobody used is that of the identity.
    Lambda[gram_diagonal == 0] = 1
    return Lambda


def _checked_count(item_count: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return the users of each item in another vector's type and on its device, after a check."""
    check_popularity(item_count, len(like), name="item_count")
    return item_count.to(like)


def row_dot(A: torch.Tensor, B: torch.Tensor) -> torch.Tensor:
    """Return diag(A Bᵀ)."""
    return torch.linalg.vecdot(A, B)


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

        Cost: n³ additions and multiplications; on the CPU nothing of its size beside C.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import inverse_gram
        >>> C, Lambda = inverse_gram(torch.diag(torch.tensor([2.0, 4.0])), dropout=0.5, l2=0.0)
        >>> Lambda.tolist(), C.round(decimals=4).tolist()
        ([2.0, 4.0], [[0.25, 0.0], [0.0, 0.125]])
    """
    system = System(G, dropout=dropout, l2=l2, item_count=item_count)
    C = system.inverse(overwrite=overwrite, progress=progress)
    return C, system.Lambda
