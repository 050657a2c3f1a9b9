"""Recommend for a file of users in batches, so that neither the file nor the answers have to fit into memory."""

import collections
import csv
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from tqdm import tqdm

from recbole_edlae.serving.histories import User
from recbole_edlae.serving.part_file import PartFile
from recbole_edlae.serving.recommender import Recommendations, Recommender

# Users answered and written at a time.
BATCH = 1000
Writer = Callable[[list[str], Recommendations, bool], bytes]


def recommend_file(
    recommender: Recommender | str | os.PathLike,
    users: Iterator,
    write: Writer,
    output: str | os.PathLike,
    k: int,
    exclude: Iterable[str] = (),
) -> tuple[collections.Counter, int]:
    """Answer users in batches, into a temporary file that is renamed on success.

    Args:
        recommender: Recommender, or the path of a checkpoint or export, read when the output is known to be writable.
        users: iterator of (user, items or None, items to exclude).
        write: one of WRITERS.
        output: path of the file; a run that ends early leaves the finished users in ``output.part``.
        k: items for each user.
        exclude: item tokens never to recommend.

    Returns:
        Unknown item tokens with how often they were given, and the number of users answered by popularity.

    Raises:
        ValueError: A user is at fault, or the output is in use or a file of somebody else's.
        OSError: The disk is full.
    """
    # The answers so far are worth keeping when a later user is at fault.
    part_file = PartFile(output, FIRST_BYTES)
    done = 0
    unknown: collections.Counter = collections.Counter()
    popular = 0
    try:
        # Reading a model takes longer than finding out that the output cannot be written.
        if not isinstance(recommender, Recommender):
            recommender = Recommender.load(recommender)
        exclude = _known(recommender, exclude, unknown)

        with tqdm(unit=" users", disable=None) as bar:
            # The head alone, so that a file without users has one too.
            no_users = Recommendations([], [], np.zeros(0, dtype=bool), collections.Counter())
            part_file.add(write([], no_users, True))

            while batch := list(itertools.islice(users, BATCH)):
                answer = _answer(recommender, batch, k, exclude)
                part_file.add(write([user for user, *_ in batch], answer, False))
                done += len(batch)
                unknown.update(answer.unknown)
                popular += int(answer.popular.sum())
                bar.update(len(batch))

        part_file.finish()
    except (ValueError, OSError) as error:
        note = ""
        if done:
            note = f" ({done} users before that are in {part_file.path})"

        # An OSError's message is made of its attributes.
        if isinstance(error, OSError):
            raise OSError(error.errno, f"{error.strerror}{note}", error.filename or str(output)) from error
        if not done:
            raise
        raise ValueError(f"{error}{note}") from error
    finally:
        part_file.close(keep=done > 0)
    return unknown, popular


def _answer(recommender: Recommender, batch: list[Any], k: int, exclude: list[str]) -> Recommendations:
    """Answer one batch of users."""
    histories = []
    excluded = []
    for entry in batch:
        user, items, own_exclude = entry[:3]
        excluded.append([*exclude, *own_exclude])
        if items is not None:
            histories.append(items)
            continue

        # A user without items is one of the data; an error names the line of the file.
        try:
            histories.append(recommender.profile(user))
        except ValueError as error:
            if isinstance(entry, User):
                raise ValueError(f"{entry.location}: {error}") from None
            raise
    return recommender.recommend(histories, k, exclude=excluded)


def _known(recommender: Recommender, exclude: Iterable[str], unknown: collections.Counter) -> list[str]:
    """Return the items to exclude that the model knows; count the others, once."""
    # The first token stands for padding.
    tokens = set(recommender.tokens[1:].tolist())
    distinct = list(dict.fromkeys(exclude))
    unknown.update(token for token in distinct if token not in tokens)
    return list(filter(tokens.__contains__, distinct))


def write_jsonl(users: list[str], answer: Recommendations, head: bool) -> bytes:
    """Return a batch of users and their Recommendations as JSON lines; there is no head to write."""
    lines = []
    for user, items, scores in zip(users, answer.items, answer.scores):
        content = {"user": user, "items": items, "scores": _rounded(scores)}
        line = json.dumps(content, ensure_ascii=False)
        lines.append(line + "\n")
    return "".join(lines).encode()


def write_csv(users: list[str], answer: Recommendations, head: bool) -> bytes:
    """Return a batch of users and their Recommendations as CSV: user_id, item_id, rank from 1 and score."""
    # The writer's lines end in \r\n, because it would leave a carriage return unquoted otherwise. Ours end in \n.
    lines = _Lines()
    writer = csv.writer(lines)
    if head:
        writer.writerow(["user_id", "item_id", "rank", "score"])
    for user, items, scores in zip(users, answer.items, answer.scores):
        ranks = itertools.count(1)
        writer.writerows(zip(itertools.repeat(user), items, ranks, _rounded(scores)))
    return "".join(line.removesuffix("\r\n") + "\n" for line in lines).encode()


class _Lines(list[str]):
    """Lines that are written one by one."""

    write = list.append


WRITERS = {".jsonl": write_jsonl, ".csv": write_csv}
FIRST_BYTES = (b'{"user": ', b"user_id,item_id,rank,score\n")  # of what these write


def _rounded(scores: np.ndarray) -> list[float]:
    """Return scores with the digits that single precision has."""
    return [float(f"{score:.7g}") for score in scores.tolist()]
