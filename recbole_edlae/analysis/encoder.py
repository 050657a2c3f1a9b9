"""The properties that Susman (2024) requires of an encoder, measured on users and their codes."""

import dataclasses
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

_BATCH = 10_000  # pairs at a time, which bounds the memory of the gathered rows


@dataclasses.dataclass(frozen=True)
class EncoderProperties:
    """The three properties, with what decides them.

    Shares are in [0, 1]; NaN where there was nothing to count.

    Attributes:
        dimension_ratio: width of the codes / width of the rows; below 1 is dimension reduction.
        effective_dimension: exp of the entropy of the codes' spectrum: how many dimensions they really use.
        order_agreement: share of comparisons x·y > w·z for which E(x)·E(y) > E(w)·E(z) too.
        order_ties: share of those for which the codes' dot products are equal.
        row_ties: share of all comparisons with x·y = w·z; they say nothing and are left out of the two above.
        zero_codes: share of non-empty rows whose code is 0 in every dimension.
        zero_entries: share of zeros among all entries of those codes.
    """

    dimension_ratio: float
    effective_dimension: float
    order_agreement: float
    order_ties: float
    row_ties: float
    zero_codes: float
    zero_entries: float


def encoder_properties(X: sp.csr_matrix, Z: np.ndarray, *, pairs: int = 100_000, seed: int = 0) -> EncoderProperties:
    """Measure dimension reduction, order of dot products and zero codes of an encoder E on sampled users.

    Args:
        X: SciPy CSR matrix, shape (users, items). Empty rows are left out.
        Z: array of their codes E(x), shape (users, k).
        pairs: how many pairs of pairs of different users to compare.
        seed: of the sample.

    Returns:
        EncoderProperties.

    Raises:
        ValueError: X and Z differ in length, or fewer than two users have items.

    Notes:
        Susman's properties: E reduces the dimension; x·y ≥ w·z implies E(x)·E(y) ≥ E(w)·E(z); x ≠ 0 implies E(x) ≠ 0.
        The second is counted on strict inequalities of the rows, with equal dot products of the codes apart, because
        dot products of binary rows are small integers that are often equal by chance.

    Examples:
        An isometry keeps every order:

        >>> import numpy as np
        >>> import scipy.sparse as sp
        >>> from recbole_edlae.analysis import encoder_properties
        >>> X = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1], [1, 0, 0]])
        >>> properties = encoder_properties(sp.csr_matrix(X), 2.0 * X, pairs=1000)
        >>> properties.order_agreement, properties.order_ties, properties.dimension_ratio
        (1.0, 0.0, 1.0)
    """
    if X.shape[0] != len(Z):
        raise ValueError(f"X has {X.shape[0]} rows and Z {len(Z)}: one code a row is needed")
    filled = np.flatnonzero((X != 0).sum(1))  # stored zeros are no items
    if len(filled) < 2:
        raise ValueError(f"dot products need two users with items, got {len(filled)}")
    X, Z = X[filled].astype(np.float64), np.asarray(Z, dtype=np.float64)[filled]
    first, second = _sampled_dots(X, Z, pairs, seed), _sampled_dots(X, Z, pairs, seed + 1)
    row_difference, code_difference = first.rows - second.rows, first.codes - second.codes
    strict = row_difference != 0
    sign = np.sign(code_difference[strict]) * np.sign(row_difference[strict])
    return EncoderProperties(
        dimension_ratio=Z.shape[1] / X.shape[1],
        effective_dimension=effective_dimension(Z),
        order_agreement=_share(sign > 0),
        order_ties=_share(sign == 0),
        row_ties=_share(~strict),
        zero_codes=_share((Z == 0).all(1)),
        zero_entries=_share(Z == 0),
    )


def effective_dimension(Z: np.ndarray) -> float:
    """Return exp(−Σ s log s), s the singular values of Z as shares of their sum; 0 for Z = 0.

    Args:
        Z: array of shape (users, k).

    Returns:
        A number from 1 to k, or 0.

    References:
        Roy & Vetterli. "The effective rank: A measure of effective dimensionality" in EUSIPCO 2007.

    Examples:
        >>> import numpy as np
        >>> from recbole_edlae.analysis import effective_dimension
        >>> round(effective_dimension(np.eye(5)), 6), round(effective_dimension(np.ones((6, 5))), 6)
        (5.0, 1.0)
    """
    share = np.linalg.svd(Z, compute_uv=False)
    if share.sum() == 0:
        return 0.0
    share = share[share > 0] / share.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


class _Dots(NamedTuple):
    """Dot products x·y of pairs of rows, and E(x)·E(y) of their codes; shapes (pairs,)."""

    rows: np.ndarray
    codes: np.ndarray


def _sampled_dots(X: sp.csr_matrix, Z: np.ndarray, pairs: int, seed: int) -> _Dots:
    """Return x·y and E(x)·E(y) for random pairs of different rows."""
    generator = np.random.default_rng(seed)
    first = generator.integers(len(Z), size=pairs)
    second = (first + generator.integers(1, len(Z), size=pairs)) % len(Z)
    rows, codes = np.empty(pairs), np.empty(pairs)
    for start in range(0, pairs, _BATCH):
        part = slice(start, start + _BATCH)
        rows[part] = np.asarray(X[first[part]].multiply(X[second[part]]).sum(1)).ravel()
        codes[part] = (Z[first[part]] * Z[second[part]]).sum(1)
    return _Dots(rows, codes)


def _share(mask: np.ndarray) -> float:
    """Return the share of True; NaN for an empty mask."""
    return float(np.mean(mask)) if mask.size else float("nan")
