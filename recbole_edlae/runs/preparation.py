"""Prepare a training as RecBole's run_recbole does."""

import functools
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.dataset import Dataset
from recbole.utils import get_trainer, init_seed

from recbole_edlae.integration.fixes.candidates import check_candidates
from recbole_edlae.model.by_gram import check_memory


def prepare_data(config: Config, dataset: Dataset | None = None) -> tuple[Any, Any, Any]:
    """Return the loaders of training, validation and test, after seeding as ``run_recbole`` does.

    A dataset that is in memory already is shuffled in place. Without one, it is read from its files.

    Raises:
        ValueError: a user has all items, so that there are no candidates to rank a target against.
    """
    # The split and the sampled candidates draw random numbers.
    init_seed(config["seed"], config["reproducibility"])
    if dataset is None:
        dataset = create_dataset(config)

    loaders = data_preparation(config, dataset)

    # Patches check this where run_recbole prepares data, but leave recbole.data.data_preparation as it is.
    check_candidates(loaders)
    return loaders


def build_trainer(config: Config, model: torch.nn.Module) -> Any:
    """Return RecBole's trainer of a model."""
    trainer_class = get_trainer(config["MODEL_TYPE"], config["model"])
    return trainer_class(config, model)


@functools.cache
def warm_up(device: torch.device, *, with_optimizer: bool) -> None:
    """Take the first steps of the libraries that models train with, before any training is timed.

    Otherwise the first row of a leaderboard would look slower than the same model in the second one. A first optimizer
    imports modules for most of a second, which a process with closed forms only is spared.
    """
    # The first step of an optimizer starts threads too. Zeros leave the random numbers as they are.
    if with_optimizer:
        weights = torch.zeros(2, 2, device=device, requires_grad=True)
        optimizer = torch.optim.Adam([weights])
        (weights @ weights).sum().backward()
        optimizer.step()

    # RecBole's closed forms invert by NumPy, ours by SciPy or torch.
    np.linalg.inv(np.eye(2, dtype=np.float32))
    torch.linalg.inv(torch.eye(2, device=device))

    # The answer does not matter: the first check measures the speed of the device, and later ones remember it.
    check_memory(items=1, values=1, more=0, device=device)
