"""The three files of an export, written and read as numbers and text. Needs no RecBole.

A folder of weights.safetensors, items.json (the token of every item id) and manifest.json: the format's version, the
model's name and settings, how many users' histories are part of the weights (`training_histories`; 0 but for GFCF,
ChebyCF and ensembles of them), and size and SHA-256 of the other two and of itself. Reading one runs no code of it, and
refuses what does not match. The hashes find damage; they do not say who wrote the files.
"""

import contextlib
import hashlib
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from recbole_edlae import __version__
from recbole_edlae._files import write_atomically
from recbole_edlae.model import sparse_weights
from recbole_edlae.model.weights import Weights
from recbole_edlae.serving.finite import check_finite, largest
from recbole_edlae.serving.tokens import check_encodable
from recbole_edlae.settings.schema import Setting, check_model_settings, is_of_type

FORMAT = "recbole_edlae export"
VERSION = 1
WEIGHTS = "weights.safetensors"
ITEMS = "items.json"
MANIFEST = "manifest.json"
FILES = (WEIGHTS, ITEMS, MANIFEST)  # in the order in which they are written
DTYPES = {"float32": torch.float32, "float16": torch.float16}
FIELDS = ("USER_ID_FIELD", "ITEM_ID_FIELD", "RATING_FIELD", "NEG_PREFIX")


class Export(NamedTuple):
    """What an export holds."""

    model: str
    settings: dict[str, Any]  # those of the model, and FIELDS
    tokens: list[str]  # of every item id; the first stands for RecBole's [PAD]
    popularity: np.ndarray  # by item id, users in training that have the item
    tensors: Mapping[str, torch.Tensor]  # as the model's ``state_dict`` has them


def write_contents(
    folder: pathlib.Path, export: Export, linear: Mapping[str, Weights], *, dtype: str, top: int | None
) -> int:
    """Write the three files of an export into a folder that exists; return their size.

    Args:
        folder: of the export.
        export: with the tensors of the model's ``state_dict``.
        linear: what precedes their names there → the linear weights of the model or of its members.
        dtype: one of DTYPES.
        top: N ≥ 1: keep the N weights of largest magnitude for each target item; None for all.

    Raises:
        ValueError: There are no item × item weights to thin out, or a weight is too large for dtype.
    """
    tensors = _portable(export, linear, dtype, top)
    tensors["popularity"] = torch.from_numpy(export.popularity)
    contents = {
        WEIGHTS: save_tensors(tensors),
        ITEMS: json.dumps(export.tokens, ensure_ascii=False).encode(),
    }
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "recbole_edlae": __version__,
        "model": export.model,
        "dtype": dtype,
        "top": top,
        "training_histories": histories_in(linear),
        "settings": export.settings,
        "files": {file: size_and_hash(content) for file, content in contents.items()},
    }
    manifest["sha256"] = own_hash(manifest)
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    contents[MANIFEST] = f"{text}\n".encode()

    # The manifest last: without it the other files are no export.
    for file, content in contents.items():
        write_atomically(folder / file, content)
    return sum(map(len, contents.values()))


def histories_in(linear: Mapping[str, Weights]) -> int:
    """Return how many users' histories of training the weights of a model or of its members contain."""
    # The members of an ensemble are trained on the same users.
    return max((weights.users() for weights in linear.values()), default=0)


def read_contents(folder: pathlib.Path) -> Export:
    """Return what an export holds, its floats in single precision; refuse one that was cut short or changed."""
    with errors_of(f"export {folder}"):
        manifest = _read_manifest(folder)
        files = manifest["files"]
        tokens = _tokens(_read_file(folder, ITEMS, files.get(ITEMS)))
        tensors = load_tensors(_read_file(folder, WEIGHTS, files.get(WEIGHTS)))

        # Models compute in single precision, whatever the export holds.
        for name, tensor in tensors.items():
            if tensor.is_floating_point():
                tensors[name] = tensor.float()
        popularity = _popularity(tensors, len(tokens))
        check_finite(tensors, "the file")
    return Export(manifest["model"], manifest["settings"], tokens, popularity, tensors)


@contextlib.contextmanager
def errors_of(source: str) -> Iterator[None]:
    """Turn any error of reading what is stored into one ValueError that begins with its source."""
    # Damaged files fail anywhere: in JSON, in safetensors, in the model that is built of them.
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{source}: {error.filename or 'a file'} cannot be read: {error.strerror}"
        ) from None
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError, SafetensorError) as error:
        raise ValueError(f"{source}: {' '.join(str(error).split())}") from None


def with_defaults(known: Mapping[str, Setting], export: Export) -> dict[str, Any]:
    """Return the settings of an export, checked, and the defaults of those that a later version of the model has."""
    if newer := export.settings.keys() - known.keys() - set(FIELDS):
        raise ValueError(
            f"{export.model} has no setting {', '.join(sorted(newer))}: a newer recbole_edlae wrote it"
        )
    if missing := set(FIELDS) - export.settings.keys():
        raise ValueError(f"the settings lack {', '.join(sorted(missing))}")

    # A setting that came later is at its default, which keeps the earlier results.
    return complete(known, export.settings)


def complete(known: Mapping[str, Setting], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings, checked, and the defaults of those of the model that are not among them."""
    completed = {key: yaml.safe_load(setting.default) for key, setting in known.items()}
    completed |= settings
    check_model_settings(known, completed)
    return completed


def size_and_hash(content: bytes) -> dict[str, Any]:
    """Return length and SHA-256 of a file's content."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def own_hash(manifest: dict[str, Any]) -> str:
    """Return the SHA-256 of a manifest without its own."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _portable(
    export: Export, linear: Mapping[str, Weights], dtype: str, top: int | None
) -> dict[str, torch.Tensor]:
    """Return tensors in the form in which they are written."""
    tensors = {name: tensor.to("cpu") for name, tensor in export.tensors.items()}

    # Half precision may need another form of the weights, without numbers that it cannot hold.
    if top is None and DTYPES[dtype] == torch.float16:
        for prefix, weights in linear.items():
            tensors |= _prefixed(prefix, weights.portable())
    if top is not None:
        _thin_out(tensors, export.model, linear, top)

    # Some forms of weights have tensors whose digits all others depend on.
    single = []
    for prefix, weights in linear.items():
        single += [prefix + name for name in weights.single_precision]
    limit = torch.finfo(DTYPES[dtype]).max
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and name not in single:
            size = largest(tensor)
            if not size <= limit:
                raise ValueError(
                    f"dtype {dtype} holds numbers up to {limit:,.0f}; {name} has a weight of {size:,.6g}"
                )
            tensor = tensor.to(DTYPES[dtype])

        # safetensors writes contiguous tensors only.
        tensors[name] = tensor.contiguous()
    return tensors


def _thin_out(
    tensors: dict[str, torch.Tensor], model: str, linear: Mapping[str, Weights], top: int
) -> None:
    """Replace full-rank weights among the tensors by their largest ones, in place."""
    is_thinned = False
    for prefix, weights in linear.items():
        # Weights of a low rank or of a filter have no entries to leave out.
        try:
            sparse = sparse_weights.thinned(weights.blocks(), top)
        except ValueError:
            continue
        is_thinned = True

        # A reader would prefer the full weights.
        for name in weights.tensors():
            del tensors[prefix + name]
        tensors |= _prefixed(prefix, sparse.tensors())
    if not is_thinned:
        raise ValueError(f"top thins out full item × item weights; {model} here has none")


def _prefixed(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return tensors by the names that a state_dict has for them."""
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _tokens(content: bytes) -> list[str]:
    """Return the item tokens of a file's content."""
    tokens = json.loads(content)
    if not is_of_type(tokens, "list of text") or len(tokens) < 2:
        raise ValueError(f"{ITEMS} is not a list of tokens")

    # The first one is the padding, which an item may be named like.
    if len(set(tokens[1:])) < len(tokens) - 1:
        raise ValueError(f"{ITEMS} has a token twice")
    check_encodable("".join(tokens), ITEMS)
    return tokens


def _popularity(tensors: dict[str, torch.Tensor], items: int) -> np.ndarray:
    """Take the popularity of the items out of the weights."""
    popularity = tensors.pop("popularity", None)
    if popularity is None or popularity.shape != (items,):
        raise ValueError(f"{WEIGHTS} has no popularity of {items} items")
    if popularity.dtype not in (torch.int32, torch.int64) or (popularity < 0).any():
        raise ValueError(f"{WEIGHTS}: popularity must hold integers of at least 0")
    return popularity.numpy()


def _read_manifest(folder: pathlib.Path) -> dict[str, Any]:
    """Return the manifest, whose hash and form have been checked."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"no file {MANIFEST}: not an export, or an unfinished one")

    # The version comes first, because another one may have another form.
    try:
        manifest = json.loads(path.read_bytes())
        kind = manifest["format"]
        version = manifest["version"]
        saved_hash = manifest.pop("sha256")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError(f"{MANIFEST} is damaged or of something else") from None
    if kind != FORMAT or version != VERSION:
        raise ValueError(f"{kind!r} version {version!r}; this reads {FORMAT!r} version {VERSION}")
    if saved_hash != own_hash(manifest):
        raise ValueError(f"{MANIFEST} does not match its own SHA-256: it was changed")

    # Anybody can write a manifest with a right hash.
    for key, expected in (("files", dict), ("settings", dict), ("model", str)):
        if not isinstance(manifest.get(key), expected):
            raise ValueError(f"{MANIFEST} has no {key}")
    return manifest


def _read_file(folder: pathlib.Path, file: str, expected: Any) -> bytes:
    """Return the content of a file, which must have the size and the hash that the manifest has."""
    path = folder / file
    if not path.is_file():
        raise ValueError(f"no file {file}")
    if not isinstance(expected, dict) or expected.keys() != {"bytes", "sha256"}:
        raise ValueError(f"{MANIFEST} does not say what {file} is")

    # The length tells a file that was cut short from one that was changed.
    content = path.read_bytes()
    actual = size_and_hash(content)
    if actual["bytes"] != expected["bytes"]:
        sizes = f"{actual['bytes']} bytes of {expected['bytes']}"
        raise ValueError(f"{file} has {sizes}: it was cut short or changed")
    if actual["sha256"] != expected["sha256"]:
        raise ValueError(f"{file} does not match its SHA-256: it was changed")
    return content
