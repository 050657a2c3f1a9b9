"""What runs on a GPU, against the CPU in double precision. Without a CUDA device, every test is skipped."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from recbole.quick_start import load_data_and_model, run_recbole

from recbole_edlae.model import closed_form
from recbole_edlae.model.weights import Dense
from recbole_edlae.solvers import (
    full_rank,
    gram,
    inverse_gram,
    low_rank,
    neighbors,
    normalize_items,
    objective,
    stationarity,
)
from recbole_edlae.solvers.scale import tiles

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DEVICE = "cuda"
MODELS: dict[str, dict[str, Any]] = {
    "EDLAE": {"reg_weight": 5.0, "user_weight_power": 0.5},
    "EDLAE with neighbors": {"reg_weight": 5.0, "neighbors": 5},
    "EDLAE that normalizes items": {"reg_weight": 5.0, "emphasis": [2.0, 0.5], "item_weight_power": 0.3},
    "EDLAE beside a low-pass filter": {"reg_weight": 5.0, "low_pass_weight": 0.3, "low_pass_rank": 4},
    "DLAE": {"reg_weight": 5.0, "diagonal_bound": 0.2},
    "DLAE of low rank": {"reg_weight": 5.0, "rank": 6},
    "LowRankEDLAE": {"reg_weight": 5.0, "rank": 6},
    "GFCF": {"low_pass_rank": 6},
    "ChebyCF": {"low_pass_rank": 6},
    "DeepAE": {"mlp_hidden_size": [12], "latent_dimension": 6},
    "EnsembleAE": {"latent_dimension": 6, "linear_reg_weight": 5.0, "deep_weight": 0.4},
    "DeepVAE": {"mlp_hidden_size": [12], "latent_dimension": 6},
    "AutoRec": {"latent_dimension": 6},
}
DEEP = ["DeepAE", "EnsembleAE", "DeepVAE", "AutoRec"]


def interactions() -> sp.csr_matrix:
    X = sp.random(400, 130, 0.1, format="csr", random_state=0)
    X.data[:] = 1
    return X


@pytest.fixture(scope="module")
def G() -> torch.Tensor:
    return gram(interactions(), dtype=torch.float64)


def test_gram_arrives_as_it_was_summed(G: torch.Tensor) -> None:
    found = gram(interactions(), dtype=torch.float64, device=DEVICE)
    assert found.device.type == DEVICE and torch.equal(found.cpu(), G)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 2e-6), (torch.float64, 1e-13)])
@pytest.mark.parametrize("emphasis", [(1.0, 0.0), (1.0, 1.0), (2.0, 0.5)])
@pytest.mark.parametrize("bound", [None, 0.1])
def test_full_rank(
    G: torch.Tensor, emphasis: Any, bound: Any, dtype: Any, tolerance: float, overwrite: bool
) -> None:
    problem: dict[str, Any] = {"dropout": 0.3, "l2": 5.0, "emphasis": emphasis, "diagonal_bound": bound}
    given = G.to(DEVICE, dtype, copy=True)
    found = full_rank(given, overwrite=overwrite, **problem)
    assert found.device.type == DEVICE and (found.data_ptr() == given.data_ptr()) is overwrite
    torch.testing.assert_close(found.cpu().double(), full_rank(G, **problem), rtol=0, atol=tolerance)
    power = {"popularity": torch.from_numpy(np.asarray(interactions().sum(0)).ravel()), "power": 0.4}
    on_device = normalize_items(found, power["popularity"].to(DEVICE), power=0.4)
    expected = normalize_items(full_rank(G, **problem), **power)
    torch.testing.assert_close(on_device.cpu().double(), expected, rtol=0, atol=4 * tolerance)


@pytest.mark.parametrize(
    "method", ["eigen", "admm", "als", "zero_diagonal", "free_diagonal", "weight_decay"]
)
@pytest.mark.parametrize("rank", [5, 100])
def test_low_rank(G: torch.Tensor, method: str, rank: int) -> None:
    problem: dict[str, Any] = {"dropout": 0.0 if method == "weight_decay" else 0.3, "l2": 5.0}
    settings = {} if method in ("eigen", "free_diagonal", "weight_decay") else {"max_iter": 3, "tol": 1e9}
    found = low_rank(G.to(DEVICE), rank, method=method, **settings, **problem)
    expected = low_rank(G, rank, method=method, **settings, **problem)
    torch.testing.assert_close((found.u @ found.v.T).cpu(), expected.u @ expected.v.T, rtol=0, atol=1e-8)
    for measure in (objective, stationarity):
        on_device = measure(G.to(DEVICE), found.u, found.v, **problem)
        assert on_device == pytest.approx(measure(G, expected.u, expected.v, **problem), rel=1e-6, abs=1e-7)


def test_neighbors() -> None:
    problem: dict[str, Any] = {"dropout": 0.3, "l2": 5.0}
    found = neighbors(interactions(), 10, device=DEVICE, **problem)
    expected = neighbors(interactions(), 10, **problem)
    np.testing.assert_allclose(found.toarray(), expected.toarray(), atol=1e-5)


def test_an_inverse_holds_three_matrices() -> None:
    n = 2000
    G = torch.eye(n, device=DEVICE) + 1e-4
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    inverse_gram(G, dropout=0.3, l2=1.0, overwrite=True)
    assert torch.cuda.max_memory_allocated() - before <= 2.2 * G.nbytes  # beside G


@pytest.mark.parametrize("case", MODELS)
def test_models_rank_as_on_the_cpu(case: str, tiny: str, tmp_path: Any) -> None:
    name = case.split()[0]
    quiet = {"data_path": tiny, "state": "ERROR", "show_progress": False, "epochs": 3, "topk": [5, 10]}
    results = {}
    for use_gpu in (False, True):
        folder = str(tmp_path / str(use_gpu))
        settings = {**quiet, "use_gpu": use_gpu, "checkpoint_dir": folder, **MODELS[case]}
        results[use_gpu] = run_recbole(name, "tiny", config_dict=settings)["test_result"]
    if name in DEEP:  # their random numbers are the device's
        assert all(np.isfinite(value) for value in results[True].values())
    else:
        assert results[True] == pytest.approx(results[False], abs=0.02)
    (file,) = (tmp_path / "True").glob("*.pth")
    _, model, *_ = load_data_and_model(str(file))
    assert all(buffer.device.type == DEVICE for buffer in model.buffers())


@pytest.mark.parametrize("name", DEEP)
def test_deep_models_in_mixed_precision(name: str, tiny: str, tmp_path: Any) -> None:
    quiet = {"data_path": tiny, "state": "ERROR", "show_progress": False, "epochs": 5, "topk": [5, 10]}
    settings = {
        **quiet,
        "use_gpu": True,
        "enable_amp": True,
        "enable_scaler": True,
        "checkpoint_dir": str(tmp_path),
    }
    result = run_recbole(name, "tiny", config_dict={**settings, **MODELS[name]})
    assert all(np.isfinite(value) for value in result["test_result"].values())


def test_packed_weights_become_dense_on_a_gpu(
    tiny: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed_form, "DENSE_ITEMS", 0)
    monkeypatch.setattr(tiles, "SIDE", 8)
    settings = {
        "data_path": tiny,
        "state": "ERROR",
        "show_progress": False,
        "checkpoint_dir": str(tmp_path),
    }
    run_recbole("EDLAE", "tiny", config_dict={**settings, "use_gpu": False})
    (file,) = tmp_path.glob("*.pth")
    model = load_data_and_model(str(file))[1].to(DEVICE)
    assert isinstance(model.weights, Dense) and model.weights.encoder.device.type == DEVICE
