"""Ask a dataset for its training part: users, histories, popularity, and what a checkpoint stores of them.

Under a split by user the training part has the fold-in of the held-out users as ``with_fold_in()``.

RecBole numbers users and items in the order of the file's lines. If the file is sorted differently, or has one more
item, every weight belongs to another item. So a checkpoint stores, under the key ``trained_on``:

* ``tokens``: the tokens of users and items by id, as compressed JSON;
* ``fields``: a digest of the tokens by id for every field of tokens;
* ``training``: a digest of the users × items matrix of training, with how often each pair occurs. It does not depend on
  the order of lines, and does not cover ratings, times or the features of users and items;
* ``files``: the fingerprint of the files that the data were read from;
* ``interactions``: how many there are in training, and ``popularity``: how many users in training have each item.

All of it is plain data. RecBole itself ignores the key.
"""

import hashlib
import json
import weakref
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recbole_edlae._warnings import warn

if TYPE_CHECKING:
    from recbole.data.dataset import Dataset

KEY = "trained_on"
_COUNTS = "interactions_in_training"  # attribute of the datasets that a split returns

_described: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # dataset → its description
_built_on: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # model → _DatasetOfModel


class OtherDataError(ValueError):
    """The data are not those that a checkpoint was trained on."""


class _DatasetOfModel:
    """What a model remembers of its dataset, without keeping its interactions in memory."""

    def __init__(self, dataset: Any) -> None:
        self.tokens = dict(dataset.field2id_token)
        self.ids = [dataset.uid_field, dataset.iid_field]
        self.files = files_of(dataset)
        self.dataset = weakref.ref(dataset)


def note(model: torch.nn.Module, dataset: Any) -> None:
    """Remember which dataset a model was built on."""
    if hasattr(dataset, "field2id_token"):
        _built_on[model] = _DatasetOfModel(dataset)


def dataset_of(model: torch.nn.Module) -> Any:
    """Return the dataset that a model was built on; None where it is not known, or gone."""
    built_on = _built_on.get(model)
    return None if built_on is None else built_on.dataset()


def known_data(model: torch.nn.Module) -> dict[str, Any] | None:
    """Return the description of the data that a model was built on; None where that is not known."""
    built_on = _built_on.get(model)
    if built_on is None:
        return None
    dataset = built_on.dataset()
    if dataset is None:
        return _describe_tokens(built_on.tokens, built_on.ids) | built_on.files
    return describe(dataset)


def describe(dataset: Any) -> dict[str, Any]:
    """Return what a checkpoint stores of the training part of its data.

    Args:
        dataset: RecBole's Dataset of the training interactions.

    Returns:
        The keys that the module's docstring lists, and ``version``; without users or items, those of tokens only.
    """
    if dataset not in _described:
        description = _describe_tokens(dataset.field2id_token, [dataset.uid_field, dataset.iid_field])
        description |= files_of(dataset)
        if dataset.uid_field and dataset.iid_field:
            description |= _describe_interactions(dataset)
        _described[dataset] = description
    return _described[dataset]


def files_of(dataset: Any) -> dict[str, str]:
    """Return the fingerprint of the files that a dataset was read from, as a description has it, where it is known."""
    noted = getattr(dataset, "fingerprint", None)
    return {} if noted is None else {"files": noted}


def tokens_of(description: dict[str, Any], field: str) -> list[str]:
    """Return the tokens of a field by id.

    Raises:
        ValueError: The description has no tokens of the field, or they are damaged.
    """
    try:
        tokens = json.loads(zlib.decompress(description["tokens"][field]))
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ValueError(f"its tokens of {field} are missing or damaged ({type(error).__name__})") from None
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise ValueError(f"its tokens of {field} are damaged")
    return tokens


def check_same(saved: dict[str, Any], current: dict[str, Any], file: str) -> None:
    """Check that data are those that a checkpoint was trained on.

    Args:
        saved: the checkpoint's description of its data.
        current: the description of the data at hand.
        file: the checkpoint, for the message.

    Raises:
        OtherDataError: An id stands for another token, or the training interactions differ.

    Warns:
        DataWarning: The files have changed in what is not compared: held-out parts, times, ratings, features.
    """
    # Ids first: the interactions are compared by them.
    for field, digest in current["fields"].items():
        if saved["fields"].get(field) != digest:
            reason = _how_tokens_differ(saved, current, field)
            raise OtherDataError(f"checkpoint {file} was not trained on these data: {reason}")

    # Either may lack a digest: of data without users or items, or of a model whose dataset is gone.
    before = saved.get("training")
    now = current.get("training")
    if before is not None and now is not None and before != now:
        raise OtherDataError(
            f"checkpoint {file} was not trained on these data: the users and items are the same, the interactions to "
            f"train on are not ({saved['interactions']} then, {current['interactions']} now), or are split otherwise"
        )
    say_changed_files(saved, current, file)


def say_changed_files(saved: dict[str, Any], current: dict[str, Any], file: str) -> None:
    """Warn where the files of the data are not those that a checkpoint was trained on.

    Args:
        saved: the checkpoint's description of its data.
        current: the description of the data at hand; ``files`` matters.
        file: the checkpoint, for the message.
    """
    if "files" in saved and "files" in current and saved["files"] != current["files"]:
        warn(
            f"checkpoint {file}: the files of its dataset have changed since it was trained; histories and held-out "
            "parts are of the files as they are now"
        )


def _describe_interactions(dataset: Any) -> dict[str, Any]:
    """Return digest, number of interactions and popularity of the training part."""
    # RecBole sums repeated pairs. Sorted, the matrix is the same for any order of lines.
    matrix = dataset.inter_matrix(form="csr")
    matrix.sort_indices()
    digest = hashlib.blake2b(digest_size=16)
    for array in (matrix.indptr, matrix.indices, matrix.data):
        digest.update(np.ascontiguousarray(array, dtype=np.int64).data)
    popularity = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return {
        "training": digest.hexdigest(),
        "interactions": int(matrix.data.sum()),
        "popularity": torch.from_numpy(popularity.astype(np.int32)),
    }


def _describe_tokens(tokens: dict[str, Any], ids: list[str | None]) -> dict[str, Any]:
    """Return a digest of every field's tokens, and the tokens of users and items."""
    fields: dict[str, str] = {}
    stored: dict[str, bytes] = {}
    for field, by_id in tokens.items():
        # RecBole's names and tokens may be NumPy's.
        field = str(field)
        content = json.dumps([str(token) for token in by_id]).encode()
        fields[field] = hashlib.blake2b(content, digest_size=16).hexdigest()
        if field in ids:
            stored[field] = zlib.compress(content, 1)
    return {"version": 1, "tokens": stored, "fields": fields}


def _how_tokens_differ(saved: dict[str, Any], current: dict[str, Any], field: str) -> str:
    """Say how the tokens of a field differ."""
    if field not in saved["tokens"] or field not in current["tokens"]:
        return f"the values of {field} are numbered otherwise or are others"

    # Padding is the first token.
    before = tokens_of(saved, field)[1:]
    now = tokens_of(current, field)[1:]

    gone = len(set(before) - set(now))
    new = len(set(now) - set(before))
    if gone or new:
        return f"{gone} of its {len(before)} values of {field} are gone, and {new} of {len(now)} are new"
    return f"the same {len(now)} values of {field} stand in another order in the file, so that their ids differ"


def with_fold_in(dataset: "Dataset") -> "Dataset":
    """Return the dataset that histories are read from."""
    return dataset.with_fold_in() if hasattr(dataset, "with_fold_in") else dataset


def training_users(dataset: "Dataset") -> torch.Tensor:
    """Return the ids of the users that a loader of users iterates in training."""
    if not hasattr(dataset, "with_fold_in"):
        return torch.arange(dataset.user_num)
    return dataset.inter_feat[dataset.uid_field].unique()


def note_item_counts(parts: "Sequence[Dataset]") -> None:
    """Tell the datasets that a split returned how often each item occurs in training.

    Args:
        parts: of the split, training first.
    """
    train = parts[0]
    items = np.asarray(train.inter_feat[train.iid_field])
    counts = np.bincount(items, minlength=train.item_num)
    for part in parts:
        vars(part)[_COUNTS] = counts


def item_counts(dataset: "Dataset") -> np.ndarray:
    """Return the number of interactions of each item id in training; zeros where nothing was split.

    Args:
        dataset: one of those that a split returned.
    """
    counts = vars(dataset).get(_COUNTS)
    if counts is None:
        return np.zeros(dataset.item_num, dtype=np.int64)
    return counts


def token_rank(dataset: "Dataset", field: str) -> np.ndarray:
    """Return the rank of each id of a field when its tokens are sorted as text."""
    tokens = dataset.field2id_token[field]
    rank = np.empty(len(tokens), dtype=np.int64)
    rank[np.argsort(tokens, kind="stable")] = np.arange(len(tokens))
    return rank
