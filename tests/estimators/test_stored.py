"""From an estimator to an export and back, and from a checkpoint or export of RecBole's model."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from recbole_edlae import estimators
from recbole_edlae.estimators import DLAE, EDLAE
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import write_export
from recbole_edlae.serving.recommender import Recommender
from tests.serving.conftest import MODELS, checkpoints  # noqa: F401  a fixture

HISTORIES = [["i1", "i4"], ["i9"], [], ["i2", "i3", "i5", "i8", "i11"]]
pytestmark = pytest.mark.filterwarnings("ignore:1 of 4 histories")
NAMES = ["EDLAE", "DLAE", "LowRankEDLAE"]


@pytest.mark.parametrize("name", NAMES)
def test_a_recommender_reads_the_export(name, log, tmp_path):
    estimator = getattr(estimators, name)(**MODELS[name]).fit(log)
    estimator.to_export(tmp_path / "export")
    answer = Recommender.load(tmp_path / "export").recommend(HISTORIES, 8)
    expected = estimator.recommend(HISTORIES, 8)
    assert list(itertools.chain(*answer.items)) == expected["item_id"].tolist()
    assert np.concatenate(answer.scores).tolist() == expected["score"].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_an_export_comes_back(name, log, tmp_path):
    settings = MODELS[name] | {"item_weight_power": 0.2}
    estimator = getattr(estimators, name)(**settings, user="user_id").fit(log)
    estimator.to_export(tmp_path / "export")
    again = type(estimator).from_export(tmp_path / "export")
    given = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in estimator.get_params().items()
    }
    assert again.get_params() == given and again.items_.tolist() == estimator.items_.tolist()
    assert np.array_equal(again.score(HISTORIES), estimator.score(HISTORIES))
    answer = again.recommend(HISTORIES, 8)
    assert list(itertools.chain(*answer.items)) == estimator.recommend(HISTORIES, 8)["item_id"].tolist()
    assert answer.popular.tolist() == [False, False, True, False]
    again.to_export(tmp_path / "second")
    for file in ("weights.safetensors", "items.json", "manifest.json"):
        assert (tmp_path / "second" / file).read_bytes() == (tmp_path / "export" / file).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_checkpoint_and_its_export_read_alike(name, checkpoints, tmp_path):  # noqa: F811
    path = checkpoints(name)
    write_export(Checkpoint.read(path), tmp_path / "export")
    kind = getattr(estimators, name)
    recommender = Recommender.load(path)
    expected = recommender.recommend(HISTORIES, 8)
    for estimator in (kind.from_checkpoint(path), kind.from_export(tmp_path / "export")):
        assert {key: estimator.get_params()[key] for key in MODELS[name]} == MODELS[name]
        answer = estimator.recommend(HISTORIES, 8)
        assert answer.items == expected.items and all(map(np.array_equal, answer.scores, expected.scores))
        assert estimator.similar("i3")[0] == recommender.similar("i3", 10)[0]
        frame = pd.DataFrame({"user_id": ["u", "u"], "item_id": ["i1", "i4"]})
        assert estimator.recommend(frame, 8)["item_id"].tolist() == expected.items[0]
        with pytest.raises(ValueError, match="read from a file knows none: give their histories"):
            estimator.recommend(["u1"])
        estimator.to_export(tmp_path / f"again{id(estimator)}")
        again = tmp_path / f"again{id(estimator)}" / "weights.safetensors"
        assert again.read_bytes() == (tmp_path / "export" / "weights.safetensors").read_bytes()


def test_numbers_are_ids_of_an_export_too(tmp_path):
    X = sp.csr_matrix([[1, 1, 0], [1, 1, 0], [1, 0, 1]])
    EDLAE(1.0).fit(X).to_export(tmp_path / "export")
    again = EDLAE.from_export(tmp_path / "export")
    assert again.recommend([[2], ["2"], [2.0]], 1).items == [["0"]] * 3
    assert again.recommend(X[2:], 1).items == [["1"]]


def test_thin_and_half_precision_exports(log, tmp_path):
    estimator = EDLAE(reg_weight=5.0).fit(log)
    whole = estimator.to_export(tmp_path / "whole")
    assert estimator.to_export(tmp_path / "thin", dtype="float16", top=3) < whole
    B = EDLAE.from_export(tmp_path / "thin").score([[item] for item in estimator.items_])
    assert (np.count_nonzero(B, axis=0) <= 3).all() and np.count_nonzero(B)


@pytest.mark.parametrize("change, message", [
    ({"dtype": "float8"}, "dtype must be one of float32, float16; got 'float8'"),
    ({"top": 0}, "top must be an integer of at least 1"),
])  # fmt: skip
def test_exports_that_cannot_be_written(change, message, log, tmp_path):
    with pytest.raises(ValueError, match=message):
        EDLAE().fit(log).to_export(tmp_path / "export", **change)
    assert not (tmp_path / "export").exists()


def test_two_ids_of_one_text(tmp_path):
    log = pd.DataFrame({"user_id": [1, 1, 2], "item_id": [7, "7", 7]})
    with pytest.raises(ValueError, match="items: two ids are both written as '7'"):
        EDLAE().fit(log).to_export(tmp_path / "export")


def test_files_that_are_not_its_own(log, tmp_path, checkpoints):  # noqa: F811
    EDLAE().fit(log).to_export(tmp_path / "export")
    with pytest.raises(ValueError, match="it is of the model 'EDLAE'; this estimator is DLAE"):
        DLAE.from_export(tmp_path / "export")
    with pytest.raises(ValueError, match="it is of the model 'EDLAE'; this estimator is DLAE"):
        DLAE.from_checkpoint(checkpoints("EDLAE"))
    with pytest.raises(ValueError, match=r"export .*nothing: no file manifest.json"):
        EDLAE.from_export(tmp_path / "nothing")
    (tmp_path / "export" / "items.json").write_text(json.dumps(["[PAD]", "a"]))
    with pytest.raises(ValueError, match=r"items.json has .* bytes of .* it was cut short or changed"):
        EDLAE.from_export(tmp_path / "export")


def test_weights_of_users_are_refused(log, tmp_path):
    class OfUsers(EDLAE):
        def _checked_settings(self):
            return super()._checked_settings() | {"based_on": "user"}

    estimator = EDLAE().fit(log)
    estimator.__class__ = OfUsers
    estimator.to_export(tmp_path / "export")
    with pytest.raises(ValueError, match="based_on must be 'item': weights of users score no histories"):
        EDLAE.from_export(tmp_path / "export")
