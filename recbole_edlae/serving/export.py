"""`recbole-edlae export`: a trained model as numbers (safetensors) and text (JSON), without pickle.

A folder of three files: weights.safetensors, items.json (the token of every item id) and manifest.json: the format's
version, the model's name and settings, and size and SHA-256 of the other two and of itself. Reading one runs no code
of it, and refuses what does not match. The hashes find damage; they do not say who wrote the files.
"""

import contextlib
import json
import os
import pathlib
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import torch
from safetensors.torch import save as save_tensors

from recbole_edlae import __version__
from recbole_edlae._choices import choose
from recbole_edlae._files import write_whole
from recbole_edlae.cli import checks
from recbole_edlae.integration import models as registry
from recbole_edlae.runs.runner import quiet
from recbole_edlae.serving.checkpoint import FIELDS, Checkpoint
from recbole_edlae.serving.exported import FORMAT, ITEMS, MANIFEST, VERSION, WEIGHTS, fingerprint, own_hash, read_export
from recbole_edlae.serving.saved import largest
from recbole_edlae.serving.tokens import positive
from recbole_edlae.settings.comments import read

__all__ = ["DTYPES", "main", "read_export", "write_export"]

PROGRAM = "recbole-edlae export"
DTYPES = {"float32": torch.float32, "float16": torch.float16}


def main(arguments: list[str]) -> None:
    """Export a checkpoint; where that loses precision, say how much NDCG on the test users."""
    parser = checks.Parser(PROGRAM, description=__doc__)
    parser.add_argument("--checkpoint", required=True, metavar="FILE", help="a .pth file that RecBole saved")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder to write, not there yet or empty")
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="of the weights (default: %(default)s)")
    parser.add_argument("--top", type=int, metavar="N", help="keep the N largest weights for each item, by magnitude")
    options = parser.parse_args(arguments)
    with checks.said_in_one_line(PROGRAM), quiet():
        folder = pathlib.Path(options.output)
        if options.top is not None:
            positive(options.top, "top")  # before anything is read
        with _new_folder(folder) as part:
            checkpoint = Checkpoint.read(options.checkpoint)
            size = _write(checkpoint, part, options.dtype, options.top)
        print(f"{folder}: {checkpoint.config['model']}, {len(checkpoint.tokens) - 1} items, {size:,} bytes")
        if options.dtype != "float32" or options.top is not None:
            _say_loss(checkpoint, folder)


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
    """
    choose("dtype", dtype, DTYPES)
    top = None if top is None else positive(top, "top")
    with _new_folder(pathlib.Path(folder)) as part:
        return _write(checkpoint, part, dtype, top)


def _write(checkpoint: Checkpoint, part: pathlib.Path, dtype: str, top: int | None) -> int:
    """Write the three files of an export; return their size."""
    tensors = _tensors(checkpoint, dtype, top)
    contents = {
        WEIGHTS: save_tensors(tensors),
        ITEMS: json.dumps(checkpoint.tokens, ensure_ascii=False).encode(),
    }
    name = checkpoint.config["model"]
    keys = [*read(registry.registered()[name]), *FIELDS]
    manifest = {
        "format": FORMAT, "version": VERSION, "recbole_edlae": __version__, "model": name, "dtype": dtype, "top": top,
        "settings": {key: checkpoint.config[key] for key in keys},
        "files": {file: fingerprint(content) for file, content in contents.items()},
    }  # fmt: skip
    manifest["sha256"] = own_hash(manifest)
    contents[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    for file, content in contents.items():
        write_whole(part / file, content)
    return sum(map(len, contents.values()))


def _tensors(checkpoint: Checkpoint, dtype: str, top: int | None) -> dict[str, torch.Tensor]:
    """Return the weights as they are written."""
    model = checkpoint.scorer
    tensors = {name: value.to("cpu") for name, value in model.state_dict().items()}
    if top is not None:
        try:
            tensors |= model.weights.thinned(top).tensors()
        except (AttributeError, ValueError):
            name = checkpoint.config["model"]
            raise ValueError(f"top thins out full item × item weights; {name} here has none") from None
    limit = torch.finfo(DTYPES[dtype]).max
    for name, value in tensors.items():
        if value.is_floating_point():
            if not (size := largest(value)) <= limit:
                raise ValueError(f"dtype {dtype} holds numbers up to {limit:,.0f}; {name} has a weight of {size:,.6g}")
            tensors[name] = value.to(DTYPES[dtype])
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    tensors["popularity"] = torch.from_numpy(checkpoint.popularity)
    return tensors


def _say_loss(checkpoint: Checkpoint, folder: pathlib.Path) -> None:
    """Print what an export costs on the test users, or why that cannot be measured."""
    try:
        before, after = checkpoint.evaluate(), checkpoint.evaluate(read_export(folder)[0].score)
    except ValueError as error:
        print(f"{PROGRAM}: the export is written; what it costs cannot be measured: {error}", file=sys.stderr)
        return
    for name, value in before.items():
        print(f"{name} on the test users: {value:.4f} → {after[name]:.4f} ({after[name] - value:+.4f})")


@contextlib.contextmanager
def _new_folder(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Make a folder to write into, which takes its name when the block ends well, and is removed otherwise.

    Raises:
        ValueError: There is a folder with files, or a file, of that name.
        OSError: It cannot be written; ``filename`` is its name.
    """
    exists = os.path.lexists(folder)
    if exists and not folder.is_dir():
        raise ValueError(f"output: {folder} is there already and not an empty folder")
    part: Any = None
    try:
        if exists and any(folder.iterdir()):
            raise ValueError(f"output: {folder} is there already and not an empty folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = folder / f".{os.getpid()}.part" if exists else folder.with_name(f".{folder.name}.{os.getpid()}.part")
        part.mkdir()
        yield part
        if exists:
            for file in (WEIGHTS, ITEMS, MANIFEST):
                os.replace(part / file, folder / file)
            part.rmdir()
        else:
            os.rename(part, folder)
    except OSError as error:
        raise OSError(error.errno, f"cannot be written: {error.strerror}", str(folder)) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
