"""Keep every pair of user and item in one part of a split.

RecBole splits interactions, so that a repeated pair may be both trained on and tested, and a model that remembers its
training data wins. Where items are ranked (eval_args mode full, uniN or popN) repeats are merged before the split.
Where ratings are predicted (mode labeled), a user's repeated ratings are data, and files that are split already
(``benchmark_filename``) stay as they were published: both are kept, and pairs in two parts are counted in a warning.
``repeatable: True``, which asks for repeats to be recommended, changes nothing.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from recbole.data.dataset import Dataset

from recbole_edlae._warnings import warn
from recbole_edlae.data.time_order import file_times
from recbole_edlae.data.training_users import with_fold_in


def merge(dataset: Dataset) -> None:
    """Keep one interaction of each pair: the earliest where times are loaded, else that of the first line.

    Rows keep their order. RecBole's filters have been applied before, so that ``val_interval`` chose among the repeats
    and the intervals of numbers counted them.

    Args:
        dataset: before its interactions are converted; it does not change without repeats.

    Warns:
        DataWarning: Interactions were dropped; the text has how many, and the settings that choose otherwise.
    """
    frame = dataset.inter_feat
    pair = [dataset.uid_field, dataset.iid_field]
    if not frame.duplicated(pair).any():
        return
    times = file_times(dataset)
    order = np.arange(len(frame)) if times is None else np.argsort(times, kind="stable")
    repeated = frame.iloc[order].duplicated(pair).to_numpy()
    kept = np.sort(order[~repeated])
    dataset.inter_feat = frame.iloc[kept].reset_index(drop=True)
    if times is not None:
        dataset.file_times = pd.Series(times[kept])
    which = "first in the file" if times is None else f"earliest by {dataset.time_field}"
    warn(
        f"{repeated.sum():,} of {len(frame):,} interactions repeat a pair of user and item; of each pair the {which} "
        "is kept (rm_dup_inter: last keeps the last; repeatable: True keeps all, and ranks what a user has already)"
    )


def warn_of_shared_pairs(parts: list[Dataset], names: list[str], cure: str) -> None:
    """Count the pairs of user and item that are in two parts.

    Args:
        parts: training, validation and test; a user split's fold-in counts as training.
        names: what the warning calls the three; parts of one name are one file, and not compared.
        cure: what can be done about it.

    Warns:
        DataWarning: Two parts share pairs.
    """
    pairs = [_pairs(part) for part in (with_fold_in(parts[0]), *parts[1:])]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        shared = int(np.isin(pairs[second], pairs[first]).sum()) if names[first] != names[second] else 0
        if shared:
            warn(
                f"{shared:,} of {len(pairs[second]):,} interactions in {names[second]} are of pairs of user and item "
                f"that are in {names[first]} too: a model that remembers {names[first]} finds them; {cure}"
            )


def _pairs(dataset: Dataset) -> np.ndarray:
    """Return a number for the pair of each interaction."""
    user = dataset.inter_feat[dataset.uid_field].numpy()
    item = dataset.inter_feat[dataset.iid_field].numpy()
    return user.astype(np.int64) * dataset.item_num + item


def build(stock: Callable, dataset: Dataset) -> list[Dataset]:
    """Do as RecBole does, with every pair in one part, or a warning."""
    config = dataset.config
    if config["repeatable"] or dataset.uid_field is None:
        return stock(dataset)
    files = dataset.benchmark_filename_list
    if files:
        parts = stock(dataset)
        names = [files[0], *files[-2:]] if len(files) == 3 else [f"{files[0]} or the fold-in", *files[2::2]]
        warn_of_shared_pairs(parts, names, "the files are left as they are: take the pairs out of one of them")
        return parts
    if any(mode != "labeled" for mode in config["eval_args"]["mode"].values()):
        if isinstance(dataset.inter_feat, pd.DataFrame):
            merge(dataset)
        return stock(dataset)
    parts = stock(dataset)
    names = ["training", "validation", "test"]
    warn_of_shared_pairs(parts, names, "rm_dup_inter: first or last keeps one interaction of each pair")
    return parts
