"""Write an estimator as an export, and read one from an export or from a checkpoint of RecBole."""

import collections
import os
import pathlib
from typing import Any, TypeVar

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from recbole_edlae._choices import choose
from recbole_edlae._files import atomic_folder
from recbole_edlae.estimators.base import LinearEstimator
from recbole_edlae.model.stored_weights import check_tensors
from recbole_edlae.model.weight_forms import of_tensors
from recbole_edlae.model.weights import Weights
from recbole_edlae.serving import export_files
from recbole_edlae.serving.tokens import positive_int, token_of

Self = TypeVar("Self", bound="StoredEstimator")


class StoredEstimator(LinearEstimator):
    """A linear estimator that can be written to an export, and read from an export or a checkpoint."""

    def to_export(
        self, folder: str | os.PathLike, *, dtype: str = "float32", top: int | None = None
    ) -> int:
        """Write an export, which ``Recommender.load`` and ``recbole-edlae recommend`` read; return its bytes.

        It has no users. Item ids become text.

        Args:
            folder: not there yet or empty.
            dtype: ``float32`` or ``float16``.
            top: keep so many weights of each item only; None for all.

        Raises:
            ValueError: The folder is not empty, two items have the same text, or a weight is too large for dtype.
            OSError: The folder cannot be written, or the disk is full.
        """
        # All is checked before anything is written.
        check_is_fitted(self)
        choose("dtype", dtype, export_files.DTYPES)
        if top is not None:
            top = positive_int(top, "top")
        tokens = self._tokens()

        # The settings that the RecBole model of this name would have, with its fields.
        user, item = self._columns or (self.user, self.item)
        fields = zip(export_files.FIELDS, (str(user), str(item), "rating", "neg_"))
        settings = self._checked_settings() | dict(fields)

        # RecBole's models have a parameter, so that optimizers have something to hold.
        state = {"dummy_param": torch.zeros(1)} | self.weights_.tensors()
        export = export_files.Export(self.model, settings, tokens, self._padded_popularity(), state)
        with atomic_folder(folder, export_files.FILES) as temporary:
            return export_files.write_contents(temporary, export, {"": self.weights_}, dtype=dtype, top=top)

    def _tokens(self) -> list[str]:
        """Return the item ids as text, after the padding's."""
        tokens = [token_of(item, "items") for item in self.items_.tolist()]

        # The number 7 and the text "7" are two ids, and one token.
        if len(set(tokens)) < len(tokens):
            ((repeated, _),) = collections.Counter(tokens).most_common(1)
            raise ValueError(f"items: two ids are both written as {repeated!r}")
        return ["[PAD]", *tokens]

    @classmethod
    def from_export(cls: type[Self], folder: str | os.PathLike) -> Self:
        """Read an export, of an estimator or of a RecBole model; its users are not known, and item ids are text.

        Raises:
            ValueError: A file is missing, cut short or changed, or the export is of another model.
        """
        folder = pathlib.Path(folder)
        export = export_files.read_contents(folder)

        # Errors name the folder.
        with export_files.errors_of(f"export {folder}"):
            cls._check_model(export.model)
            settings = export_files.with_defaults(cls._schema(), export)
            if settings.get("based_on", "item") != "item":
                raise ValueError("based_on must be 'item': weights of users score no histories")

            # An export can be of an unfitted model, or damaged.
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

        Raises:
            ValueError: The file is no checkpoint, or one of another model.
        """
        from recbole_edlae.serving.checkpoint import Checkpoint

        # The scorer is RecBole's model, with the same weights as an estimator has.
        checkpoint = Checkpoint.read(path)
        cls._check_model(checkpoint.config["model"])
        scorer: Any = checkpoint.scorer
        return cls._of(checkpoint.config, scorer.weights, checkpoint.tokens, checkpoint.popularity)

    @classmethod
    def _of(
        cls: type[Self], settings: Any, weights: Weights, tokens: list[str], popularity: np.ndarray
    ) -> Self:
        """Return an estimator with the settings, weights and items of a file."""
        # Some settings of the model are no parameters of the estimator.
        parameters = {"user": settings["USER_ID_FIELD"], "item": settings["ITEM_ID_FIELD"]}
        for name in cls._schema().keys() & cls().get_params(deep=False).keys():
            parameters[name] = settings[name]
        estimator = cls(**parameters)

        # The first token is the padding's.
        estimator._learn(weights, np.array(tokens[1:], dtype=object), popularity)
        estimator.users_ = np.empty(0, dtype=object)
        return estimator

    @classmethod
    def _check_model(cls, model: str) -> None:
        """Raise ValueError for a file of another model."""
        if model != cls.model:
            raise ValueError(f"it is of the model {model!r}; this estimator is {cls.model}")
