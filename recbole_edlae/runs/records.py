"""Store finished runs on disk, one line of JSON each, safe against being killed at any moment."""

import json
import math
import os
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import psutil

from recbole_edlae._files import append_atomically
from recbole_edlae._warnings import warn
from recbole_edlae.evaluation.per_user import RANKING, PerUser
from recbole_edlae.runs.lock import FolderLock
from recbole_edlae.runs.run import Run

# A killed process leaves the temporary files NAME.PID.part of `recbole_edlae._files`. These are the names of the
# reports that the commands write beside the records, and of the arrays. Files of other names are somebody else's.
_REPORT_PART = re.compile(
    r"(?:leaderboard\.(?:csv|html|json|md|tex)|best\.yaml|sweep\.json)\.(\d{1,9})(?:-\d+)?\.part"
)
_ARRAY_PART = re.compile(r"[0-9a-f]{16}\.npz\.(\d{1,9})(?:-\d+)?\.part")


class Records:
    """Store runs in a folder: ``records.jsonl``, and under ``per_user`` the hits of each user of a ranked run.

    A line is written in one piece, and flushed to the disk after the array that belongs to it. A last line that was cut
    short does not count, and is removed before the next one is written. A damaged line in the middle is skipped with a
    warning. Runs are identified by their ``key`` (:func:`recbole_edlae.runs.run.key_of`). Of several lines with one
    key, the last one counts.

    Args:
        folder: created if it does not exist. No other process can open it until this object is closed or gone.

    Attributes:
        files: path → hash of the data files of all runs that were recorded or looked up since the folder was opened. A
            file that no longer has this hash is refused.

    Raises:
        ValueError: the folder is a file, or another process has it.
        OSError: it cannot be written.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = pathlib.Path(folder)
        self.path = self.folder / "records.jsonl"
        self.files: dict[str, str] = {}
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"output: {self.folder} is a file; name a folder")
        (self.folder / "per_user").mkdir(parents=True, exist_ok=True)
        self._lock = FolderLock(self.folder)
        self._warned: set[str] = set()  # texts of earlier warnings

        # The lock is ours, so what a killed process left behind can go.
        _remove_leftovers(self.folder, _REPORT_PART)
        _remove_leftovers(self.folder / "per_user", _ARRAY_PART)
        self._remove_torn_line()

    def __enter__(self) -> "Records":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the folder for other processes."""
        self._lock.close()

    def append(self, record: dict, per_user: PerUser | None = None) -> None:
        """Add one run, a record that JSON can hold with "key" and "status". It is on the disk when this returns.

        Raises:
            OSError: the disk is full or cannot be written. The folder is then as it was before.
        """
        # The array goes first: a line on the disk promises that its array is there.
        if per_user is not None:
            per_user.save(self._array(record["key"]))

        text = json.dumps(record, ensure_ascii=False) + "\n"
        line = text.encode()
        self._remove_torn_line()
        try:
            with open(self.path, "ab", buffering=0) as file:
                append_atomically(file.fileno(), line, flush=True)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def read(self) -> dict[str, dict]:
        """Return key → record, in the order of their first lines.

        Warns:
            DataWarning: a line is damaged; it is skipped.
        """
        if not self.path.exists():
            return {}

        # A later line with the same key replaces the earlier one, at its place in the order.
        records = {}
        lines = self.path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = _parsed(line)
            except ValueError as error:
                where = f"{self.path}, line {number}"
                self._warn(f"{where} is damaged ({error}): it is skipped; the run is repeated")
            else:
                records[record["key"]] = record
        return records

    def finished(self) -> dict[str, dict]:
        """Return key → record of the runs that ended well; a failed run is tried again."""
        finished = {}
        for key, record in self.read().items():
            if record["status"] == "ok":
                finished[key] = record
        return finished

    def complete(self, record: dict, phases: Sequence[str]) -> bool:
        """Return whether a finished run has a record of all the phases evaluated, with its array.

        Warns:
            DataWarning: something is missing or damaged; the run has to be repeated.
        """
        run = f"{record.get('model')} ({record['key']})"
        needed = [*phases, "identity", "fit_seconds"]
        missing = [name for name in needed if name not in record]
        if missing:
            names = ", ".join(missing)
            self._warn(f"{self.path}: the record of {run} has no {names}: it is run again")
            return False

        # Only a test with a ranking metric has an array.
        metrics = record.get("test") or ()
        is_ranked = any(name.partition("@")[0] in RANKING for name in metrics)
        if "test" not in phases or not is_ranked:
            return True

        # A missing array and a damaged one need the same repair.
        try:
            if self.per_user(record["key"]) is None:
                raise ValueError(f"{self._array(record['key'])} is missing")
        except ValueError as error:
            self._warn(f"{error}: {run} is run again")
            return False
        return True

    def per_user(self, key: str) -> PerUser | None:
        """Return the hits of each user of the run of a key; None where its evaluation had no ranking metric.

        Raises:
            ValueError: the file is damaged.
        """
        path = self._array(key)
        if not path.exists():
            return None
        return PerUser.load(path)

    def _array(self, key: str) -> pathlib.Path:
        """Return the file of the hits of a run."""
        return self.folder / "per_user" / f"{key}.npz"

    def _warn(self, text: str) -> None:
        """Warn once for each text, however often the file is read."""
        if text not in self._warned:
            self._warned.add(text)
            warn(text)

    def _remove_torn_line(self) -> None:
        """Remove a last line that was cut short."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return
        with open(self.path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            if file.read() == b"\n":
                return

        # rfind returns −1 where no line is complete, and the file is then emptied.
        end = self.path.read_bytes().rfind(b"\n") + 1
        os.truncate(self.path, end)


def loss(record: dict) -> float:
    """Return the score of a run, negated if bigger is better: the lowest is the best. NaN and infinity are the worst.

    Examples:
        >>> loss({"score": 0.3, "bigger": True}), loss({"score": 0.3, "bigger": False})
        (-0.3, 0.3)
        >>> loss({"score": float("nan"), "bigger": True})
        inf
    """
    if not math.isfinite(record["score"]):
        return math.inf
    if record["bigger"]:
        return -record["score"]
    return record["score"]


def best_of(outcomes: Iterable[tuple[Run, dict]]) -> tuple[Run, dict]:
    """Return the run with the best score on validation, and its record; among equals, the first one."""
    return min(outcomes, key=lambda outcome: loss(outcome[1]))


def _remove_leftovers(folder: pathlib.Path, name: re.Pattern[str]) -> None:
    """Remove the files that match a pattern and whose process, the pattern's only group, has ended."""
    for path in folder.iterdir():
        leftover = name.fullmatch(path.name)
        if leftover and path.is_file() and not psutil.pid_exists(int(leftover[1])):
            path.unlink()


def _parsed(line: bytes) -> dict[str, Any]:
    """Return the record of a line; the message of a ValueError says why it is none."""
    # The message of either error would show the line, which may be long.
    try:
        record = json.loads(line.decode())
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None

    # A disk error can turn a line into other valid JSON.
    if not isinstance(record, dict):
        raise ValueError("not a record")
    if not isinstance(record.get("key"), str) or record.get("status") not in ("ok", "failed"):
        raise ValueError("no key or no status")
    return record
