"""Approximate ChebyCF's filter by a polynomial."""

import numpy as np
import scipy.fft

from recbole_edlae.solvers.parameters import check_count, check_number


def plateau(order: int, flatness: float) -> list[float]:
    """Return the coefficients of ChebyCF's filter: it passes smooth signals, stops rough ones, and is flat between.

    Args:
        order: K ≥ 1, the degree of the polynomial.
        flatness: φ > 0, finite: how flat it is in the middle of the spectrum.

    Returns:
        c_0, …, c_K.

    Raises:
        ValueError: a parameter is out of range.

    Notes:
        Objective: h(t) = ½ (1 − sign(t) |t|^φ), 1 at t = −1 (the smoothest signals) and 0 at t = 1 (the roughest ones).

        The polynomial takes the values h(t_j) at x_j, where x_j = cos((K + ½ − j) π / (K + 1)), j = 0, …, K, are the
        roots of T_K+1 and t_j = cos((K − j) π / K) the extrema of T_K. So the authors' code has it, from which the
        published numbers are: the ends of the plateau are reached at the outermost roots. Interpolation of h itself
        would have t_j = x_j. (The authors also round t_j and h(t_j) to three decimals, which is left out.)

        Equivalent to: the polynomial of degree K through the points (x_j, h(t_j)).

        Cost: K log K operations, by the discrete cosine transform.

    References:
        Chanwoo Kim et al. "Graph Spectral Filtering with Chebyshev Interpolation for Recommendation" (ChebyCF) in
        SIGIR 2025, and the code its authors published.

    Examples:
        >>> from recbole_edlae.solvers import plateau
        >>> [round(value, 4) + 0.0 for value in plateau(3, 1.0)]
        [0.5, -0.5576, 0.0, 0.0396]
    """
    check_count("order", order)
    flatness = check_number("flatness", flatness, above=0)

    # h(t_j) at the extrema t_j of T_K.
    steps = np.arange(order + 1)
    extrema = np.cos((order - steps) * np.pi / order)
    heights = 0.5 - 0.5 * np.sign(extrema) * np.abs(extrema) ** flatness

    # c_k = 2 / (K + 1) Σ_j h(t_j) T_k(x_j), c_0 half of that; the transform has them at falling x_j.
    coefficients = scipy.fft.dct(heights[::-1]) / (order + 1)
    coefficients[0] /= 2
    return coefficients.tolist()
