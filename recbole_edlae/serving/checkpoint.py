"""Read a RecBole checkpoint: its model by the stored tokens, its data when they are asked for."""

import copy
import functools
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, init_seed

from recbole_edlae._warnings import warn
from recbole_edlae.data import training_data
from recbole_edlae.integration.checkpoint_file import Saved
from recbole_edlae.integration.checkpoints import unchecked
from recbole_edlae.integration.compat import stack as compat
from recbole_edlae.model.history import binary_interactions
from recbole_edlae.runs.preparation import build_trainer
from recbole_edlae.serving.export_files import FIELDS, errors_of
from recbole_edlae.serving.finite import check_finite
from recbole_edlae.settings import registry
from recbole_edlae.settings.schema import check_model_settings


class Checkpoint:
    """A trained model, its Config, and the tokens and popularity of its items.

    Its data are read when they are asked for. Users are mapped by token, and a split that is not the one that the model
    was trained on is refused. A checkpoint without a description of its data (an earlier version or RecBole alone wrote
    it) takes its tokens from the data as they are today.

    Attributes:
        path: of the file.
        config: RecBole's Config.
        scorer: the model, in evaluation mode, on the CPU; it knows no users, and scores histories.
        tokens: item tokens by id.
        popularity: array (items,), users in training that have the item.
    """

    def __init__(self, path: str | os.PathLike, saved: Saved) -> None:
        """Build the model of the content of a file, as :meth:`read` passes it."""
        self.path = str(path)
        self.config = saved["config"]
        self._description = saved.get(training_data.KEY)

        # Without a description only the data themselves have the tokens.
        training: Any
        if self._description is None:
            training = self.train._dataset
            items = binary_interactions(training).indices
            self.tokens = self.dataset.field2id_token[self.dataset.iid_field].tolist()
            self.popularity = np.bincount(items, minlength=len(self.tokens))
            warn(unchecked(self.path))
        else:
            self.tokens, self.popularity = self._stored(self._description)
            training = DatasetSizes(self.config.final_config_dict, len(self.tokens))

        # Damaged weights would answer with nonsense.
        self.scorer = self._build(training, saved["state_dict"])
        check_finite(self.scorer.state_dict(), f"checkpoint {path}")
        if not getattr(self.scorer, "fitted", True):
            raise ValueError(f"checkpoint {path} was saved before its model was fitted")

    @classmethod
    def read(cls, path: str | os.PathLike) -> "Checkpoint":
        """Read a checkpoint as RecBole's ``load_data_and_model`` does, without its log file.

        Raises:
            ValueError: The file is no checkpoint, or its model has no scores for a history.

        Warns:
            DataWarning: The checkpoint has no description of its data, so that they cannot be checked.
        """
        try:
            saved = compat.read_checkpoint(path)
        except OSError as error:
            raise ValueError(f"checkpoint: {path} cannot be read: {error.strerror}") from None
        except (ImportError, AttributeError) as error:
            raise ValueError(
                f"checkpoint {path} is not a RecBole checkpoint, or of another version: {error}"
            ) from None

        # A model that cannot serve is refused before it is built.
        config = saved["config"]
        settings = config.final_config_dict
        check_servable(config["model"], settings)
        missing = [key for key in FIELDS if settings.get(key) is None]
        if missing:
            raise ValueError(f"checkpoint {path}: its config lacks {', '.join(missing)}")
        with errors_of(f"checkpoint {path}"):
            check_model_settings(registry.schema_of(config["model"]), settings)

        # It was saved for the machine that it was trained on.
        config.compatibility_settings()
        config["device"] = torch.device("cpu")
        config["checkpoint_dir"] = str(pathlib.Path(path).parent)

        # The model is rebuilt by tokens here, so loading its state need not compare the data again.
        vars(saved["state_dict"]).pop("checkpoint", None)
        return cls(path, saved)

    @functools.cached_property
    def dataset(self) -> Any:
        """The data as they are today, with a warning if they changed; ids may differ from the model's."""
        folder = self.config["data_path"]
        if not os.path.isdir(folder):
            raise ValueError(
                f"checkpoint {self.path}: its data are not in {folder}, where they were when it was saved"
            )

        # RecBole draws random numbers for the split from here on.
        init_seed(self.config["seed"], self.config["reproducibility"])
        dataset = create_dataset(self.config)
        if self._description is not None:
            files = training_data.files_of(dataset)
            training_data.say_changed_files(self._description, files, self.path)
        return dataset

    @functools.cached_property
    def loaders(self) -> tuple:
        """RecBole's loaders of training, validation and test, split as they were.

        Raises:
            ValueError: The model was trained on other data.
        """
        # Read the data again, because the split depends on the random numbers drawn since the seed.
        vars(self).pop("dataset", None)
        loaders = data_preparation(self.config, self.dataset)

        if self._description is not None:
            today = training_data.describe(loaders[0]._dataset)
            training_data.check_same(self._description, today, self.path)
        return tuple(loaders)

    @functools.cached_property
    def model(self) -> torch.nn.Module:
        """The model with the histories of the users it was trained on, as :attr:`loaders` have them."""
        return self._build(self.train._dataset, self.scorer.state_dict())

    @property
    def train(self) -> Any:
        """Loader of the training part."""
        return self.loaders[0]

    @property
    def test(self) -> Any:
        """Loader of the test part."""
        return self.loaders[2]

    def profiles(self) -> "Profiles":
        """Return the items of every user in the data, read when first asked for."""
        return Profiles(self)

    def evaluate(self, score: Callable[..., torch.Tensor] | None = None) -> dict[str, float]:
        """Return NDCG on the test users, as RecBole's trainer has it.

        Args:
            score: function of items and count, instead of the model's own.

        Raises:
            ValueError: The data are gone, or the model was trained on other data.
        """
        # The checkpoint keeps its own metrics.
        config = copy.deepcopy(self.config)
        config["metrics"] = ["NDCG"]
        config["valid_metric"] = f"NDCG@{config['topk'][0]}"
        model: Any = self.model
        trainer = build_trainer(config, model)

        # RecBole's evaluation asks the model for scores of users, not of histories.
        if score is not None:
            user = model.USER_ID
            model.full_sort_predict = lambda batch: score(*model.history(batch[user])).view(-1)
        try:
            trainer.eval_collector.data_collect(self.train)
            return dict(trainer.evaluate(self.test, load_best_model=False))
        finally:
            vars(model).pop("full_sort_predict", None)

    def _build(self, training: Any, state: Any) -> torch.nn.Module:
        """Return the model with its weights, in evaluation mode."""
        model = get_model(self.config["model"])(self.config, training)
        with errors_of(f"checkpoint {self.path}: its weights do not fit {self.config['model']}"):
            model.load_state_dict(state)
        return model.eval()

    def _stored(self, description: dict[str, Any]) -> tuple[list[str], np.ndarray]:
        """Return item tokens and popularity as they were in training."""
        with errors_of(f"checkpoint {self.path}: what it says of its data is damaged"):
            tokens = training_data.tokens_of(description, self.config["ITEM_ID_FIELD"])
            popularity = np.asarray(description["popularity"]).astype(np.int64)

            # The fallback for unknown histories ranks by these counts.
            if popularity.shape != (len(tokens),) or (popularity < 0).any():
                raise ValueError(
                    f"it must have a popularity of at least 0 for each of {len(tokens)} tokens"
                )
        return tokens, popularity


class DatasetSizes:
    """A dataset of sizes only: all that a model that is rebuilt asks for."""

    def __init__(self, settings: dict[str, Any], n_items: int) -> None:
        self._sizes = {settings["ITEM_ID_FIELD"]: n_items, settings["USER_ID_FIELD"]: 2}
        self.user_num = 2

    def num(self, field: str) -> int:
        """Return how many ids a field has."""
        return self._sizes[field]

    def inter_matrix(self, form: str) -> sp.csr_matrix:
        """Return a matrix of one interaction."""
        # Models that normalize by counts would divide by zero without any.
        n_items, n_users = self._sizes.values()
        return sp.csr_matrix(([1.0], ([1], [1])), shape=(n_users, n_items))


class Profiles(Mapping[str, list[str]]):
    """User token → tokens of the user's items in the data, which are read when first asked for."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint

    def __getitem__(self, user: str) -> list[str]:
        users, tokens, matrix = self._table
        row = users[user]
        start, stop = matrix.indptr[row : row + 2]
        return tokens[matrix.indices[start:stop]].tolist()

    def __iter__(self) -> Iterator[str]:
        return iter(self._table[0])

    def __len__(self) -> int:
        return len(self._table[0])

    @functools.cached_property
    def _table(self) -> tuple[dict[str, int], np.ndarray, sp.csr_matrix]:
        """User ids by token without RecBole's padding, item tokens by id, and the matrix of users × items."""
        dataset = self._checkpoint.dataset
        numbers = dataset.field2token_id[dataset.uid_field]
        users = {user: number for user, number in numbers.items() if number != 0}
        tokens = np.asarray(dataset.field2id_token[dataset.iid_field], dtype=object)
        return users, tokens, binary_interactions(dataset)


def check_servable(model: str, settings: Mapping[str, Any]) -> None:
    """Check that a model, by its name and all settings, has scores for a history of items."""
    registry.check_unseen_users(model, settings)
    registry.check_members(check_servable, model, settings)

    # RecBole's own models are asked for users, whose histories they look up in their data; none takes a history.
    registered = registry.registered()
    if model not in registered:
        servable = ", ".join(filter(registered.__contains__, registry.unseen_users()))
        raise ValueError(f"model: {model} is RecBole's own; there are recommenders of {servable}")
    if settings.get("feedback") == "rating":
        raise ValueError("model: this AutoRec was trained on ratings, and a history of items has none")
