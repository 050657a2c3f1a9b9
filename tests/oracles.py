"""What the solvers are held against: float64 NumPy, slow, by definition. Shares no code with the package."""

import itertools

import numpy as np


def gram(X: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return Σ_u w_u x_u x_uᵀ, one user at a time."""
    G = np.zeros((X.shape[1], X.shape[1]))
    for u, row in enumerate(X):
        G += (1.0 if weight is None else weight[u]) * np.outer(row, row)
    return G


def all_masks(
    X: np.ndarray, p: float, emphasis: tuple[float, float], l2: float, target: np.ndarray | None = None
) -> np.ndarray:
    """Return q times the minimizer of the error averaged over every dropout mask, one target item at a time.

    The error of item j counts a where the mask drops j and b where it keeps it. The L2 penalty of column j is
    q²(ap + bq) λ, on the diagonal times ab/(ap + bq)², as in Steck's theorem. The target is X or something else.
    """
    Y = X if target is None else target
    (a, b), q, n = emphasis, 1 - p, X.shape[1]
    m = a * p + b * q
    B = np.zeros((n, n))
    for j in range(n):
        H, h = np.zeros((n, n)), np.zeros(n)
        for bits in itertools.product([0.0, 1.0], repeat=n):
            mask = np.array(bits)
            share = np.prod(np.where(mask == 1, q, p)) * (b if mask[j] else a)
            Z = X * mask
            H += share * Z.T @ Z
            h += share * Z.T @ Y[:, j]
        ridge = np.full(n, q * q * m * l2)
        ridge[j] *= a * b / m**2
        B[:, j] = q * np.linalg.lstsq(H + np.diag(ridge), h, rcond=None)[0]
    return B


def ease(X: np.ndarray, l2: float) -> np.ndarray:
    """Return the ridge regression of every item on all the others."""
    n = X.shape[1]
    B = np.zeros((n, n))
    for j in range(n):
        others = np.delete(np.arange(n), j)
        A = X[:, others]
        B[others, j] = np.linalg.solve(A.T @ A + l2 * np.eye(n - 1), A.T @ X[:, j])
    return B


def ridge(X: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Return the regression of every item on all items, itself too, with a penalty per input item."""
    return np.linalg.solve(X.T @ X + np.diag(penalty), X.T @ X)


def low_pass(X: np.ndarray, rank: int) -> np.ndarray:
    """Return D_I^½ V Vᵀ D_I^−½, V the leading right singular vectors of D_U^−½ X D_I^−½."""
    users, items = X.sum(1), X.sum(0)
    scaled = X / np.sqrt(np.where(users > 0, users, 1))[:, None] / np.sqrt(np.where(items > 0, items, 1))
    V = np.linalg.svd(scaled, full_matrices=False)[2][:rank].T
    root = np.sqrt(np.where(items > 0, items, 1))
    return root[:, None] * (V @ V.T) / root


def ridge_of_others(X: np.ndarray, target: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Return the regression of every column of the target on all items but that one, with a penalty per input item."""
    n = X.shape[1]
    B = np.zeros((n, n))
    for j in range(n):
        others = np.delete(np.arange(n), j)
        A = X[:, others]
        B[others, j] = np.linalg.solve(A.T @ A + np.diag(penalty[others]), A.T @ target[:, j])
    return B


def graph_filter(X: np.ndarray, coefficients: np.ndarray, power: float) -> np.ndarray:
    """Return D_I^−β Q p(1 − 2σ²) Qᵀ D_I^β, R̃ = D_U^−½ X D_I^−½ with right singular vectors Q, singular values σ."""
    users, items = X.sum(1), X.sum(0)
    scaled = X / np.sqrt(np.where(users > 0, users, 1))[:, None] / np.sqrt(np.where(items > 0, items, 1))
    values, Q = np.linalg.eigh(scaled.T @ scaled)
    response = sum(
        c * np.cos(k * np.arccos(np.clip(1 - 2 * values, -1, 1))) for k, c in enumerate(coefficients)
    )
    scale = np.where(items > 0, np.maximum(items, 1) ** power, 0)
    before = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    return before[:, None] * (Q * response @ Q.T) * scale


def ideal_filter(X: np.ndarray, rank: int, power: float) -> np.ndarray:
    """Return D_I^−γ V Vᵀ D_I^γ, V the leading right singular vectors of D_U^−½ X D_I^−½."""
    users, items = X.sum(1), X.sum(0)
    scaled = X / np.sqrt(np.where(users > 0, users, 1))[:, None] / np.sqrt(np.where(items > 0, items, 1))
    V = np.linalg.svd(scaled, full_matrices=False)[2][:rank].T
    scale = np.where(items > 0, items, 1) ** power
    return V @ V.T / scale[:, None] * scale
