"""Power normalization of items (DAN) around any linear model of this package."""

import functools
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from recbole_edlae.solvers._factors import LowRank
from recbole_edlae.solvers._finite import (
    check_finite,
    check_gram,
    check_popularity,
    check_result,
    check_tensor,
)
from recbole_edlae.solvers.parameters import check_number

REMEDY = "the power is too large"


def item_scale(popularity: torch.Tensor, *, power: float) -> torch.Tensor:
    """Return n_i^α for every item, 1 for those that nobody used.

    Args:
        popularity: torch.Tensor, shape (n,): n_i ≥ 0, the users of each item (not weighted).
        power: α, any finite number; 0 leaves a model as it is, above 0 it lowers the scores of popular items.

    Returns:
        torch.Tensor of shape (n,).

    Raises:
        ValueError: the power is not a finite number or too large, or a popularity is negative or not finite.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import item_scale
        >>> item_scale(torch.tensor([4, 0, 9]), power=0.5).tolist()
        [2.0, 1.0, 3.0]
    """
    power = check_number("power", power)
    check_popularity(popularity)

    # Items that nobody used have no popularity to divide by.
    scale = torch.where(popularity > 0, popularity, 1) ** power
    if not ((scale > 0) & scale.isfinite()).all():
        raise ValueError(f"power {power!r} is beyond the numbers of {scale.dtype} for these popularities")
    return scale


@functools.singledispatch
def normalize_items(B: Any, popularity: torch.Tensor, *, power: float, overwrite: bool = False) -> Any:
    """Apply the item side of data-adaptive normalization: N^α B N^−α, N = diag(popularity).

    Args:
        B: torch.Tensor or SciPy sparse matrix of shape (n, n), PackedWeights, LowRank, whose factors become N^α U and
            N^−α V, or LocalWeights, of which matrix and factors do.
        popularity: torch.Tensor, shape (n,): the users of each item (not weighted), on B's device.
        power: α, any finite number; above 0 it lowers the scores of popular items.
        overwrite: the result replaces a full-rank B.

    Returns:
        A torch.Tensor, a SciPy sparse matrix, PackedWeights, a LowRank or LocalWeights, as B is.

    Raises:
        ValueError: the power is not a finite number or too large, a popularity is negative, or B or the result is not
            finite.

    Notes:
        Notation: n_i users of item i; α power; B[input, target].

        In DAN, B is learned from G = Xᵀ D^−β X with D the users' numbers of items, then B[i, j] is multiplied by
        (n_i / n_j)^α. The user side needs nothing here: it is ``gram`` with user_weight = (row sums)^−β, a power that
        acts on G alone. By default it differs from the authors' code in two places: with user weights their dropout
        penalty is p/q · n_i, ours p/q · diag(G), which is what dropping entries of the weighted rows averages to
        (``item_count`` of ``full_rank`` is theirs); and they set the diagonal to zero where a model has one, while a
        diagonal keeps its values here.

        Equivalent to: ``torch.diag(s) @ B @ torch.diag(1 / s)``, s = ``item_scale``.

        Cost: n² multiplications, or nk.

    References:
        DAN: Park et al. "Why is normalization necessary for linear recommenders?" in SIGIR 2025, and the code its
        authors published.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import normalize_items
        >>> normalize_items(torch.ones(2, 2), torch.tensor([1, 4]), power=0.5).tolist()
        [[1.0, 0.5], [2.0, 1.0]]
    """
    check_gram(B, name="B")
    check_finite(B, "B")
    check_popularity(popularity, len(B))
    scale = item_scale(popularity, power=power).to(B)

    # Rows by N^α, then columns by N^−α.
    if not overwrite:
        B = B.clone()
    B.mul_(scale[:, None])
    B.div_(scale)
    check_result(B, "B", REMEDY)
    return B


@normalize_items.register
def _(B: LowRank, popularity: torch.Tensor, *, power: float, overwrite: bool = False) -> LowRank:
    for factor in (B.u, B.v):
        check_tensor(factor, "B")
        check_finite(factor, "B")
    check_popularity(popularity, len(B.u))

    # (N^α U)(N^−α V)ᵀ = N^α UVᵀ N^−α
    scale = item_scale(popularity, power=power).to(B.u)[:, None]
    u = B.u * scale
    v = B.v / scale
    check_result(u, "B", REMEDY)
    check_result(v, "B", REMEDY)
    return B._replace(u=u, v=v)


@normalize_items.register(sp.spmatrix)
@normalize_items.register(sp.sparray)
def _(B: Any, popularity: torch.Tensor, *, power: float, overwrite: bool = False) -> Any:
    if B.dtype.kind != "f":
        raise ValueError(f"B must hold floating-point numbers, got {B.dtype}")
    check_popularity(popularity, B.shape[0])
    check_finite(torch.from_numpy(B.tocsr().data), "B")

    # The check of the result says what NumPy would warn of.
    scale = item_scale(popularity.cpu(), power=power).numpy().astype(B.dtype)
    with np.errstate(all="ignore"):
        scaled = sp.diags(scale) @ B @ sp.diags(1 / scale)
    check_result(torch.from_numpy(scaled.tocsr().data), "B", REMEDY)
    return scaled
