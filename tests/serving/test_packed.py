"""Packed weights from the training to a file and back: checkpoints, exports, recommendations, similar items."""

import numpy as np
import pytest
import torch
from recbole.quick_start import load_data_and_model, run_recbole
from safetensors.torch import load_file

from recbole_edlae.model import closed_form
from recbole_edlae.model.local_weights import Local
from recbole_edlae.model.packed_weights import Packed
from recbole_edlae.model.weights import Dense
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import write_export
from recbole_edlae.serving.recommender import Recommender
from recbole_edlae.solvers import PackedWeights
from recbole_edlae.solvers.scale import tiles

HISTORIES = [["i1", "i4"], ["i9"], [], ["i2", "i3", "i5", "i8", "i11"]]
CASES = {
    "EDLAE": ("EDLAE", {"reg_weight": 5.0, "user_weight_power": 0.5}),
    "EDLAE that normalizes items": (
        "EDLAE",
        {"reg_weight": 5.0, "emphasis": [2.0, 0.5], "item_weight_power": 0.3},
    ),
    "DLAE with a bound": ("DLAE", {"reg_weight": 5.0, "diagonal_bound": 0.2}),
    "EDLAE beside a low-pass filter": (
        "EDLAE",
        {"reg_weight": 5.0, "low_pass_weight": 0.3, "low_pass_rank": 4, "item_weight_power": 0.3},
    ),
    "LowRankEDLAE": ("LowRankEDLAE", {"reg_weight": 5.0, "rank": 6, "solver": "eigen"}),
}


@pytest.fixture(scope="module", params=CASES)
def pair(request, tiny, tmp_path_factory):
    """Return results and checkpoints of one model twice: on packed matrices, and on whole ones."""
    name, settings = CASES[request.param]
    results = []
    for packed in (True, False):
        folder = tmp_path_factory.mktemp("checkpoints")
        quiet = {"data_path": tiny, "state": "ERROR", "show_progress": False, "checkpoint_dir": str(folder)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(closed_form, "DENSE_ITEMS", 0 if packed else 4096)
            patch.setattr(tiles, "SIDE", 8)
            results.append(run_recbole(name, "tiny", config_dict={**quiet, "topk": [5, 10], **settings}))
        results.append(str(next(folder.glob("*.pth"))))
    return results


def test_same_metrics_and_recommendations(pair):
    result, file, expected, dense_file = pair
    assert result == expected
    packed, dense = Recommender.load(file), Recommender.load(dense_file)
    found, wanted = packed.recommend(HISTORIES, 10), dense.recommend(HISTORIES, 10)
    assert found.items == wanted.items
    for some, others in zip(found.scores, wanted.scores):
        np.testing.assert_allclose(some, others, atol=2e-6)
    assert packed.similar("i3", 5)[0] == dense.similar("i3", 5)[0]


def test_a_checkpoint_is_opened_as_it_was_written(pair):
    _, file, _, dense_file = pair
    state = torch.load(file, weights_only=False)["state_dict"]
    model = load_data_and_model(file)[1]
    if "decoder" in state:
        return
    n, weights = model.n_items, model.weights
    whole = load_data_and_model(dense_file)[1].weights  # what earlier versions wrote
    if isinstance(weights, Local):
        torch.testing.assert_close(weights.factors.encoder, whole.factors.encoder, rtol=0, atol=2e-6)
        assert state["low_pass.encoder"].shape == (n, 4) == state["low_pass.decoder"].shape
        weights, whole = weights.matrix, whole.matrix
    assert isinstance(weights, Packed)
    assert state["packed.values"].numel() <= n * (n + 8) / 2 and state["encoder"].shape == (n, 0)
    assert isinstance(whole, Dense)
    torch.testing.assert_close(weights.matrix.dense(), whole.encoder, rtol=0, atol=2e-6)
    torch.testing.assert_close(weights.on(torch.device("meta")).encoder.shape, whole.encoder.shape)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 0), ("float16", 5e-3)])
def test_export(pair, dtype, tolerance, tmp_path):
    _, file, _, _ = pair
    write_export(Checkpoint.read(file), tmp_path / "export", dtype=dtype)
    expected = Recommender.load(file).recommend(HISTORIES, 10)
    found = Recommender.load(tmp_path / "export").recommend(HISTORIES, 10)
    for some, others in zip(found.scores, expected.scores):
        np.testing.assert_allclose(some, others, rtol=tolerance, atol=tolerance)
    tensors = load_file(tmp_path / "export" / "weights.safetensors")
    if "packed.values" in tensors:
        assert tensors["packed.values"].dtype == getattr(torch, dtype)
    if "low_pass.encoder" in tensors:
        assert tensors["low_pass.encoder"].dtype == tensors["low_pass.decoder"].dtype == torch.float32


def test_thinned_export(pair, tmp_path):
    _, file, _, dense_file = pair
    if "decoder" in torch.load(file, weights_only=False)["state_dict"]:
        pytest.skip("factors are not thinned out")
    for number, path in enumerate((file, dense_file)):
        write_export(Checkpoint.read(path), tmp_path / str(number), top=4)
    packed, dense = (load_file(tmp_path / str(number) / "weights.safetensors") for number in (0, 1))
    assert torch.equal(packed["sparse.target"], dense["sparse.target"])
    torch.testing.assert_close(packed["sparse.weight"], dense["sparse.weight"], rtol=0, atol=2e-6)
    assert packed.keys() == dense.keys()
    histories = [Recommender.load(tmp_path / str(number)).recommend(HISTORIES, 10) for number in (0, 1)]
    for some, others in zip(*(answer.scores for answer in histories)):
        np.testing.assert_allclose(some, others, atol=2e-5)


def test_half_precision_holds_weights_of_many_users(tiny):
    """C is of the order of 1 over a number of users, which half precision does not resolve."""
    C = tiles.SymmetricTiles.of(torch.eye(20).roll(1, 0) * 1e-9 + torch.eye(20).roll(-1, 0) * 1e-9, 8)
    weights = Packed.of(PackedWeights(C, None, torch.full((20,), 1e8), torch.zeros(20)))
    halves = weights.portable()
    halves["packed.values"] = halves["packed.values"].half().float()
    again = Packed(**{name: halves[name] for name in Packed.names})
    torch.testing.assert_close(again.matrix.dense(), weights.matrix.dense(), rtol=1e-3, atol=0)
