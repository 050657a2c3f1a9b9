"""EnsembleAE is an Ensemble of EDLAE and DeepAE under settings of its own."""

import numpy as np
import pytest

from recbole_edlae.settings import registry
from recbole_edlae.settings.schema import read_schema
from tests.model.ensembles import scores_of

DEEP = {"latent_dimension": 6, "learning_rate": 0.05, "epochs": 12, "stopping_step": 1, "dropout_prob": 0.4}
LINEAR = {"reg_weight": 3.0, "dropout_prob": 0.2, "user_weight_power": 0.5, "emphasis": [1.0, 0.5]}
PREFIXED = {f"linear_{name}": value for name, value in LINEAR.items()}


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_it_is_an_ensemble_of_two(fit_best, weight):
    by_name, _ = fit_best("EnsembleAE", **DEEP, **PREFIXED, deep_weight=weight)
    members = {"EDLAE": LINEAR, "DeepAE": DEEP}
    weights = {"EDLAE": 1 - weight, "DeepAE": weight}
    together, _ = fit_best("Ensemble", members=members, weights=weights)
    assert np.array_equal(scores_of(by_name), scores_of(together))


def test_it_reads_the_checkpoints_of_before(fit_best, build_as_run):
    """They had the linear path's tensors under ``linear.``, and those of the deep one as DeepAE has them."""
    model, _ = fit_best("EnsembleAE", **DEEP, **PREFIXED, deep_weight=0.4)
    linear, deep = (model.members[label].state_dict() for label in ("EDLAE", "DeepAE"))
    before = {f"linear.{key}": value for key, value in linear.items()} | deep
    again, *_ = build_as_run("EnsembleAE", **DEEP, **PREFIXED, deep_weight=0.4)
    again.load_state_dict(before)
    assert again.fitted and np.array_equal(scores_of(again.eval()), scores_of(model))


def test_it_has_every_setting_of_edlae_for_items():
    settings = {
        name: read_schema(registry.own_models()[name]) for name in ("EDLAE", "DeepAE", "EnsembleAE")
    }
    deep = settings["DeepAE"].keys()
    linear = {
        key: value for key, value in settings["EDLAE"].items() if key not in ("eval_batch_size", "based_on")
    }
    assert settings["EnsembleAE"].keys() == {"deep_weight", *deep, *(f"linear_{key}" for key in linear)}
    for key, setting in linear.items():
        prefixed = settings["EnsembleAE"][f"linear_{key}"]
        assert prefixed.type == setting.type
        assert prefixed.meaning.removeprefix("Linear path: ").lower() == setting.meaning.lower()


def test_errors_name_its_settings(build_as_run):
    with pytest.raises(ValueError, match="linear_emphasis"):
        build_as_run("EnsembleAE", linear_emphasis=[0.0, 1.0])
    with pytest.raises(
        ValueError, match=r"^members: EDLAE: low_pass_weight 0\.3 adds .*: neighbors must be None, got 5"
    ):
        build_as_run("EnsembleAE", linear_low_pass_weight=0.3, linear_neighbors=5)
