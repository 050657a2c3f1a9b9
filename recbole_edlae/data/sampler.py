"""Require items to draw only where negative items are drawn.

RecBole refuses a user who has all items for every model, even for those that draw nothing, and draws forever where it
overlooks such a user (an item that only the .item file has cannot be drawn by popularity). Here a model that draws
negative items in training is refused before an epoch begins, in a line that names the user; models that draw none run.

Models that RecBole calls traditional (Pop, EASE, ItemKNN and others) do not use the negatives that their loader draws.
The loader still draws them, so that results equal RecBole's, unless a user has all items.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import TrainDataLoader
from recbole.data.dataloader.abstract_dataloader import NegSampleDataLoader
from recbole.data.dataset import Dataset
from recbole.sampler import RepeatableSampler, Sampler, SeqSampler
from recbole.sampler.sampler import AbstractSampler
from recbole.utils import ModelType

from recbole_edlae.data.used_ids import UsedIds

_NOTHING_DRAWN = {"distribution": "none", "sample_num": "none", "alpha": "none", "dynamic": False, "candidate_num": 0}


def can_be_drawn(sampler: AbstractSampler) -> int:
    """Return the number of items that a sampler draws from."""
    return len(sampler.prob) if sampler.distribution == "popularity" else sampler.item_num - 1


def users_with_all_items(sampler: Sampler | RepeatableSampler, users: np.ndarray) -> np.ndarray:
    """Return which users have, in all parts together, every item that a sampler draws from."""
    if isinstance(sampler, RepeatableSampler):  # excludes the one item that was chosen, and no other
        return users if can_be_drawn(sampler) <= 1 else users[:0]
    return users[sampler.items_of_user[users] >= can_be_drawn(sampler)]


def all_items(sampler: Sampler | RepeatableSampler, users: np.ndarray) -> str:
    """Return the words that say which users have all items."""
    dataset = sampler.dataset if isinstance(sampler, RepeatableSampler) else sampler.datasets[0]
    token = dataset.id2token(dataset.uid_field, int(users[0]))
    others = len(users) - 1
    items = can_be_drawn(sampler)
    more = f" (and {others:,} more)" if others else ""
    return f"user {token}{more} has {f'all {items:,} items' if items > 1 else 'the only item'}"


def get_used_ids(stock: Callable, sampler: Sampler) -> dict[str, np.ndarray]:
    """Do as RecBole does, but refuse no user, and keep the number of items of each."""
    item_num = sampler.item_num
    sampler.item_num = -1  # no user has that many
    try:
        used = stock(sampler)
    finally:
        sampler.item_num = item_num
    last = used[sampler.phases[-1]]
    sampler.items_of_user = last.counts if isinstance(last, UsedIds) else np.array([len(items) for items in last])
    return used


def train_loader(
    stock: Callable, loader: TrainDataLoader, config: Any, dataset: Dataset, sampler: Any, shuffle: bool = False
) -> None:
    """Do as RecBole does, if there are negative items to draw.

    Raises:
        ValueError: There is no negative item for a user, and the model needs one.
    """
    if sampler is not None and config["train_neg_sample_args"]["distribution"] != "none":
        users = users_with_all_items(sampler, _users(dataset))
        loader.draws_nothing = len(users) > 0 and config["MODEL_TYPE"] == ModelType.TRADITIONAL
        if len(users) and not loader.draws_nothing:
            raise ValueError(
                f"train_neg_sample_args: {all_items(sampler, users)}, so that no negative one can be drawn to train "
                f"{config['model']}; leave such users out: user_inter_num_interval: '[0,{can_be_drawn(sampler) - 1}]'"
            )
    stock(loader, config, dataset, sampler, shuffle=shuffle)


def _users(dataset: Dataset) -> np.ndarray:
    """Return the ids of the users that have interactions, ascending."""
    return np.flatnonzero(np.bincount(dataset.inter_feat[dataset.uid_field].numpy()))


def set_neg_sample_args(
    stock: Callable, loader: NegSampleDataLoader, config: Any, dataset: Dataset, dl_format: Any, neg_sample_args: dict
) -> None:
    """Do as RecBole does, but draw nothing where there is nothing to draw."""
    drawn = _NOTHING_DRAWN if vars(loader).get("draws_nothing") else neg_sample_args
    stock(loader, config, dataset, dl_format, drawn)


def sample_by_user_ids(
    stock: Callable, sampler: Sampler | RepeatableSampler, user_ids: Any, item_ids: Any, num: int
) -> torch.Tensor:
    """Do as RecBole does, but stop where there is nothing to draw; RecBole never returns.

    Raises:
        ValueError: A user has everything that can be drawn.
    """
    users = users_with_all_items(sampler, np.unique(user_ids))
    if isinstance(sampler, Sampler):
        users = np.array([user for user in users if len(sampler.used_ids[user]) >= can_be_drawn(sampler)])
    if len(users):
        raise ValueError(f"{all_items(sampler, users)}, so that no other one can be drawn")
    return stock(sampler, user_ids, item_ids, num)


def sample_neg_sequence(stock: Callable, sampler: SeqSampler, pos_sequence: torch.Tensor) -> torch.Tensor:
    """Do as RecBole does, but stop where there is only one item; RecBole never returns.

    Raises:
        ValueError: There is only one item.
    """
    if len(pos_sequence) and can_be_drawn(sampler) <= 1:
        raise ValueError("there is one item, so that no negative one can be drawn")
    return stock(sampler, pos_sequence)


def mask_negative(stock: Callable, transform: Any, item_set: Sequence[int], n_items: int) -> int:
    """Do as RecBole does, but stop where a sequence has all items; RecBole never returns.

    Raises:
        ValueError: The sequence has all items.
    """
    if len(set(item_set) - {0, n_items}) >= n_items - 1:
        raise ValueError(f"a sequence has all {n_items - 1:,} items, so that no negative one can be drawn")
    return stock(transform, item_set, n_items)
