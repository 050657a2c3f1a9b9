"""Give RecBole's model Pop the popularity of the training part.

RecBole adds 1 for each item of a batch, however often the batch has it, and counts the negative items that the loader
draws: the popularity depends on ``train_batch_size``.
"""

from collections.abc import Callable
from typing import Any

import torch

from recbole_edlae.settings import corrections


def init(stock: Callable, model: Any, config: Any, dataset: Any) -> None:
    """Construct the model as RecBole does, and count each interaction of the training part once."""
    stock(model, config, dataset)

    # What RecBole adds up batch by batch.
    items = dataset.inter_feat[dataset.iid_field]
    model.item_cnt = torch.bincount(items, minlength=model.n_items).view(-1, 1).to(model.device)
    model.max_cnt = model.item_cnt.max(dim=0).values
    model.is_counted = True
    corrections.note(config, "popularity")


def calculate_loss(stock: Callable, model: Any, interaction: Any) -> torch.Tensor:
    """Return 0 where the interactions have been counted; otherwise do as RecBole does."""
    if not vars(model).get("is_counted"):
        return stock(model, interaction)
    return torch.nn.Parameter(torch.zeros(1)).to(model.device)
