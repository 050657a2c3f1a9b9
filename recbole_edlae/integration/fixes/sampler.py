"""Stop where there is nothing to draw; RecBole draws forever.

It overlooks some users who have all items: one that only the .item file has cannot be drawn by popularity.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from recbole.sampler import RepeatableSampler, Sampler, SeqSampler

from recbole_edlae.integration.fixes.preparation import all_items, can_be_drawn, users_with_all_items


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
