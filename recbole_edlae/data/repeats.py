"""Warn of pairs of user and item that a split puts into two parts.

RecBole splits interactions, so that a repeated pair may be both trained on and tested, and a model that remembers its
training data wins. The split stays RecBole's, row for row, as published numbers have it, and a warning counts the pairs
and names the setting that keeps one interaction of each. With ``repeatable: True``, which asks for repeats to be
recommended, there is no warning.
"""

from collections.abc import Callable

import numpy as np
from recbole.data.dataset import Dataset

from recbole_edlae._warnings import warn
from recbole_edlae.data.groups import Groups, groups_of, numbered_pairs
from recbole_edlae.data.training_users import with_fold_in


def warn_of_shared_pairs(parts: list[Dataset], names: list[str], cure: str) -> None:
    """Count the pairs of user and item that are in two parts.

    Args:
        parts: training, validation and test; a user split's fold-in counts as training.
        names: what the warning calls the three; parts of one name are one file, and not compared.
        cure: what can be done about it.

    Warns:
        DataWarning: Two parts share pairs.
    """
    pairs = [groups_of(part) for part in (with_fold_in(parts[0]), *parts[1:])]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        shared = shared_pairs(pairs[first], pairs[second]) if names[first] != names[second] else 0
        if shared:
            warn(
                f"{shared:,} of {len(pairs[second].keys):,} interactions in {names[second]} are of pairs of user and "
                f"item that are in {names[first]} too: a model that remembers {names[first]} finds them; {cure}"
            )


def shared_pairs(first: Groups, second: Groups) -> int:
    """Return how many rows of the second have a pair that the first has too.

    Args:
        first: users and items.
        second: users and items.
    """
    shared = numbered_pairs(first.matrix.multiply(second.matrix).tocsr())
    if not len(shared):
        return 0
    rows = np.asarray(second.keys).astype(np.int64) * second.shape[1] + np.asarray(second.values)
    return int(np.isin(rows, shared).sum())


def build(stock: Callable, dataset: Dataset) -> list[Dataset]:
    """Split as RecBole does, with a warning where a pair is in two parts."""
    parts = stock(dataset)
    files = dataset.benchmark_filename_list
    if dataset.config["repeatable"] or dataset.uid_field is None:
        return parts
    if files:
        names = [files[0], *files[-2:]] if len(files) == 3 else [f"{files[0]} or the fold-in", *files[2::2]]
        warn_of_shared_pairs(parts, names, "the files are left as they are: take the pairs out of one of them")
    else:
        cure = "rm_dup_inter: first or last keeps one interaction of each pair"
        warn_of_shared_pairs(parts, ["training", "validation", "test"], cure)
    return parts
