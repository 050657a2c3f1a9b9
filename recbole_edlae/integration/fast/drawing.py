"""Draw negative items as RecBole's samplers do, number for number, with arrays in place of loops over what is drawn."""

import collections
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from recbole.sampler import RepeatableSampler, Sampler
from recbole.sampler.sampler import AbstractSampler

from recbole_edlae.integration.fast.groups import are_ids
from recbole_edlae.integration.fast.used_ids import ChosenItems, UsedIds
from recbole_edlae.settings.corrections import vectorized


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
    if (keys == keys[0]).all():
        # RecBole treats a single key apart, and keeps the dtype of what is drawn.
        ids = used.ids_of(int(keys[0]))
        values = sampler.sampling(len(drawn_for))
        again = np.flatnonzero(np.isin(values, ids))
        while len(again):
            drawn = sampler.sampling(len(again))
            values[again] = drawn
            again = again[np.isin(drawn, ids)]
    else:
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
    is_plain = isinstance(item_ids, np.ndarray) and are_ids(item_ids) and len(item_ids) == len(user_ids)
    if not is_plain or not vectorized(sampler.dataset.config):
        return stock(sampler, user_ids, item_ids, num)

    # Rows take the role of users, each with one item.
    sampler.used_ids = ChosenItems(item_ids)
    if not len(item_ids):
        return stock(sampler, user_ids, item_ids, num)
    return sampler.sample_by_key_ids(np.arange(len(user_ids)), num)


class AliasTable(NamedTuple):
    """A sampler's alias table as arrays.

    Attributes:
        source: the dict of probabilities that it was made from.
        keys: what is drawn.
        probabilities: of keeping what was drawn.
        aliases: what takes its place.
    """

    source: dict
    keys: np.ndarray
    probabilities: np.ndarray
    aliases: np.ndarray


def build_alias_table(stock: Callable, sampler: AbstractSampler) -> None:
    """Build the table of draws by popularity as RecBole does: the same keys in the same order, the same numbers.

    Args:
        stock: RecBole's function.
        sampler: gets ``prob`` and ``alias``, and beside them ``alias_table``.

    Notes:
        RecBole counts the items of all interactions one by one, and takes the first off a list again and again.
    """
    counts = _candidate_counts(sampler)
    if counts is None:
        stock(sampler)
        return
    total = sum(counts.values())
    prob = {key: pow(count / total, sampler.alpha) for key, count in counts.items()}
    alias = dict.fromkeys(counts, -1)
    normalize_count = sum(prob.values())

    # Queues, from which the first one is taken at once.
    large: collections.deque = collections.deque()
    small: collections.deque = collections.deque()
    for key in prob:
        prob[key] = prob[key] / normalize_count * len(prob)
        if prob[key] > 1:
            large.append(key)
        elif prob[key] < 1:
            small.append(key)

    # Each small probability is filled up by a large one, in RecBole's order.
    while large and small:
        giver = large.popleft()
        taker = small.popleft()
        alias[taker] = giver
        prob[giver] = prob[giver] - (1 - prob[taker])
        if prob[giver] < 1:
            small.append(giver)
        elif prob[giver] > 1:
            large.append(giver)
    sampler.prob = prob
    sampler.alias = alias
    sampler.alias_table = AliasTable(
        source=prob,
        keys=np.array(list(prob)),
        probabilities=np.array(list(prob.values())),
        aliases=np.array(list(alias.values())),
    )


def pop_sampling(stock: Callable, sampler: AbstractSampler, sample_num: int) -> np.ndarray:
    """Draw by popularity as RecBole does.

    Args:
        stock: RecBole's function.
        sampler: with or without a table of arrays.
        sample_num: how many are drawn.
    """
    table = vars(sampler).get("alias_table")
    if table is None or table.source is not sampler.prob or not sample_num:
        return stock(sampler, sample_num)

    # The same calls in the same order keep the random numbers that come next.
    rows = np.random.randint(0, len(table.keys), sample_num)
    stays = table.probabilities[rows] > np.random.random(sample_num)
    return np.where(stays, table.keys[rows], table.aliases[rows])


def _are_positions(keys: np.ndarray, length: int) -> bool:
    """Return whether keys are integers from 0 to length - 1, and at least one of them."""
    if keys.ndim != 1 or not len(keys) or keys.dtype.kind != "i":
        return False
    return bool(keys.min() >= 0 and keys.max() < length)


def _candidate_counts(sampler: AbstractSampler) -> dict[Any, int] | None:
    """Return candidate → number of interactions in RecBole's order; None for samplers of something else."""
    if type(sampler) not in (Sampler, RepeatableSampler):
        return None
    datasets = sampler.datasets if isinstance(sampler, Sampler) else [sampler.dataset]
    columns = [dataset.inter_feat[sampler.iid_field] for dataset in datasets]
    if not vectorized(datasets[0].config) or not are_ids(*columns):
        return None
    items = np.concatenate([column.numpy() for column in columns])
    if not len(items):
        return None
    counts = np.bincount(items)

    # Where candidates are corrected, they are in order of their tokens, and integers of Python.
    keys: list[Any]
    if "rank" in vars(sampler):
        present = np.flatnonzero(counts)
        keys = present[np.argsort(sampler.rank[present])].tolist()
    else:
        _, first = np.unique(items, return_index=True)
        keys = list(items[np.sort(first)])
    return {key: int(counts[key]) for key in keys}
