"""The regularized problem of every solver here: its penalty, its users' weights, the checks of its parameters."""

import math
import sys
from collections.abc import Callable
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
import torch

from recbole_edlae.solvers._finite import check_entries, check_popularity, check_result

Progress = Callable[[int, int], object]  # called as progress(done, total), in any unit
Vector = TypeVar("Vector", torch.Tensor, np.ndarray)


def penalty(gram_diagonal: Vector, *, dropout: float, l2: float) -> Vector:
    """Return Λ = λ + p/q · diag(G), the L2 penalty of every input item: the scalar part plus that of denoising.

    Args:
        gram_diagonal: torch.Tensor or NumPy array of shape (n,), the diagonal of the Gram matrix.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of the Gram matrix (interactions).

    Returns:
        Λ, shape (n,), of gram_diagonal's type.

    Raises:
        ValueError: dropout or l2 is out of range, gram_diagonal is not finite, or Λ is beyond its type's largest
            number.

    Notes:
        Notation: p dropout probability, q = 1 − p, λ the scalar part.

    References:
        Steck & Garcia 2021, Eq. 8; Steck 2020, §3.

    Examples:
        >>> import torch
        >>> from recbole_edlae.solvers import penalty
        >>> penalty(torch.tensor([10.0, 20.0]), dropout=0.5, l2=3.0).tolist()
        [13.0, 23.0]
    """
    dropout = check_dropout(dropout)
    l2 = check_number("l2", l2, at_least=0)
    _check_diagonal(gram_diagonal)

    # Λ = λ + p/q · diag(G); the check below says what NumPy would warn of.
    with np.errstate(over="ignore"):
        Lambda = l2 + dropout / (1 - dropout) * gram_diagonal
    if not _all_finite(Lambda):
        raise ValueError(
            f"penalty is not finite at {Lambda.dtype}: l2 {l2!r} or dropout {dropout!r} is too large"
        )
    return Lambda


def _check_diagonal(diagonal: Any) -> None:
    """Check that a diagonal is a tensor or an array of finite real numbers."""
    if not isinstance(diagonal, (np.ndarray, torch.Tensor)):
        raise ValueError(
            f"gram_diagonal must be a torch.Tensor or NumPy array, got {type(diagonal).__name__}"
        )

    # By name, which torch and NumPy share.
    dtype = str(diagonal.dtype)
    if "complex" in dtype or dtype == "object":
        raise ValueError(f"gram_diagonal must hold real numbers, got {diagonal.dtype}")
    if not _all_finite(diagonal):
        raise ValueError("gram_diagonal must have finite entries only")


def _all_finite(values: torch.Tensor | np.ndarray) -> bool:
    """Return whether a tensor or an array has neither NaN nor infinity."""
    return bool(((values > -math.inf) & (values < math.inf)).all())


def regularization(
    G: Any, *, dropout: float, l2: float, item_count: torch.Tensor | None = None
) -> torch.Tensor:
    """Return Λ for a Gram matrix, shape (n,), after a check of G and of G + diag Λ."""
    check_entries(G)
    gram_diagonal = G.diagonal()
    Lambda = penalties(gram_diagonal, dropout=dropout, l2=l2, item_count=item_count)
    check_result(
        gram_diagonal + Lambda,
        "G + penalty",
        "the values of G are too large; scale X down, or compute in float64",
    )
    return Lambda


def penalties(
    gram_diagonal: torch.Tensor, *, dropout: float, l2: float, item_count: torch.Tensor | None = None
) -> torch.Tensor:
    """Return Λ for the diagonal of a Gram matrix: ``penalty``, but 1 for items that nobody used (a zero row of G).

    Their row of G + diag Λ is then that of the identity, so that it is regular with l2 = 0 too and their weights are
    zeros, not rounding errors.
    """
    # What the dropout's part of Λ counts.
    dropped = gram_diagonal
    if item_count is not None:
        check_popularity(item_count, len(gram_diagonal), name="item_count")
        dropped = item_count.to(gram_diagonal)
    Lambda = penalty(dropped, dropout=dropout, l2=l2)
    Lambda[gram_diagonal == 0] = 1
    return Lambda


def activity_weight(count: np.ndarray, power: float) -> np.ndarray:
    """Return w = (n_u / mean n)^(−α), how much each user counts in the Gram matrix.

    Args:
        count: integer array of shape (u,), the number of items n_u of each user.
        power: α, finite; 0 weights all users alike, 1 gives every user the same total weight over their interactions.

    Returns:
        NumPy array of shape (u,); users without items are left out of the mean and have weight 1.

    Raises:
        ValueError: a weight is not finite, because the power is not or is too large.

    References:
        Steck & Garcia 2021, §2.3.2 for the weights; the power is this package's way to set them all by one number.

    Examples:
        >>> import numpy as np
        >>> from recbole_edlae.solvers import activity_weight
        >>> activity_weight(np.array([1, 3, 0]), power=1).round(2).tolist()
        [2.0, 0.67, 1.0]
    """
    power = check_number("power", power)

    # Users without items would lower the mean.
    active = count > 0
    weight = np.ones(len(count))
    with np.errstate(over="ignore"):
        weight[active] = (count[active] / count[active].mean()) ** -power
    if not np.isfinite(weight).all():
        raise ValueError(
            f"power {power!r} gives weights of users that are not finite: take one closer to 0"
        )
    return weight


def checked_weight(user_weight: Any, users: int) -> np.ndarray:
    """Return the weight of each user as float64 after a check; 1 for all users if none is given."""
    if user_weight is None:
        return np.ones(users)

    # Text would be taken for numbers by astype.
    weight = np.asarray(user_weight)
    if weight.dtype.kind not in "buif":
        raise ValueError(f"user_weight must hold real numbers, got {weight.dtype}")
    weight = weight.astype(np.float64, copy=False)
    if weight.shape != (users,):
        raise ValueError(
            f"user_weight must have shape ({users},), one weight per row of X, got {weight.shape}"
        )
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError("user_weight must be finite and at least 0 for every user")
    return weight


def check_dropout(dropout: Any) -> float:
    """Return dropout as a Python float after a check that it is a probability below 1."""
    if not is_finite(dropout) or not 0 <= dropout < 1:
        raise ValueError(f"dropout must be a probability in [0, 1), got {dropout!r}")
    return float(dropout)


def check_number(
    name: str, value: Any, *, at_least: float | None = None, above: float | None = None
) -> float:
    """Return the value of a named parameter as a Python float after a check that it is finite and within its bound."""
    bound = ""
    is_within = is_finite(value)
    if at_least is not None:
        bound = f" of at least {at_least}"
        is_within = is_within and value >= at_least
    if above is not None:
        bound = f" above {above}"
        is_within = is_within and value > above
    if not is_within:
        raise ValueError(f"{name} must be a finite number{bound}, got {value!r}")
    return float(value)


def check_emphasis(emphasis: Any) -> tuple[float, float]:
    """Return the pair (a, b) as Python floats after a check that a > 0 and b ≥ 0.

    With a = 0 an error counts where the entry was kept only, and copying the entry is best: nothing is recommended.
    """
    pair: tuple[Any, ...] = ()
    if isinstance(emphasis, (tuple, list)):
        pair = tuple(emphasis)
    if len(pair) != 2 or not all(map(is_finite, pair)) or not (pair[0] > 0 and pair[1] >= 0):
        raise ValueError(
            f"emphasis must be two numbers (a, b), the weights of dropped and of kept entries, a > 0 (with a = 0 the "
            f"best weights copy the kept entries and recommend nothing) and b ≥ 0; got {emphasis!r}"
        )
    return float(pair[0]), float(pair[1])


def check_diagonal_bound(bound: Any) -> float | None:
    """Return a bound on the diagonal as None or a Python float after a check that it is finite and at least 0."""
    if bound is None:
        return None
    if not is_finite(bound) or bound < 0:
        raise ValueError(f"diagonal_bound must be None or a finite number of at least 0, got {bound!r}")
    return float(bound)


def check_rank(rank: Any, items: int) -> None:
    """Check that rank is an integer from 1 to the number of items."""
    if not _is_integer(rank) or not 1 <= rank <= items:
        raise ValueError(f"rank must be an integer from 1 to the number of items, {items}; got {rank!r}")


def check_count(name: str, value: Any) -> None:
    """Check that the value of a named parameter is an integer of at least 1."""
    if not _is_integer(value) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")


def _is_integer(value: Any) -> bool:
    """Return whether a value is an integer; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Return whether a value is a finite integer or float of Python or NumPy.

    True and False are not, nor are fractions, with which tensors do not compute.
    """
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)

    # Python's integers may be larger than any float, and isfinite would raise.
    return is_number and abs(value) <= sys.float_info.max
