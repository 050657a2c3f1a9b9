"""Write a trained model as an export: numbers (safetensors) and text (JSON), without pickle.

:mod:`recbole_edlae.serving.export_files` says what the files hold.
"""

import os
import pathlib
from typing import Any

import torch

from recbole_edlae._files import atomic_folder
from recbole_edlae._warnings import warn
from recbole_edlae.model.weights import Weights
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export_files import DTYPES, FIELDS, FILES, Export, histories_in, write_contents
from recbole_edlae.serving.export_reader import read_export
from recbole_edlae.serving.tokens import positive_int
from recbole_edlae.settings import registry
from recbole_edlae.settings.schema import check_choice

__all__ = ["DTYPES", "FILES", "read_export", "write_export", "write_files"]


def write_export(
    checkpoint: Checkpoint, folder: str | os.PathLike, *, dtype: str = "float32", top: int | None = None
) -> int:
    """Write the folder of an export atomically: into a temporary folder, renamed on success.

    An existing empty folder is filled at the end, the manifest last: without it the other files are no export.

    Args:
        checkpoint: to export.
        folder: a new or an empty one.
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
    check_choice("dtype", dtype, DTYPES)
    if top is not None:
        top = positive_int(top, "top")
    with atomic_folder(folder, FILES) as temporary:
        return write_files(checkpoint, temporary, dtype, top)


def write_files(checkpoint: Checkpoint, folder: pathlib.Path, dtype: str, top: int | None) -> int:
    """Write the three files of an export into a folder that exists, as :func:`write_export` does."""
    model: Any = checkpoint.scorer
    name = checkpoint.config["model"]
    linear = _linear_weights(model)

    # All settings of the model, whatever becomes of their defaults in later versions.
    settings = {key: checkpoint.config[key] for key in (*registry.schema_of(name), *FIELDS)}
    settings |= _settings_of_members(checkpoint)
    export = Export(name, settings, checkpoint.tokens, checkpoint.popularity, model.state_dict())
    size = write_contents(folder, export, linear, dtype=dtype, top=top)

    # Some weights are made of the histories of training.
    if users := histories_in(linear):
        warn(
            f"the export contains the training histories of {users} users, without their names: {name} scores with "
            "them, and whoever has the files can read them"
        )
    return size


def _linear_weights(model: torch.nn.Module) -> dict[str, Weights]:
    """Return prefix of tensors' names → weights, of a linear model or of the linear members of an ensemble."""
    linear = {}
    for name, module in model.named_modules():
        weights = getattr(module, "weights", None)
        if isinstance(weights, Weights):
            # The names in a state_dict; the model itself has no name.
            linear[f"{name}.".lstrip(".")] = weights
    return linear


def _settings_of_members(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return all settings of an ensemble's members."""
    # Only an ensemble with this setting can be rebuilt by it.
    configs = getattr(checkpoint.scorer, "configs", {})
    if not configs or "members" not in registry.schema_of(checkpoint.config["model"]):
        return {}
    members = {}
    for label, config in configs.items():
        keys = ("model", *registry.schema_of(config["model"]))
        members[label] = {key: config[key] for key in keys}

    # A member of weight 0 is not part of the model.
    weights = checkpoint.config["weights"] or {}
    weights = {label: weight for label, weight in weights.items() if label in members}
    return {"members": members, "weights": weights or None}
