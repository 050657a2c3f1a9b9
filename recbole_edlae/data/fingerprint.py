"""Identify data by the content of the files that are read.

The fingerprint of a dataset is a hash of the names and contents of the files that RecBole reads of it under given
settings, and of no other file. Saved datasets, records, checkpoints and running commands compare it: a file that was
touched or copied is the same, one that was edited is not.
"""

import functools
import hashlib
import importlib
import os
import pathlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from recbole.utils import ModelType

from recbole_edlae.data.atomic import AtomicFileError

_DATASETS = {ModelType.SEQUENTIAL: "SequentialDataset", ModelType.KNOWLEDGE: "KnowledgeBasedDataset"}
_CHUNK = 1 << 20  # bytes that are hashed at a time
_CLOCK = 2.0  # seconds in which a second change of a file may leave its times as they are


class ChangedFileError(AtomicFileError):
    """A file of the dataset is not what it was when it was first read."""


def fingerprint(settings: Mapping[str, Any], known: dict[str, str] | None = None) -> str:
    """Return sixteen hexadecimal digits that stand for the files read under some settings; "" where there are none.

    Args:
        settings: all settings, as ``Config`` ends with.
        known: path → hash of the files as a command met them first; files it lacks are added.

    Raises:
        ChangedFileError: A file is not what ``known`` says.
    """
    digest = hashlib.sha256()
    any_exists = False
    for path in files_read(settings):
        content = _hash(path) if path.is_file() else ""

        # A file that was missing and is now there has changed, too.
        if known is not None and known.setdefault(os.path.abspath(path), content) != content:
            raise changed(path, settings)
        if content:
            any_exists = True
            digest.update(f"{path.name}\n{content}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16] if any_exists else ""


def changed(path: str | os.PathLike, settings: Mapping[str, Any]) -> ChangedFileError:
    """Return the error that the files of a dataset have changed.

    Args:
        path: of the file, or of the folder of the dataset.
        settings: with the name of the dataset.
    """
    return ChangedFileError(
        f"dataset: {path} has changed since this command began; what ended before is on record for the old content, "
        f"rerun the command to measure all on {settings['dataset']} as it is now"
    )


def files_read(settings: Mapping[str, Any]) -> Iterator[pathlib.Path]:
    """Yield the paths of the files that RecBole reads of a dataset, whether or not they exist.

    Args:
        settings: all settings, as ``Config`` ends with.
    """
    folder = pathlib.Path(settings["data_path"])
    dataset = settings["dataset"]
    for name in interaction_files(dataset, settings):
        yield folder / name

    # Only models of knowledge graphs read these two.
    suffixes = ["user", "item", *(settings.get("additional_feat_suffix") or ())]
    if hasattr(class_of(settings), "_load_kg"):
        suffixes += ["kg", "link"]

    # RecBole reads no file of which it loads no column.
    columns = settings.get("load_col")
    for suffix in suffixes:
        if columns is None or columns.get(suffix):
            yield folder / f"{dataset}.{suffix}"


def interaction_files(dataset: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the names of a dataset's files of interactions, each once.

    Args:
        dataset: its name.
        settings: ``benchmark_filename`` matters.

    Examples:
        >>> interaction_files("shop", {})
        ['shop.inter']
        >>> interaction_files("shop", {"benchmark_filename": ["train", "test", "test"]})
        ['shop.train.inter', 'shop.test.inter']
    """
    names = dict.fromkeys(settings.get("benchmark_filename") or ())
    if not names:
        return [f"{dataset}.inter"]
    return [f"{dataset}.{name}.inter" for name in names]


def class_of(settings: Mapping[str, Any]) -> Any:
    """Return RecBole's class of the dataset of a model.

    Args:
        settings: all settings, as ``Config`` ends with.
    """
    classes = importlib.import_module("recbole.data.dataset")
    by_type = getattr(classes, _DATASETS.get(settings["MODEL_TYPE"], "Dataset"))
    return getattr(classes, f"{settings['model']}Dataset", by_type)


def _hash(path: pathlib.Path) -> str:
    """Return the hash of a file's content, which is read again only where the file has been touched since."""
    # A file that has changed a moment ago may change again without another time.
    status = path.stat()
    touched = status.st_mtime_ns, status.st_ctime_ns
    if time.time() - max(touched) / 1e9 < _CLOCK:
        return _content_hash(path)
    return _remembered_hash(path.resolve(), status.st_size, touched)


@functools.lru_cache(maxsize=256)
def _remembered_hash(path: pathlib.Path, *_: Any) -> str:
    """Return the hash of a file's content, once for a file that is not touched."""
    return _content_hash(path)


def _content_hash(path: pathlib.Path) -> str:
    """Return the hash of a file's content."""
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
