import itertools
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import recbole
import scipy.sparse as sp
import torch

from recbole_edlae.solvers import (
    ConvergenceWarning,
    LowRank,
    full_rank,
    gram,
    inverse_gram,
    item_scale,
    low_rank,
    normalize_items,
    objective,
    stationarity,
    weights,
)
from recbole_edlae.solvers._conjugate_gradients import conjugate_gradients
from recbole_edlae.solvers._spectral import top_eigenvectors
from tests import low_rank_oracles as oracles

P, L2 = 0.3, 2.0
ITERATIVE = ("admm", "als", "zero_diagonal")
SHORT = {"dropout": P, "l2": L2, "tol": 0, "max_iter": 4}
# Every method, arguments that make it do all it does, and how closely two runs must agree then.
METHODS = [
    ("admm", SHORT, 1e-8),
    ("als", SHORT, 1e-8),
    ("zero_diagonal", SHORT, 1e-8),
    ("eigen", {"dropout": P, "l2": L2}, 1e-10),
    ("free_diagonal", {"dropout": P, "l2": L2}, 1e-10),
    ("weight_decay", {"dropout": 0, "l2": L2}, 1e-10),
]
short = pytest.mark.filterwarnings("ignore::recbole_edlae.solvers.ConvergenceWarning")
every_method = pytest.mark.parametrize("method, arguments, tolerance", METHODS, ids=[m[0] for m in METHODS])


def interactions(users: int = 300, items: int = 20, seed: int = 0, cold: Iterable[int] = ()) -> np.ndarray:
    """Users who like one of four kinds of items, some items more popular than others."""
    generator = np.random.default_rng(seed)
    kind = generator.integers(4, size=users)[:, None] == np.arange(items) % 4
    X = (generator.random((users, items)) < np.where(kind, 0.7, 0.2) * np.linspace(1, 0.4, items)).astype(
        float
    )
    X[:, list(cold)] = 0
    return X


def gram_of(X: np.ndarray, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.from_numpy(X.T @ X).to(dtype)


def product(result: LowRank) -> np.ndarray:
    return (result.u @ result.v.T).numpy()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def off(B: Any) -> np.ndarray:
    return oracles.off_diagonal(np.asarray(B))


# The objective and its stationary points


@pytest.mark.parametrize("p, l2", [(0.0, 1.0), (0.3, 0.0), (0.6, 5.0)])
def test_objective_and_stationarity_are_those_of_brute_force(p: float, l2: float) -> None:
    X, random = interactions(items=9), np.random.default_rng(1)
    u, v = random.normal(size=(2, 9, 3)) * 0.3
    arguments = [gram_of(X), torch.from_numpy(u), torch.from_numpy(v)]
    expected = oracles.objective(X.T @ X, p, l2, u, v)
    assert objective(*arguments, dropout=p, l2=l2) == pytest.approx(expected, rel=1e-10)
    expected = oracles.stationarity(X.T @ X, p, l2, u, v)
    assert stationarity(*arguments, dropout=p, l2=l2) == pytest.approx(expected, rel=1e-6)


def test_full_rank_is_where_the_objective_is_zero() -> None:
    G = gram_of(interactions())
    B = full_rank(G, dropout=P, l2=L2)
    u, v = B + torch.diag(torch.rand(20, dtype=B.dtype)), torch.eye(20, dtype=B.dtype)
    assert objective(G, u, v, dropout=P, l2=L2) == pytest.approx(0, abs=1e-9)
    assert stationarity(G, u, v, dropout=P, l2=L2) < 1e-12


def test_zero_factors_are_stationary() -> None:
    G, zero = gram_of(interactions()), torch.zeros(20, 3, dtype=torch.float64)
    assert stationarity(G, zero, zero, dropout=P, l2=L2) == 0


def test_objective_and_stationarity_need_factors_that_fit() -> None:
    G = gram_of(interactions())
    for check in (objective, stationarity):
        with pytest.raises(ValueError, match=r"shape \(20, rank\) each, got \(20, 2\) and \(20, 3\)"):
            check(G, torch.ones(20, 2), torch.ones(20, 3), dropout=P, l2=L2)


# What every method keeps


@short
@every_method
def test_shape_type_and_input_are_kept(method: str, arguments: dict[str, Any], tolerance: float) -> None:
    for dtype in (torch.float32, torch.float64):
        G = gram_of(interactions(), dtype)
        before = G.clone()
        result = low_rank(G, 4, method=method, **arguments)
        assert isinstance(result, LowRank) and torch.equal(G, before)
        for factor in result[:2]:
            assert factor.shape == (20, 4) and factor.dtype == dtype and factor.device == G.device
            assert factor.isfinite().all()


@short
@every_method
def test_follows_the_order_of_the_items(method: str, arguments: dict[str, Any], tolerance: float) -> None:
    X, order = interactions(), np.random.default_rng(1).permutation(20)
    expected = product(low_rank(gram_of(X), 4, method=method, **arguments))[order][:, order]
    found = product(low_rank(gram_of(X[:, order]), 4, method=method, **arguments))
    np.testing.assert_allclose(off(found), off(expected), atol=tolerance)


@short
@every_method
@pytest.mark.parametrize("l2", [0.0, 2.0])
@pytest.mark.parametrize("rank", [4, 20])
def test_items_of_nobody_have_no_weights(
    method: str, arguments: dict[str, Any], tolerance: float, l2: float, rank: int
) -> None:
    G = gram_of(interactions(cold=[0, 7]))
    used = [i for i in range(20) if i not in (0, 7)]
    arguments = {**arguments, "l2": l2}
    result = low_rank(G, rank, method=method, **arguments)
    assert (result.u[[0, 7]] == 0).all() and (result.v[[0, 7]] == 0).all()
    alone = product(low_rank(G[used][:, used], min(rank, 18), method=method, **arguments))
    np.testing.assert_allclose(off(product(result)[np.ix_(used, used)]), off(alone), atol=tolerance)


@short
@every_method
def test_progress_ends_at_its_total(method: str, arguments: dict[str, Any], tolerance: float) -> None:
    calls = []
    low_rank(
        gram_of(interactions()), 4, method=method, progress=lambda *call: calls.append(call), **arguments
    )
    done, total = zip(*calls)
    assert list(done) == sorted(done) and done[-1] == total[-1] and len(set(total)) == 1


def test_progress_counts_additions_and_multiplications() -> None:
    """n³ of the inverse; an iteration of ADMM has two products with n × k numbers, of n² k multiply-adds each."""
    G = gram_of(interactions())
    calls = []
    low_rank(G, 4, dropout=0.3, l2=1.0, max_iter=3, tol=1.0, progress=lambda *call: calls.append(call))
    assert calls[-1][1] == len(G) ** 3 + 3 * (2 * 2 * len(G) ** 2 * 4)


# Full rank


@pytest.mark.parametrize("method", ["als", "admm", "zero_diagonal"])
@pytest.mark.parametrize("start", ["eigen", "random"])
@pytest.mark.parametrize("l2", [0.0, 2.0])
def test_rank_n_reproduces_full_rank(method: str, start: str, l2: float) -> None:
    G = gram_of(interactions())
    result = low_rank(
        G, 20, dropout=P, l2=l2, method=method, start=start, generator=generator(), tol=1e-8, max_iter=200
    )
    np.testing.assert_allclose(off(product(result)), full_rank(G, dropout=P, l2=l2), atol=1e-6)


@pytest.mark.parametrize("method", ITERATIVE)
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_a_rank_above_that_of_the_full_rank_model(
    method: str, dtype: torch.dtype, tolerance: float
) -> None:
    """Five items that no user combined with others have no weights, so that B has rank 15."""
    X = interactions()
    X[:, 15:] = 0
    G = gram_of(np.vstack([X, np.eye(20)[15:]]), dtype)
    expected = full_rank(G.double(), dropout=P, l2=L2)
    assert torch.linalg.matrix_rank(expected) == 15
    for rank in (17, 20):
        result = low_rank(G, rank, dropout=P, l2=L2, method=method)
        np.testing.assert_allclose(off(product(result)), expected, atol=tolerance)
        assert result.converged and result.history[-1].objective > -1e-3


@pytest.mark.parametrize("p, l2", [(0.0, 1.0), (0.3, 0.0), (0.6, 5.0)])
def test_closed_forms_at_rank_n(p: float, l2: float) -> None:
    X = interactions()
    G = gram_of(X)
    np.testing.assert_allclose(
        product(low_rank(G, 20, dropout=p, l2=l2, method="eigen")),
        oracles.edlae(X.T @ X, p, l2),
        atol=1e-11,
    )
    np.testing.assert_allclose(
        product(low_rank(G, 20, dropout=p, l2=l2, method="free_diagonal")),
        full_rank(G, dropout=p, l2=l2, emphasis=(1, 1)),
        atol=1e-11,
    )


# Closed forms at low rank


@pytest.mark.parametrize("rank", [1, 6, 15])
def test_closed_forms_are_the_closest_of_their_rank(rank: int) -> None:
    X = interactions()
    G, M = X.T @ X, oracles.regularized(X.T @ X, P, L2)
    for method, B in (("eigen", oracles.edlae(G, P, L2)), ("free_diagonal", np.linalg.solve(M, G))):
        found = product(low_rank(gram_of(X), rank, dropout=P, l2=L2, method=method))
        np.testing.assert_allclose(found, oracles.truncated(B, M, rank), atol=1e-10)


@pytest.mark.parametrize("rank, l2", [(3, 1.0), (5, 8.0), (8, 14.0)])
def test_weight_decay_is_what_gradients_find(rank: int, l2: float) -> None:
    X = interactions(items=10)
    result = low_rank(gram_of(X), rank, dropout=0, l2=l2, method="weight_decay")
    B = product(result)
    loss = ((X - X @ B) ** 2).sum() + l2 * (result.u.square().sum() + result.v.square().sum()).item()
    for seed in range(3):
        lowest, minimizer = oracles.weight_decay(X, rank, l2, seed)
        assert loss == pytest.approx(lowest, rel=1e-9)
        np.testing.assert_allclose(B, minimizer, atol=1e-4)


def test_weight_decay_drops_weak_directions() -> None:
    G = gram_of(interactions())
    threshold = torch.linalg.eigvalsh(G)[-4].item() + 1e-6
    result = low_rank(G, 8, dropout=0, l2=threshold, method="weight_decay")
    assert (result.u.norm(dim=0) > 0).sum() == 3


@pytest.mark.parametrize("rank", [2, 15, 40, 70, 90])
def test_top_eigenvectors_by_every_routine(rank: int) -> None:
    A = torch.from_numpy(np.random.default_rng(0).normal(size=(90, 90)))
    A = A @ A.T
    values, vectors = top_eigenvectors(A.matmul, A.clone, A.diagonal(), rank)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(A)[::-1][:rank], rtol=1e-10)
    np.testing.assert_allclose(A @ vectors, vectors * values, atol=1e-9)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(rank), atol=1e-12)


def with_spectrum(values: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    """A symmetric matrix with these eigenvalues."""
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(len(values), len(values))))[0]
    return torch.from_numpy((Q * values) @ Q.T).to(dtype)


@pytest.mark.parametrize(
    "dtype, tolerance, power", [(torch.float32, 1e-5, 0.4), (torch.float64, 1e-11, 0.8)]
)
@pytest.mark.parametrize("rank", [1, 20])
def test_top_eigenvectors_from_products_only(
    dtype: torch.dtype, tolerance: float, power: float, rank: int
) -> None:
    expected = 1000 / np.arange(1.0, 1201) ** power
    A = with_spectrum(expected, dtype)
    calls = []

    def product(x: torch.Tensor) -> np.ndarray:
        calls.append(x.shape[1])
        return A @ x

    values, vectors = top_eigenvectors(product, lambda: pytest.fail("a dense matrix"), A.diagonal(), rank)
    np.testing.assert_allclose(values, expected[:rank], rtol=tolerance)
    np.testing.assert_allclose(A @ vectors, vectors * values, atol=1000 * tolerance)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(rank), atol=tolerance)
    again = top_eigenvectors(product, A.clone, A.diagonal(), rank)
    assert torch.equal(values, again[0]) and torch.equal(vectors, again[1])
    assert sum(calls) <= 1200  # of two runs


def test_top_eigenvectors_in_a_spectrum_too_flat_for_a_krylov_space() -> None:
    expected = 1 + np.linspace(1e-3, 0, 800)
    A = with_spectrum(expected, torch.float64)
    values, vectors = top_eigenvectors(A.matmul, A.clone, A.diagonal(), 25)
    np.testing.assert_allclose(values, expected[:25], rtol=1e-12)
    np.testing.assert_allclose(vectors.T @ A @ vectors, np.diag(expected[:25]), atol=1e-12)


def test_top_eigenvalues_that_repeat_more_often_than_a_block_has_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recbole_edlae.solvers._spectral._first_check", lambda rank: 64)
    A = with_spectrum(np.repeat([5.0, 1.0], [60, 740]), torch.float64)
    values, _ = top_eigenvectors(A.matmul, A.clone, A.diagonal(), 40)
    np.testing.assert_allclose(values, 5, rtol=1e-12)


# Iterations


def test_conjugate_gradients_solve_in_as_many_steps_as_there_are_eigenvalues() -> None:
    A, M = (
        with_spectrum(np.repeat([1.0, 3.0, 7.0], 10), torch.float64),
        torch.diag(torch.rand(30).double() + 1),
    )
    start, x = torch.rand(2, 30, 2, dtype=torch.float64)
    metric = M.sqrt()
    operator = metric @ A @ metric  # preconditioned by M⁻¹ it has three eigenvalues

    def product(p: torch.Tensor, Mp: torch.Tensor) -> torch.Tensor:
        torch.testing.assert_close(Mp, M @ p)
        return operator @ p

    solution = conjugate_gradients(
        start, operator @ (x - start), operator=product, precondition=lambda r: M.inverse() @ r, steps=3
    )
    torch.testing.assert_close(solution, x)


@pytest.mark.parametrize("method", ITERATIVE)
@pytest.mark.parametrize("start", ["eigen", "random"])
def test_iterations(method: str, start: str) -> None:
    G = gram_of(interactions())
    result = low_rank(
        G, 4, dropout=P, l2=L2, method=method, start=start, generator=generator(), tol=1e-4, max_iter=1000
    )
    last = result.history[-1]
    assert result.converged and last.residual <= 1e-4
    assert last.objective == pytest.approx(objective(G, result.u, result.v, dropout=P, l2=L2), rel=1e-8)
    if method == "zero_diagonal":
        assert torch.linalg.vecdot(result.u, result.v).abs().max() < 1e-14
    else:
        assert last.residual == pytest.approx(
            stationarity(G, result.u, result.v, dropout=P, l2=L2), rel=1e-4
        )
    if method != "admm":
        f = [step.objective for step in result.history]
        assert all(after <= before * (1 + 1e-12) for before, after in itertools.pairwise(f))


def test_solutions_are_ordered_as_their_constraints() -> None:
    """als ≤ admm's limit ≤ eigen, and the zero diagonal costs more than leaving it out."""
    G, arguments = gram_of(interactions()), {"dropout": P, "l2": L2}
    settings = {"als": {"tol": 1e-7, "max_iter": 2000}, "admm": {"tol": 1e-7, "max_iter": 2000}}
    f = {}
    for method in ("als", "admm", "eigen", "zero_diagonal", "free_diagonal"):
        u, v, *_ = low_rank(G, 4, method=method, **arguments, **settings.get(method, {}))
        f[method] = objective(G, u, v, **arguments)
    assert f["als"] == pytest.approx(f["admm"], rel=1e-6)
    assert f["als"] < min(f["eigen"], f["zero_diagonal"], f["free_diagonal"])


def test_no_direction_lowers_the_solution() -> None:
    G, random = gram_of(interactions()), np.random.default_rng(0)
    u, v, *_ = low_rank(G, 3, dropout=P, l2=L2, method="als", tol=1e-10, max_iter=5000)
    best = objective(G, u, v, dropout=P, l2=L2)
    for _ in range(30):
        du, dv = torch.from_numpy(random.normal(size=(2, 20, 3))) * 1e-3
        assert objective(G, u + du, v + dv, dropout=P, l2=L2) >= best * (1 - 1e-10)


@pytest.mark.parametrize("omega", [0.1, 1.0, 10.0])
def test_omega_changes_the_path_only(omega: float) -> None:
    G = gram_of(interactions())
    result = low_rank(G, 4, dropout=P, l2=L2, omega=omega, tol=1e-8, max_iter=5000)
    reference = low_rank(G, 4, dropout=P, l2=L2, method="als", tol=1e-9, max_iter=5000)
    assert result.history[-1].objective == pytest.approx(reference.history[-1].objective, rel=1e-7)


@pytest.mark.parametrize("method", ITERATIVE)
def test_stopping_short_warns_and_a_pair_goes_on(method: str) -> None:
    G, arguments = gram_of(interactions()), {"dropout": P, "l2": L2, "method": method, "tol": 1e-5}
    with pytest.warns(
        ConvergenceWarning, match=f"{method} stopped after 2 iterations .* above tol = 1e-05"
    ) as record:
        first = low_rank(G, 4, max_iter=2, start="random", generator=generator(), **arguments)
    assert not first.converged and len(first.history) == 2 and record[0].filename == __file__
    before = [t.clone() for t in first[:2]]
    second = low_rank(G, 4, max_iter=2000, start=first[:2], **arguments)
    assert second.converged and second.history[0].objective <= first.history[1].objective * (1 + 1e-12)
    assert all(torch.equal(a, b) for a, b in zip(before, first[:2]))


def test_the_generator_alone_decides_the_random_start() -> None:
    G, arguments = gram_of(interactions()), {"dropout": P, "l2": L2, "start": "random", "tol": 10}
    torch.manual_seed(0)
    a = low_rank(G, 4, generator=generator(3), **arguments)
    b = low_rank(G, 4, generator=generator(3), **arguments)
    c = low_rank(G, 4, generator=generator(4), **arguments)
    assert torch.equal(a.u, b.u) and not torch.equal(a.u, c.u)


@pytest.mark.parametrize("method, most", [("admm", 3), ("als", 13), ("zero_diagonal", 12)])
def test_an_iteration_is_a_few_products_with_n_by_k_matrices(
    monkeypatch: pytest.MonkeyPatch, method: str, most: int
) -> None:
    """Counted, not timed: ten admm iterations at n = 6,000 and rank 100 are half an inverse."""
    G, columns = gram_of(interactions()), []
    multiply = torch.Tensor.__matmul__

    def counted(S: torch.Tensor, U: torch.Tensor) -> torch.Tensor:
        if S.shape == G.shape:
            columns.append(U.shape[1])
        return multiply(S, U)

    monkeypatch.setattr(torch.Tensor, "__matmul__", counted)
    counts = []
    for iterations in (1, 11):
        columns.clear()
        with pytest.warns(ConvergenceWarning):
            low_rank(G, 4, dropout=P, l2=L2, method=method, tol=0, max_iter=iterations)
        counts.append(sum(columns))
    assert 10 * 4 <= counts[1] - counts[0] <= 10 * most * 4


# Real data


def relevant_ratings(seed: int = 42) -> sp.csr_matrix:
    """80 % of ml-100k's ratings, every one a positive; which 80 % moves the rank-10 optimum by ± .0013."""
    path = os.path.join(os.path.dirname(recbole.__file__), "dataset_example", "ml-100k", "ml-100k.inter")
    pairs = np.loadtxt(path, skiprows=1, usecols=(0, 1), dtype=int)
    user, item = pairs[np.random.default_rng(seed).random(len(pairs)) < 0.8].T
    return sp.csr_matrix((np.ones(len(user)), (user - 1, item - 1)))


@pytest.fixture(scope="module")
def movielens() -> tuple[torch.Tensor, float]:
    G = gram(relevant_ratings(), dtype=torch.float64)
    C, Lambda = inverse_gram(G, dropout=0.33, l2=100)
    return G, (1 / C.diagonal() - Lambda).sum().item()  # the full-rank model's training objective


@pytest.mark.slow
@pytest.mark.parametrize("method", ["als", "admm"])
@pytest.mark.parametrize("start", ["eigen", "random"])
@pytest.mark.parametrize("rank, bound", [(10, 0.4525), (50, 0.2890), (200, 0.0735)])
def test_movielens(
    movielens: tuple[torch.Tensor, float], method: str, start: str, rank: int, bound: float
) -> None:
    G, scale = movielens
    result = low_rank(
        G,
        rank,
        dropout=0.33,
        l2=100,
        method=method,
        start=start,
        generator=generator(),
        tol=1e-3,
        max_iter=30,
    )
    assert result.history[-1].objective / scale <= bound
    assert result.converged and stationarity(G, result.u, result.v, dropout=0.33, l2=100) <= 1e-3


def test_movielens_in_single_precision(movielens: tuple[torch.Tensor, float]) -> None:
    G, scale = movielens
    result = low_rank(G.float(), 50, dropout=0.33, l2=100)
    assert objective(G, result.u.double(), result.v.double(), dropout=0.33, l2=100) / scale <= 0.2890
    assert stationarity(G, result.u.double(), result.v.double(), dropout=0.33, l2=100) <= 1e-3


# Full rank: the bound on the diagonal, sweeps, items' powers


@pytest.mark.parametrize("p, l2", [(0.0, 3.0), (0.5, 2.0)])
@pytest.mark.parametrize("bound", [0.0, 0.2, 0.45, 1.0])
def test_bounded_diagonal_is_the_constrained_regression(p: float, l2: float, bound: float) -> None:
    X = interactions()
    B = full_rank(gram_of(X), dropout=p, l2=l2, emphasis=(1, 1), diagonal_bound=bound)
    np.testing.assert_allclose(B, oracles.edlae(X.T @ X, p, l2, bound), atol=1e-11)
    assert B.diagonal().max() <= bound


def test_bound_zero_is_edlae_where_it_holds_and_a_loose_one_is_dlae() -> None:
    G = gram_of(interactions(cold=[3]))
    arguments = {"dropout": P, "l2": L2}
    dlae = full_rank(G, emphasis=(1, 1), **arguments)
    active = dlae.diagonal() > 0
    zero = full_rank(G, emphasis=(1, 1), diagonal_bound=0, **arguments)
    torch.testing.assert_close(zero[:, active], full_rank(G, **arguments)[:, active], atol=1e-13, rtol=0)
    assert active.sum() == 19 and (zero[3] == 0).all() and (zero[:, 3] == 0).all()
    assert torch.equal(full_rank(G, emphasis=(1, 1), diagonal_bound=1, **arguments), dlae)


def test_bound_holds_for_every_emphasis() -> None:
    """Of two columns whose diagonals differ in size, the bound changes the one it reaches and keeps its shape."""
    G = gram_of(interactions())
    free = full_rank(G, dropout=P, l2=L2, emphasis=(1, 0.4))
    bound = free.diagonal().median().item()
    B = full_rank(G, dropout=P, l2=L2, emphasis=(1, 0.4), diagonal_bound=bound)
    reached = free.diagonal() > bound
    assert reached.any() and (B.diagonal()[reached] == bound).all()
    assert torch.equal(B[:, ~reached], free[:, ~reached])
    ratio = off(B)[:, reached] / np.where(off(free)[:, reached] == 0, np.nan, off(free)[:, reached])
    assert (np.nanstd(ratio, 0) < 1e-12).all() and (np.nanmean(ratio, 0) > 1).all()


def test_a_sweep_inverts_once() -> None:
    G = gram_of(interactions(cold=[3]))
    C, Lambda = inverse_gram(G, dropout=P, l2=L2)
    before = C.clone()
    for setting in (
        {"emphasis": (1, 0)},
        {"emphasis": (1, 0.3)},
        {"emphasis": (1, 1), "diagonal_bound": 0.1},
    ):
        B = weights(C, Lambda, dropout=P, **setting)
        assert torch.equal(B, full_rank(G, dropout=P, l2=L2, **setting)) and torch.equal(C, before)


@pytest.mark.parametrize("bound", [-0.1, float("nan"), "0", True])
def test_bound_out_of_range(bound: Any) -> None:
    with pytest.raises(ValueError, match="diagonal_bound must be None or a finite number of at least 0"):
        full_rank(gram_of(interactions()), dropout=P, l2=L2, emphasis=(1, 1), diagonal_bound=bound)


def test_item_powers_scale_both_sides() -> None:
    X = interactions(cold=[3])
    G, popularity = gram_of(X), torch.from_numpy(X.sum(0))
    s = np.where(X.sum(0) > 0, X.sum(0), 1) ** 0.4
    np.testing.assert_allclose(item_scale(popularity, power=0.4), s)
    B = full_rank(G, dropout=P, l2=L2)
    expected = np.diag(s) @ B.numpy() @ np.diag(1 / s)
    np.testing.assert_allclose(normalize_items(B, popularity, power=0.4), expected, atol=1e-14)
    factors = low_rank(G, 20, dropout=P, l2=L2, method="eigen")
    np.testing.assert_allclose(
        product(normalize_items(factors, popularity, power=0.4)), expected, atol=1e-11
    )
    assert torch.equal(normalize_items(B, popularity, power=0), B)
    assert normalize_items(B, popularity, power=0.4, overwrite=True) is B
    with pytest.raises(ValueError, match="power must be a finite number, got None"):
        normalize_items(B, popularity, power=None)
    with pytest.raises(ValueError, match="popularity must be at least 0"):
        item_scale(-popularity, power=0.4)


# Errors


@pytest.mark.parametrize("rank", [0, -1, 21, 2.0, "4", True, None])
@pytest.mark.parametrize("method", [m[0] for m in METHODS])
def test_rank_out_of_range(method: str, rank: Any) -> None:
    with pytest.raises(
        ValueError, match=f"rank must be an integer from 1 to the number of items, 20; got {rank!r}"
    ):
        low_rank(gram_of(interactions()), rank, dropout=0, l2=L2, method=method)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "alz"}, "method must be one of 'als', 'admm'.*'weight_decay'; got 'alz'"),
        ({"method": None}, "method must be one of .*; got None"),
        ({"omega": 0}, "omega must be a finite number above 0, got 0"),
        ({"omega": -1.0}, "omega must be a finite number above 0, got -1.0"),
        ({"method": "als", "omega": 1.0}, "method 'als' has no setting 'omega'; it has"),
        ({"method": "eigen", "max_iter": 5}, "method 'eigen' has no setting 'max_iter'; it has 'progress'"),
        ({"tols": 1e-3}, "method 'admm' has no setting 'tols'; it has 'tol', "),
        ({"method": "als", "cg_steps": 0}, "cg_steps must be an integer of at least 1, got 0"),
        ({"max_iter": 0}, "max_iter must be an integer of at least 1, got 0"),
        ({"tol": -1e-3}, "tol must be a finite number of at least 0, got -0.001"),
        (
            {"start": "zeros"},
            r"start must be 'eigen', 'random' or a pair of tensors .*\(20, 4\); got 'zeros'",
        ),
        ({"start": (torch.ones(20, 4), torch.ones(20, 3))}, r"got \[\(20, 4\), \(20, 3\)\]"),
        ({"method": "weight_decay"}, "'weight_decay' has no dropout: it must be 0, got 0.3"),
        ({"dropout": 1.0}, r"dropout must be a probability in \[0, 1\), got 1.0"),
        ({"l2": -1}, "l2 must be a finite number of at least 0, got -1"),
    ],
)
def test_errors(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        low_rank(gram_of(interactions()), 4, **{"dropout": P, "l2": L2, **arguments})


def test_not_a_gram_matrix() -> None:
    for method, arguments, _ in METHODS:
        with pytest.raises(ValueError, match="G must be a square"):
            low_rank(torch.ones(2, 3), 1, method=method, **arguments)


def test_one_iteration_of_admm_is_that_of_its_derivation() -> None:
    """Its limit does not depend on every sign of the multiplier: the path does."""
    G, problem = gram_of(interactions()), {"dropout": P, "l2": L2, "omega": 2.0, "tol": 0.0}
    with pytest.warns(ConvergenceWarning):
        start, end = (low_rank(G, 4, method="admm", max_iter=steps, **problem) for steps in (1, 2))
    expected = oracles.admm_iteration(G.numpy(), P, L2, start.u.numpy(), start.v.numpy(), omega=2.0)
    np.testing.assert_allclose(product(end), expected, atol=1e-9)
