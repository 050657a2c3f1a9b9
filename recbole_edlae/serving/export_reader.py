"""Read an export; refuse one that was cut short or changed, and anything else."""

import hashlib
import json
import os
import pathlib
from typing import Any

import numpy as np
import torch
import yaml
from recbole.utils import get_model
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from recbole_edlae.integration.checkpoint_file import check_finite
from recbole_edlae.serving.checkpoint import FIELDS, DatasetSizes, check_servable
from recbole_edlae.settings import registry
from recbole_edlae.settings.schema import check_model_settings

FORMAT = "recbole_edlae export"
VERSION = 1
WEIGHTS = "weights.safetensors"
ITEMS = "items.json"
MANIFEST = "manifest.json"


def read_export(folder: str | os.PathLike) -> tuple[torch.nn.Module, list[str], np.ndarray]:
    """Return model, item tokens and popularity of an export, as ``Recommender`` takes them.

    Args:
        folder: of the export.

    Returns:
        The model on the CPU in single precision, in evaluation mode; tokens by id; array (items,).

    Raises:
        ValueError: A file is missing, cut short or changed, or the format is another one.
    """
    folder = pathlib.Path(folder)
    try:
        return _read(folder)
    except OSError as error:
        raise ValueError(f"export {folder}: {error.filename or 'a file'} cannot be read: {error.strerror}") from None


def fingerprint(content: bytes) -> dict[str, Any]:
    """Return length and SHA-256 of a file's content.

    Examples:
        >>> fingerprint(b"")["sha256"][:8]
        'e3b0c442'
    """
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def own_hash(manifest: dict[str, Any]) -> str:
    """Return the SHA-256 of a manifest without its own."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _read(folder: pathlib.Path) -> tuple[torch.nn.Module, list[str], np.ndarray]:
    """Return what :func:`read_export` returns; an OSError names the file."""
    manifest = _read_manifest(folder)
    contents = {file: _read_file(folder, file, manifest["files"].get(file)) for file in (WEIGHTS, ITEMS)}
    name = manifest["model"]
    if name not in registry.registered():
        raise ValueError(f"export {folder}: there is no model {name}; there are {', '.join(registry.registered())}")
    try:
        tokens = _tokens(contents.pop(ITEMS))
        tensors = load_tensors(contents.pop(WEIGHTS))
        tensors = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
        popularity = _popularity(tensors, len(tokens))
        settings = _with_defaults(name, manifest["settings"])
        check_servable(name, settings)
        check_finite(tensors, "the file")
        model = get_model(name)(settings | {"device": torch.device("cpu")}, DatasetSizes(settings, len(tokens)))
        model.load_state_dict(tensors)
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError, SafetensorError) as error:
        raise ValueError(f"export {folder}: {' '.join(str(error).split())}") from None
    if not getattr(model, "fitted", True):
        raise ValueError(f"export {folder}: its model was not fitted")
    return model.eval(), tokens, popularity


def _tokens(content: bytes) -> list[str]:
    """Return the item tokens of a file's content."""
    tokens = json.loads(content)
    if not isinstance(tokens, list) or len(tokens) < 2 or not all(isinstance(token, str) for token in tokens):
        raise ValueError(f"{ITEMS} is not a list of tokens")
    if len(set(tokens[1:])) < len(tokens) - 1:
        raise ValueError(f"{ITEMS} has a token twice")
    try:
        "".join(tokens).encode()
    except UnicodeEncodeError:
        raise ValueError(f"{ITEMS} has half a character, which no file can hold") from None
    return tokens


def _popularity(tensors: dict[str, torch.Tensor], items: int) -> np.ndarray:
    """Take the popularity of the items out of the weights."""
    popularity = tensors.pop("popularity", None)
    if popularity is None or popularity.shape != (items,):
        raise ValueError(f"{WEIGHTS} has no popularity of {items} items")
    if popularity.dtype not in (torch.int32, torch.int64) or (popularity < 0).any():
        raise ValueError(f"{WEIGHTS}: popularity must hold integers of at least 0")
    return popularity.numpy()


def _with_defaults(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings, and the defaults of those that a later version of the model has: they change nothing."""
    known = registry.schema_of(name)
    if newer := settings.keys() - known.keys() - set(FIELDS):
        raise ValueError(f"{name} has no setting {', '.join(sorted(newer))}: a newer recbole_edlae wrote it")
    if missing := set(FIELDS) - settings.keys():
        raise ValueError(f"the settings lack {', '.join(sorted(missing))}")
    settings = {key: yaml.safe_load(setting.default) for key, setting in known.items()} | settings
    check_model_settings(known, settings)
    for label, member in registry.members_of(name, settings).items() if "members" in settings else ():
        if member.model not in registry.registered():
            raise ValueError(f"members: {label}: there is no model {member.model}")
        complete = _with_defaults(member.model, {**{key: settings[key] for key in FIELDS}, **member.settings})
        settings["members"][label] = {"model": member.model, **complete}
    return settings


def _read_manifest(folder: pathlib.Path) -> dict[str, Any]:
    """Return the manifest, whose hash and form have been checked."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"export {folder}: there is no {MANIFEST}, so it is none or was not finished")
    try:
        manifest = json.loads(path.read_bytes())
        kind = manifest["format"]
        version = manifest["version"]
        saved_hash = manifest.pop("sha256")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError(f"export {folder}: {MANIFEST} is damaged or of something else") from None
    if kind != FORMAT or version != VERSION:
        raise ValueError(f"export {folder}: {kind!r} version {version!r}; this reads {FORMAT!r} version {VERSION}")
    if saved_hash != own_hash(manifest):
        raise ValueError(f"export {folder}: {MANIFEST} does not match its own SHA-256: it was changed")
    for key, expected in (("files", dict), ("settings", dict), ("model", str)):
        if not isinstance(manifest.get(key), expected):
            raise ValueError(f"export {folder}: {MANIFEST} has no {key}")
    return manifest


def _read_file(folder: pathlib.Path, file: str, expected: Any) -> bytes:
    """Return the content of a file, which must have the size and the hash that the manifest has."""
    path = folder / file
    if not path.is_file():
        raise ValueError(f"export {folder}: there is no {file}")
    if not isinstance(expected, dict) or expected.keys() != {"bytes", "sha256"}:
        raise ValueError(f"export {folder}: {MANIFEST} does not say what {file} is")
    content = path.read_bytes()
    actual = fingerprint(content)
    if actual["bytes"] != expected["bytes"]:
        sizes = f"{actual['bytes']} bytes of {expected['bytes']}"
        raise ValueError(f"export {folder}: {file} has {sizes}: it was cut short or changed")
    if actual["sha256"] != expected["sha256"]:
        raise ValueError(f"export {folder}: {file} does not match its SHA-256: it was changed")
    return content
