"""Measure the properties that Susman (2024) requires of an encoder, on users and their codes."""

import dataclasses

import numpy as np
import scipy.sparse as sp

_BATCH = 10_000  # pairs at a time, which bounds the memory of the gathered rows


@dataclasses.dataclass(frozen=True)
class EncoderProperties:
    """The three properties, with what decides them.

    Shares are in [0, 1]; NaN where there was nothing to count.

    Attributes:
        dimension_ratio: width of the codes / width of the rows; below 1 the encoder reduces the dimension.
        effective_dimension: exp of the entropy of the codes' spectrum: how many dimensions the codes really use.
        order_agreement: share of comparisons x·y > w·z for which E(x)·E(y) > E(w)·E(z) too.
        order_ties: share of those for which the codes' dot products are equal.
        row_ties: share of all comparisons with x·y = w·z; the two shares above leave them out.
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


def encoder_properties(
    X: sp.csr_matrix, Z: np.ndarray, *, pairs: int = 100_000, seed: int = 0
) -> EncoderProperties:
    """Measure dimension reduction, order of dot products and zero codes of an encoder E on sampled users.

    Args:
        X: SciPy CSR matrix, shape (users, items). Empty rows are left out.
        Z: array of their codes E(x), shape (users, k).
        pairs: how many pairs of pairs of different users to compare.
        seed: seed of the sample.

    Raises:
        ValueError: X and Z differ in length, or fewer than two users have items.

    Notes:
        Susman's properties: E reduces the dimension; x·y ≥ w·z implies E(x)·E(y) ≥ E(w)·E(z); x ≠ 0 implies E(x) ≠ 0.
        The second is counted on strict inequalities of the rows, because dot products of binary rows are small
        integers that are often equal by chance. Equal dot products of the codes are counted separately.

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

    # Property 3 speaks of x ≠ 0, so users without items are left out. Stored zeros are no items.
    nonempty = np.flatnonzero((X != 0).sum(1))
    if len(nonempty) < 2:
        raise ValueError(f"dot products need two users with items, got {len(nonempty)}")
    X = X[nonempty].astype(np.float64)
    Z = np.asarray(Z, dtype=np.float64)[nonempty]

    # Property 2 compares x·y with w·z: two independent samples of pairs.
    differences = _sampled_dots(X, Z, pairs, seed) - _sampled_dots(X, Z, pairs, seed + 1)
    row_difference, code_difference = differences

    # The order is kept where both differences have the same sign; x·y = w·z asks for no order.
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
    singular_values = np.linalg.svd(Z, compute_uv=False)
    if singular_values.sum() == 0:
        return 0.0

    # s log s tends to 0 with s, so singular values of 0 add nothing to the entropy.
    share = singular_values[singular_values > 0] / singular_values.sum()
    entropy = -(share * np.log(share)).sum()
    return float(np.exp(entropy))


def _sampled_dots(X: sp.csr_matrix, Z: np.ndarray, pairs: int, seed: int) -> np.ndarray:
    """Return x·y and E(x)·E(y) for random pairs of different rows, of shape (2, pairs)."""
    generator = np.random.default_rng(seed)

    # An offset of 1 to n − 1, modulo n, never leads back to the same row.
    first = generator.integers(len(Z), size=pairs)
    second = (first + generator.integers(1, len(Z), size=pairs)) % len(Z)

    # The gathered rows are temporary; of each pair only the two dot products stay in memory.
    dots = np.empty((2, pairs))
    for start in range(0, pairs, _BATCH):
        batch = slice(start, start + _BATCH)
        i = first[batch]
        j = second[batch]
        dots[0, batch] = np.asarray(X[i].multiply(X[j]).sum(1)).ravel()
        dots[1, batch] = (Z[i] * Z[j]).sum(1)
    return dots


def _share(mask: np.ndarray) -> float:
    """Return the share of True; NaN for an empty mask."""
    if not mask.size:
        return float("nan")
    return float(np.mean(mask))
