"""RecBole's ``recbole.utils.case_study`` for users who have no items in the test part."""

import copy
import functools
import importlib
from typing import Any

import torch


def install() -> None:
    """Make ``full_sort_scores``, and ``full_sort_topk`` with it, take users without test items. Idempotent.

    RecBole's raise TypeError for them: it has noted the items to leave out of the ranking for test users only. Theirs
    are all their items in training and validation, as for everybody else. Nothing changes for test users.

    Can go when ``FullSortEvalDataLoader`` notes the history of every user.
    """
    case_study = importlib.import_module("recbole.utils.case_study")
    stock = case_study.full_sort_scores
    if hasattr(stock, "recbole_edlae"):
        return

    @functools.wraps(stock)
    def full_sort_scores(uid_series: Any, model: torch.nn.Module, test_data: Any, device: Any = None) -> torch.Tensor:
        if not test_data.is_sequential:
            test_data = _with_histories(test_data, uid_series)
        return stock(uid_series, model, test_data, device)

    full_sort_scores.recbole_edlae = True
    case_study.full_sort_scores = full_sort_scores


def _with_histories(test_data: Any, users: Any) -> Any:
    """Return the loader, or a copy of it that has a history for every one of some users."""
    if not hasattr(test_data, "uid2history_item"):
        raise ValueError("full_sort_scores ranks all items: it needs a loader of eval_args mode 'full'")
    missing = [user for user in map(int, users) if test_data.uid2history_item[user] is None]
    if not missing:
        return test_data
    used = test_data._sampler.used_ids
    completed = copy.copy(test_data)
    completed.uid2history_item = test_data.uid2history_item.copy()
    for user in missing:
        completed.uid2history_item[user] = torch.tensor(sorted(used[user]), dtype=torch.int64)
    return completed
