"""Checkpoints and an export of before the weights were classes: they open, with the same numbers."""

import json
import pathlib
import shutil

import pytest
import torch
from recbole.quick_start import load_data_and_model
from recbole.utils import get_trainer

from recbole_edlae.serving.recommender import Recommender

EARLIER = pathlib.Path(__file__).with_name("earlier")
EXPECTED = json.loads((EARLIER / "expected.json").read_text())
HISTORIES = [["i1", "i2"], ["i5"]]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_checkpoint_recommends_as_it_did(name):
    answer = Recommender.load(EARLIER / f"{name}.pth").recommend(HISTORIES, 3)
    assert answer.items == EXPECTED[name]["items"]
    assert [[float(score) for score in scores] for scores in answer.scores] == EXPECTED[name]["scores"]


@pytest.mark.parametrize("name", EXPECTED)
def test_recbole_loads_and_evaluates_it(name, tmp_path):
    shutil.copytree(EARLIER / "dataset", tmp_path / "dataset")
    shutil.copy(EARLIER / f"{name}.pth", tmp_path)
    config, model, _, _, _, test = load_data_and_model(f"{name}.pth")
    config["corrections"] = ["tokens", "time_order", "candidates"]  # all that there were
    result = get_trainer(config["MODEL_TYPE"], config["model"])(config, model).evaluate(
        test, load_best_model=False
    )
    assert dict(result) == EXPECTED[name]["test"]


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_saved_now_has_the_same_names(name):
    saved = torch.load(EARLIER / f"{name}.pth", weights_only=False)["state_dict"]
    now = Recommender.load(EARLIER / f"{name}.pth").model.state_dict()
    assert set(now) == set(saved)
    assert all(torch.equal(now[key], saved[key]) for key in saved)


def test_an_export_recommends_as_it_did():
    answer = Recommender.load(EARLIER / "export").recommend(HISTORIES, 3)
    assert answer.items == EXPECTED["dense"]["items"]
