"""Prepare a training as RecBole's run_recbole does: data, model and trainer of a config."""

from typing import Any

import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.dataset import Dataset
from recbole.utils import get_trainer, init_seed

from recbole_edlae.integration.fixes.candidates import check_candidates
from recbole_edlae.model.members import build


def prepare_data(config: Config, dataset: Dataset | None = None) -> tuple[Any, Any, Any]:
    """Return the loaders of training, validation and test, after seeding as ``run_recbole`` does.

    A dataset that is in memory already is shuffled in place; None reads it.

    Raises:
        ValueError: a user has all items, so that there are no candidates to rank a target against.
    """
    # The split and the sampled candidates draw random numbers.
    init_seed(config["seed"], config["reproducibility"])
    if dataset is None:
        dataset = create_dataset(config)

    loaders = data_preparation(config, dataset)
    check_candidates(loaders)
    return loaders


def build_model(config: Config, train: Any, **options: Any) -> torch.nn.Module:
    """Return the model of a config, on its device."""
    return build(config, train._dataset, **options)


def build_trainer(config: Config, model: torch.nn.Module) -> Any:
    """Return RecBole's trainer of a model."""
    trainer_class = get_trainer(config["MODEL_TYPE"], config["model"])
    return trainer_class(config, model)
