"""`recbole-edlae recommend`: the best items for a file of users, read and written as it goes.

Histories are JSON lines, {"user": "u1", "items": ["a", "b"]} and, if wanted, "exclude": ["c"]; or CSV with a head
user_id,item_id, one interaction a line, all of a user's lines together. Without items (no "items", no column item_id)
the users are ones that the checkpoint's data know, and all their items there are their history.
"""

import collections
import csv
import io
import itertools
import json
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from tqdm import tqdm

from recbole_edlae._choices import choose
from recbole_edlae.cli import checks
from recbole_edlae.runs.runner import quiet
from recbole_edlae.serving.histories import READERS, User, open_histories, read_items
from recbole_edlae.serving.part import PartFile, check_not_an_input
from recbole_edlae.serving.recommender import Recommendations, Recommender

__all__ = ["READERS", "WRITERS", "main", "open_histories", "recommend_file"]

PROGRAM = "recbole-edlae recommend"
BATCH = 1000  # users answered and written at a time
SHOWN = 10  # unknown items named at the end
Writer = Callable[[list[str], Recommendations, bool], bytes]


def main(arguments: list[str]) -> None:
    """Write recommendations for the users of a file; what was unknown is said at the end."""
    parser = checks.Parser(PROGRAM, description=__doc__)
    parser.add_argument("--checkpoint", required=True, metavar="PATH", help="RecBole's (.pth), or an export's folder")
    parser.add_argument("--histories", required=True, metavar="FILE", help=".jsonl or .csv")
    parser.add_argument("--output", required=True, metavar="FILE", help=".jsonl or .csv")
    parser.add_argument("--topk", type=int, default=20, metavar="K", help="items for each user (default: %(default)s)")
    parser.add_argument("--exclude", metavar="FILE", help="items never to recommend, one a line")
    options = parser.parse_args(arguments)
    with checks.said_in_one_line(PROGRAM), quiet():
        write = choose("output", pathlib.Path(options.output).suffix, WRITERS)
        if options.topk < 1:
            raise ValueError(f"topk must be at least 1, got {options.topk}")
        inputs = [(name, getattr(options, name)) for name in ("histories", "exclude", "checkpoint")]
        check_not_an_input(options.output, inputs)
        users = open_histories(options.histories)
        exclude = read_items(options.exclude) if options.exclude else []
        unknown, popular = recommend_file(options.checkpoint, users, write, options.output, options.topk, exclude)
    if popular:
        print(f"{popular} users without a known item got the most popular ones", file=sys.stderr)
    if unknown:
        named = ", ".join(f"{token} ({times})" for token, times in unknown.most_common(SHOWN))
        more = f", and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        print(f"{sum(unknown.values())} interactions with unknown items were skipped: {named}{more}", file=sys.stderr)


def recommend_file(
    recommender: Recommender | str, users: Iterator, write: Writer, output: str, k: int, exclude: Iterable[str] = ()
) -> tuple[collections.Counter, int]:
    """Answer users in batches into a file that bears its name only when it is whole.

    Args:
        recommender: Recommender, or the path of a checkpoint or export, read when the output is known to be writable.
        users: iterator of (user, items or None, items to exclude).
        write: one of WRITERS.
        output: path of the file; a run that ends early leaves the users it was done with in ``output.part``.
        k: items for each user.
        exclude: item tokens never to recommend.

    Returns:
        Unknown item tokens with how often they were given, and the number of users answered by popularity.

    Raises:
        ValueError: A user is at fault, or the output is in use or a file of somebody else's.
        OSError: The disk is full.
    """
    part, finished = PartFile(output, HEADS), False
    unknown, popular = collections.Counter(), 0
    try:
        if not isinstance(recommender, Recommender):
            recommender = Recommender.load(recommender)
        exclude = _known(recommender, exclude, unknown)
        with tqdm(unit=" users", disable=None) as bar:
            part.add(write([], Recommendations([], [], np.zeros(0, dtype=bool), collections.Counter()), True))
            while batch := list(itertools.islice(users, BATCH)):
                answer = _answer(recommender, batch, k, exclude)
                part.add(write([user for user, *_ in batch], answer, False))
                part.done += len(batch)
                unknown.update(answer.unknown)
                popular += int(answer.popular.sum())
                bar.update(len(batch))
        part.finish()
        finished = True
    except (ValueError, OSError) as error:
        if not part.done:
            raise
        kept = f"({part.done} users before that are in {part.path})"
        if isinstance(error, OSError):
            raise OSError(error.errno, f"{error.strerror} {kept}", error.filename) from error
        raise ValueError(f"{error} {kept}") from error
    finally:
        part.close(keep=finished or part.done > 0)
    return unknown, popular


def _answer(recommender: Recommender, batch: list, k: int, exclude: list[str]) -> Recommendations:
    """Answer one batch of users."""
    histories = []
    for entry in batch:
        try:
            histories.append(recommender.profile(entry[0]) if entry[1] is None else entry[1])
        except ValueError as error:
            place = f"{entry.place}: " if isinstance(entry, User) else ""
            raise ValueError(f"{place}{error}") from None
    return recommender.recommend(histories, k, exclude=[[*exclude, *entry[2]] for entry in batch])


def _known(recommender: Recommender, exclude: Iterable[str], unknown: collections.Counter) -> list[str]:
    """Return the items to exclude that the model knows; count the others, once."""
    known = set(recommender.tokens[1:].tolist())
    exclude = list(dict.fromkeys(exclude))
    unknown.update(token for token in exclude if token not in known)
    return [token for token in exclude if token in known]


def write_jsonl(users: list[str], answer: Recommendations, head: bool) -> bytes:
    """Return a batch of users and their Recommendations as JSON lines, which have no head."""
    return "".join(
        json.dumps({"user": user, "items": items, "scores": _plain(scores)}, ensure_ascii=False) + "\n"
        for user, items, scores in zip(users, answer.items, answer.scores)
    ).encode()


def write_csv(users: list[str], answer: Recommendations, head: bool) -> bytes:
    """Return the same as CSV: user_id, item_id, rank from 1 and score."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    if head:
        writer.writerow(["user_id", "item_id", "rank", "score"])
    for user, items, scores in zip(users, answer.items, answer.scores):
        writer.writerows(zip(itertools.repeat(user), items, itertools.count(1), _plain(scores)))
    return file.getvalue().encode()


WRITERS = {".jsonl": write_jsonl, ".csv": write_csv}
HEADS = (b'{"user": ', b"user_id,item_id,rank,score\n")


def _plain(scores: np.ndarray) -> list[float]:
    """Return scores with the digits that single precision has."""
    return [float(f"{score:.7g}") for score in scores.tolist()]
