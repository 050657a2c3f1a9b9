"""`recbole-edlae recommend`: the best items for a file of users, read and written as it goes.

Histories are JSON lines, {"user": "u1", "items": ["a", "b"]} and, if wanted, "exclude": ["c"]; or CSV with a head
user_id,item_id, one interaction a line, all of a user's lines together. Without items (no "items", no column item_id)
the users are ones that the checkpoint's data know, and all their items there are their history.
"""

import argparse
import collections
import csv
import itertools
import json
import os
import pathlib
import sys

from tqdm import tqdm

from recbole_edlae import checks
from recbole_edlae.experiment.bench import quiet
from recbole_edlae.nn.choices import choose
from recbole_edlae.serving.recommender import Recommender

PROGRAM = "recbole-edlae recommend"
BATCH = 1000  # users answered and written at a time
SHOWN = 10  # unknown items named at the end


def main(arguments):
    """Writes recommendations for the users of a file; what was unknown is said at the end."""
    parser = argparse.ArgumentParser(PROGRAM, description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--checkpoint", required=True, metavar="PATH", help="RecBole's (.pth), or an export's folder")
    parser.add_argument("--histories", required=True, metavar="FILE", help=".jsonl or .csv")
    parser.add_argument("--output", required=True, metavar="FILE", help=".jsonl or .csv")
    parser.add_argument("--topk", type=int, default=20, metavar="K", help="items for each user (default: %(default)s)")
    parser.add_argument("--exclude", metavar="FILE", help="items never to recommend, one a line")
    options = parser.parse_args(arguments)
    with checks.said_in_one_line(PROGRAM), quiet():
        users = open_histories(options.histories)
        write = choose("output", pathlib.Path(options.output).suffix, WRITERS)
        if options.topk < 1:
            raise ValueError(f"topk must be at least 1, got {options.topk}")
        exclude = _lines(options.exclude) if options.exclude else []
        recommender = Recommender.load(options.checkpoint)
        unknown, popular = recommend_file(recommender, users, write, options.output, options.topk, exclude)
    if popular:
        print(f"{popular} users without a known item got the most popular ones", file=sys.stderr)
    if unknown:
        named = ", ".join(f"{token} ({times})" for token, times in unknown.most_common(SHOWN))
        more = f", and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        print(f"{sum(unknown.values())} interactions with unknown items were skipped: {named}{more}", file=sys.stderr)


def recommend_file(recommender, users, write, output, k, exclude=()):
    """Answers users in batches into a file that bears its name only when it is whole.

    Args:
        recommender: Recommender.
        users: iterator of (user, items or None, items to exclude).
        write: one of WRITERS.
        output: path of the file; a run that ends early leaves the users it was done with in ``output.part``.
        k: items for each user.
        exclude: item tokens never to recommend.

    Returns:
        tuple: Counter of unknown item tokens, and the number of users answered by popularity.
    """
    part, unknown, popular, done = f"{output}.part", collections.Counter(), 0, 0
    with open(part, "w", encoding="utf-8", newline="") as file, tqdm(unit=" users", disable=None) as bar:
        put = write(file)
        try:
            while batch := list(itertools.islice(users, BATCH)):
                histories = [recommender.profile(user) if items is None else items for user, items, _ in batch]
                answer = recommender.recommend(histories, k, exclude=[[*exclude, *own] for _, _, own in batch])
                put([user for user, _, _ in batch], answer)
                file.flush()
                unknown.update(answer.unknown)
                popular, done = popular + int(answer.popular.sum()), done + len(batch)
                bar.update(len(batch))
        except ValueError as error:
            raise ValueError(f"{error} ({done} users before that are in {part})") from None
    os.replace(part, output)
    return unknown, popular


def open_histories(path):
    """Iterator of (user, items or None, items to exclude), from a file of one of READERS.

    Raises:
        ValueError: the file is missing, of no known kind or begins wrongly; and from the iterator, when it gets to a
            line that is at fault.
    """
    read = choose("histories", pathlib.Path(path).suffix, READERS)
    if not pathlib.Path(path).is_file():
        raise ValueError(f"histories: there is no {path}")
    users = read(path)
    return itertools.chain(list(itertools.islice(users, 1)), users)


def read_jsonl(path):
    """Users of a file of JSON lines; empty lines are left out."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                content = json.loads(line)
                user, items, exclude = content["user"], content.get("items"), content.get("exclude", [])
                if not all(isinstance(each, list) for each in (exclude, [] if items is None else items)):
                    raise TypeError
            except (ValueError, KeyError, TypeError, AttributeError):
                example = '{"user": "u1", "items": ["a", "b"]}'
                raise ValueError(f"histories: {path}, line {number} is not like {example}: {line[:80]!r}") from None
            yield str(user), items, exclude


def read_csv(path):
    """Users of a CSV file; a line whose item is empty makes a user without history."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        head = next(lines, [])
        if head[:2] not in (["user_id"], ["user_id", "item_id"]):
            raise ValueError(f"histories: {path} must begin with user_id,item_id or user_id, got {','.join(head)!r}")
        known, seen = len(head) == 1, set()

        def user_of(line):
            if len(line) != len(head):
                raise ValueError(f"histories: {path}, line {lines.line_num} has {len(line)} fields of {len(head)}")
            return line[0]

        for user, rows in itertools.groupby((line for line in lines if line), user_of):
            if hash(user) in seen:
                where = f"histories: {path}, line {lines.line_num}"
                raise ValueError(f"{where}: user {user} was there before; sort the file by user")
            seen.add(hash(user))
            items = [row[1] for row in rows if row[1]] if not known else None
            yield user, items, []


def write_jsonl(file):
    """Function that writes a batch of users and their Recommendations as JSON lines."""

    def put(users, answer):
        file.write("".join(
            json.dumps({"user": user, "items": items, "scores": _plain(scores)}, ensure_ascii=False) + "\n"
            for user, items, scores in zip(users, answer.items, answer.scores)
        ))  # fmt: skip

    return put


def write_csv(file):
    """The same as CSV: user_id, item_id, rank from 1 and score."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["user_id", "item_id", "rank", "score"])

    def put(users, answer):
        for user, items, scores in zip(users, answer.items, answer.scores):
            writer.writerows(zip(itertools.repeat(user), items, itertools.count(1), _plain(scores)))

    return put


READERS = {".jsonl": read_jsonl, ".csv": read_csv}
WRITERS = {".jsonl": write_jsonl, ".csv": write_csv}


def _plain(scores):
    """Scores with the digits that single precision has."""
    return [float(f"{score:.7g}") for score in scores.tolist()]


def _lines(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"exclude: {path} cannot be read: {error.strerror}") from None
