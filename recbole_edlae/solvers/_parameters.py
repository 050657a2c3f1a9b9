"""The regularised problem that every solver here solves: its penalty, and the checks of its parameters."""

import math
from numbers import Integral, Real

import numpy as np
import torch


def penalty(gram_diagonal, *, dropout, l2):
    """Λ = λ + p/q · diag(G): the L2 penalty of every input item, scalar part plus that of denoising.

    Notation: p dropout probability, q = 1 − p, λ the scalar part. Source: Steck & Garcia 2021, Eq. 8; Steck 2020, §3.

    Args:
        gram_diagonal: torch.Tensor or NumPy array of shape (n,), the diagonal of the Gram matrix.
        dropout: p in [0, 1).
        l2: λ ≥ 0, in the units of the Gram matrix (interactions).

    Returns:
        Λ, shape (n,), of gram_diagonal's type.

    Raises:
        ValueError: dropout or l2 is out of range, gram_diagonal is not finite, or Λ is beyond its type's largest
            number.
    """
    check_dropout(dropout)
    check_l2(l2)
    _check_diagonal(gram_diagonal)
    with np.errstate(over="ignore"):
        Lambda = l2 + dropout / (1 - dropout) * gram_diagonal
    if not _all_finite(Lambda):
        raise ValueError(f"penalty is not finite at {Lambda.dtype}: l2 {l2!r} or dropout {dropout!r} is too large")
    return Lambda


def _check_diagonal(diagonal):
    if not isinstance(diagonal, (np.ndarray, torch.Tensor)):
        raise ValueError(f"gram_diagonal must be a torch.Tensor or NumPy array, got {type(diagonal).__name__}")
    if "complex" in str(diagonal.dtype) or str(diagonal.dtype) == "object":
        raise ValueError(f"gram_diagonal must hold real numbers, got {diagonal.dtype}")
    if not _all_finite(diagonal):
        raise ValueError("gram_diagonal must have finite entries only")


def _all_finite(values):
    return bool((torch if isinstance(values, torch.Tensor) else np).isfinite(values).all())


def check_dropout(dropout):
    if not _is_finite(dropout) or not 0 <= dropout < 1:
        raise ValueError(f"dropout must be a probability in [0, 1), got {dropout!r}")


def check_l2(l2):
    if not _is_finite(l2) or l2 < 0:
        raise ValueError(f"l2 must be a finite number of at least 0, got {l2!r}")


def check_emphasis(emphasis):
    """The pair (a, b) with a ≥ b ≥ 0 and a > 0."""
    pair = tuple(emphasis) if isinstance(emphasis, (tuple, list)) else ()
    if len(pair) != 2 or not all(map(_is_finite, pair)) or not pair[0] >= pair[1] >= 0 or pair[0] == 0:
        raise ValueError(
            f"emphasis must be two numbers (a, b), the weights of dropped and of kept entries, a ≥ b ≥ 0 and a > 0; "
            f"got {emphasis!r}"
        )
    return pair


def check_diagonal_bound(bound):
    if bound is not None and (not _is_finite(bound) or bound < 0):
        raise ValueError(f"diagonal_bound must be None or a finite number of at least 0, got {bound!r}")


def check_rank(rank, items):
    if not isinstance(rank, Integral) or isinstance(rank, bool) or not 1 <= rank <= items:
        raise ValueError(f"rank must be an integer from 1 to the number of items, {items}; got {rank!r}")


def check_count(name, value):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {value!r}")


def check_tol(tol):
    if not _is_finite(tol) or tol < 0:
        raise ValueError(f"tol must be a finite number of at least 0, got {tol!r}")


def check_power(power):
    if not _is_finite(power):
        raise ValueError(f"power must be a finite number, got {power!r}")


def check_omega(omega):
    if not _is_finite(omega) or omega <= 0:
        raise ValueError(f"omega must be a finite number above 0, got {omega!r}")


def _is_finite(value):
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
