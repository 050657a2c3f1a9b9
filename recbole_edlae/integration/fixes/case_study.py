"""RecBole's ``recbole.utils.case_study`` for users who have no items in the test part."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch


def full_sort_scores(
    stock: Callable, uid_series: Iterable[int], model: torch.nn.Module, test_data: Any, device: Any = None
) -> torch.Tensor:
    """Return RecBole's scores, also for users without test items; ``full_sort_topk`` calls it.

    RecBole raises TypeError for such users: it has noted the items to leave out of the ranking for test users only.
    Theirs are all their items in training and validation, as for everybody else. Nothing changes for test users.

    Raises:
        ValueError: The loader is not one of full ranking.
    """
    if not test_data.is_sequential:
        test_data = _with_histories(test_data, uid_series)
    return stock(uid_series, model, test_data, device)


def _with_histories(test_data: Any, users: Iterable[int]) -> Any:
    """Return the loader, or a copy of it that has a history for every requested user."""
    if not hasattr(test_data, "uid2history_item"):
        raise ValueError("full_sort_scores ranks all items: it needs a loader of eval_args mode 'full'")
    missing = [user for user in map(int, users) if test_data.uid2history_item[user] is None]
    if not missing:
        return test_data

    # The sampler knows the items of every user.
    used = test_data._sampler.used_ids
    completed = copy.copy(test_data)
    completed.uid2history_item = test_data.uid2history_item.copy()
    for user in missing:
        completed.uid2history_item[user] = torch.tensor(sorted(used[user]), dtype=torch.int64)
    return completed
