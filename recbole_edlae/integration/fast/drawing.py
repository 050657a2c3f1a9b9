"""Draw negative items as RecBole's samplers do, number for number, with arrays in place of loops over what is drawn."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.sampler import RepeatableSampler
from recbole.sampler.sampler import AbstractSampler

from recbole_edlae.integration.fast.rows import are_ids
from recbole_edlae.integration.fast.used_ids import ChosenItems, UsedIds
from recbole_edlae.settings.corrections import config_of, vectorized


def sample_by_key_ids(stock: Callable, sampler: AbstractSampler, key_ids: Any, num: int) -> torch.Tensor:
    """Draw values that are not used with their keys, as RecBole does.

    Args:
        stock: RecBole's function.
        sampler: whose ``used_ids`` say what is used.
        key_ids: keys, of which each gets ``num`` values.
        num: values for each key.

    Returns:
        The values as RecBole orders them: one for each key, then the second for each, and so on.

    Notes:
        RecBole asks a set for each drawn value; here one binary search answers for all. What is drawn again is the
        same, so that the random numbers are.
    """
    used = vars(sampler).get("used_ids")
    keys = np.array(key_ids)
    if not isinstance(used, (UsedIds, ChosenItems)) or not _are_positions(keys, len(used)):
        return stock(sampler, key_ids, num)

    # Draw for all, and again for those who know what was drawn.
    drawn_for = np.tile(keys, num)
    values = np.zeros(len(drawn_for), dtype=np.int64)
    again = np.arange(len(drawn_for))
    while len(again):
        drawn = sampler.sampling(len(again))
        values[again] = drawn
        again = again[used.contain(drawn_for[again], drawn)]
    return torch.tensor(values, dtype=torch.long)


def sample_for_chosen_items(
    stock: Callable, sampler: RepeatableSampler, user_ids: Any, item_ids: Any, num: int
) -> torch.Tensor:
    """Draw items other than those that were chosen, as RecBole does.

    Args:
        stock: RecBole's function.
        sampler: that excludes the chosen item, and no other.
        user_ids: users; how many there are is all that matters.
        item_ids: the item that each chose.
        num: items for each user.
    """
    is_plain = isinstance(item_ids, np.ndarray) and are_ids(item_ids)
    if not is_plain or not 0 < len(item_ids) == len(user_ids) or not vectorized(sampler.dataset.config):
        return stock(sampler, user_ids, item_ids, num)

    # Rows take the role of users, each with one item.
    sampler.used_ids = ChosenItems(item_ids)
    return sampler.sample_by_key_ids(np.arange(len(user_ids)), num)


class AliasTable(NamedTuple):
    """A sampler's table of draws by popularity as arrays."""

    source: dict  # of RecBole's, that it was made from
    keys: np.ndarray  # what is drawn
    probabilities: np.ndarray  # of keeping what was drawn
    aliases: np.ndarray  # what takes its place


def pop_sampling(stock: Callable, sampler: AbstractSampler, sample_num: int) -> np.ndarray:
    """Draw by popularity as RecBole does, with arrays made of its table at the first draw.

    Args:
        stock: RecBole's function.
        sampler: that draws; it keeps the arrays as ``alias_table``.
        sample_num: how many are drawn.
    """
    if not sample_num or not vectorized(config_of([sampler])):
        return stock(sampler, sample_num)
    table = vars(sampler).get("alias_table")
    if table is None or table.source is not sampler.prob:
        columns = list(sampler.prob), list(sampler.prob.values()), list(sampler.alias.values())
        table = sampler.alias_table = AliasTable(sampler.prob, *map(np.array, columns))

    # The same calls in the same order keep the random numbers that come next.
    rows = np.random.randint(0, len(table.keys), sample_num)
    stays = table.probabilities[rows] > np.random.random(sample_num)
    return np.where(stays, table.keys[rows], table.aliases[rows])


def _are_positions(keys: np.ndarray, length: int) -> bool:
    """Return whether keys are integers from 0 to length - 1, and at least one of them."""
    if keys.ndim != 1 or not len(keys) or keys.dtype.kind != "i":
        return False
    return bool(keys.min() >= 0 and keys.max() < length)
