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

from recbole_edlae.integration.fast.used_ids import UsedIds, used_items

_NOTHING_DRAWN = {
    "distribution": "none",
    "sample_num": "none",
    "alpha": "none",
    "dynamic": False,
    "candidate_num": 0,
}


def can_be_drawn(sampler: AbstractSampler) -> int:
    """Return the number of items that a sampler draws from."""
    return len(sampler.prob) if sampler.distribution == "popularity" else sampler.item_num - 1


def users_with_all_items(sampler: Sampler | RepeatableSampler, users: np.ndarray) -> np.ndarray:
    """Return which users have, in all parts together, every item that a sampler draws from."""
    # It excludes the one item that was chosen, and no other.
    if isinstance(sampler, RepeatableSampler):
        return users if can_be_drawn(sampler) <= 1 else users[:0]
    return users[sampler.items_of_user[users] >= can_be_drawn(sampler)]


def all_items(sampler: Sampler | RepeatableSampler, users: np.ndarray) -> str:
    """Return the words that say which users have all items."""
    dataset = sampler.dataset if isinstance(sampler, RepeatableSampler) else sampler.datasets[0]
    text = f"user {dataset.id2token(dataset.uid_field, int(users[0]))}"
    if len(users) > 1:
        text += f" (and {len(users) - 1:,} more)"
    items = can_be_drawn(sampler)
    if items > 1:
        return f"{text} has all {items:,} items"
    return f"{text} has the only item"


def get_used_ids(stock: Callable, sampler: Sampler) -> dict[str, np.ndarray]:
    """Return the items of each user as RecBole does, but refuse no user, and note the number of items of each."""
    # No user has -1 items.
    item_num = sampler.item_num
    sampler.item_num = -1
    try:
        used = used_items(stock, sampler)
    finally:
        sampler.item_num = item_num

    items_of_user = used[sampler.phases[-1]]
    if isinstance(items_of_user, UsedIds):
        sampler.items_of_user = items_of_user.counts
    else:
        sampler.items_of_user = np.array([len(items) for items in items_of_user])
    return used


def train_loader(
    stock: Callable,
    loader: TrainDataLoader,
    config: Any,
    dataset: Dataset,
    sampler: Any,
    shuffle: bool = False,
) -> None:
    """Construct the loader of training as RecBole does, if there are negative items to draw.

    Raises:
        ValueError: There is no negative item for a user, and the model needs one.
    """
    if sampler is not None and config["train_neg_sample_args"]["distribution"] != "none":
        interactions = np.bincount(dataset.inter_feat[dataset.uid_field].numpy())
        users = users_with_all_items(sampler, np.flatnonzero(interactions))

        # A traditional model does not use the negatives, so it can do without.
        loader.draws_nothing = len(users) > 0 and config["MODEL_TYPE"] == ModelType.TRADITIONAL
        if len(users) and not loader.draws_nothing:
            raise ValueError(
                f"train_neg_sample_args: {all_items(sampler, users)}, so that no negative one can be drawn to train "
                f"{config['model']}; leave such users out: user_inter_num_interval: '[0,{can_be_drawn(sampler) - 1}]'"
            )
    stock(loader, config, dataset, sampler, shuffle=shuffle)


def set_neg_sample_args(
    stock: Callable,
    loader: NegSampleDataLoader,
    config: Any,
    dataset: Dataset,
    dl_format: Any,
    neg_sample_args: dict,
) -> None:
    """Set how a loader draws as RecBole does, but draw nothing where there is nothing to draw."""
    drawn = _NOTHING_DRAWN if vars(loader).get("draws_nothing") else neg_sample_args
    stock(loader, config, dataset, dl_format, drawn)


def sample_by_user_ids(
    stock: Callable, sampler: Sampler, user_ids: Any, item_ids: Any, num: int
) -> torch.Tensor:
    """Draw items for users as RecBole does, but stop where there is nothing to draw; RecBole never returns.

    Raises:
        ValueError: A user has everything that can be drawn.
    """
    _check_drawn(sampler, user_ids)
    return stock(sampler, user_ids, item_ids, num)


def sample_for_chosen_items(
    stock: Callable, sampler: RepeatableSampler, user_ids: Any, item_ids: Any, num: int
) -> torch.Tensor:
    """Draw items other than those that users chose as RecBole does, by arrays, but stop where there is no other.

    Raises:
        ValueError: There is one item.
    """
    from recbole_edlae.integration.fast import drawing  # most runs draw otherwise, or nothing

    _check_drawn(sampler, user_ids)
    return drawing.sample_for_chosen_items(stock, sampler, user_ids, item_ids, num)


def _check_drawn(sampler: Sampler | RepeatableSampler, user_ids: Any) -> None:
    """Check that there is an item to draw for every user."""
    users = users_with_all_items(sampler, np.unique(user_ids))

    # The phase may leave items of later ones to draw.
    if isinstance(sampler, Sampler):
        users = np.array([user for user in users if len(sampler.used_ids[user]) >= can_be_drawn(sampler)])
    if len(users):
        raise ValueError(f"{all_items(sampler, users)}, so that no other one can be drawn")


def sample_neg_sequence(stock: Callable, sampler: SeqSampler, pos_sequence: torch.Tensor) -> torch.Tensor:
    """Draw for a sequence as RecBole does, but stop where there is only one item; RecBole never returns.

    Raises:
        ValueError: There is only one item.
    """
    if len(pos_sequence) and can_be_drawn(sampler) <= 1:
        raise ValueError("there is one item, so that no negative one can be drawn")
    return stock(sampler, pos_sequence)


def mask_negative(stock: Callable, transform: Any, item_set: Sequence[int], n_items: int) -> int:
    """Draw for a mask as RecBole does, but stop where a sequence has all items; RecBole never returns.

    Raises:
        ValueError: The sequence has all items.
    """
    # The two ids beside the items are padding and the mask.
    if len(set(item_set) - {0, n_items}) >= n_items - 1:
        raise ValueError(f"a sequence has all {n_items - 1:,} items, so that no negative one can be drawn")
    return stock(transform, item_set, n_items)
