"""Keep the earlier import path of :mod:`recbole_edlae.data.training_data`."""

from recbole_edlae.data.training_data import (
    KEY,
    OtherDataError,
    check_same,
    dataset_of,
    describe,
    files_of,
    known_data,
    note,
    say_changed_files,
    tokens_of,
)

__all__ = [
    "KEY",
    "OtherDataError",
    "check_same",
    "dataset_of",
    "describe",
    "files_of",
    "known_data",
    "note",
    "say_changed_files",
    "tokens_of",
]
