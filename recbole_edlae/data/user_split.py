"""Split a dataset by user: some users are trained on, others are held out and scored from a fold-in.

    eval_args:
      split: {US: [0.8, 0.1, 0.1]}   # shares of the users; or numbers of them, [-1, 1000, 1000], -1 for all others
      fold_in: 0.8                   # share of a held-out user's items that the model is shown
      order: RO                      # the fold-in is a random choice; TO: the earliest items
      mode: full

A model scores a held-out user from the user's fold-in, which is left out of the ranking; the user's other items are
the targets. Neither is trained on. Items that no training user has cannot be learned, so they are in no fold-in and are
no targets. This is strong generalization (Marlin 2004; Liang et al. 2018, §4.2).

Files that are split already work too: ``benchmark_filename`` with five names instead of three, those of the training
users, of the validation users' fold-in and targets, and of the test users' fold-in and targets.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import UserDataLoader
from recbole.data.dataloader.abstract_dataloader import AbstractDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction, cat_interactions

from recbole_edlae.data.time_order import order_by_time
from recbole_edlae.data.training_data import token_rank, training_users
from recbole_edlae.settings.evaluation import FOLD_IN

_TRAINING, _VALIDATION, _TEST = range(3)


class TrainingUsers(Dataset):
    """The training part of a user split.

    It holds the training users' interactions alone. Only :meth:`history_item_matrix`, from which RecBole's autoencoders
    take the histories they score, has the held-out users' fold-in too.
    """

    def __init__(self, dataset: Dataset, interactions: Interaction, fold_in: Interaction) -> None:
        """Make the training part of a dataset of the training users' interactions and the others' fold-in."""
        self.__dict__.update(vars(dataset), inter_feat=interactions, fold_in=fold_in)

    def with_fold_in(self) -> Dataset:
        """Return a plain Dataset of the training users' interactions and the held-out users' fold-in."""
        histories = Dataset.__new__(Dataset)
        vars(histories).update(vars(self), inter_feat=cat_interactions([self.inter_feat, self.fold_in]))
        return histories

    def history_item_matrix(
        self, value_field: str | None = None, max_history_len: int | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what RecBole's method of that name returns, for training users and held-out users."""
        # RecBole's method shuffles; what is drawn later shall not depend on the fold-in.
        with torch.random.fork_rng(devices=[]):
            return self.with_fold_in().history_item_matrix(value_field, max_history_len)


class TrainingUserDataLoader(UserDataLoader):
    """Batches of the training users, shuffled: what RecBole's :class:`UserDataLoader` is for all users."""

    def __init__(self, config: Any, dataset: Dataset, sampler: Any, shuffle: bool = True) -> None:
        self.uid_field = dataset.uid_field
        self.user_list = Interaction({self.uid_field: training_users(dataset)})
        self.sample_size = len(self.user_list)
        AbstractDataLoader.__init__(self, config, dataset, sampler, shuffle=True)


def split(dataset: Dataset) -> list[Dataset]:
    """Return the parts of a user split: TrainingUsers, and the targets of the validation users and of the test users.

    Users and order are drawn from RecBole's ``seed`` by a generator of their own, so that nothing that ran before
    matters.
    """
    dataset._change_feat_format()
    eval_args = dataset.config["eval_args"]
    generator = np.random.default_rng(dataset.config["seed"])
    user = dataset.inter_feat[dataset.uid_field].numpy()
    item = dataset.inter_feat[dataset.iid_field].numpy()

    # Rows of training users, and of held-out users those of items that can be learned.
    part_of_user = _draw_parts(dataset, np.unique(user), eval_args, generator)
    training = np.flatnonzero(part_of_user[user] == _TRAINING)
    held_out = np.flatnonzero((part_of_user[user] > _TRAINING) & np.isin(item, item[training]))

    # In the order of the fold-in, and of a repeated pair the first row only.
    if eval_args["order"] == "RO":
        held_out = generator.permutation(held_out)
    else:
        held_out = held_out[order_by_time(dataset, held_out)]
    pair = user[held_out].astype(np.int64) * dataset.item_num + item[held_out]
    _, first = np.unique(pair, return_index=True)
    held_out = held_out[np.sort(first)]

    # User after user: the fold-in, and then the targets.
    held_out = held_out[np.argsort(user[held_out], kind="stable")]
    is_target = _is_target(user[held_out], eval_args.get("fold_in", FOLD_IN))
    targets = held_out[is_target]
    fold_in = held_out[~is_target]

    dataset._drop_unused_col()
    interactions = dataset.inter_feat
    parts = [TrainingUsers(dataset, interactions[training], interactions[fold_in])]
    part_of_target = part_of_user[user[targets]]
    for part in (_VALIDATION, _TEST):
        rows = targets[part_of_target == part]
        parts.append(dataset.copy(interactions[rows]))
    return parts


def from_files(parts: list[Dataset]) -> list[Dataset]:
    """Return the same three parts as :func:`split`, made of the five that RecBole read from files, in their order."""
    train, valid_fold_in, valid, test_fold_in, test = parts
    names = train.benchmark_filename_list

    # A user belongs to training, to validation or to test.
    users = [set(part.inter_feat[part.uid_field].tolist()) for part in parts]
    groups = [(names[0], users[0]), (names[1], users[1] | users[2]), (names[3], users[3] | users[4])]
    for (first, first_users), (second, second_users) in itertools.combinations(groups, 2):
        shared = first_users & second_users
        if shared:
            token = train.id2token(train.uid_field, min(shared))
            raise ValueError(
                f"benchmark_filename: a user split, but user {token} is in {first} and in {second}"
            )

    fold_in = cat_interactions([valid_fold_in.inter_feat, test_fold_in.inter_feat])
    return [TrainingUsers(train, train.inter_feat, fold_in), valid, test]


def _draw_parts(
    dataset: Dataset, users: np.ndarray, eval_args: Mapping[str, Any], generator: np.random.Generator
) -> np.ndarray:
    """Return the part that each user id is drawn for."""
    # Ids follow the order of lines, on which the draw must not depend where the order is by time.
    if eval_args["order"] == "TO":
        users = users[np.argsort(token_rank(dataset, dataset.uid_field)[users])]
    users = generator.permutation(users)
    n_valid, n_test = _n_held_out(eval_args["split"]["US"], len(users))
    part_of_user = np.full(dataset.user_num, _TRAINING, dtype=np.int8)
    part_of_user[users[:n_valid]] = _VALIDATION
    part_of_user[users[n_valid : n_valid + n_test]] = _TEST
    return part_of_user


def _n_held_out(parts: Sequence[Any], users: int) -> tuple[int, int]:
    """Return how many users to hold out for validation and for test."""
    # Shares are rounded down, and leave at least one user.
    valid, test = parts[1:]
    if parts[0] != -1:
        valid = max(1, int(valid * users + 1e-9))
        test = max(1, int(test * users + 1e-9))
    if valid + test >= users:
        raise ValueError(
            f"US: {valid} and {test} users to be held out leave none of the {users} to train on"
        )
    return valid, test


def _is_target(user: np.ndarray, fold_in: float) -> np.ndarray:
    """Return which of the users' items, one user after the other, come after the fold-in: of two, at least one."""
    # Where each user's rows begin, and how many they are.
    _, first, position, n_items = np.unique(
        user, return_index=True, return_inverse=True, return_counts=True
    )

    # At least one target, and of more than one item at least one in the fold-in.
    n_targets = np.clip(((1 - fold_in) * n_items + 1e-9).astype(np.int64), 1, np.maximum(n_items - 1, 0))
    return np.arange(len(user)) - first[position] >= (n_items - n_targets)[position]
