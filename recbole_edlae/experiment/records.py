"""What has been run, on disk: one line of JSON per run, safe against being killed at any moment."""

import json
import os
import pathlib

from recbole_edlae.evaluation.per_user import PerUser


class Records:
    """A folder with ``records.jsonl`` and, under ``per_user``, what each user got of the runs that have it.

    A line is written in one piece and flushed to the disk after the array it belongs to; a last line that was cut
    short all the same does not count, and is removed before the next one is written. Runs are known by their ``key``
    (:meth:`recbole_edlae.experiment.cell.Cell.key`); of several lines with one key the last one counts.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.path = self.folder / "records.jsonl"
        (self.folder / "per_user").mkdir(parents=True, exist_ok=True)
        for part in (self.folder / "per_user").glob("*.part"):
            part.unlink()
        self._remove_torn_line()

    def append(self, record, per_user=None):
        """Adds one run; when this returns it is on the disk.

        Args:
            record: dict that JSON can hold, with "key" and "status".
            per_user: PerUser of the run, if there is one.
        """
        if per_user is not None:
            per_user.save(self._array(record["key"]))
        line = json.dumps(record, ensure_ascii=False) + "\n"
        with open(self.path, "ab", buffering=0) as file:
            file.write(line.encode())
            os.fsync(file.fileno())

    def read(self):
        """Key → record, in the order of their first lines."""
        records = {}
        if self.path.exists():
            for line in self.path.read_bytes().splitlines():
                record = json.loads(line)
                records[record["key"]] = record
        return records

    def finished(self):
        """Key → record of the runs that ended well; a failed one is to be tried again."""
        return {key: record for key, record in self.read().items() if record["status"] == "ok"}

    def per_user(self, key):
        """PerUser of one run; None where its evaluation had no ranking metric."""
        path = self._array(key)
        return PerUser.load(path) if path.exists() else None

    def _array(self, key):
        return self.folder / "per_user" / f"{key}.npz"

    def _remove_torn_line(self):
        if self.path.exists():
            content = self.path.read_bytes()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                os.truncate(self.path, whole)
