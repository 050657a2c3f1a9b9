"""What Susman (2024) asks of an encoder, measured on users and their codes."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class EncoderProperties:
    """The three properties, with what decides them. Shares are in [0, 1]; NaN where there was nothing to count."""

    dimension_ratio: float  # width of the codes / width of the rows; below 1 is dimension reduction
    effective_dimension: float  # exp of the entropy of the codes' spectrum: how many dimensions they really use
    order_agreement: float  # share of comparisons x·y > w·z for which E(x)·E(y) > E(w)·E(z) too
    order_ties: float  # share of those for which the codes' dot products are equal
    row_ties: float  # share of all comparisons with x·y = w·z, which say nothing and are left out of the two above
    zero_codes: float  # share of non-empty rows whose code is 0 in every dimension
    zero_entries: float  # share of zeros among all entries of those codes


def encoder_properties(X, Z, *, pairs=100_000, seed=0):
    """Dimension reduction, order of dot products and zero codes of an encoder E on sampled users.

    Susman's properties: E reduces the dimension; x·y ≥ w·z implies E(x)·E(y) ≥ E(w)·E(z); x ≠ 0 implies E(x) ≠ 0.
    The second is counted on strict inequalities of the rows, with equal dot products of the codes apart, because
    dot products of binary rows are small integers that are often equal by chance.

    Args:
        X: SciPy CSR matrix, shape (users, items). Empty rows are left out.
        Z: array of their codes E(x), shape (users, k).
        pairs: how many pairs of pairs of different users to compare.
        seed: of the sample.

    Returns:
        EncoderProperties.

    Raises:
        ValueError: X and Z differ in length, or fewer than two users have items.
    """
    if X.shape[0] != len(Z):
        raise ValueError(f"X has {X.shape[0]} rows and Z {len(Z)}: one code a row is needed")
    filled = np.flatnonzero(np.diff(X.indptr))
    if len(filled) < 2:
        raise ValueError(f"dot products need two users with items, got {len(filled)}")
    X, Z = X[filled].astype(np.float64), np.asarray(Z, dtype=np.float64)[filled]
    first, second = _sampled_dots(X, Z, pairs, seed), _sampled_dots(X, Z, pairs, seed + 1)
    rows, codes = first[0] - second[0], first[1] - second[1]
    strict = rows != 0
    sign = np.sign(codes[strict]) * np.sign(rows[strict])
    return EncoderProperties(
        dimension_ratio=Z.shape[1] / X.shape[1],
        effective_dimension=effective_dimension(Z),
        order_agreement=_share(sign > 0),
        order_ties=_share(sign == 0),
        row_ties=_share(~strict),
        zero_codes=_share((Z == 0).all(1)),
        zero_entries=_share(Z == 0),
    )


def effective_dimension(Z):
    """exp(−Σ s log s), s the singular values of Z as shares of their sum (Roy & Vetterli 2007); 0 for Z = 0."""
    share = np.linalg.svd(Z, compute_uv=False)
    if share.sum() == 0:
        return 0.0
    share = share[share > 0] / share.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def _sampled_dots(X, Z, pairs, seed):
    """x·y and E(x)·E(y) for random pairs of different rows."""
    generator = np.random.default_rng(seed)
    one = generator.integers(len(Z), size=pairs)
    other = (one + generator.integers(1, len(Z), size=pairs)) % len(Z)
    rows, codes = np.empty(pairs), np.empty(pairs)
    for start in range(0, pairs, 10_000):  # bounds the memory of the gathered rows
        part = slice(start, start + 10_000)
        rows[part] = np.asarray(X[one[part]].multiply(X[other[part]]).sum(1)).ravel()
        codes[part] = (Z[one[part]] * Z[other[part]]).sum(1)
    return rows, codes


def _share(mask):
    return float(np.mean(mask)) if mask.size else float("nan")
