"""A large inverse in a process of its own: ``python -m tests.solvers.large_inverse N`` prints its error, as JSON."""

import json
import sys
import time

import numpy as np
import scipy.sparse as sp
import threadpoolctl
import torch

from recbole_edlae.solvers import gram
from recbole_edlae.solvers.steps import inverse

L2 = 50.0


def interactions(items: int) -> sp.csr_matrix:
    """Return as many users as items, with 20 random items each: few enough for M to be well conditioned."""
    indices = np.random.default_rng(0).integers(items, size=(items, 20)).ravel()
    X = sp.csr_matrix((np.ones(len(indices), np.float32), indices, np.arange(0, len(indices) + 1, 20)))
    X.resize(items, items)
    X.sum_duplicates()
    X.data[:] = 1
    return X


def column_of_the_inverse(X: sp.csr_matrix, item: int) -> np.ndarray:
    """Return a column of (XᵀX + L2)⁻¹ in double precision, by conjugate gradients to a residual of 10⁻¹³."""
    X = X.astype(np.float64)
    column, residual = np.zeros(X.shape[1]), np.eye(1, X.shape[1], item)[0]
    direction, square = residual, 1.0
    while square > 1e-26:
        product = X.T @ (X @ direction) + L2 * direction
        step = square / (direction @ product)
        column, residual = column + step * direction, residual - step * product
        previous, square = square, residual @ residual
        direction = residual + square / previous * direction
    return column


def main(items: int) -> None:
    torch.set_num_threads(2)
    X = interactions(items)
    M = gram(X, packed=True)
    M.set_diagonal(M.diagonal() + L2)
    start = time.perf_counter()
    C = inverse(M, overwrite=True)
    seconds = time.perf_counter() - start
    item = items // 2
    exact = column_of_the_inverse(X, item)
    rows = torch.arange(items)
    error = np.linalg.norm(C.entries(rows, torch.full_like(rows, item)).numpy() - exact) / np.linalg.norm(
        exact
    )
    kernels = {
        library["filepath"].split("/")[-2]: library["architecture"]
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas"
    }
    print(json.dumps({"error": error, "seconds": seconds, "kernels": kernels}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
