import itertools
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import threadpoolctl
import torch

from recbole_edlae.solvers import SymmetricTiles
from recbole_edlae.solvers import _matrix as module
from recbole_edlae.solvers.steps import inverse


@pytest.fixture(params=["dense", "dense by torch", "packed"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return how a matrix is held: dense, dense and too large for LAPACK, or in many tiles."""
    if request.param == "dense by torch":
        monkeypatch.setattr(module, "LAPACK_ROWS", 0)
    return request.param


def inverted(M: torch.Tensor, kind: str, **options: Any) -> torch.Tensor:
    """Return the inverse as a dense matrix."""
    if kind == "packed":
        return inverse(SymmetricTiles.of(M, 128), **options).dense()
    return inverse(M, **options)


def positive_definite(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    A = torch.from_numpy(np.random.default_rng(seed).normal(size=(n, n + 5)))
    return (A @ A.T / n + torch.eye(n)).to(dtype)


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 513, 1500])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_equals_numpy(n: int, dtype: torch.dtype, tolerance: float, kind: str) -> None:
    M = positive_definite(n, dtype=dtype)
    before = M.clone()
    C = inverted(M, kind)
    assert C.dtype == dtype and torch.equal(M, before)
    np.testing.assert_allclose(C.numpy(), np.linalg.inv(before.double().numpy()), atol=tolerance)


@pytest.mark.parametrize("limit", [0, module.LAPACK_ROWS])
@pytest.mark.parametrize(
    "view", [torch.empty_like, lambda M: torch.empty_like(M).T, lambda M: torch.cat((M, M))[::2]]
)
def test_overwrite_is_in_place(
    view: Callable[..., Any], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LAPACK_ROWS", limit)
    M = positive_definite(700)
    expected = inverse(M)
    given = view(M).copy_(M)
    assert inverse(given, overwrite=True) is given
    assert torch.equal(given, expected)


def test_reads_the_upper_triangle_and_returns_both() -> None:
    M = positive_definite(600)
    C = inverse(M.triu() + torch.full_like(M, torch.nan).tril(-1))
    assert torch.equal(C, C.T) and torch.equal(C, inverse(M))


@pytest.mark.parametrize("condition", [1e2, 1e4])
@pytest.mark.parametrize("large", [1, 700, 1399])
def test_is_as_accurate_as_lapack(condition: float, large: int, kind: str) -> None:
    values = torch.ones(1400, dtype=torch.float64)
    values[:large] = condition
    Q = torch.linalg.qr(torch.from_numpy(np.random.default_rng(0).normal(size=(1400, 1400))))[0]
    M = ((Q * values) @ Q.T).float()
    M = (M + M.T) / 2
    exact = torch.linalg.inv(M.double())
    lapack = torch.cholesky_inverse(torch.linalg.cholesky(M))
    rounding = torch.finfo(M.dtype).eps * exact.norm()
    assert (inverted(M, kind) - exact).norm() <= 2 * (lapack - exact).norm() + 8 * rounding


def test_holds_nothing_of_the_size_of_the_matrix() -> None:
    status, reset = pathlib.Path("/proc/self/status"), pathlib.Path("/proc/self/clear_refs")
    if not reset.exists():
        pytest.skip("peak memory is read from Linux's /proc")

    def kilobytes(field: str) -> int:
        return next(
            int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(field + ":")
        )

    M = positive_definite(3000, dtype=torch.float32)
    inverse(positive_definite(600, dtype=torch.float32))
    reset.write_text("5")
    before = kilobytes("VmRSS")
    inverse(M, overwrite=True)
    assert (kilobytes("VmHWM") - before) * 1024 <= 0.1 * M.nbytes


def test_takes_as_many_threads_as_torch_has() -> None:
    M, before, seen = positive_definite(900), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            inverse(M, progress=lambda *_: seen.append(blas_threads()))
    finally:
        torch.set_num_threads(before)
    assert seen == [{1}] * 3 + [{2}] * 3


def blas_threads() -> set[int]:
    return {
        library["num_threads"]
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas"
    }


@pytest.mark.parametrize("kind, steps", [("dense", 3), ("packed", 3 * 11)])
def test_progress_ends_at_the_total(kind: str, steps: int) -> None:
    seen: list[tuple[int, int]] = []
    inverted(positive_definite(1300), kind, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (1300**3, 1300**3) and len(seen) == steps
    assert all(after - before < total / 3 + 2 for (before, total), (after, _) in itertools.pairwise(seen))


@pytest.mark.parametrize("n", [3, 900])
@pytest.mark.parametrize("place", [0, -1])
def test_not_positive_definite(n: int, place: Any, kind: str) -> None:
    M = positive_definite(n)
    M[place, place] = -1
    with pytest.raises(torch.linalg.LinAlgError, match="not positive definite"):
        inverted(M, kind)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [(0, 0), (0, 1), (3, 899), (500, 500), (700, 701), (899, 899)])
def test_entries_that_are_not_finite_are_never_passed_on(value: Any, place: Any, kind: str) -> None:
    M = positive_definite(900, dtype=torch.float32)
    M[place] = M[place[::-1]] = value
    with pytest.raises(torch.linalg.LinAlgError, match="not positive definite"):
        inverted(M, kind)


def test_an_inverse_beyond_the_largest_number(kind: str) -> None:
    # torch's own library takes numbers as small as these for zeros.
    with pytest.raises(torch.linalg.LinAlgError, match=r"not (finite|positive definite)"):
        inverted(torch.eye(300) * 1e-40, kind)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64, torch.float16])
def test_other_types(dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match="M must be float32 or float64, got torch"):
        inverse(torch.eye(3).to(dtype))


def test_not_square() -> None:
    with pytest.raises(ValueError, match="square"):
        inverse(torch.ones(2, 3))


@pytest.mark.parametrize("packed", [False, True])
def test_an_inverse_of_either_kind_beyond_the_largest_number(packed: bool) -> None:
    M = 1e-39 * torch.eye(3)
    with pytest.raises(torch.linalg.LinAlgError, match="the inverse has entries that are not finite"):
        inverse(SymmetricTiles.of(M) if packed else M)
