"""Power normalisation of items (DAN) around any linear model of this package."""

import scipy.sparse as sp
import torch

from recbole_edlae.solvers.iteration import LowRank
from recbole_edlae.solvers.objective import check_power


def item_scale(popularity, *, power):
    """n_i^α for every item, 1 for those that nobody used.

    Args:
        popularity: torch.Tensor, shape (n,): n_i ≥ 0, the users of each item (not weighted).
        power: α, any finite number; 0 leaves a model as it is, above 0 it lowers the scores of popular items.

    Returns:
        torch.Tensor of shape (n,).

    Raises:
        ValueError: the power is not a finite number, or a popularity is negative.
    """
    check_power(power)
    if (popularity < 0).any():
        raise ValueError("popularity must be at least 0 for every item")
    return torch.where(popularity > 0, popularity, 1) ** power


def normalize_items(B, popularity, *, power, overwrite=False):
    """The item side of data-adaptive normalisation: N^α B N^−α, N = diag(popularity).

    Notation: n_i users of item i; α power; B[input, target].

    Source: DAN (Park et al., "Why is normalization necessary for linear recommenders?", SIGIR 2025, and the code its
    authors published): B is learned from G = Xᵀ D^−β X with D the users' numbers of items, then B[i, j] is multiplied
    by (n_i / n_j)^α. The user side needs nothing here: it is ``gram`` with user_weight = (row sums)^−β, a power
    that acts on G alone. It differs from the authors' code in two places: with user weights their dropout penalty is
    p/q · n_i, ours p/q · diag(G), which is what dropping entries of the weighted rows averages to; and they set the
    diagonal to zero where a model has one, while a diagonal keeps its values here.

    Equivalent to: ``torch.diag(s) @ B @ torch.diag(1 / s)``, s = ``item_scale``.

    Args:
        B: torch.Tensor or SciPy sparse matrix of shape (n, n), or LowRank, whose factors become N^α U and N^−α V.
        popularity: torch.Tensor, shape (n,): the users of each item (not weighted), on B's device.
        power: α, any finite number; above 0 it lowers the scores of popular items.
        overwrite: the result takes the place of a full-rank B.

    Returns:
        What B was: a torch.Tensor or a SciPy sparse matrix of shape (n, n), or a LowRank.

    Raises:
        ValueError: the power is not a finite number, or a popularity is negative.

    Cost: n² multiplications, or nk.
    """
    if isinstance(B, LowRank):
        scale = item_scale(popularity, power=power).to(B.u)[:, None]
        return B._replace(u=B.u * scale, v=B.v / scale)
    if sp.issparse(B):
        scale = item_scale(popularity.cpu(), power=power).numpy().astype(B.dtype)
        return sp.diags(scale) @ B @ sp.diags(1 / scale)
    scale = item_scale(popularity, power=power).to(B)
    B = B.mul_(scale[:, None]) if overwrite else B * scale[:, None]
    return B.div_(scale)
