"""A checkpoint of RecBole's with the data it was trained on."""

import dataclasses
import pathlib

import numpy as np
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

from recbole_edlae import compat, registry
from recbole_edlae.model.history import binary_interactions


@dataclasses.dataclass
class Checkpoint:
    """A trained model, its Config and its data, split as they were."""

    config: Config
    model: torch.nn.Module
    dataset: object
    train: object
    valid: object
    test: object

    @classmethod
    def read(cls, path):
        """As RecBole's ``load_data_and_model`` does, without its log file.

        Raises:
            ValueError: it is no checkpoint, its data are not where they were, or its model has no scores for a
                history.
        """
        try:
            saved = compat.read_checkpoint(torch.load, path)
        except OSError as error:
            raise ValueError(f"checkpoint: {path} cannot be read: {error.strerror}") from None
        if not isinstance(saved, dict) or not {"config", "state_dict"} <= saved.keys():
            raise ValueError(f"checkpoint {path} is none of RecBole's: it has no config and state_dict")
        config = saved["config"]
        check_servable(config["model"], config.final_config_dict)
        config.compatibility_settings()
        config["device"] = torch.device("cpu")
        config["checkpoint_dir"] = str(pathlib.Path(path).parent)
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        loaders = data_preparation(config, dataset)
        model = get_model(config["model"])(config, loaders[0]._dataset)
        model.load_state_dict(saved["state_dict"])
        return cls(config, model.eval(), dataset, *loaders)

    @property
    def tokens(self):
        """Item tokens by id."""
        return self.dataset.field2id_token[self.dataset.iid_field].tolist()

    @property
    def popularity(self):
        """Array (items,): users in training that have the item."""
        return np.bincount(binary_interactions(self.train._dataset).indices, minlength=len(self.tokens))

    def profiles(self):
        """User token → ids of all items of the user in the data."""
        return Profiles(self.dataset.field2token_id[self.dataset.uid_field], binary_interactions(self.dataset))

    def evaluate(self, score=None, metrics=("NDCG",)):
        """Metrics on the test users, as RecBole's trainer has them.

        Args:
            score: function of items and count in place of the model's own.
            metrics: names of ranking metrics.

        Returns:
            dict: "metric@k" → value.
        """
        self.config["metrics"], self.config["valid_metric"] = list(metrics), f"{metrics[0]}@{self.config['topk'][0]}"
        trainer = get_trainer(self.config["MODEL_TYPE"], self.config["model"])(self.config, self.model)
        user = self.model.USER_ID
        if score is not None:
            self.model.full_sort_predict = lambda batch: score(*self.model.history(batch[user])).view(-1)
        try:
            trainer.eval_collector.data_collect(self.train)
            return dict(trainer.evaluate(self.test, load_best_model=False))
        finally:
            vars(self.model).pop("full_sort_predict", None)


class Profiles:
    """User token → ids of the user's items, read from a matrix when asked for."""

    def __init__(self, users, matrix):
        self._users, self._matrix = users, matrix

    def __contains__(self, user):
        return user in self._users and self._users[user] != 0

    def __getitem__(self, user):
        row = self._users[user]
        return self._matrix.indices[self._matrix.indptr[row] : self._matrix.indptr[row + 1]]

    def __iter__(self):
        return (user for user in self._users if self._users[user])


def check_servable(model, settings):
    """Raises ValueError for a model that has no scores for a history of items, with the reason."""
    registry.check_unseen_users(model, settings)
    if model not in registry.registered():
        own = [name for name in registry.UNSEEN_USERS if name in registry.registered()]
        raise ValueError(f"model: {model} is RecBole's own; there are recommenders of {', '.join(own)}")
    if settings.get("feedback") == "rating":
        raise ValueError("model: this AutoRec was trained on ratings, and a history of items has none")
