r"""
ItemDataLoader
################################################
"""

import torch
from recbole.data.dataloader import UserDataLoader
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.interaction import Interaction


class ItemDataLoader(UserDataLoader):
    r"""Batches of item ids, shuffled, for item-based models: what :class:`UserDataLoader` is for users."""

    def __init__(self, config, dataset, sampler, shuffle=True):
        self.user_list = Interaction({dataset.iid_field: torch.arange(dataset.item_num)})
        self.sample_size = len(self.user_list)
        AbstractDataLoader.__init__(self, config, dataset, sampler, shuffle=True)
