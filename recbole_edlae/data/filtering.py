"""Filter users and items by their numbers of interactions, with counts as arrays in the place of Python counters."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from recbole.data.dataset import Dataset
from recbole.utils import set_color

from recbole_edlae.settings import vectorized


class _Counted:
    """The users, or the items, of a dataset with their numbers of interactions."""

    def __init__(self, dataset: Dataset, field: str, feat: pd.DataFrame | None, intervals: list | None) -> None:
        self.dataset, self.field = dataset, field
        self.feat, self.intervals = feat, intervals
        codes, tokens = _codes(dataset.inter_feat[field])
        self.codes = codes
        self.counts = np.bincount(codes, minlength=len(tokens))
        # Rows of the table of features, whose ids may have no interactions: the number behind the last token.
        self.feat_codes = np.empty(0, dtype=np.intp)
        if feat is not None:
            found = tokens.get_indexer(feat[field])
            self.feat_codes = np.where(found < 0, len(tokens), found)
        self.is_kept = np.ones(len(self.feat_codes), dtype=bool)

    def banned(self) -> np.ndarray:
        """Return for each token whether it is illegal now; the last value is that of ids without interactions."""
        self.dataset.logger.debug(
            set_color("get_illegal_ids_by_inter_num", "blue")
            + f": field=[{self.field}], inter_interval=[{self.intervals}]"
        )
        is_banned = np.zeros(len(self.counts) + 1, dtype=bool)
        if not self.intervals:
            return is_banned
        if len(self.intervals) > 1:
            self.dataset.logger.warning("More than one interval of interaction number are given!")
        is_banned[:-1] = ~self.dataset._within_intervals(self.counts, self.intervals) & (self.counts > 0)
        rows = self.feat_codes[self.is_kept]
        is_banned[rows] |= np.append(self.counts, 0)[rows] < self.intervals[0][1]
        self.dataset.logger.debug(f"[{is_banned.sum()}] illegal_ids_by_inter_num, field=[{self.field}]")
        return is_banned

    def drop(self, is_banned: np.ndarray) -> bool:
        """Drop illegal rows of the table of features; return whether there were illegal ids."""
        self.is_kept &= ~is_banned[self.feat_codes]
        return bool(is_banned.any())

    def finish(self) -> None:
        """Remove the dropped rows from the table of features."""
        if self.feat is not None and not self.is_kept.all():
            self.feat.drop(self.feat.index[~self.is_kept], inplace=True)


def filter_by_inter_num(stock: Callable, dataset: Dataset) -> None:
    """Leave out users and items as RecBole's ``Dataset._filter_by_inter_num`` does.

    Args:
        stock: RecBole's method, called where the setting is off or an interaction has no user or no item.
        dataset: RecBole's dataset, whose tables lose rows.

    Notes:
        Cost: some integers for each interaction.
    """
    user_field = dataset.uid_field
    item_field = dataset.iid_field
    if not _is_vectorized(dataset):
        stock(dataset)
        return
    user_intervals = dataset._parse_intervals_str(dataset.config["user_inter_num_interval"])
    item_intervals = dataset._parse_intervals_str(dataset.config["item_inter_num_interval"])
    if user_intervals is None and item_intervals is None:
        return
    users = _Counted(dataset, user_field, dataset.user_feat, user_intervals)
    items = _Counted(dataset, item_field, dataset.item_feat, item_intervals)
    is_left = _remaining(users, items)
    users.finish()
    items.finish()
    if not is_left.all():
        dataset.inter_feat.drop(dataset.inter_feat.index[~is_left], inplace=True)


def _is_vectorized(dataset: Dataset) -> bool:
    """Return whether the functions here can do a dataset's filtering."""
    fields = [dataset.uid_field, dataset.iid_field]
    if not vectorized.is_on(dataset.config) or None in fields:
        return False
    return not dataset.inter_feat[fields].isna().any(axis=None)


def _remaining(users: _Counted, items: _Counted) -> np.ndarray:
    """Return for each interaction whether it is left when no user and no item is illegal any more."""
    is_left = np.ones(len(users.codes), dtype=bool)
    while True:
        banned_users = users.banned()
        banned_items = items.banned()
        has_banned_users = users.drop(banned_users)
        has_banned_items = items.drop(banned_items)
        if not has_banned_users and not has_banned_items:
            return is_left
        is_dropped = is_left & (banned_users[users.codes] | banned_items[items.codes])
        for counted in (users, items):
            counted.counts -= np.bincount(counted.codes[is_dropped], minlength=len(counted.counts))
        users.dataset.logger.debug(f"[{np.count_nonzero(is_dropped)}] dropped interactions.")
        is_left &= ~is_dropped


def _codes(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return the number of each row's token, and the tokens."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy(), column.cat.categories
    codes, tokens = pd.factorize(column.to_numpy())
    return codes, pd.Index(tokens)
