"""Settings of the graph filters on `tiny`, and their scores against a dense matrix."""

import numpy as np
import torch
from recbole.data.interaction import Interaction

GFCF = {"low_pass_rank": 5}
CHEBYCF = {"low_pass_rank": 5, "order": 6, "flatness": 2.0, "low_pass_weight": 0.3, "degree_power": 0.4}


def check_scores(model, X, F):
    """Scores of the training's users, of users that training never saw, and similarities."""
    F = F * (X.sum(0) > 0)[:, None]  # a history may have items of nobody
    with torch.no_grad():
        scores = model.full_sort_predict(Interaction({model.USER_ID: torch.arange(len(X))})).view(
            len(X), -1
        )
        np.testing.assert_allclose(scores, X @ F, atol=1e-5)
        unseen = model.score(torch.tensor([3, 5, 9]), torch.tensor([2, 0, 1]))
        np.testing.assert_allclose(unseen, [F[[3, 5]].sum(0), 0 * F[0], F[9]], atol=1e-5)
        np.testing.assert_allclose(model.similarity(3), F[3], atol=1e-5)
    assert not scores[:, X.sum(0) == 0].any()
