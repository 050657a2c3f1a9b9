"""Fit a linear model as a run does; the data it was trained on, and its weights."""

import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed


def fit(name, dataset="tiny", **settings):
    config = Config(name, dataset, config_dict={"state": "ERROR", "show_progress": False, **settings})
    init_seed(config["seed"], config["reproducibility"])
    train, valid, _ = data_preparation(config, create_dataset(config))
    model = get_model(name)(config, train.dataset)
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    trainer.fit(train, valid)
    return model, train, trainer


def matrix(train):
    X = train.dataset.inter_matrix(form="csr").toarray()
    return (X > 0).astype(float)


def total(weights):
    """Item x item weights of a matrix and a filter."""
    return torch.cat(list(weights.blocks()), dim=1)
