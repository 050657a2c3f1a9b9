"""`recbole-edlae export`: a trained model as numbers (safetensors) and text (JSON), without pickle.

A folder of three files: weights.safetensors, items.json (the token of every item id) and manifest.json: the format's
version, the model's name and settings, and size and SHA-256 of the other two and of itself. Reading one runs no code
of it, and refuses what does not match. The hashes find damage; they do not say who wrote the files. Exports of GFCF and
ChebyCF contain the training histories of all users, without their names.
"""

import argparse
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from recbole_edlae._files import atomic_folder
from recbole_edlae.cli.parser import Parser
from recbole_edlae.runs.runner import quiet
from recbole_edlae.serving.checkpoint import Checkpoint
from recbole_edlae.serving.export import DTYPES, FILES, read_export, write_files
from recbole_edlae.serving.tokens import positive_int

PROGRAM = "recbole-edlae export"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    add = parser.add_argument
    add("--checkpoint", required=True, metavar="FILE", help="a .pth file that RecBole saved")
    add("--output", required=True, metavar="DIR", help="folder to write, not there yet or empty")
    add("--dtype", choices=DTYPES, default="float32", help="of the weights (default: %(default)s)")
    add("--top", type=int, metavar="N", help="keep the N largest weights for each item, by magnitude")


def main(words: Sequence[str]) -> None:
    """Export a checkpoint, and print how a loss of precision changes the metrics of the test users."""
    parser = Parser(PROGRAM, description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(words)
    folder = pathlib.Path(options.output)
    if options.top is not None:
        positive_int(options.top, "top")

    with quiet():
        # A folder that cannot be written is an error before the checkpoint is read, which can take long.
        with atomic_folder(folder, FILES) as temporary:
            checkpoint = Checkpoint.read(options.checkpoint)
            size = write_files(checkpoint, temporary, options.dtype, options.top)
        print(f"{folder}: {checkpoint.config['model']}, {len(checkpoint.tokens) - 1} items, {size:,} bytes")

        # Single precision and all weights are what the model scores with anyway.
        if options.dtype != "float32" or options.top is not None:
            _print_loss(checkpoint, folder)


def _print_loss(checkpoint: Checkpoint, folder: pathlib.Path) -> None:
    """Print the metrics of the test users before and after the export, or why they cannot be measured."""
    # The data may have moved or changed since the training; the export is valid nevertheless.
    try:
        before = checkpoint.evaluate()
        exported: Any = read_export(folder)[0]
        after = checkpoint.evaluate(exported.score)
    except ValueError as error:
        print(
            f"{PROGRAM}: the export is written; what it costs cannot be measured: {error}", file=sys.stderr
        )
        return
    for name, value in before.items():
        print(f"{name} on the test users: {value:.4f} → {after[name]:.4f} ({after[name] - value:+.4f})")
