"""Compare the files that settings are searched on with those that the settings found are refitted and tested on."""

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pandas.api.types import union_categoricals

from recbole_edlae._warnings import warn
from recbole_edlae.data.atomic import read_atomic
from recbole_edlae.settings.rules import SEARCH_FILES


def check_search_files(settings: Mapping[str, Any]) -> None:
    """Check that a search sees nothing of the test, and warn where it sees something else than the training file.

    Args:
        settings: all settings, as ``Config`` ends with; ``search_filename`` names the files of the search, and
            ``benchmark_filename`` those of refit and test.
    """
    fit, valid = settings[SEARCH_FILES]
    train, _, test = settings["benchmark_filename"]
    pairs = _pairs(settings, (fit, valid, train, test))

    # What the test repeats of the training file is known to both.
    searched = np.union1d(pairs[fit], pairs[valid])
    leaked = np.setdiff1d(np.intersect1d(searched, pairs[test]), pairs[train])
    if len(leaked):
        raise ValueError(
            f"{SEARCH_FILES}: {len(leaked):,} interactions of {fit} and {valid} are in {test} and not in {train}: "
            "settings would be chosen on the test"
        )

    missing = np.setdiff1d(pairs[train], searched)
    added = np.setdiff1d(searched, pairs[train])
    if len(missing) or len(added):
        warn(
            f"{SEARCH_FILES}: {fit} and {valid} together are not {train}: they lack {len(missing):,} of its "
            f"{len(pairs[train]):,} interactions and have {len(added):,} others"
        )


def _pairs(settings: Mapping[str, Any], parts: Iterable[str]) -> dict[str, np.ndarray]:
    """Return the pairs of user and item of each file, each once, as numbers that are the same in all files."""
    columns = [settings["USER_ID_FIELD"], settings["ITEM_ID_FIELD"]]
    folder = pathlib.Path(settings["data_path"])
    options = {"separator": settings["field_separator"], "encoding": settings.get("encoding")}
    frames = {}
    for part in dict.fromkeys(parts):
        path = folder / f"{settings['dataset']}.{part}.inter"
        frames[part] = read_atomic(path, columns, categories=columns, **options)

    # Tokens of all files get their numbers together.
    users, items = [
        union_categoricals([frame[column].astype("category") for frame in frames.values()])
        for column in columns
    ]
    pairs = users.codes.astype(np.int64) * len(items.categories) + items.codes

    # A run leaves rows without a user or an item out.
    pairs[(users.codes < 0) | (items.codes < 0)] = -1
    ends = np.cumsum([len(frame) for frame in frames.values()])
    of_files = np.split(pairs, ends[:-1])
    return {part: np.unique(numbers[numbers >= 0]) for part, numbers in zip(frames, of_files)}
