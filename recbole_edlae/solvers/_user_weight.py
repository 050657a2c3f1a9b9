"""How much each user counts in the Gram matrix and in a loss."""

from typing import Any

import numpy as np

from recbole_edlae.solvers._parameters import check_power


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
    power = check_power(power)

    # Users without items would lower the mean.
    active = count > 0
    weight = np.ones(len(count))
    with np.errstate(over="ignore"):
        weight[active] = (count[active] / count[active].mean()) ** -power
    if not np.isfinite(weight).all():
        raise ValueError(f"power {power!r} gives weights of users that are not finite: take one closer to 0")
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
        raise ValueError(f"user_weight must have shape ({users},), one weight per row of X, got {weight.shape}")
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise ValueError("user_weight must be finite and at least 0 for every user")
    return weight
