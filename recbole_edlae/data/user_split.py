"""A split of the users, in RecBole's terms: some users are trained on, others are scored who were never seen.

    eval_args:
      split: {US: [0.8, 0.1, 0.1]}   # shares of the users; or numbers of them, [-1, 1000, 1000], -1 for all others
      fold_in: 0.8                   # share of a held-out user's items that the model is shown
      order: RO                      # which: a random choice; TO: the earliest ones
      mode: full

Held-out users' fold-in is what a model scores them from, and is left out of their ranking; their other items, the
targets, are to be found; neither is trained on. Items that no training user has cannot be learned, so held-out users
are neither shown them nor asked for them. This is strong generalisation (Marlin 2004; Liang et al. 2018, §4.2).

The same from files that come split: ``benchmark_filename`` with five names instead of three, those of the training
users, of the validation users' fold-in and targets, and of the test users' fold-in and targets.
"""

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import UserDataLoader
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction, cat_interactions

from recbole_edlae.data.time_order import order_by_time, token_rank
from recbole_edlae.data.training_users import training_users, with_fold_in

FOLD_IN = 0.8  # of a held-out user's items, where the settings do not say


class TrainingUsers(Dataset):
    """The training part of a user split.

    Everything in it is the training users', but :meth:`history_item_matrix`, from which RecBole's autoencoders take
    the histories they score: that has the held-out users' fold-in too.
    """

    def __init__(self, dataset, interactions, fold_in):
        self.__setstate__({**vars(dataset), "inter_feat": interactions, "fold_in": fold_in})

    def __setstate__(self, state):
        vars(self).update(state)

    def with_fold_in(self):
        """A plain Dataset of the training users' interactions and the held-out users' fold-in."""
        whole = Dataset.__new__(Dataset)
        vars(whole).update(vars(self), inter_feat=cat_interactions([self.inter_feat, self.fold_in]))
        return whole

    def history_item_matrix(self, value_field=None, max_history_len=None):
        """RecBole's method of that name, for the users of training and those held out."""
        with torch.random.fork_rng(devices=[]):  # it shuffles: what is drawn later does not depend on the fold-in
            return self.with_fold_in().history_item_matrix(value_field, max_history_len)


class TrainingUserDataLoader(UserDataLoader):
    """Batches of the users to train on, shuffled: what RecBole's :class:`UserDataLoader` is for all users."""

    def __init__(self, config, dataset, sampler, shuffle=True):
        self.uid_field = dataset.uid_field
        self.user_list = Interaction({self.uid_field: training_users(dataset)})
        self.sample_size = len(self.user_list)
        AbstractDataLoader.__init__(self, config, dataset, sampler, shuffle=True)


def asked_for(settings):
    """Whether a mapping of all settings asks for a user split."""
    return "US" in _split(settings) or len(settings.get("benchmark_filename") or ()) == 5


def check(settings):
    """Raises ValueError for a user split that cannot be, before any data are read.

    Args:
        settings: mapping of all settings, as ``Config`` ends with.
    """
    eval_args = settings.get("eval_args") or {}
    if "US" not in _split(settings):
        if "fold_in" in eval_args:
            raise ValueError("fold_in in eval_args belongs to the user split: split: {US: [0.8, 0.1, 0.1]}")
        return
    if settings.get("benchmark_filename"):
        raise ValueError(
            "benchmark_filename splits the data already: leave the split US out; files of a user split have five "
            "names, [train, validation_tr, validation_te, test_tr, test_te]"
        )
    _check_parts(_split(settings)["US"])
    fold_in = eval_args.get("fold_in", FOLD_IN)
    if not _is_number(fold_in) or not 0 < fold_in < 1:
        raise ValueError(f"fold_in in eval_args must be float in (0, 1), got {fold_in!r}")
    if eval_args.get("group_by", "user") != "user":
        raise ValueError(f"the split US is one of users: group_by must be 'user', got {eval_args['group_by']!r}")
    if eval_args.get("order", "RO") not in ("RO", "TO"):
        raise ValueError(f"order in eval_args must be one of RO, TO; got {eval_args['order']!r}")


def build(stock: Callable, dataset: Dataset) -> list[Dataset]:
    """Split as RecBole does, or by user where that is asked for; no other split changes."""
    if not asked_for(dataset.config.final_config_dict):
        return stock(dataset)
    return from_files(stock(dataset)) if dataset.benchmark_filename_list else split(dataset)


def create_samplers(stock: Callable, config: Any, dataset: Dataset, built_datasets: list[Dataset]) -> tuple:
    """Create RecBole's samplers, for which the fold-in of held-out users counts as training."""
    return stock(config, dataset, [with_fold_in(built_datasets[0]), *built_datasets[1:]])


def get_dataloader(stock: Callable, config: Any, phase: str) -> Callable:
    """Return RecBole's loader of a phase; where it batches users, one of the training users only."""
    loader = stock(config, phase)
    restrict = loader is UserDataLoader and phase == "train" and asked_for(config.final_config_dict)
    return TrainingUserDataLoader if restrict else loader


def then_score_histories(stock: Callable, model: Any, config: Any, dataset: Dataset) -> None:
    """Construct one of RecBole's linear models, and have it score from the histories, not from its training matrix."""
    stock(model, config, dataset)
    if isinstance(dataset, TrainingUsers):
        histories = dataset.with_fold_in().inter_matrix(form="csr").astype(np.float32)
        if hasattr(model, "pred_mat"):
            model.pred_mat = histories.dot(model.w).tolil()
        else:
            model.interaction_matrix = histories


def split(dataset):
    """The three parts of a user split: TrainingUsers, and the targets of the validation and of the test users.

    Users and order are drawn from RecBole's ``seed`` by a generator of their own: nothing that ran before matters.

    Raises:
        ValueError: there are fewer users than are to be held out.
    """
    dataset._change_feat_format()
    eval_args, generator = dataset.config["eval_args"], np.random.default_rng(dataset.config["seed"])
    user, item = (dataset.inter_feat[field].numpy() for field in (dataset.uid_field, dataset.iid_field))
    users = np.unique(user)
    if eval_args["order"] == "TO":  # whom it draws does not depend on the order of lines, which numbers follow
        users = users[np.argsort(token_rank(dataset, dataset.uid_field)[users])]
    users = generator.permutation(users)
    part = np.zeros(dataset.user_num, dtype=np.int8)  # 0 training, 1 validation, 2 test
    valid, test = _numbers(eval_args["split"]["US"], len(users))
    part[users[:valid]], part[users[valid : valid + test]] = 1, 2

    training = np.flatnonzero(part[user] == 0)
    held_out = np.flatnonzero((part[user] > 0) & np.isin(item, item[training]))
    held_out = held_out[_order(dataset, held_out, eval_args["order"], generator)]
    pair = user[held_out].astype(np.int64) * dataset.item_num + item[held_out]
    held_out = held_out[np.sort(np.unique(pair, return_index=True)[1])]  # a pair that is there twice counts once
    held_out = held_out[np.argsort(user[held_out], kind="stable")]
    is_target = _is_target(user[held_out], eval_args.get("fold_in", FOLD_IN))
    targets, fold_in = held_out[is_target], held_out[~is_target]
    dataset._drop_unused_col()
    inter = dataset.inter_feat
    return [
        TrainingUsers(dataset, inter[training], inter[fold_in]),
        *(dataset.copy(inter[targets[part[user[targets]] == each]]) for each in (1, 2)),
    ]


def from_files(parts):
    """The same three parts, of the five that RecBole read from files.

    Raises:
        ValueError: there is a user in files of both training and validation, or training and test, or the last two.
    """
    train, *held_out = parts
    names = train.benchmark_filename_list
    users = [set(part.inter_feat[part.uid_field].tolist()) for part in parts]
    groups = [(names[0], users[0]), (names[1], users[1] | users[2]), (names[3], users[3] | users[4])]
    for (first, some), (second, others) in ((groups[0], groups[1]), (groups[0], groups[2]), (groups[1], groups[2])):
        if both := some & others:
            token = train.id2token(train.uid_field, min(both))
            raise ValueError(f"benchmark_filename: a user split, but user {token} is in {first} and in {second}")
    valid_fold_in, valid, test_fold_in, test = held_out
    fold_in = cat_interactions([valid_fold_in.inter_feat, test_fold_in.inter_feat])
    return [TrainingUsers(train, train.inter_feat, fold_in), valid, test]


def _split(settings):
    split_args = (settings.get("eval_args") or {}).get("split")
    return split_args if isinstance(split_args, dict) else {}


def _check_parts(parts):
    wanted = (
        "US in eval_args' split must be three shares of the users that sum to 1, [0.8, 0.1, 0.1], or -1 and two "
        f"numbers of users, [-1, 1000, 1000]; got {parts!r}"
    )
    if not isinstance(parts, (list, tuple)) or len(parts) != 3 or not all(map(_is_number, parts)):
        raise ValueError(wanted)
    numbers = all(isinstance(each, Integral) for each in parts) and parts[0] == -1 and min(parts[1:]) > 0
    if not numbers and not (min(parts) > 0 and math.isclose(sum(parts), 1, abs_tol=1e-6)):
        raise ValueError(wanted)


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _numbers(parts, users):
    """How many users to hold out for validation and for test."""
    valid, test = parts[1:] if parts[0] == -1 else (max(1, int(share * users + 1e-9)) for share in parts[1:])
    if valid + test >= users:
        raise ValueError(f"US: {valid} and {test} users to be held out leave none of the {users} to train on")
    return valid, test


def _order(dataset, rows, order, generator):
    if order == "RO":
        return generator.permutation(len(rows))
    return order_by_time(dataset, rows)


def _is_target(user, fold_in):
    """Which entries of users' ordered items, one user after the other, come after the fold-in: at least one of two."""
    _, first, of, count = np.unique(user, return_index=True, return_inverse=True, return_counts=True)
    targets = np.clip(((1 - fold_in) * count + 1e-9).astype(np.int64), 1, np.maximum(count - 1, 0))
    return np.arange(len(user)) - first[of] >= (count - targets)[of]
