"""Compare the files that settings are searched on with those that the settings found are refitted and tested on."""

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from recbole_edlae._warnings import warn
from recbole_edlae.data.atomic import read_atomic
from recbole_edlae.data.parts import SEARCH_FILES


def check_search_files(settings: Mapping[str, Any]) -> None:
    """Check that a search sees nothing of the test, and say where it sees something else than the training file.

    Args:
        settings: all settings, as ``Config`` ends with; ``search_filename`` names the files of the search, and
            ``benchmark_filename`` those of refit and test.

    Raises:
        ValueError: the search would see interactions of the test.

    Warns:
        DataWarning: the files of the search together are not the training file.
    """
    fit, valid = settings[SEARCH_FILES]
    train, _, test = settings["benchmark_filename"]
    pairs = _pairs(settings, (fit, valid, train, test))
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
    name = settings["dataset"]
    frames = {}
    for part in dict.fromkeys(parts):
        path = pathlib.Path(settings["data_path"]) / f"{name}.{part}.inter"
        frames[part] = read_atomic(
            path, columns, separator=settings["field_separator"], encoding=settings.get("encoding")
        )
    rows = pd.concat(frames, names=["part"])
    users, _ = pd.factorize(rows[columns[0]])
    items, tokens = pd.factorize(rows[columns[1]])
    known = (users >= 0) & (items >= 0)  # a run leaves rows without a user or an item out
    pairs = pd.Series(users.astype(np.int64) * len(tokens) + items, index=rows.index)[known]
    return {part: np.unique(pairs.xs(part, level="part").to_numpy()) for part in frames}
