"""Check and complete what lies between the files and the training: the dataset, its split, samplers and loaders.

RecBole splits interactions, so that a repeated pair may be both trained on and tested, and a model that remembers its
training data wins. The split stays RecBole's, row for row, as published numbers have it, and a warning counts the pairs
and names the setting that keeps one interaction of each. With ``repeatable: True``, which asks for repeats to be
recommended, there is no warning.

RecBole refuses a user who has all items for every model, even for those that draw nothing. Here a model that draws
negative items in training is refused before an epoch begins, in a line that names the user; models that draw none run.
Models that RecBole calls traditional (Pop, EASE, ItemKNN and others) do not use the negatives that their loader draws.
The loader still draws them, so that results equal RecBole's, unless a user has all items.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from recbole.data.dataloader import NegSampleEvalDataLoader, TrainDataLoader
from recbole.data.dataloader.abstract_dataloader import NegSampleDataLoader
from recbole.data.dataset import Dataset
from recbole.sampler import RepeatableSampler, Sampler
from recbole.sampler.sampler import AbstractSampler
from recbole.utils import EvaluatorType, ModelType

from recbole_edlae._warnings import warn
from recbole_edlae.data.training_data import note_item_counts, with_fold_in
from recbole_edlae.integration.fast.rows import Groups, groups_of, numbered_pairs
from recbole_edlae.integration.fast.used_ids import UsedIds, used_items
from recbole_edlae.settings import corrections
from recbole_edlae.settings.evaluation import splits_users

_NOTHING_DRAWN = {
    "distribution": "none",
    "sample_num": "none",
    "alpha": "none",
    "dynamic": False,
    "candidate_num": 0,
}


def create_dataset(stock: Callable, config: Any) -> Any:
    """Create the dataset of a run as RecBole does, after a look for the labels that mode labeled measures on.

    Raises:
        ValueError: A file has none; the message has the setting, the file and its columns.
    """
    if "labeled" in config["eval_args"]["mode"].values():
        from recbole_edlae.data.columns import check_labels  # a ranking measures on none

        check_labels(config.final_config_dict)
    return stock(config)


def build(stock: Callable, dataset: Dataset) -> list[Dataset]:
    """Split as RecBole does, or by user where that is asked for; every split learns the popularity in training.

    Warns:
        DataWarning: A pair is in two splits, or held-out users have no interactions in training.
    """
    parts = _split(stock, dataset)

    # Some datasets of RecBole's have no users, or no items.
    if dataset.uid_field is None:
        return parts
    if not dataset.config["repeatable"]:
        _warn_of_repeats(dataset, parts)
    if dataset.iid_field is not None:
        note_item_counts(parts)
        _warn_of_unknown_users(parts)
    return parts


def _split(stock: Callable, dataset: Dataset) -> list[Dataset]:
    """Split as the settings say; RecBole knows splits of interactions only, and files of such splits."""
    if not splits_users(dataset.config.final_config_dict):
        return stock(dataset)
    from recbole_edlae.data import user_split  # most runs take RecBole's

    if dataset.benchmark_filename_list:
        return user_split.from_files(stock(dataset))
    return user_split.split(dataset)


def _warn_of_repeats(dataset: Dataset, parts: list[Dataset]) -> None:
    """Count the pairs that a split, or its files, have twice."""
    files = dataset.benchmark_filename_list
    if not files:
        cure = "rm_dup_inter: first or last keeps one interaction of each pair"
        warn_of_shared_pairs(parts, ["training", "validation", "test"], cure)
        return

    # Three files are the three splits. Of five, the first two are trained on or shown to the model.
    names = [files[0], *files[-2:]]
    if len(files) != 3:
        names = [f"{files[0]} or the fold-in", *files[2::2]]
    warn_of_shared_pairs(parts, names, "the files are left as they are: take the pairs out of one of them")


def warn_of_shared_pairs(parts: list[Dataset], names: list[str], cure: str) -> None:
    """Count the pairs of user and item that are in two splits.

    Args:
        parts: training, validation and test; a user split's fold-in counts as training.
        names: what the warning calls the three; splits of one name are one file, and not compared.
        cure: what can be done about it.

    Warns:
        DataWarning: Two splits share pairs.
    """
    # What a model is shown of a held-out user counts as training.
    pairs = [groups_of(part) for part in (with_fold_in(parts[0]), *parts[1:])]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        if names[first] == names[second]:
            continue
        shared = shared_pairs(pairs[first], pairs[second])
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

    # The matrix has a repeated pair once, the rows have it as often as it occurs.
    rows = np.asarray(second.keys).astype(np.int64) * second.shape[1] + np.asarray(second.values)
    return int(np.isin(rows, shared).sum())


def _warn_of_unknown_users(parts: Sequence[Dataset]) -> None:
    """Count the users of validation and of test that have neither training interactions nor a fold-in."""
    field = parts[0].uid_field
    known = np.unique(with_fold_in(parts[0]).inter_feat[field])
    for part, name in zip(parts[1:], ("validation", "test")):
        users = np.unique(part.inter_feat[field])
        unknown = int((~np.isin(users, known)).sum())
        if unknown:
            warn(
                f"{unknown:,} of {len(users):,} users of the {name} part have no interactions in training: a model "
                "that scores a history gives them equal scores, which are ordered by the popularity in training"
            )


def create_samplers(stock: Callable, config: Any, dataset: Dataset, built_datasets: list[Dataset]) -> tuple:
    """Create RecBole's samplers; those of candidates share nothing, and a user split's fold-in counts as training.

    Warns:
        DataWarning: ``topk`` exceeds the number of items, or there is nothing to validate or to test on.
    """
    # Before the training, which takes the most time.
    _warn_of_long_lists(config, dataset)
    for part, purpose, built in zip(("validation", "test"), ("validated", "tested"), built_datasets[1:]):
        if not len(built):
            warn(
                f"the {part} part has no interaction: eval_args' split leaves it none, so nothing is {purpose}"
            )

    train, *held_out = stock(config, dataset, [with_fold_in(built_datasets[0]), *built_datasets[1:]])
    if corrections.is_on(config, "candidates"):
        held_out = [_of_one_phase(config, dataset, sampler) for sampler in held_out]
    return train, *held_out


def _warn_of_long_lists(config: Any, dataset: Dataset) -> None:
    """Warn once, before the training, of lists that are longer than the catalog."""
    items = dataset.item_num - 1
    if config["eval_type"] != EvaluatorType.RANKING or max(config["topk"]) <= items:
        return
    longer = ", ".join(str(k) for k in config["topk"] if k > items)
    warn(f"topk {longer} exceeds the {items:,} items of {config['dataset']}; the places beyond stay empty")


def _of_one_phase(config: Any, dataset: Dataset, sampler: Any) -> Any:
    """Return the sampler of a phase; one that draws candidates shares no settings with training."""
    if sampler is None or config[f"{sampler.phase}_neg_sample_args"]["sample_num"] == "none":
        return sampler
    from recbole_edlae.integration.fixes import candidates  # a full ranking draws none

    return candidates.for_evaluation(config, dataset, sampler)


def can_be_drawn(sampler: AbstractSampler) -> int:
    """Return the number of items that a sampler draws from."""
    return len(sampler.prob) if sampler.distribution == "popularity" else sampler.item_num - 1


def users_with_all_items(sampler: Sampler | RepeatableSampler, users: np.ndarray) -> np.ndarray:
    """Return which users have, in all parts together, every item that a sampler draws from."""
    # It excludes the one item that was chosen, and no other.
    if isinstance(sampler, RepeatableSampler):
        return users if can_be_drawn(sampler) <= 1 else users[:0]
    return users[sampler.items_of_user[users] >= can_be_drawn(sampler)]


def all_items(sampler: Sampler | RepeatableSampler, users: np.ndarray) -> str:
    """Return the words that say which users have all items."""
    dataset = sampler.dataset if isinstance(sampler, RepeatableSampler) else sampler.datasets[0]
    text = f"user {dataset.id2token(dataset.uid_field, int(users[0]))}"
    if len(users) > 1:
        text += f" (and {len(users) - 1:,} more)"
    items = can_be_drawn(sampler)
    if items > 1:
        return f"{text} has all {items:,} items"
    return f"{text} has the only item"


def get_used_ids(stock: Callable, sampler: Sampler) -> dict[str, np.ndarray]:
    """Return the items of each user as RecBole does, but refuse no user, and note the number of items of each."""
    # No user has -1 items.
    item_num = sampler.item_num
    sampler.item_num = -1
    try:
        used = used_items(stock, sampler)
    finally:
        sampler.item_num = item_num

    items_of_user = used[sampler.phases[-1]]
    if isinstance(items_of_user, UsedIds):
        sampler.items_of_user = items_of_user.counts
    else:
        sampler.items_of_user = np.array([len(items) for items in items_of_user])
    return used


def train_loader(
    stock: Callable,
    loader: TrainDataLoader,
    config: Any,
    dataset: Dataset,
    sampler: Any,
    shuffle: bool = False,
) -> None:
    """Construct the loader of training as RecBole does, if there are negative items to draw.

    Raises:
        ValueError: There is no negative item for a user, and the model needs one.
    """
    if sampler is not None and config["train_neg_sample_args"]["distribution"] != "none":
        interactions = np.bincount(dataset.inter_feat[dataset.uid_field].numpy())
        users = users_with_all_items(sampler, np.flatnonzero(interactions))

        # A traditional model does not use the negatives, so it can do without.
        loader.draws_nothing = len(users) > 0 and config["MODEL_TYPE"] == ModelType.TRADITIONAL
        if len(users) and not loader.draws_nothing:
            raise ValueError(
                f"train_neg_sample_args: {all_items(sampler, users)}, so that no negative one can be drawn to train "
                f"{config['model']}; leave such users out: user_inter_num_interval: '[0,{can_be_drawn(sampler) - 1}]'"
            )
    stock(loader, config, dataset, sampler, shuffle=shuffle)


def set_neg_sample_args(
    stock: Callable,
    loader: NegSampleDataLoader,
    config: Any,
    dataset: Dataset,
    dl_format: Any,
    neg_sample_args: dict,
) -> None:
    """Set how a loader draws as RecBole does, but draw nothing where there is nothing to draw."""
    drawn = _NOTHING_DRAWN if vars(loader).get("draws_nothing") else neg_sample_args
    stock(loader, config, dataset, dl_format, drawn)


def data_preparation(stock: Callable, config: Any, dataset: Dataset) -> tuple:
    """Prepare the data of a run as RecBole does, and check that there are candidates for every user.

    Raises:
        ValueError: A user has all items.
    """
    loaders = stock(config, dataset)
    if any(isinstance(loader, NegSampleEvalDataLoader) for loader in loaders):
        from recbole_edlae.integration.fixes import candidates  # a full ranking draws none

        candidates.check_candidates(loaders)
    return loaders
