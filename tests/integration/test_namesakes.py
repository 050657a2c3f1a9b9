"""A RecBole that has a model of its own under a name of this package's: the name means RecBole's."""

import json
import shutil

import pytest

from tests import recbole_tree
from tests.conftest import ROOT

PROGRAM = """
import json, sys
import recbole_edlae
from recbole.config import Config
from recbole.quick_start import run_recbole
from recbole.utils import get_model, get_trainer

settings = json.loads(sys.stdin.read())
edlae = get_model("EDLAE")
config = Config("EDLAE", "tiny", config_dict={**settings, "emphasis": [1.0, 1.0]})
try:
    Config("EDLAE", "tiny", config_dict={**settings, "user_weight_power": 0.5})
    error = None
except ValueError as raised:
    error = str(raised)
print(json.dumps({
    "modules": [get_model(name).__module__ for name in ("EDLAE", "DLAE")],
    "trainer": get_trainer(edlae.type, "EDLAE").__module__,
    "settings": [config[key] for key in ("reg_weight", "emphasis", "eval_batch_size")],
    "error": error,
    "ndcg": [run_recbole(name, "tiny", config_dict=settings)["test_result"]["ndcg@10"] for name in ("EDLAE", "DLAE")],
}))
"""


@pytest.fixture(scope="module")
def report(tiny, tmp_path_factory):
    """What a process sees that imports this package and such a RecBole."""
    tree = recbole_tree.copy_of_recbole(tmp_path_factory.mktemp("tree"))
    for path in ("recbole/model/general_recommender/edlae.py", "recbole/properties/model/EDLAE.yaml"):
        shutil.copy(ROOT / "upstream" / path, tree / path)
    settings = {"data_path": tiny, "state": "ERROR", "show_progress": False}
    return json.loads(recbole_tree.run(PROGRAM, tree, json.dumps(settings)).splitlines()[-1])


def test_recboles_model_is_taken_with_its_own_trainer_and_defaults(report):
    assert report["modules"][0] == "recbole.model.general_recommender.edlae"
    assert report["trainer"] == "recbole.trainer.trainer"
    assert report["settings"] == [
        500.0,
        [1.0, 1.0],
        4096,
    ]  # the package's model has another eval_batch_size


def test_the_other_models_of_the_package_are_there(report):
    assert report["modules"][1] == "recbole_edlae.model.dlae"
    assert all(0 < value <= 1 for value in report["ndcg"])


def test_a_setting_that_only_the_model_of_the_package_has_is_refused(report):
    expected = (
        "user_weight_power is a setting of EDLAE in recbole_edlae; "
        "the EDLAE of this RecBole itself does not have it"
    )
    assert report["error"] == expected
