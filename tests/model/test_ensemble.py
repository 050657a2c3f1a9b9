"""Both paths of EnsembleAE are the models that they are alone, and its scores are the sum of theirs."""

import numpy as np
import pytest
import scipy.stats
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.interaction import Interaction
from recbole.trainer import Trainer
from recbole.utils import get_model, get_trainer, init_seed

from recbole_edlae._warnings import DataWarning
from recbole_edlae.integration import models as registry
from recbole_edlae.settings.schema import read_schema

DEEP = {"latent_dimension": 6, "learning_rate": 0.05, "epochs": 20, "stopping_step": 1, "dropout_prob": 0.4}
LINEAR = {"reg_weight": 3.0, "dropout_prob": 0.2, "user_weight_power": 0.5, "emphasis": [1.0, 0.5]}
PREFIXED = {f"linear_{name}": value for name, value in LINEAR.items()}


@pytest.fixture
def build(settings):
    """Model, trainer and data of a Config."""

    def build(name, **overrides):
        config = Config(name, "tiny", config_dict={**settings, **overrides})
        init_seed(config["seed"], config["reproducibility"])
        train, valid, _ = data_preparation(config, create_dataset(config))
        model = get_model(name)(config, train.dataset)
        return model, get_trainer(config["MODEL_TYPE"], name)(config, model), train, valid

    return build


@pytest.fixture
def fitted(build):
    """A fitted model in evaluation mode, its trainer, and what the trainer returned."""

    def fit(name, **overrides):
        model, trainer, train, valid = build(name, **overrides)
        result = trainer.fit(train, valid)
        if name == "DeepAE":  # back to the best epoch
            trainer.resume_checkpoint(trainer.saved_model_file)
        return model.eval(), trainer, result

    return fit


def scores_of(model):
    users = Interaction({model.USER_ID: torch.arange(1, model.n_users)})
    with torch.no_grad():
        return model.full_sort_predict(users).view(-1, model.n_items).numpy()


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_scores_are_the_sum_of_what_both_models_have_alone(fitted, weight):
    together, _, _ = fitted("EnsembleAE", **DEEP, **PREFIXED, deep_weight=weight)
    linear = scores_of(fitted("EDLAE", **LINEAR)[0])
    deep = scores_of(fitted("DeepAE", **DEEP)[0])
    parts = [scipy.stats.zscore(scores.astype(float), axis=1) for scores in (linear, deep)]
    np.testing.assert_allclose(scores_of(together), (1 - weight) * parts[0] + weight * parts[1], atol=2e-5)


def test_both_paths_are_trained_as_if_alone(fitted):
    together, trainer, _ = fitted("EnsembleAE", **DEEP, **PREFIXED)
    deep, alone, _ = fitted("DeepAE", **DEEP)
    assert 2 < len(alone.train_loss_dict) < DEEP["epochs"]  # it stopped early
    assert trainer.train_loss_dict == alone.train_loss_dict
    saved = deep.network.state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in together.network.state_dict().items())
    linear, _, _ = fitted("EDLAE", **LINEAR)
    assert torch.equal(together.linear.weights.encoder, linear.weights.encoder)


def test_validation_is_that_of_both_paths(fitted, build):
    weights = (0.0, 0.5, 1.0)
    results = [fitted("EnsembleAE", **DEEP, **PREFIXED, deep_weight=weight)[2] for weight in weights]
    assert results[0] == fitted("EDLAE", **LINEAR)[2]
    assert results[2] == fitted("DeepAE", **DEEP)[2]
    _, trainer, train, valid = build("EnsembleAE", **DEEP, **PREFIXED, deep_weight=0.5)
    score, result = trainer.fit(train, valid)
    assert (score, result) == results[1] == trainer._valid_epoch(valid)
    assert trainer.evaluate(valid, load_best_model=True) == result  # of the checkpoint


def test_without_checkpoint_the_last_epoch_is_validated(build):
    model, trainer, train, valid = build("EnsembleAE", **DEEP, **PREFIXED)
    score, result = trainer.fit(train, valid, saved=False)
    assert (score, result) == trainer._valid_epoch(valid) and model.fitted


def test_without_validation_it_is_trained_and_saved(build):
    model, trainer, train, _ = build("EnsembleAE", **DEEP, **PREFIXED)
    _, result = trainer.fit(train, None)
    assert result is None and model.fitted and len(trainer.train_loss_dict) == DEEP["epochs"]
    saved = torch.load(trainer.saved_model_file, weights_only=False)
    assert saved["epoch"] == DEEP["epochs"] - 1 and saved["state_dict"]["linear.encoder"].shape[1] > 0


def test_a_finished_training_goes_on_as_that_of_the_deep_path(build):
    losses = []
    for name in ("EnsembleAE", "DeepAE"):
        _, trainer, train, valid = build(name, **{**DEEP, "epochs": 2})
        trainer.fit(train, valid)
        _, resumed, train, valid = build(name, **{**DEEP, "epochs": 5})
        resumed.resume_checkpoint(trainer.saved_model_file)
        resumed.fit(train, valid)
        losses.append(resumed.train_loss_dict)
    assert losses[0] == losses[1] and list(losses[0]) == [2, 3, 4]


def test_recboles_own_trainer_solves_for_the_linear_path_first(build):
    model, own, train, valid = build("EnsembleAE", **{**DEEP, "epochs": 1}, **PREFIXED)
    trainer = Trainer(own.config, model)
    trainer.fit(train, valid)
    first = scores_of(model.eval())
    model, trainer, train, valid = build("EnsembleAE", **{**DEEP, "epochs": 1}, **PREFIXED)
    trainer.fit(train, valid)
    assert np.array_equal(scores_of(model.eval()), first)


def test_similar_items_are_those_that_a_history_of_the_item_scores(fitted):
    model, _, _ = fitted("EnsembleAE", **DEEP, **PREFIXED)
    with torch.no_grad():
        assert torch.equal(model.similarity(4), model.score(torch.tensor([4]), torch.tensor([1]))[0])


def test_a_user_without_history_gets_the_scores_of_the_deep_path(fitted):
    model, _, _ = fitted("EnsembleAE", **DEEP, **PREFIXED, deep_weight=0.5)
    nothing = torch.tensor([], dtype=torch.long), torch.tensor([0])
    with torch.no_grad():
        deep = model.network.decoder(model.code(*nothing))
        scores = model.score(*nothing)
    np.testing.assert_allclose(scores.numpy(), 0.5 * scipy.stats.zscore(deep.double().numpy(), axis=1), atol=1e-5)


def test_the_linear_path_has_every_setting_of_edlae():
    settings = {name: read_schema(registry.own_models()[name]) for name in ("EDLAE", "DeepAE", "EnsembleAE")}
    deep = settings["DeepAE"].keys()
    linear = {key: setting for key, setting in settings["EDLAE"].items() if key != "eval_batch_size"}
    assert settings["EnsembleAE"].keys() == {"deep_weight", *deep, *(f"linear_{key}" for key in linear)}
    for key, setting in linear.items():
        prefixed = settings["EnsembleAE"][f"linear_{key}"]
        meaning = setting.meaning[0].lower() + setting.meaning[1:]
        assert prefixed.type == setting.type
        assert prefixed.meaning.removeprefix("Linear path: ").lower() == meaning.lower()
    assert set(registry.model_class("EnsembleAE").after_epochs) == settings["EnsembleAE"].keys() - deep


def test_errors_of_the_linear_path_name_its_settings(build):
    with pytest.raises(ValueError, match="linear_emphasis"):
        build("EnsembleAE", linear_emphasis=[0.0, 1.0])
    with pytest.raises(ValueError, match=r"^linear_low_pass_weight 0\.3 adds .*: linear_neighbors must be None, got 5"):
        build("EnsembleAE", linear_low_pass_weight=0.3, linear_neighbors=5)
    model, _, _, _ = build("EnsembleAE", **DEEP, linear_reg_weight=0.0, linear_dropout_prob=0.0)
    model.linear.interactions = model.linear.interactions[:10]  # fewer users than items
    with pytest.raises(ValueError, match=r"^linear_reg_weight 0\.0 and linear_dropout_prob 0\.0 leave the weights"):
        model.fit()


def test_a_rank_that_is_cut_has_its_own_name(fitted):
    rank = {"linear_low_pass_weight": 0.2, "linear_low_pass_rank": 40}
    with pytest.warns(DataWarning, match=r"^linear_low_pass_rank 40 is more than the 30 items of the data: 30 is"):
        fitted("EnsembleAE", **DEEP, **PREFIXED, **rank)
