"""`recbole-edlae export`: a trained model as numbers (safetensors) and text (JSON), without pickle.

A folder of three files: weights.safetensors, items.json (the token of every item id) and manifest.json: the format's
version, the model's name and settings, and size and SHA-256 of the other two and of itself. Reading one runs no code
of it, and refuses what does not match. The hashes find damage; they do not say who wrote the files.
"""

import argparse
import hashlib
import json
import pathlib

import scipy.sparse as sp
import torch
import yaml
from recbole.utils import get_model
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from recbole_edlae import __version__, checks, registry
from recbole_edlae.experiment.bench import quiet
from recbole_edlae.model.sparse import SparseWeights
from recbole_edlae.nn.choices import choose
from recbole_edlae.serving.checkpoint import Checkpoint, check_servable
from recbole_edlae.settings import check_model_settings, read

PROGRAM = "recbole-edlae export"
FORMAT, VERSION = "recbole_edlae export", 1
DTYPES = {"float32": torch.float32, "float16": torch.float16}
FIELDS = ("USER_ID_FIELD", "ITEM_ID_FIELD", "RATING_FIELD", "NEG_PREFIX")
WEIGHTS, ITEMS, MANIFEST = "weights.safetensors", "items.json", "manifest.json"


def main(arguments):
    """Exports a checkpoint; where that loses precision, says how much NDCG on the test users."""
    parser = argparse.ArgumentParser(PROGRAM, description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--checkpoint", required=True, metavar="FILE", help="of RecBole's, its data where they were")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write, not there yet or empty")
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="of the weights (default: %(default)s)")
    parser.add_argument("--top", type=int, metavar="N", help="keep the N largest weights for each item, by magnitude")
    options = parser.parse_args(arguments)
    with checks.said_in_one_line(PROGRAM), quiet():
        folder = pathlib.Path(options.output)
        _check_target(folder, options.top)
        checkpoint = Checkpoint.read(options.checkpoint)
        size = write_export(checkpoint, folder, dtype=options.dtype, top=options.top)
        print(f"{folder}: {checkpoint.config['model']}, {len(checkpoint.tokens) - 1} items, {size:,} bytes")
        if options.dtype != "float32" or options.top is not None:
            before, after = checkpoint.evaluate(), checkpoint.evaluate(read_export(folder)[0].score)
            for name, value in before.items():
                print(f"{name} on the test users: {value:.4f} → {after[name]:.4f} ({after[name] - value:+.4f})")


def write_export(checkpoint, folder, *, dtype="float32", top=None):
    """Writes the folder, the manifest last: without it the others are no export.

    Args:
        checkpoint: Checkpoint.
        folder: where; not there yet or empty.
        dtype: one of DTYPES, for all weights.
        top: N ≥ 1: keep the N weights of largest magnitude for each target item of a full-rank linear model.

    Returns:
        int: bytes on disk.

    Raises:
        ValueError: the folder is not empty, or the model has no item × item weights to thin out.
    """
    choose("dtype", dtype, DTYPES)
    folder = pathlib.Path(folder)
    _check_target(folder, top)
    model = checkpoint.model
    tensors = {name: value.to("cpu") for name, value in model.state_dict().items()}
    if top is not None:
        if getattr(model, "decoder", model) is not None or model.sparse.filled:
            raise ValueError(f"top thins out full item × item weights; {checkpoint.config['model']} here has none")
        tensors |= _thin(tensors["encoder"], top)
    tensors = {
        name: value.to(DTYPES[dtype] if value.is_floating_point() else value.dtype).contiguous()
        for name, value in tensors.items()
    }
    tensors["popularity"] = torch.from_numpy(checkpoint.popularity)
    contents = {
        WEIGHTS: save_tensors(tensors),
        ITEMS: json.dumps(checkpoint.tokens, ensure_ascii=False).encode(),
    }
    name = checkpoint.config["model"]
    keys = [*read(registry.registered()[name]), *FIELDS]
    manifest = {
        "format": FORMAT, "version": VERSION, "recbole_edlae": __version__, "model": name, "dtype": dtype, "top": top,
        "settings": {key: checkpoint.config[key] for key in keys},
        "files": {file: _fingerprint(content) for file, content in contents.items()},
    }  # fmt: skip
    manifest["sha256"] = _own_hash(manifest)
    contents[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    return sum(map(len, contents.values()))


def read_export(folder):
    """Model, item tokens and popularity of an export, for ``Recommender``.

    Args:
        folder: of the export.

    Returns:
        tuple: the model on the CPU in single precision, in evaluation mode; list of tokens by id; array (items,).

    Raises:
        ValueError: a file is missing, cut short or changed, or the format is another one.
    """
    folder = pathlib.Path(folder)
    manifest = _read_manifest(folder)
    contents = {file: _read_file(folder, file, manifest["files"].get(file)) for file in (WEIGHTS, ITEMS)}
    tokens, settings = json.loads(contents[ITEMS]), dict(manifest["settings"])
    tensors = load_tensors(contents.pop(WEIGHTS))
    tensors = {name: each.float() if each.is_floating_point() else each for name, each in tensors.items()}
    popularity = tensors.pop("popularity").numpy()
    name = manifest["model"]
    if name not in registry.registered():
        raise ValueError(f"export {folder}: there is no model {name}; there are {', '.join(registry.registered())}")
    try:
        settings = _with_defaults(name, settings)
        check_servable(name, settings)
        model = get_model(name)(settings | {"device": torch.device("cpu")}, _Items(settings, len(tokens)))
        model.load_state_dict(tensors)
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"export {folder}: {' '.join(str(error).split())}") from None
    return model.eval(), tokens, popularity


def _with_defaults(name, settings):
    """Settings that a later version of the model has too: their defaults leave it as it was."""
    known = read(registry.registered()[name])
    if newer := settings.keys() - known.keys() - set(FIELDS):
        raise ValueError(f"{name} has no setting {', '.join(sorted(newer))}: a newer recbole_edlae wrote it")
    if missing := set(FIELDS) - settings.keys():
        raise ValueError(f"the settings lack {', '.join(sorted(missing))}")
    settings = {key: yaml.safe_load(setting.default) for key, setting in known.items()} | settings
    check_model_settings(registry.registered()[name], settings)
    return settings


class _Items:
    """Stands in for a dataset when a model is rebuilt, which asks how many users and items there are."""

    def __init__(self, settings, n_items):
        self._numbers = {settings["ITEM_ID_FIELD"]: n_items, settings["USER_ID_FIELD"]: 2}
        self.user_num = 2

    def num(self, field):
        return self._numbers[field]

    def inter_matrix(self, form):
        return sp.csr_matrix(([1.0], ([1], [1])), shape=tuple(reversed(self._numbers.values())))


def _thin(B, top):
    """State of a model that keeps the ``top`` weights of largest magnitude of each column of B only."""
    kept = B.abs().topk(min(top, len(B)), dim=0).indices
    columns = torch.arange(len(B)).expand_as(kept)
    places = kept.flatten().numpy(), columns.flatten().numpy()
    thin = sp.csr_matrix((B[kept, columns].flatten().numpy(), places), shape=B.shape)
    thin.eliminate_zeros()
    weights = SparseWeights()
    weights.keep(thin)
    return {
        "encoder": B.new_zeros(len(B), 0),
        **{f"sparse.{name}": each for name, each in weights.state_dict().items()},
    }


def _check_target(folder, top):
    if top is not None and top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"output: {folder} is there already and not an empty folder")


def _read_manifest(folder):
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"export {folder}: there is no {MANIFEST}, so it is none or was not finished")
    try:
        manifest = json.loads(path.read_bytes())
        kind, version, own = manifest["format"], manifest["version"], manifest.pop("sha256")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(f"export {folder}: {MANIFEST} is damaged or of something else") from None
    if kind != FORMAT or version != VERSION:
        raise ValueError(f"export {folder}: {kind!r} version {version!r}; this reads {FORMAT!r} version {VERSION}")
    if own != _own_hash(manifest):
        raise ValueError(f"export {folder}: {MANIFEST} does not match its own SHA-256: it was changed")
    return manifest


def _read_file(folder, file, expected):
    path = folder / file
    if not path.is_file():
        raise ValueError(f"export {folder}: there is no {file}")
    content = path.read_bytes()
    found = _fingerprint(content)
    if expected is None or found["bytes"] != expected["bytes"]:
        wanted = expected and expected["bytes"]
        raise ValueError(f"export {folder}: {file} has {found['bytes']} bytes of {wanted}: it was cut short or changed")
    if found["sha256"] != expected["sha256"]:
        raise ValueError(f"export {folder}: {file} does not match its SHA-256: it was changed")
    return content


def _fingerprint(content):
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _own_hash(manifest):
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
