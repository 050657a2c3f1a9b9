"""Compute ranking metrics per user, from the hits that RecBole's evaluator averages."""

import dataclasses
import io
import os
import pathlib
import zipfile
import zlib

import numpy as np
import torch
from recbole.config import Config
from recbole.evaluator.base_metric import TopkMetric
from recbole.evaluator.collector import DataStruct
from recbole.evaluator.evaluator import Evaluator
from recbole.evaluator.register import metrics_dict

from recbole_edlae._files import write_atomically

RANKING = sorted(name for name, metric in metrics_dict.items() if issubclass(metric, TopkMetric))


@dataclasses.dataclass(frozen=True)
class PerUser:
    """Hold which of each user's first K recommendations were hits. Every ranking metric of RecBole follows from them.

    Attributes:
        users: RecBole's user ids, of shape (n,). A sequential model ranks for each of a user's interactions, so a user
            id appears once for each of them.
        hits: whether each recommendation is a hit, in the order of the scores, of shape (n, K).
        positives: number of positives, of shape (n,).

    Notes:
        Notation: n users or rankings, K the largest k evaluated.
    """

    users: np.ndarray
    hits: np.ndarray
    positives: np.ndarray

    def metric(self, name: str) -> np.ndarray:
        """Return the values of one metric, computed by RecBole's own class. RecBole's result is their mean over users.

        Args:
            name: "metric@k" as in RecBole's results, for example "ndcg@10"; k is at most K.

        Returns:
            Array of shape (n,), float64.

        Raises:
            ValueError: the name is not that of a ranking metric, or k is larger than K.

        Examples:
            >>> user = PerUser(np.array([7]), np.array([[False, True]]), np.array([4]))
            >>> user.metric("recall@2").tolist(), user.metric("mrr@2").tolist()
            ([0.25], [0.5])
        """
        metric, _, k = name.lower().partition("@")
        if metric not in RANKING:
            raise ValueError(
                f"metric: there is no {name} per user; there are {', '.join(RANKING)}, each with @k"
            )
        largest = self.hits.shape[1]
        if not (k.isdigit() and 1 <= int(k) <= largest):
            raise ValueError(f"metric: {name} needs k from 1 to {largest}, of which the hits were kept")

        # RecBole's metrics use names that newer versions of NumPy lack; this method of its Config restores them.
        Config.compatibility_settings(None)

        # RecBole computes the values of all users for all k, and topk_result would reduce them to means.
        calculator = metrics_dict[metric]({"topk": [largest], "metric_decimal_place": None})
        calculator.topk_result = lambda _, values: values
        matrix = np.column_stack([self.hits, self.positives]).astype(np.int32)
        values = calculator.calculate_metric({"rec.topk": torch.from_numpy(matrix)})
        return np.asarray(values[:, int(k) - 1], float)

    def save(self, path: str | os.PathLike) -> None:
        """Write one file atomically. It takes about 10 bytes a user, because hits are stored as bits.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        content = io.BytesIO()
        np.savez_compressed(
            content,
            users=self.users.astype(np.uint32),
            hits=np.packbits(self.hits, axis=1),
            positives=self.positives.astype(np.uint32),
            k=self.hits.shape[1],
        )
        write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike) -> "PerUser":
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: the file is empty or damaged.
            OSError: it cannot be read.
        """
        content = pathlib.Path(path).read_bytes()

        # NumPy, zipfile and zlib each have errors of their own for a file that was cut or overwritten.
        try:
            with np.load(io.BytesIO(content)) as stored:
                hits = np.unpackbits(stored["hits"], axis=1, count=int(stored["k"])).astype(bool)
                loaded = cls(stored["users"].astype(np.int64), hits, stored["positives"].astype(np.int64))
        except (
            AttributeError,
            EOFError,
            KeyError,
            TypeError,
            ValueError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            if not content:
                reason = "it is empty"
            raise ValueError(f"{path} is damaged ({reason})") from None

        if not len(loaded.users) == len(loaded.hits) == len(loaded.positives):
            raise ValueError(f"{path} is damaged (its arrays differ in length)")
        return loaded


class KeepingEvaluator:
    """Evaluate as RecBole's Evaluator does, and keep the hits of each user.

    Args:
        evaluator: RecBole's evaluator of a trainer, which this object replaces there.

    Attributes:
        hits: as in :class:`PerUser`, of the last evaluation; None where it had no ranking metric.
        positives: as in :class:`PerUser`.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.hits: np.ndarray | None = None
        self.positives: np.ndarray | None = None

    def evaluate(self, resources: DataStruct) -> dict[str, float]:
        """Return RecBole's result; ``hits`` stays None where no ranking metric is evaluated."""
        # The last column holds the numbers of positives.
        if "rec.topk" in resources:
            matrix = resources.get("rec.topk").numpy()
            self.hits = matrix[:, :-1].astype(bool)
            self.positives = matrix[:, -1].astype(np.int64)
        return self.evaluator.evaluate(resources)
