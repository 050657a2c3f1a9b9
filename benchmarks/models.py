"""Models of RecBole and of this package on a matrix, without the files and settings that RecBole reads."""

import sys

import numpy as np
import yaml

import recbole_edlae  # noqa: F401  before RecBole
from recbole_edlae.settings import registry
from recbole_edlae.settings.registry import RECBOLE_PROPERTIES

from recbole.data.interaction import Interaction  # isort: skip
from recbole.utils import get_model  # isort: skip


class Settings(dict):
    """What a model reads of RecBole's Config."""

    device = "cpu"

    def __missing__(self, key):
        return None


class Matrix:
    """What a model reads of RecBole's Dataset; row and column 0 are [PAD], as there."""

    def __init__(self, X):
        self.X = X

    def num(self, field):
        return self.X.shape[0 if field == "user_id" else 1]

    def inter_matrix(self, form):
        return self.X.asformat(form, copy=True)


def fitted(name, X, **settings):
    """A model with its default settings and those given, trained."""
    defaults = registry.registered().get(name) or RECBOLE_PROPERTIES / "model" / f"{name}.yaml"
    with open(defaults, encoding="utf-8") as file:
        settings = Settings(yaml.safe_load(file), **settings)
    settings.update(USER_ID_FIELD="user_id", ITEM_ID_FIELD="item_id", NEG_PREFIX="neg_", device="cpu")
    model = get_model(name)(settings, Matrix(X))
    if hasattr(model, "fit"):
        progress = Progress() if sys.stderr.isatty() else None
        model.fit(progress=progress)
    return model.eval()


def recommend(model, X, users, k=20):
    """The k best new items of some users, and their number of scores, in batches of ten million scores."""
    import torch

    step = max(1, 10_000_000 // X.shape[1])
    best = []
    for start in range(0, len(users), step):
        batch = users[start : start + step]
        with torch.no_grad():
            scores = model.full_sort_predict(Interaction({"user_id": torch.from_numpy(batch)})).view(
                len(batch), -1
            )
        for row, user in zip(scores, batch):
            row[X.indices[X.indptr[user] : X.indptr[user + 1]]] = -np.inf
        scores[:, 0] = -np.inf
        best.append(scores.topk(k).indices)
    return torch.cat(best)


class Progress:
    """Percent done, on one line of standard error."""

    def __call__(self, done, total):
        print(
            f"\r{100 * done / total:3.0f} %", end="\n" if done >= total else "", file=sys.stderr, flush=True
        )
