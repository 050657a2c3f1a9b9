"""Draw the same candidates for all models.

With eval_args mode uniN or popN, RecBole ranks each target among N items that it draws during evaluation, from the
random stream of the training: every model, epoch and batch size has other candidates. Here a user's candidates depend
only on ``seed``, the phase (valid or test), the user's token and the items, in order of their tokens, and drawing them
leaves the random numbers of the training unchanged. As in RecBole they are drawn with replacement, uniformly or by the
number of interactions in all parts, and never among the items that the user has in training, in validation (and in
test, when testing). With ``repeatable: True`` a user's own items are candidates too, but for the target.
"""

import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from recbole.data.dataloader import NegSampleEvalDataLoader
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.sampler import RepeatableSampler, Sampler

from recbole_edlae._warnings import warn
from recbole_edlae.data.training_data import token_rank
from recbole_edlae.integration.fast.used_ids import UsedIds
from recbole_edlae.integration.fixes.preparation import all_items, can_be_drawn
from recbole_edlae.settings import corrections


def for_evaluation(config: Any, dataset: Dataset, sampler: Any) -> Any:
    """Return a sampler for one phase alone, independent of the settings of training.

    RecBole's phases share one: popularity in ``mode: popN`` has the ``alpha`` of ``train_neg_sample_args``.

    Args:
        config: RecBole's Config.
        dataset: whose items are drawn.
        sampler: of the phase, as RecBole made it.
    """
    corrections.note(config, "candidates")
    sampler = copy.copy(sampler)
    sampler.alpha = 1.0

    # Items in order of their tokens, without padding.
    sampler.rank = token_rank(dataset, dataset.iid_field)
    sampler.by_token = 1 + np.argsort(sampler.rank[1:])

    sampler.set_distribution(config[f"{sampler.phase}_neg_sample_args"]["distribution"])
    return sampler


def uni_sampling(stock: Callable, sampler: Sampler | RepeatableSampler, sample_num: int) -> np.ndarray:
    """Draw candidates uniformly as RecBole does, but by the rank of their tokens."""
    drawn = stock(sampler, sample_num)
    return sampler.by_token[drawn - 1] if "by_token" in vars(sampler) else drawn


def get_candidates_list(stock: Callable, sampler: Sampler | RepeatableSampler) -> list[int]:
    """Return the candidates of a sampler as RecBole does, in order of their tokens."""
    items = stock(sampler)
    if "rank" not in vars(sampler):
        return items

    # An item is listed once for each interaction, so that its share is its popularity.
    items = np.asarray(items, dtype=np.int64)
    return items[np.argsort(sampler.rank[items], kind="stable")].tolist()


def unknown_items(loader: NegSampleEvalDataLoader) -> np.ndarray:
    """Return how many items each user of a loader does not know yet."""
    sampler = loader._sampler

    # It excludes the target, and no other item.
    if isinstance(sampler, RepeatableSampler):
        return np.full(len(loader.uid_list), can_be_drawn(sampler) - 1)

    used = sampler.used_ids
    if isinstance(used, UsedIds):
        return can_be_drawn(sampler) - used.counts[loader.uid_list]
    return can_be_drawn(sampler) - np.array([len(used[user]) for user in loader.uid_list])


def eval_loader(
    stock: Callable,
    loader: NegSampleEvalDataLoader,
    config: Any,
    dataset: Dataset,
    sampler: Any,
    shuffle: bool = False,
) -> None:
    """Construct a loader of drawn candidates as RecBole does, with a warning where candidates are few.

    Warns:
        DataWarning: Users have fewer unknown items than candidates are asked for.
    """
    stock(loader, config, dataset, sampler, shuffle)
    if not _draws(loader):
        return
    requested = loader.neg_sample_args["sample_num"]
    unknown = unknown_items(loader)
    is_few = unknown < requested
    users = loader.uid_list[is_few]
    if len(users):
        token = dataset.id2token(loader.uid_field, users[0])
        warn(
            f"{_mode(loader)}: {len(users):,} of {len(loader.uid_list):,} users of the {sampler.phase} part have "
            f"fewer than {requested:,} items that they do not know yet (user {token} "
            f"has {unknown[is_few][0]:,}); their candidates are drawn with replacement and repeat"
        )


def check_candidates(loaders: Sequence[Any]) -> None:
    """Check before training that there are candidates for every user of the loaders that draw candidates.

    Args:
        loaders: of any kind.

    Raises:
        ValueError: A user has all items.
    """
    for loader in loaders:
        if not isinstance(loader, NegSampleEvalDataLoader) or not _draws(loader):
            continue

        # Whoever has all items would be drawn for without end.
        sampler = loader._sampler
        complete = loader.uid_list[unknown_items(loader) <= 0]
        if len(complete):
            raise ValueError(
                f"{_mode(loader)}: {all_items(sampler, complete)}, so that there is nothing to rank against; leave "
                f"such users out: user_inter_num_interval: '[0,{can_be_drawn(sampler) - 1}]'"
            )


def _draws(loader: NegSampleEvalDataLoader) -> bool:
    """Return whether a loader draws candidates."""
    return (
        loader._sampler is not None
        and loader.neg_sample_args["sample_num"] != "none"
        and len(loader.uid_list) > 0
    )


def _mode(loader: NegSampleEvalDataLoader) -> str:
    """Return the setting of a loader's candidates, for messages."""
    return f"eval_args mode {loader.config['eval_args']['mode'][loader._sampler.phase]}"


def neg_sampling(stock: Callable, loader: NegSampleEvalDataLoader, inter_feat: Interaction) -> Interaction:
    """Draw the candidates of one user as RecBole does, with random numbers of the user's own."""
    if loader.neg_sample_args["sample_num"] == "none":
        return stock(loader, inter_feat)

    # The seed follows from the user's token; the random numbers of the training go on as if nothing was drawn.
    user = loader._dataset.id2token(loader.uid_field, int(inter_feat[loader.uid_field][0]))
    name = f"{loader.config['seed']}\n{loader._sampler.phase}\n{user}"
    state = np.random.get_state()
    np.random.seed(np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype=np.uint32))
    try:
        return stock(loader, inter_feat)
    finally:
        np.random.set_state(state)
