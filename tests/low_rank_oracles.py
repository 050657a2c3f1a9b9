"""What the low-rank solvers are held against: float64 NumPy, slow, by definition. Shares no code with the package."""

from collections.abc import Callable

import numpy as np
import scipy.optimize


def penalty(G: np.ndarray, p: float, l2: float) -> np.ndarray:
    """Return Λ, the L2 penalty of every input item."""
    return l2 + p / (1 - p) * np.diag(G)


def regularized(G: np.ndarray, p: float, l2: float) -> np.ndarray:
    """Return M = G + diag Λ."""
    return G + np.diag(penalty(G, p, l2))


def off_diagonal(B: np.ndarray) -> np.ndarray:
    """Return B with a zero diagonal."""
    return B - np.diag(np.diag(B))


def edlae(G: np.ndarray, p: float, l2: float, bound: float = 0.0) -> np.ndarray:
    """Return every target's ridge regression with its own weight at most ``bound``: free if that suffices, else fixed.

    Items that nobody used have no weights.
    """
    M, B = regularized(G, p, l2), np.zeros_like(G)
    used = np.flatnonzero(np.diag(G))
    for j in used:
        free = np.linalg.solve(M[np.ix_(used, used)], G[used, j])
        B[used, j] = free
        if free[used == j] > bound:
            others = used[used != j]
            B[others, j] = np.linalg.solve(M[np.ix_(others, others)], G[others, j] - M[others, j] * bound)
            B[j, j] = bound
    return B


def loss(G: np.ndarray, p: float, l2: float, B: np.ndarray) -> float:
    """Return ‖X − X P(B)‖² + ‖Λ^½ P(B)‖² up to the constant tr G: the training objective off the diagonal."""
    B = off_diagonal(B)
    return np.trace(B.T @ regularized(G, p, l2) @ B) - 2 * np.trace(B.T @ G)


def objective(G: np.ndarray, p: float, l2: float, u: np.ndarray, v: np.ndarray) -> float:
    """Return by how much the loss of the factors exceeds that of the best zero-diagonal matrix."""
    return loss(G, p, l2, u @ v.T) - loss(G, p, l2, edlae(G, p, l2))


def slopes(f: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Return central differences of f at x, in x's shape."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = step
        gradient[i] = (f(x + e) - f(x - e)) / (2 * step)
    return gradient


def stationarity(G: np.ndarray, p: float, l2: float, u: np.ndarray, v: np.ndarray) -> float:
    """Return slopes of the loss, relative to those where the product is zero but the other factor the same."""

    def ratio(f: Callable[[np.ndarray], float], x: np.ndarray) -> float:
        return np.linalg.norm(slopes(f, x)) / np.linalg.norm(slopes(f, 0 * x))

    return max(ratio(lambda U: loss(G, p, l2, U @ v.T), u), ratio(lambda V: loss(G, p, l2, u @ V.T), v))


def truncated(B: np.ndarray, M: np.ndarray, rank: int) -> np.ndarray:
    """Return the rank-k matrix closest to B in the metric M, by a singular value decomposition of M^½ B."""
    values, Q = np.linalg.eigh(M)
    root, inverse_root = (Q * values**0.5) @ Q.T, (Q * values**-0.5) @ Q.T
    left, sigma, right = np.linalg.svd(root @ B)
    return inverse_root @ (left[:, :rank] * sigma[:rank]) @ right[:rank]


def weight_decay(X: np.ndarray, rank: int, l2: float, seed: int) -> tuple[float, np.ndarray]:
    """Return the least ‖X − XUVᵀ‖² + λ(‖U‖² + ‖V‖²) that L-BFGS finds from a random start, and UVᵀ there."""
    n = X.shape[1]

    def value_and_gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        U, V = x.reshape(2, n, rank)
        E = X @ U @ V.T - X
        gradient = np.stack([X.T @ E @ V + l2 * U, E.T @ X @ U + l2 * V])
        return (E**2).sum() + l2 * (x**2).sum(), 2 * gradient.ravel()

    start = np.random.default_rng(seed).normal(size=2 * n * rank)
    lowest = scipy.optimize.minimize(
        value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9},
    )
    U, V = lowest.x.reshape(2, n, rank)
    return lowest.fun, U @ V.T


def admm_iteration(
    G: np.ndarray, p: float, l2: float, U: np.ndarray, V: np.ndarray, omega: float
) -> np.ndarray:
    """Return UVᵀ after one iteration of ADMM, each step by minimizing the augmented Lagrangian; VᵀV = I.

    The Lagrangian is tr[Yᵀ M Y] − 2 tr[Yᵀ G] + Σ Ω (d − β + γ)², Y = UVᵀ − diag β, d = diag(UVᵀ), Ω = ω diag M.
    """
    M = regularized(G, p, l2)
    C, m = np.linalg.inv(M), np.diag(M)
    Omega = omega * m

    def lagrangian(U: np.ndarray, V: np.ndarray, beta: np.ndarray, gamma: np.ndarray) -> float:
        Y, d = U @ V.T - np.diag(beta), np.diag(U @ V.T)
        return np.trace(Y.T @ M @ Y) - 2 * np.trace(Y.T @ G) + (Omega * (d - beta + gamma) ** 2).sum()

    # β = d, and the γ that makes it optimal: the derivative for β, −2 e + 2 m β + 2 diag G − 2 Ω γ, is 0.
    d = np.diag(U @ V.T)
    gamma = (m * d + np.diag(G) - np.diag(M @ U @ V.T)) / Omega

    # U along −C RV, R = P(M (P(UVᵀ) − B̂)), to the vertex of a parabola.
    R = off_diagonal(M @ (off_diagonal(U @ V.T) - edlae(G, p, l2)))
    step = -C @ R @ V
    low, middle, high = (lagrangian(U + t * step, V, d, gamma) for t in (-1, 0, 1))
    U = U + step * (low - high) / (2 * (low + high - 2 * middle))

    # β, and the multiplier by what is left of β = d.
    d, e = np.diag(U @ V.T), np.diag(M @ U @ V.T)
    beta = (e - np.diag(G) + Omega * (d + gamma)) / (m + Omega)
    gamma = gamma + (d - beta)

    # V, row by row: (UᵀMU + Ω_i u uᵀ) v = (1 + β_i) w − Λ_i u + Ω_i (β_i − γ_i) u.
    W, A = M @ U, U.T @ M @ U
    right = (1 + beta)[:, None] * W + (Omega * (beta - gamma) - penalty(G, p, l2))[:, None] * U
    V = np.stack([np.linalg.solve(A + w * np.outer(u, u), r) for w, u, r in zip(Omega, U, right)])
    return U @ V.T
