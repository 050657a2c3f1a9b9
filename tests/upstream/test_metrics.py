"""The reference models in RecBole itself, by its own trainers on ml-100k: the metrics of the package's models."""

import json

import pytest
from recbole.quick_start import objective_function

from tests import recbole_tree
from tests.upstream.conftest import MODELS
from tools import upstream

SETTINGS = {
    "EDLAE": [
        {},
        {"emphasis": [1.0, 1.0]},
        {"reg_weight": 200.0, "dropout_prob": 0.5},
        {"reg_weight": 300.0, "dropout_prob": 0.0},
    ],
    "LowRankEDLAE": [
        {"rank": 10, "reg_weight": 100.0},
        {"rank": 20},
        {"rank": 50},
        {"rank": 50, "reg_weight": 200.0, "dropout_prob": 0.5},
    ],
    "DeepAE": [
        {"epochs": 2},
        {"epochs": 2, "emphasis": [1.0, 0.3], "dropout_prob": 0.3},
        {"epochs": 2, "latent_activation": "tanh", "learning_rate": 0.0003},
        {"epochs": 3, "latent_dimension": 50, "reg_weight": 2.0},
    ],
    "AutoRec": [
        {"epochs": 2},
        {"epochs": 2, "latent_activation": "tanh"},
        {"epochs": 3, "latent_dimension": 50, "reg_weight": 0.1},
        {
            "epochs": 3,
            "feedback": "rating",
            "LABEL_FIELD": "rating",
            "load_col": {"inter": ["user_id", "item_id", "rating"]},
            "eval_args": {"mode": "labeled"},
            "metrics": ["RMSE", "MAE"],
            "valid_metric": "RMSE",
        },
    ],
}
QUIET = {"dataset": "ml-100k", "state": "ERROR", "show_progress": False, "eval_batch_size": 10_000_000}
# The package repairs RecBole for a current stack; the models are RecBole's own.
PROGRAM = """
import json, sys
import recbole_edlae
from recbole.quick_start import objective_function
from recbole.utils import get_model

results = {}
for name, cases in json.loads(sys.stdin.read()).items():
    assert get_model(name).__module__ == "recbole.model.general_recommender." + name.lower()
    runs = [objective_function({"model": name, **settings}) for settings in cases]
    results[name] = [[run["best_valid_result"], run["test_result"]] for run in runs]
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Model → results on validation and test for each of its settings, of a RecBole that has all reference models."""
    folder = recbole_tree.copy_of_recbole(recbole_tree.checkout(tmp_path_factory.mktemp("recbole")))
    for name in upstream.MODELS:
        upstream.main([str(folder), "--models", name])
    cases = {name: [{**QUIET, **settings} for settings in several] for name, several in SETTINGS.items()}
    return json.loads(recbole_tree.run(PROGRAM, folder, json.dumps(cases)).splitlines()[-1])


def test_every_reference_model_is_here():
    assert set(SETTINGS) == set(upstream.MODELS)
    assert {name.lower() for name in SETTINGS} == {path.stem for path in MODELS.glob("*.py")}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_metrics_are_those_of_the_package(name, results):
    for settings, (valid, test) in zip(SETTINGS[name], results[name], strict=True):
        expected = objective_function({"model": name, **QUIET, **settings})
        assert (valid, test) == (expected["best_valid_result"], expected["test_result"]), settings
