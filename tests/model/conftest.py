import functools

import pytest
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

from recbole_edlae.model.ensemble_trainer import load_best
from tests.shop import shop_rows, shop_text


@pytest.fixture
def build(settings):
    """Everything that run_recbole builds of a Config: model, trainer and loaders."""

    def build(name, dataset="tiny", *, as_run=False, **overrides):
        config = Config(name, dataset, config_dict={**settings, **overrides})
        init_seed(config["seed"], config["reproducibility"])
        train, valid, test = data_preparation(config, create_dataset(config))
        if as_run:  # RecBole's run seeds again before it makes the model
            init_seed(config["seed"], config["reproducibility"])
        model = get_model(name)(config, train.dataset).to(config["device"])
        return model, get_trainer(config["MODEL_TYPE"], name)(config, model), train, valid, test

    return build


@pytest.fixture
def build_as_run(build):
    """The same, with the random numbers of a run."""
    return functools.partial(build, as_run=True)


@pytest.fixture
def fit_best(build_as_run):
    """A fitted model in evaluation mode, and its trainer."""

    def fit(name, **overrides):
        model, trainer, train, valid, _ = build_as_run(name, **overrides)
        trainer.fit(train, valid)
        if trainer.epochs > 1:
            load_best(trainer)
        return model.eval(), trainer

    return fit


@pytest.fixture
def fit_filter(build):
    """A fitted graph filter in evaluation mode, and the binary matrix that it was trained on."""

    def fit(name, **overrides):
        model, trainer, train, _, _ = build(name, **overrides)
        trainer.fit(train, saved=False)
        return model.eval(), (train.dataset.inter_matrix(form="csr").toarray() > 0).astype(float)

    return fit


@pytest.fixture
def few_users(write_shop):
    """Write a shop of ten users and twenty items."""
    write_shop(shop_text([row for row in shop_rows() if int(row[0][1:]) < 10]))
