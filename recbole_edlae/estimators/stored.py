"""Write an estimator as an export, and read one from an export or from a checkpoint of RecBole's."""

import collections
import os
import pathlib
from typing import Any, TypeVar

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from recbole_edlae._choices import choose
from recbole_edlae._files import whole_folder
from recbole_edlae.estimators.base import LinearEstimator
from recbole_edlae.model.stored_weights import check_tensors
from recbole_edlae.model.weight_forms import of_tensors
from recbole_edlae.model.weights import Weights
from recbole_edlae.serving.export_files import (
    FIELDS,
    FILES,
    Export,
    errors_of,
    read_contents,
    with_defaults,
    write_contents,
)
from recbole_edlae.serving.portable import DTYPES, portable_tensors
from recbole_edlae.serving.tokens import positive_int, token_of

Self = TypeVar("Self", bound="StoredEstimator")


class StoredEstimator(LinearEstimator):
    """A linear estimator that goes into a file and comes out of one."""

    def to_export(self, folder: str | os.PathLike, *, dtype: str = "float32", top: int | None = None) -> int:
        """Write an export, which ``Recommender.load`` and ``recbole-edlae recommend`` read; return its bytes.

        It has no users. Item ids become text.

        Args:
            folder: not there yet or empty.
            dtype: ``float32`` or ``float16``.
            top: keep so many weights of each item only; None for all.

        Raises:
            NotFittedError: The estimator is not fitted.
            ValueError: The folder is not empty, two items have the same text, or a weight is too large for dtype.
            OSError: The folder cannot be written, or the disk is full.
        """
        check_is_fitted(self)
        choose("dtype", dtype, DTYPES)
        top = None if top is None else positive_int(top, "top")
        tokens = ["[PAD]", *(token_of(item, "items") for item in self.items_.tolist())]
        if len(set(tokens[1:])) < len(tokens) - 1:
            twice = collections.Counter(tokens[1:]).most_common(1)[0][0]
            raise ValueError(f"items: two ids are both written as {twice!r}")
        columns = self._columns or (self.user, self.item)
        settings = self._checked_settings() | dict(zip(FIELDS, (*map(str, columns), "rating", "neg_")))
        state = {"dummy_param": torch.zeros(1)} | self.weights_.tensors()
        tensors = portable_tensors(self.model, state, {"": self.weights_}, dtype=dtype, top=top)
        export = Export(self.model, settings, tokens, self._padded_popularity(), tensors)
        with whole_folder(folder, FILES) as part:
            return write_contents(part, export, dtype=dtype, top=top, users=0)

    @classmethod
    def from_export(cls: type[Self], folder: str | os.PathLike) -> Self:
        """Read an export, of an estimator or of a RecBole model; its users are not known, and item ids are text.

        Args:
            folder: of the export.

        Raises:
            ValueError: A file is missing, cut short or changed, or the export is of another model.
        """
        folder = pathlib.Path(folder)
        export = read_contents(folder)
        with errors_of(folder):
            cls._check_model(export.model)
            settings = with_defaults(cls._schema(), export)
            if settings.get("based_on", "item") != "item":
                raise ValueError("based_on must be 'item': weights of users score no histories")
            check_tensors(export.tensors, len(export.tokens))
            weights = of_tensors(export.tensors)
            if weights is None:
                raise ValueError("it has no weights")
        return cls._of(settings, weights, export.tokens, export.popularity)

    @classmethod
    def from_checkpoint(cls: type[Self], path: str | os.PathLike) -> Self:
        """Read a checkpoint of the RecBole model, as RecBole saves it; this imports RecBole.

        Its users are not known, and item ids are text. A checkpoint is a pickle: open only those whose origin you
        trust.

        Args:
            path: a .pth file.

        Raises:
            ValueError: The file is no checkpoint, or one of another model.
        """
        from recbole_edlae.serving.checkpoint import Checkpoint

        checkpoint = Checkpoint.read(path)
        cls._check_model(checkpoint.config["model"])
        scorer: Any = checkpoint.scorer
        return cls._of(checkpoint.config, scorer.weights, checkpoint.tokens, checkpoint.popularity)

    @classmethod
    def _of(cls: type[Self], settings: Any, weights: Weights, tokens: list[str], popularity: np.ndarray) -> Self:
        """Return an estimator of what a file holds."""
        columns = {"user": settings["USER_ID_FIELD"], "item": settings["ITEM_ID_FIELD"]}
        names = cls._schema().keys() & cls().get_params(deep=False).keys()
        estimator = cls(**columns, **{name: settings[name] for name in names})
        estimator._learn(weights, np.array(tokens[1:], dtype=object), popularity)
        estimator.users_ = np.empty(0, dtype=object)
        return estimator

    @classmethod
    def _check_model(cls, model: str) -> None:
        if model != cls.model:
            raise ValueError(f"it is of the model {model!r}; this estimator is {cls.model}")
