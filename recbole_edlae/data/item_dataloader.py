"""A loader of items, for item-based models."""

from typing import Any

import torch
from recbole.data.dataloader import UserDataLoader
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction


class ItemDataLoader(UserDataLoader):
    """Batches of item ids, shuffled: for items what RecBole's :class:`UserDataLoader` is for users."""

    def __init__(self, config: Any, dataset: Dataset, sampler: Any, shuffle: bool = True) -> None:
        self.user_list = Interaction({dataset.iid_field: torch.arange(dataset.item_num)})
        self.sample_size = len(self.user_list)
        AbstractDataLoader.__init__(self, config, dataset, sampler, shuffle=True)
