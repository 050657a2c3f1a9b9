"""Files that are no checkpoints, and checkpoints that RecBole alone or half precision has to hold."""

import glob
import json
import os
import pathlib

import pytest
import torch
from recbole.quick_start import load_data_and_model

from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import write_export
from recbole_edlae.serving.recommender import Recommender
from tests.serving.shop_checkpoints import HISTORY


def foreign(checkpoint):
    """Name → content of a file that is none of RecBole's checkpoints, though it looks like one."""
    saved = torch.load(checkpoint, weights_only=False)
    config, weights = saved["config"], saved["state_dict"]
    poor = torch.load(checkpoint, weights_only=False)["config"]
    del poor.final_config_dict["data_path"]
    short = {name: value[:-1] if value.dim() == 2 else value for name, value in weights.items()}
    return {
        "an empty config": {"config": {}},
        "an empty config and weights": {"config": {}, "state_dict": {}},
        "no weights": {"config": config, "state_dict": {}},
        "weights that are a list": {"config": config, "state_dict": [1]},
        "no state_dict": {"config": config},
        "a list": [1, 2],
        "a tensor": torch.zeros(3),
        "weights of another model": {"config": config, "state_dict": {"network.weight": torch.zeros(3)}},
        "half the weights": {"config": config, "state_dict": {"dummy_param": torch.zeros(1)}},
        "weights of other items": {"config": config, "state_dict": short},
        "weights that are text": {"config": config, "state_dict": dict.fromkeys(weights, "text")},
        "a poor config": {"config": poor, "state_dict": weights},
        "a damaged description": {**saved, "trained_on": 3},
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_files_that_are_no_checkpoints_are_named(checkpoint, refused):
    pathlib.Path("users.jsonl").write_text(json.dumps(HISTORY) + "\n")
    for kind, content in foreign(checkpoint).items():
        torch.save(content, "foreign.pth")
        for read in (load_data_and_model, Recommender.load):
            with pytest.raises(ValueError, match=r"foreign\.pth") as raised:
                read("foreign.pth")
            assert "\n" not in str(raised.value), kind


def test_damaged_checkpoints_are_named(checkpoint):
    saved = torch.load(checkpoint, weights_only=False)
    damaged = {**saved["trained_on"], "tokens": {"user_id": b"", "item_id": b"text"}}
    encoder = saved["state_dict"]["encoder"]
    for content, message in (
        ({**saved, "trained_on": damaged}, "what it says of its data is damaged"),
        (
            {**saved, "state_dict": {**saved["state_dict"], "encoder": encoder * torch.nan}},
            "NaN or infinite",
        ),
        (
            {**saved, "state_dict": {**saved["state_dict"], "encoder": encoder[:, :0]}},
            "before its model was fitted",
        ),
    ):
        torch.save(content, "foreign.pth")
        with pytest.raises(ValueError, match=f"foreign.pth.*{message}"):
            Recommender.load("foreign.pth")


def test_checkpoints_are_read_by_recbole_alone(checkpoint):
    saved = torch.load(checkpoint, weights_only=False)
    assert list(saved)[:8] == [
        "opened_with", "config", "epoch", "cur_step", "best_valid_score", "state_dict", "other_parameter", "optimizer"
    ]  # fmt: skip
    torch.save(saved["trained_on"], "plain.pth")
    assert torch.load("plain.pth", weights_only=True)["interactions"] > 200  # nothing but plain data


def test_weights_beyond_half_precision_are_not_exported_as_such(checkpoint, refused):
    saved = torch.load(checkpoint, weights_only=False)
    for size in (70_000.0, -1e9, 65_505.0):
        saved["state_dict"]["encoder"][3, 4] = size
        torch.save(saved, "large.pth")
        error = refused("export", "--checkpoint=large.pth", "--output=small", "--dtype=float16")
        assert "float16" in error and "65,504" in error and f"{abs(size):,.6g}" in error
        assert not os.path.exists("small") and not glob.glob(".*part")
    saved["state_dict"]["encoder"][3, 4] = 65_504.0
    torch.save(saved, "large.pth")
    write_export(Checkpoint.read("large.pth"), "small", dtype="float16")
    assert Recommender.load("small").model.weights.encoder[3, 4] == 65_504.0
