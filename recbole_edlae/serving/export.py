"""Write a trained model as an export: numbers (safetensors) and text (JSON), without pickle.

A folder of three files: weights.safetensors, items.json (the token of every item id) and manifest.json: the format's
version, the model's name and settings, how many users' histories are part of the weights (`training_histories`; 0 but
for GFCF and ChebyCF), and size and SHA-256 of the other two and of itself. Reading one runs no code of it, and refuses
what does not match. The hashes find damage; they do not say who wrote the files.
"""

import contextlib
import json
import os
import pathlib
from typing import Any

import torch
from safetensors.torch import save as save_tensors

from recbole_edlae import __version__
from recbole_edlae._choices import choose
from recbole_edlae._files import whole_folder, write_whole
from recbole_edlae._warnings import warn
from recbole_edlae.integration.checkpoint_file import largest
from recbole_edlae.model.weights import Sparse, Weights
from recbole_edlae.serving.checkpoint import FIELDS, Checkpoint
from recbole_edlae.serving.export_reader import (
    FORMAT,
    ITEMS,
    MANIFEST,
    VERSION,
    WEIGHTS,
    fingerprint,
    own_hash,
    read_export,
)
from recbole_edlae.serving.tokens import positive_int
from recbole_edlae.settings import registry

__all__ = ["DTYPES", "FILES", "read_export", "write_export", "write_files"]

DTYPES = {"float32": torch.float32, "float16": torch.float16}
FILES = (WEIGHTS, ITEMS, MANIFEST)  # the manifest last: without it the others are no export


def write_export(
    checkpoint: Checkpoint, folder: str | os.PathLike, *, dtype: str = "float32", top: int | None = None
) -> int:
    """Write the folder of an export, which bears its name only when it is whole.

    A folder that is there already, and empty, is filled at the end, the manifest last: without it the others are no
    export.

    Args:
        checkpoint: to export.
        folder: not there yet or empty.
        dtype: one of DTYPES, for all weights.
        top: N ≥ 1: keep the N weights of largest magnitude for each target item of a full-rank linear model.

    Returns:
        Bytes on disk.

    Raises:
        ValueError: The folder is not empty, the model has no item × item weights to thin out, or a weight is too large
            for dtype.
        OSError: The folder cannot be written, or the disk is full.

    Warns:
        DataWarning: The weights contain the histories of the users in training.
    """
    choose("dtype", dtype, DTYPES)
    top = None if top is None else positive_int(top, "top")
    with whole_folder(folder, FILES) as part:
        return write_files(checkpoint, part, dtype, top)


def write_files(checkpoint: Checkpoint, folder: pathlib.Path, dtype: str, top: int | None) -> int:
    """Write the three files of an export into a folder; return their size.

    Args:
        checkpoint: to export.
        folder: that exists.
        dtype: as in :func:`write_export`.
        top: as in :func:`write_export`.

    Raises:
        ValueError: As in :func:`write_export`.
        OSError: A file cannot be written, or the disk is full.

    Warns:
        DataWarning: As in :func:`write_export`.
    """
    model: Any = checkpoint.scorer
    users = sum(weights.users() for _, weights in _linear_weights(model))
    contents = {
        WEIGHTS: save_tensors(_tensors(checkpoint, dtype, top)),
        ITEMS: json.dumps(checkpoint.tokens, ensure_ascii=False).encode(),
    }
    name = checkpoint.config["model"]
    settings = {key: checkpoint.config[key] for key in [*registry.schema_of(name), *FIELDS]}
    settings |= _settings_of_members(checkpoint)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "recbole_edlae": __version__,
        "model": name,
        "dtype": dtype,
        "top": top,
        "training_histories": users,
        "settings": settings,
        "files": {file: fingerprint(content) for file, content in contents.items()},
    }
    manifest["sha256"] = own_hash(manifest)
    contents[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    for file, content in contents.items():
        write_whole(folder / file, content)
    if users:
        warn(
            f"the export contains the training histories of {users} users, without their names: {name} scores with "
            "them, and whoever has the files can read them"
        )
    return sum(map(len, contents.values()))


def _tensors(checkpoint: Checkpoint, dtype: str, top: int | None) -> dict[str, torch.Tensor]:
    """Return the weights as they are written."""
    model: Any = checkpoint.scorer
    tensors = {name: value.to("cpu") for name, value in model.state_dict().items()}
    linear = _linear_weights(model)
    single = [prefix + name for prefix, weights in linear for name in weights.single_precision]
    if top is None and DTYPES[dtype] == torch.float16:
        for prefix, weights in linear:
            tensors |= {prefix + name: value for name, value in weights.portable().items()}
    if top is not None:
        thinned = _thinned(linear, top)
        if not thinned:
            name = checkpoint.config["model"]
            raise ValueError(f"top thins out full item × item weights; {name} here has none")
        for prefix, whole, thin in thinned:
            for name in whole.tensors():  # they would be read instead
                del tensors[prefix + name]
            tensors |= {prefix + name: value for name, value in thin.tensors().items()}
    limit = torch.finfo(DTYPES[dtype]).max
    for name, value in tensors.items():
        if value.is_floating_point() and name not in single:
            if not (size := largest(value)) <= limit:
                raise ValueError(f"dtype {dtype} holds numbers up to {limit:,.0f}; {name} has a weight of {size:,.6g}")
            tensors[name] = value.to(DTYPES[dtype])
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    tensors["popularity"] = torch.from_numpy(checkpoint.popularity)
    return tensors


def _linear_weights(model: torch.nn.Module) -> list[tuple[str, Weights]]:
    """Return what precedes the names, and the weights, of a linear model or of the linear members of an ensemble."""
    found = []
    for name, part in model.named_modules():
        weights = getattr(part, "weights", None)
        if isinstance(weights, Weights):
            found.append((f"{name}." if name else "", weights))
    return found


def _thinned(linear: list[tuple[str, Weights]], top: int) -> list[tuple[str, Weights, Sparse]]:
    """Return prefix, weights and thinned-out weights of those that are of full rank."""
    thinned = []
    for prefix, weights in linear:
        with contextlib.suppress(ValueError):  # of a low rank or a filter
            thinned.append((prefix, weights, weights.thinned(top)))
    return thinned


def _settings_of_members(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what an ensemble's export says of its members: all their settings, whatever becomes of their defaults."""
    configs = getattr(checkpoint.scorer, "configs", {})
    if not configs or "members" not in registry.schema_of(checkpoint.config["model"]):
        return {}
    members = {}
    for label, config in configs.items():
        keys = registry.schema_of(config["model"])
        members[label] = {"model": config["model"], **{key: config[key] for key in keys}}
    return {"members": members}
