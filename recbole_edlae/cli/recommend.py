"""`recbole-edlae recommend`: the best items for a file of users, read and written as it goes.

Histories are JSON lines, {"user": "u1", "items": ["a", "b"]} and, if wanted, "exclude": ["c"]; or CSV with a head
user_id,item_id, one interaction a line, all of a user's lines together. Without items (no "items", no column item_id)
the users are ones that the checkpoint's data know, and all their items there are their history.
"""

import argparse
import collections
import pathlib
import sys
from collections.abc import Sequence

from recbole_edlae._choices import choose, invalid
from recbole_edlae.cli.parser import Parser
from recbole_edlae.runs.runner import quiet
from recbole_edlae.serving.batches import WRITERS, recommend_file
from recbole_edlae.serving.histories import open_histories, read_items
from recbole_edlae.serving.part_file import check_not_an_input

PROGRAM = "recbole-edlae recommend"

# Unknown items that are named at the end.
SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    add = parser.add_argument
    add("--checkpoint", required=True, metavar="PATH", help="RecBole's (.pth), or an export's folder")
    add("--histories", required=True, metavar="FILE", help=".jsonl or .csv")
    add("--output", required=True, metavar="FILE", help=".jsonl or .csv")
    add("--topk", type=int, default=20, metavar="K", help="items for each user (default: %(default)s)")
    add("--exclude", metavar="FILE", help="items never to recommend, one a line")


def main(words: Sequence[str]) -> None:
    """Write recommendations for the users of a file, and report unknown items at the end."""
    parser = Parser(PROGRAM, description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(words)

    with quiet():
        # What can be wrong in the options is checked before the checkpoint is read.
        write = choose("output", pathlib.Path(options.output).suffix, WRITERS)
        if options.topk < 1:
            raise invalid("topk", "at least 1", options.topk)
        inputs = {
            "histories": options.histories,
            "exclude": options.exclude,
            "checkpoint": options.checkpoint,
        }
        check_not_an_input(options.output, inputs.items())

        # The first user is read here, the others as they are answered.
        users = open_histories(options.histories)
        exclude: list[str] = []
        if options.exclude:
            exclude = read_items(options.exclude)
        unknown, popular = recommend_file(
            options.checkpoint, users, write, options.output, options.topk, exclude
        )

    # On standard error, because the output may be a pipe to another program.
    if popular:
        print(f"{popular} users without a known item got the most popular ones", file=sys.stderr)
    if unknown:
        _print_unknown(unknown)


def _print_unknown(unknown: collections.Counter) -> None:
    """Print the number of interactions with items that the model does not know, and the most frequent items."""
    # All of them could be millions.
    named = ", ".join(f"{token} ({times})" for token, times in unknown.most_common(SHOWN))
    if len(unknown) > SHOWN:
        named += f", and {len(unknown) - SHOWN} more"
    total = sum(unknown.values())
    print(f"{total} interactions with unknown items were skipped: {named}", file=sys.stderr)
