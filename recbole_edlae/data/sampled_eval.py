"""Load the users of a ranking among drawn candidates, their rows found without a loop over all interactions."""

from collections.abc import Callable
from logging import getLogger
from typing import Any

import numpy as np
from recbole.data.dataloader import NegSampleEvalDataLoader
from recbole.data.dataloader.abstract_dataloader import NegSampleDataLoader
from recbole.data.dataset import Dataset
from recbole.utils import InputType

from recbole_edlae.data.groups import are_ids
from recbole_edlae.settings.vectorized import is_on


def init(
    stock: Callable,
    loader: NegSampleEvalDataLoader,
    config: Any,
    dataset: Dataset,
    sampler: Any,
    shuffle: bool = False,
) -> None:
    """Construct the loader as RecBole does.

    Args:
        stock: RecBole's function.
        loader: to construct.
        config: RecBole's Config.
        dataset: of the phase; sorted by user, in place, where candidates are drawn.
        sampler: of the phase; None where the data have their own negative items.
        shuffle: ignored with a line in the log, as in RecBole.
    """
    phase = sampler.phase if sampler is not None else "test"
    neg_sample_args = config[f"{phase}_neg_sample_args"]
    draws = "none" not in (neg_sample_args["distribution"], neg_sample_args["sample_num"])
    if not draws or not is_on(config) or not len(dataset) or not are_ids(dataset.inter_feat[dataset.uid_field]):
        stock(loader, config, dataset, sampler, shuffle)
        return
    loader.logger = getLogger()
    loader._set_neg_sample_args(config, dataset, InputType.POINTWISE, neg_sample_args)
    dataset.sort(by=dataset.uid_field, ascending=True)
    users = dataset.inter_feat[dataset.uid_field].numpy()
    loader.uid2items_num = np.bincount(users, minlength=dataset.user_num)
    loader.uid_list = np.flatnonzero(loader.uid2items_num)
    loader.uid2index = np.array([None] * dataset.user_num)
    last = np.cumsum(loader.uid2items_num)
    for user, end in zip(loader.uid_list.tolist(), last[loader.uid_list].tolist()):
        loader.uid2index[user] = slice(end - int(loader.uid2items_num[user]), end)
    loader.sample_size = len(loader.uid_list)
    if shuffle:
        loader.logger.warning("NegSampleEvalDataLoader can't shuffle")
    NegSampleDataLoader.__init__(loader, config, dataset, sampler, shuffle=False)
